-- Counts the long words of a text. Parameters: INPUT and OUTPUT, directories; TABLE, a name; LENGTH, of the shortest word.
CREATE EXTERNAL TABLE ${TABLE} (line STRING) LOCATION '${INPUT}';
INSERT OVERWRITE DIRECTORY '${OUTPUT}' ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT word, COUNT(*) FROM ${TABLE} LATERAL VIEW explode(split(line, '\\s+')) words AS word
WHERE length(word) >= ${LENGTH} GROUP BY word;
DROP TABLE ${TABLE};
