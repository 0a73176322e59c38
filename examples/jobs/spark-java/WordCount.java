// SPDX-License-Identifier: Apache-2.0

import java.util.Arrays;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/** Counts the words of a text in HDFS: WordCount SOURCE TARGET. */
public final class WordCount {
    public static void main(String[] arguments) {
        try (JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName("word count in Java"))) {
            spark.textFile(arguments[0])
                .flatMap(line -> Arrays.asList(line.split("\\s+")).iterator())
                .filter(word -> !word.isEmpty())
                .mapToPair(word -> new Tuple2<>(word, 1))
                .reduceByKey(Integer::sum)
                .map(count -> count._1 + "\t" + count._2)
                .saveAsTextFile(arguments[1]);
        }
    }
}
