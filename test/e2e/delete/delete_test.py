"""A privacy request to the real server: `weft delete`, kill -9, compaction, and then no byte left."""

import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from weft_server import BINARY, ApiError, WeftServer  # noqa: E402

VENV = pathlib.Path(os.environ["WEFT_E2E_VENV"])
SECRET = "ann-4f9c2b71d0"
START_NS = 1_763_737_200_000_000_000
# Old spans are merged whatever the levels of their blocks; what is replaced goes after two seconds.
ARGUMENTS = ["--compaction-age-min", "1s", "--query-timeout", "1s"]
WHOLE_TRACE = "000000000000000000000000000000aa"
PART_OF_TRACE = "000000000000000000000000000000bb"

# Every string that another engine reads, whatever the file.
READ_ALL = """
import pathlib, sys, pyarrow.parquet as parquet
for path in pathlib.Path(sys.argv[1]).rglob("*.parquet"):
    table = parquet.read_table(path)
    print(path, table.schema, table.to_pylist(), parquet.read_metadata(path).to_dict())
"""


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def span(trace, number, name, parent=None, attributes=(), **more):
    start = START_NS + number * 1_000_000
    made = {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "name": name,
        "kind": 2,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 500_000),
        "attributes": list(attributes),
    }
    if parent is not None:
        made["parentSpanId"] = f"{parent:016x}"
    return made | more


def secret_span(trace, number, parent=None):
    """Ann in every place that a span has."""
    return span(
        trace,
        number,
        f"greet {SECRET}",
        parent,
        [
            attribute("user.id", "ann"),
            attribute("note", f"of {SECRET}"),
            attribute(f"key.{SECRET}", "1"),
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": SECRET}]}}},
        ],
        traceState=f"a={SECRET}",
        status={"code": 2, "message": f"no {SECRET}"},
        events=[
            {
                "timeUnixNano": str(START_NS),
                "name": f"event {SECRET}",
                "attributes": [attribute("who", SECRET)],
            }
        ],
        links=[
            {
                "traceId": "01" * 16,
                "spanId": "02" * 8,
                "attributes": [attribute("why", SECRET)],
            }
        ],
    )


def request(service, spans, scope="lib"):
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [attribute("service.name", service)]},
                "scopeSpans": [{"scope": {"name": scope}, "spans": spans}],
            }
        ]
    }


class ServerTest(unittest.TestCase):
    """A server with Ann's spans and others."""

    arguments = ARGUMENTS

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weft-delete-")
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name) / "data"
        self.data.mkdir()
        self.server = WeftServer(self.data, pathlib.Path(folder.name) / "log", self.arguments)
        self.addCleanup(lambda: self.server.stop())

    def send(self, body):
        host, port = self.server.otlp_http.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        connection.request(
            "POST", "/v1/traces", json.dumps(body), {"Content-Type": "application/json"}
        )
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def weft(self, *arguments):
        done = subprocess.run(
            [str(BINARY), *arguments, "--data", str(self.data)], capture_output=True, text=True
        )
        return done.returncode, done.stdout, done.stderr

    def files_with_secret(self):
        return [
            str(path)
            for path in self.data.rglob("*")
            if path.is_file() and SECRET.encode() in path.read_bytes()
        ]

    def send_everything(self):
        others = [span(f"{n + 4096:032x}", 1000 + n, f"op {n % 5}") for n in range(300)]
        self.send(request("web", others))
        # A service and a scope that only she has used.
        self.send(request(f"app of {SECRET}", [secret_span(WHOLE_TRACE, 1)], f"scope {SECRET}"))
        self.server.flush()
        # Live when they are deleted, and a fragment of a trace that is in a block.
        self.send(request("web", [span(WHOLE_TRACE, 2, "below", 1)]))
        part = [
            span(PART_OF_TRACE, 10, "root"),
            secret_span(PART_OF_TRACE, 11, 10),
            span(PART_OF_TRACE, 12, "below", 11),
        ]
        self.send(request("web", part))


