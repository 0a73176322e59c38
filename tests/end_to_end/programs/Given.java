// SPDX-License-Identifier: Apache-2.0

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Writes what it was given to the file in HDFS that its first argument names: a line for each value, in Base64. */
public class Given {
    public static void main(String[] args) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 1; i < args.length; i++) {
            lines.append("argument ").append(encoded(args[i])).append('\n');
        }
        // Where Oozie leaves an action's configuration.
        Configuration action = new Configuration(false);
        action.addResource(new Path("file:///", System.getProperty("oozie.action.conf.xml")));
        for (Map.Entry<String, String> one : new TreeMap<>(action.getValByRegex("^given\\.")).entrySet()) {
            lines.append(one.getKey()).append(' ').append(encoded(action.getRaw(one.getKey()))).append('\n');
        }
        FileSystem hdfs = FileSystem.get(new Configuration());
        try (OutputStream result = hdfs.create(new Path(args[0]))) {
            result.write(lines.toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    private static String encoded(String value) {
        return Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8));
    }
}
