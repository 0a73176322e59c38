-- SPDX-License-Identifier: Apache-2.0
-- How many of the words of at least $LENGTH letters begin with which letter.
lines = LOAD '$INPUT' USING TextLoader() AS (line: chararray);
words = FOREACH lines GENERATE FLATTEN(TOKENIZE(line, ' \t')) AS word;
chosen = FILTER words BY SIZE(word) >= $LENGTH;
initials = FOREACH chosen GENERATE SUBSTRING(word, 0, 1) AS initial;
grouped = GROUP initials BY initial;
counted = FOREACH grouped GENERATE group, COUNT(initials);
STORE counted INTO '$OUTPUT';