class UsageTest(ServerTest):
    arguments = ["--compaction-cpu-percent", "0"]  # the blocks stay as they are

    def test_usage_adds_up_to_the_files(self):
        self.send_everything()
        self.server.flush()
        total = sum(
            path.stat().st_size
            for path in (self.data / "blocks").rglob("*")
            if path.suffix == ".parquet" or path.name == "meta.json"
        )
        self.assertGreater(total, 10_000)
        for by in ("tenant", "service", "operation", "attribute"):
            code, out, _ = self.weft("usage", "--by", by)
            rows = [json.loads(line) for line in out.splitlines()]
            self.assertEqual((code, sum(row["bytes"] for row in rows)), (0, total), by)
            answer = self.server.get("/api/v1/usage", by=by)
            self.assertEqual((answer["bytes"], answer["usage"]), (total, rows), by)
        spans = {
            row["service"]: row["spans"] for row in self.server.get("/api/v1/usage")["usage"]
        }
        self.assertEqual(spans, {"web": 304, f"app of {SECRET}": 1})
        self.assertEqual(self.weft("usage", "--start", "now-1h")[:2], (0, ""))
        self.assertEqual(self.weft("usage", "--by", "colour")[0], 2)


class DeleteTest(ServerTest):
    def check_hidden(self):
        self.assertEqual(self.server.search("{ .user.id = `ann` }")["traces"], [])
        self.assertEqual(self.server.search(f"{{ name =~ `.*{SECRET}` }}")["traces"], [])
        with self.assertRaises(ApiError) as refused:
            self.server.get(f"/api/v1/traces/{WHOLE_TRACE}")
        self.assertEqual(refused.exception.status, 404)
        for path in ("services", "operations", "attributes", "attribute-values?key=name"):
            self.assertNotIn(SECRET, json.dumps(self.server.get(f"/api/v1/{path}")), path)
        self.assertNotIn("user.id", json.dumps(self.server.get("/api/v1/attributes")))
        part = self.server.get(f"/api/v1/traces/{PART_OF_TRACE}", format="columns")
        self.assertNotIn(SECRET, json.dumps(part))
        self.assertEqual(part["spans"]["id"], [f"{10:016x}", f"{12:016x}"])
        self.assertIn("orphans", part["flags"])
        self.assertEqual(len(self.server.search("{}", limit=1000)["traces"]), 301)

    def test_nothing_is_left(self):
        self.send_everything()
        self.assertNotEqual(self.files_with_secret(), [])
        code, out, _ = self.weft("delete", "{ .user.id = `ann` }", "--dry-run")
        self.assertEqual((code, json.loads(out)["spanCount"]), (0, 2))
        self.assertNotEqual(self.server.search("{ .user.id = `ann` }")["traces"], [])

        code, out, _ = self.weft("delete", "{ .user.id = `ann` }", "--by", "ticket 17")
        first = json.loads(out)
        self.assertEqual((code, first["spanCount"], first["state"]), (0, 2, "pending"))
        self.assertEqual(first["query"], "{ .user.id = ? }")
        code, out, _ = self.weft("delete", "--trace", WHOLE_TRACE)
        self.assertEqual((code, json.loads(out)["spanCount"]), (0, 1))
        self.check_hidden()
        self.server.kill()
        self.server.start()
        self.check_hidden()
        self.wait_until_done()
        self.check_hidden()
        self.check_bytes()
        self.server.kill()
        self.server.start()
        self.check_hidden()
        code, out, _ = self.weft("check")
        self.assertEqual(code, 0, out)

    def wait_until_done(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            states = [d["state"] for d in self.server.get("/api/v1/deletions")["deletions"]]
            if states == ["done", "done"]:
                return
            time.sleep(0.2)
        self.fail(f"the deletions are {states}\n{self.server.log_tail()}")

    def check_bytes(self):
        self.assertEqual(self.files_with_secret(), [])
        read = subprocess.run(
            [str(VENV / "bin" / "python"), "-c", READ_ALL, str(self.data)],
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertIn("spans.parquet", read.stdout)
        self.assertIn("op 3", read.stdout)
        self.assertNotIn(SECRET, read.stdout)
        self.assertNotIn("user.id", read.stdout)

    def test_wrong_requests_are_refused(self):
        for arguments in (
            ["{ .a == 1 }"],
            ["--trace", "xyz"],
            [],
            ["{}", "--trace", "ab"],
            ["--trace", "ab", "--start", "now-1h"],
            ["{}", "--start", "yesterday"],
            ["--list", "{}"],
        ):
            code, out, error = self.weft("delete", *arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertTrue(error.startswith("weft: "), error)
        code, _, error = self.weft("delete", "{ .no.such = 1 }")
        self.assertEqual(code, 1)
        self.assertIn("no span", error)


if __name__ == "__main__":
    unittest.main()
