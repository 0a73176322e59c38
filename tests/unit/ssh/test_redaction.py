# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import testtools

from sahara_docker.ssh import redaction


class RedactTest(testtools.TestCase):
    def test_known_secrets_go_wherever_they_stand(self) -> None:
        self.assertEqual("a *** b ***", redaction.redact("a hunter2 b hunter2", ["hunter2", None, ""]))

    def test_what_looks_like_a_secret_goes(self) -> None:
        for text in (
            "psql -c \"CREATE ROLE hive LOGIN PASSWORD 's3cret'\"",
            "PGPASSWORD=s3cret psql",
            "kadmin -p admin -pw s3cret -q listprincs",
            "mysql --password=s3cret",
            "export http_proxy=http://me:s3cret@proxy:3128",
            "echo 'cdh:s3cret' | sudo chpasswd",
            "echo s3cret | sudo -S true",
            "printf s3cret | passwd --stdin cdh",
        ):
            self.assertNotIn("s3cret", redaction.redact(text), text)

    def test_the_rest_stays(self) -> None:
        for text in (
            "sudo su - -c 'hdfs dfs -mkdir -p /user/hdfs' hdfs",
            "ls /etc/init.d/cloudera-scm-server",
            "curl http://10.0.0.3:7180/api/v8/tools/echo",
            "echo a | grep passwd /etc/passwd",
        ):
            self.assertEqual(text, redaction.redact(text))
