# SPDX-License-Identifier: Apache-2.0
"""Jobs of every type on a real cluster, through Sahara's API and its ordinary client."""

from __future__ import annotations

import base64
import collections
import concurrent.futures
import json
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable

import testtools
from testtools import matchers

from lab import rest, settings, wordcount
from tests.end_to_end import demo, jobs

PROGRAMS = pathlib.Path(__file__).parent / "programs"
TEXT = (settings.CHECKOUT / "LICENSE").read_text()
LINES = TEXT.splitlines()


def counted_words() -> list[str]:
    return [f"{word}\t{count}" for word, count in collections.Counter(TEXT.split()).items()]


#: What an example's result in HDFS has to be, by its directory; in any order.
EXPECTED: dict[str, Callable[[], list[str]]] = {
    "mapreduce": counted_words,
    "streaming": lambda: [f"{size}\t{count}" for size, count in collections.Counter(map(len, TEXT.split())).items()],
    "java": lambda: [f"{len(line)}\t{line}" for line in sorted(LINES, key=len, reverse=True)[:5]],
    "pig": lambda: [
        f"{initial}\t{count}"
        for initial, count in collections.Counter(word[0] for word in TEXT.split() if len(word) >= 8).items()
    ],
    "shell": lambda: [f"{number}:{line}" for number, line in enumerate(LINES, 1) if "the work" in line],
}

#: Likewise for Spark. The scheduler lets them wait for one another where drivers would leave no room for executors.
EXPECTED_OF_SPARK = {"spark-java": counted_words, "spark-python": counted_words}

#: Those that other modules run.
ELSEWHERE = {"hive", "object-store"}

#: What some shell, parser or expression language on the way would take for its own.
ODD = (
    "two words",
    'it\'s "quoted"',
    "-n",
    "--flag=a b",
    "",
    "&<>;|*?[a]{b}~#!",
    "$HOME $(id) `id` \\n",
    "${user.name} ${HOME} ${wf:id()}",
    "100% %s %0A",
    "tab\tand\nnew\nlines",
    "carriage\rreturn",
    "naïve 日本語 🐘",
    "key=value=more",
    "<![CDATA[ ]]> &amp; <!-- -->",
)
#: Besides, what reaches scripts only.
OUTER_SPACE = ("  both ends  ", "\n", " ")


def decoded(line: str) -> tuple[str, str]:
    """A name and its value, of a line that the test programs write."""
    name, _, value = line.partition(" ")
    return name, base64.b64decode(value).decode()


