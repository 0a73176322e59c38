// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Arguments: a file, a directory for the result, how many lines. */
public class LongestLines {
    public static void main(String[] args) throws Exception {
        FileSystem hdfs = FileSystem.get(new Configuration());
        List<String> longest;
        try (BufferedReader text = new BufferedReader(
                new InputStreamReader(hdfs.open(new Path(args[0])), StandardCharsets.UTF_8))) {
            longest = text.lines()
                    .sorted(Comparator.comparingInt(String::length).reversed())
                    .limit(Integer.parseInt(args[2]))
                    .collect(Collectors.toList());
        }
        try (PrintStream result = new PrintStream(hdfs.create(new Path(args[1], "lines")), false, "UTF-8")) {
            for (String line : longest) {
                result.println(line.length() + "\t" + line);
            }
        }
    }
}
