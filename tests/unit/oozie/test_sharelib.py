# SPDX-License-Identifier: Apache-2.0
"""Bringing the share lib to HDFS, against a small WebHDFS server that answers as a NameNode and a DataNode do."""

from __future__ import annotations

import http.server
import json
import pathlib
import threading
from urllib import parse

import fixtures
import testtools

from lab.oozie.server import sharelib, webhdfs

ROOT = "/user/oozie/share/lib"


class _Answer(http.server.BaseHTTPRequestHandler):
    """One HDFS in memory: ``files`` maps paths to contents, None for a directory."""

    server: HdfsServer

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        where = parse.urlsplit(self.path)
        query = dict(parse.parse_qsl(where.query))
        path = parse.unquote(where.path).removeprefix("/webhdfs/v1")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        files = self.server.files
        self.server.calls.append((query["op"], path, query["user.name"]))
        if self.server.refusals:
            return self._fault(403, *self.server.refusals.pop(0))
        if query["op"] == "LISTSTATUS":
            if path not in files:
                return self._fault(404, "FileNotFoundException", f"File {path} does not exist.")
            names = [other[len(path) + 1 :] for other in files if other.startswith(f"{path}/")]
            listed = [{"pathSuffix": name} for name in names if "/" not in name]
            return self._reply(200, {"FileStatuses": {"FileStatus": listed}})
        if query["op"] == "CREATE" and "datanode" not in query:
            location = f"http://{self.headers['Host']}{self.path}&datanode=true"
            return self._reply(307, None, Location=location)
        if query["op"] == "CREATE":
            files[path] = body
            return self._reply(201, None)
        if query["op"] == "MKDIRS":
            for parent in (path, *map(str, pathlib.PurePosixPath(path).parents)):
                files.setdefault(parent, None)
        if query["op"] == "DELETE":
            for other in [other for other in files if other == path or other.startswith(f"{path}/")]:
                del files[other]
        if query["op"] == "RENAME":
            for other in [other for other in files if other == path or other.startswith(f"{path}/")]:
                files[query["destination"] + other[len(path) :]] = files.pop(other)
        return self._reply(200, {"boolean": True})

    do_GET = do_PUT = do_DELETE = _serve

    def _fault(self, status: int, exception: str, message: str) -> None:
        self._reply(status, {"RemoteException": {"exception": exception, "message": message}})

    def _reply(self, status: int, document: object, **headers: str) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class HdfsServer(fixtures.Fixture):
    """The server; ``refusals`` are exceptions that it throws at the next calls."""

    def _setUp(self) -> None:
        self.files: dict[str, bytes | None] = {"/user/oozie": None}
        self.calls: list[tuple[str, str, str]] = []
        self.refusals: list[tuple[str, str]] = []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
        server.files, server.calls, server.refusals = self.files, self.calls, self.refusals  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.address = f"127.0.0.1:{server.server_address[1]}"
        self.hadoop = {"dfs.namenode.http-address": self.address}


class ShareLibTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hdfs = self.useFixture(HdfsServer())
        self.source = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for name in ("oozie/launcher.jar", "mapreduce-streaming/streaming.jar"):
            (self.source / name).parent.mkdir(exist_ok=True)
            (self.source / name).write_bytes(name.encode())

    def ensure(self, **site: str) -> str:
        return sharelib.ensure(site, hadoop=self.hdfs.hadoop, source=self.source)

    def jars(self) -> dict[str, bytes]:
        return {path: content for path, content in self.hdfs.files.items() if content is not None}

    def test_the_jars_arrive_below_a_new_lib_directory(self) -> None:
        path = self.ensure()

        self.assertTrue(path.startswith(f"{ROOT}/lib_"), path)
        self.assertEqual(
            {
                f"{path}/oozie/launcher.jar": b"oozie/launcher.jar",
                f"{path}/mapreduce-streaming/streaming.jar": b"mapreduce-streaming/streaming.jar",
            },
            self.jars(),
        )
        self.assertEqual({"oozie"}, {user for _, _, user in self.hdfs.calls})

    def test_one_that_is_there_is_left_alone(self) -> None:
        first = self.ensure()
        before = dict(self.hdfs.files)

        self.assertEqual(first, self.ensure())
        self.assertEqual(before, self.hdfs.files)

    def test_a_copy_that_broke_off_is_no_share_lib_and_goes_away(self) -> None:
        self.hdfs.files[ROOT] = None
        self.hdfs.files[f"{ROOT}/copying"] = None
        self.hdfs.files[f"{ROOT}/copying/oozie/old.jar"] = b"half"

        self.ensure()

        self.assertNotIn(b"half", self.jars().values())
        self.assertEqual(2, len(self.jars()))

    def test_another_path_of_the_role_is_used(self) -> None:
        name = "oozie.service.WorkflowAppService.system.libpath"

        self.assertTrue(self.ensure(**{name: "/lib/of/${user.name}"}).startswith("/lib/of/oozie/lib_"))

    def test_a_namenode_that_is_starting_is_awaited(self) -> None:
        self.hdfs.refusals += [
            ("RetriableException", "NameNode still not started"),
            ("SafeModeException", "in safe mode"),
        ]

        self.ensure()

        self.assertEqual(2, len(self.jars()))

    def test_the_active_one_of_two_namenodes_is_found(self) -> None:
        standby = self.useFixture(HdfsServer())
        standby.refusals += [("StandbyException", "Operation category READ is not supported in state standby")] * 99
        name = "dfs.namenode.http-address.ns"
        self.hdfs.hadoop = {f"{name}.nn1": standby.address, f"{name}.nn2": self.hdfs.address}

        self.ensure()

        self.assertEqual(2, len(self.jars()))

    def test_a_refusal_is_told_with_the_user_and_the_path(self) -> None:
        self.hdfs.refusals.append(("AccessControlException", 'Permission denied: inode="/user"'))

        error = self.assertRaises(webhdfs.WebHdfsError, self.ensure)

        for words in ("user oozie", ROOT, "Permission denied"):
            self.assertIn(words, str(error))

    def test_waiting_for_hdfs_ends(self) -> None:
        self.hdfs.refusals += [("SafeModeException", "in safe mode")] * 99
        hdfs = webhdfs.WebHdfs([self.hdfs.address], "oozie", patience=0.3)

        error = self.assertRaises(webhdfs.WebHdfsError, hdfs.mkdirs, "/x")

        self.assertIn("in safe mode", str(error))


class AddressesTest(testtools.TestCase):
    def test_the_file_systems_host_stands_in_for_an_address(self) -> None:
        self.assertEqual(["nn.example:9870"], webhdfs.addresses({"fs.defaultFS": "hdfs://nn.example:8020"}))

    def test_a_configuration_without_hdfs_is_refused(self) -> None:
        self.assertRaises(webhdfs.WebHdfsError, webhdfs.addresses, {"fs.defaultFS": "file:///"})