class JobsTest(testtools.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.made = demo.there()
        cls.cloud = rest.Cloud(demo.LAB)
        cls.hdfs = cls.made.hdfs()
        cls.jobs = jobs.Jobs(cls.cloud, cls.made, "tests")
        cls.place = f"/user/hdfs/tests-{time.time_ns()}"

    def result(self, directory: str) -> list[str]:
        """The lines of all files of a directory in HDFS."""
        return [
            line
            for name in self.hdfs.list(directory)
            for line in self.hdfs.read(f"{directory}/{name}").decode().splitlines()
        ]

    def run_example(self, name: str) -> str:
        """Run an example as a user does; return what it says."""
        status, output = jobs.run_example(name, self.made.name)
        self.assertEqual(0, status, output)
        return output

    def test_1_every_example_comes_to_its_result(self):
        there = {path.parent.name for path in jobs.EXAMPLES.glob("*/run.sh")}
        self.assertEqual({*EXPECTED, *EXPECTED_OF_SPARK, *ELSEWHERE}, there)
        self.check_examples(EXPECTED)
        self.check_examples(EXPECTED_OF_SPARK)

    def check_examples(self, expected: dict[str, Callable[[], list[str]]]) -> None:
        """Run examples at once."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            said = dict(zip(expected, pool.map(self.run_example, expected), strict=True))
        for name, output in said.items():
            directory = re.search(r"^-- (/\S+) is as expected$", output, re.MULTILINE)
            self.assertIsNotNone(directory, output)
            self.assertEqual(sorted(expected[name]()), sorted(self.result(directory[1])), name)

    def test_2_two_jobs_of_one_script_at_once_get_each_its_own_values_as_they_are(self):
        script, _ = self.jobs.binary(self.jobs.stored((PROGRAMS / "given.sh").read_bytes()), ".sh")
        template = self.jobs.template("Shell", mains=(script,))
        values = ODD + OUTER_SPACE
        given = {"one": values, "other": tuple(reversed(values))}
        started = {}
        for name, arguments in given.items():
            params = {f"GIVEN_{number:02}": value for number, value in enumerate(arguments)}
            params["HADOOP_USER_NAME"] = "hdfs"
            args = [f"{self.place}-{name}", *arguments]
            started[name] = self.jobs.start(template, args=args, params=params)
        for name, job in started.items():
            self.jobs.await_status(job, "SUCCEEDED")
            expected = [("argument", value) for value in given[name]]
            expected += [(f"GIVEN_{number:02}", value) for number, value in enumerate(given[name])]
            lines = self.hdfs.read(f"{self.place}-{name}").decode().splitlines()
            self.assertEqual(expected, [decoded(line) for line in lines])

    def test_3_a_main_class_gets_its_arguments_and_configuration_as_they_are(self):
        # Programs may lie in HDFS.
        self.hdfs.write(f"{self.place}.jar", self.given_jar())
        jar, _ = self.jobs.binary(f"hdfs://{self.place}.jar", ".jar")
        template = self.jobs.template("Java", libs=(jar,))
        # Hadoop itself puts a user's name in place of that one.
        arguments = [value for value in ODD if value and "${user.name}" not in value] + ["${HOME}", "${wf:id()}"]
        configs = {f"given.{number:02}": value for number, value in enumerate(ODD) if value}
        job = self.jobs.start(
            template,
            args=[f"{self.place}-java", *arguments],
            configs={"edp.java.main_class": "Given", **configs},
        )
        self.jobs.await_status(job, "SUCCEEDED")
        lines = self.hdfs.read(f"{self.place}-java").decode().splitlines()
        expected = [("argument", value) for value in arguments] + list(configs.items())
        self.assertEqual(expected, [decoded(line) for line in lines])

    def given_jar(self) -> bytes:
        """The test's own main class, compiled."""
        with tempfile.TemporaryDirectory() as scratch:
            classes = wordcount.examples_jar(demo.LAB).parent / "*"
            compiler = ["javac", "-proc:none", "-cp", str(classes), "-d", scratch, str(PROGRAMS / "Given.java")]
            subprocess.run(compiler, check=True, timeout=120)
            subprocess.run(["jar", "cf", f"{scratch}/given.jar", "-C", scratch, "Given.class"], check=True, timeout=60)
            return pathlib.Path(scratch, "given.jar").read_bytes()

    def test_4_a_job_that_fails_says_why(self):
        source = f"{self.place}-text"
        self.hdfs.write(f"{source}/text", TEXT.encode())
        script, _ = self.jobs.binary(self.jobs.stored(b"#!/bin/sh\necho 'no milk today' >&2\nexit 3\n"))
        mapper, name = self.jobs.binary(self.jobs.stored(b"raise ValueError('no such letter')\n"), ".py")
        streaming = self.jobs.template("MapReduce.Streaming", libs=(mapper,))
        started = {
            "no milk today": self.jobs.start(self.jobs.template("Shell", mains=(script,))),
            "ValueError: no such letter": self.jobs.start(
                streaming,
                self.jobs.source(source),
                self.jobs.source(f"{self.place}-nowhere"),
                configs={
                    "edp.streaming.mapper": f"python3 {name}",
                    "edp.streaming.reducer": "cat",
                    "mapreduce.map.maxattempts": "1",
                },
            ),
        }
        for cause, job in started.items():
            info = self.jobs.await_status(job, "FAILED")
            self.assertThat(info["error"], matchers.Contains(cause))

    def test_5_a_cancelled_job_ends_on_the_cluster(self):
        script, _ = self.jobs.binary(self.jobs.stored(b"#!/bin/sh\nexec sleep 3600\n"))
        template = self.jobs.template("Shell", mains=(script,))
        job = self.jobs.start(template)
        application = ""

        def runs() -> bool:
            nonlocal application
            found = [action["externalId"] for action in self.jobs.look(job).get("actions", [])]
            application = next((one for one in found if (one or "").startswith("application_")), "")
            return bool(application) and self.application(application)["state"] == "RUNNING"

        rest.wait_until(runs, timeout=240)
        early = self.jobs.start(template)
        for one in (job, early):
            self.jobs.cancel(one)
        self.jobs.await_status(early, "KILLED")
        info = self.jobs.await_status(job, "KILLED")
        self.assertNotIn("error", info)
        rest.wait_until(lambda: self.application(application)["state"] == "KILLED", timeout=60)

    def application(self, identifier: str) -> dict[str, str]:
        """What YARN says of an application."""
        address = self.made.node("master").address
        with urllib.request.urlopen(f"http://{address}:8088/ws/v1/cluster/apps/{identifier}", timeout=20) as answer:
            return json.load(answer)["app"]

    def test_6_what_cannot_be_run_is_refused_with_its_reason(self):
        jar, _ = self.jobs.binary(self.jobs.stored(b"a jar"), ".jar")
        java = self.jobs.template("Java", libs=(jar,))
        storm = self.jobs.template("Storm", mains=(jar,))
        main_class = {"edp.java.main_class": "Given"}
        refusals = {
            "argument 2 begins or ends with white space": lambda: self.jobs.start(
                java, args=["fine", "not fine "], configs=main_class
            ),
            "argument 1 is empty": lambda: self.jobs.start(java, args=[""], configs=main_class),
            "'separator' in configs has the character U+0001": lambda: self.jobs.start(
                java, configs={**main_class, "separator": "\x01"}
            ),
            "doesn't support job type 'Storm'": lambda: self.jobs.start(storm),
        }
        for reason, attempt in refusals.items():
            refusal = self.assertRaises(rest.RestError, attempt)
            self.assertEqual(400, refusal.status)
            self.assertThat(str(refusal), matchers.Contains(reason))
