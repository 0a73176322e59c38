# SPDX-License-Identifier: Apache-2.0
"""Count the words of a text in HDFS: word_count.py SOURCE TARGET"""

import operator
import sys

from pyspark.sql import SparkSession

source, target = sys.argv[1:]
spark = SparkSession.builder.appName("word count in Python").getOrCreate()
words = spark.sparkContext.textFile(source).flatMap(str.split)
counts = words.map(lambda word: (word, 1)).reduceByKey(operator.add)
counts.map(lambda pair: f"{pair[0]}\t{pair[1]}").saveAsTextFile(target)
spark.stop()
