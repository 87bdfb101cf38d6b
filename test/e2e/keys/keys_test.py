"""A service that sends ids as attribute keys, beside one that does not: the real server."""

import http.client
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from weft_server import BINARY, WeftServer  # noqa: E402

KEYS = 200_000
KEYS_OF_A_SPAN = 100
MEMORY_BYTES_MAX = 400 << 20
START_NS = 1_763_737_200_000_000_000


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def span(number, attributes):
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "op",
        "kind": 2,
        "startTimeUnixNano": str(START_NS + number),
        "endTimeUnixNano": str(START_NS + number + 1000),
        "attributes": attributes,
    }


class KeysTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weft-keys-")
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name) / "data"
        self.data.mkdir()
        self.server = WeftServer(self.data, pathlib.Path(folder.name) / "log")
        self.addCleanup(lambda: self.server.stop())

    def send(self, service, spans):
        host, port = self.server.otlp_http.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        body = {
            "resourceSpans": [
                {
                    "resource": {"attributes": [attribute("service.name", service)]},
                    "scopeSpans": [{"scope": {"name": "lib"}, "spans": spans}],
                }
            ]
        }
        connection.request(
            "POST", "/v1/traces", json.dumps(body), {"Content-Type": "application/json"}
        )
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def send_everything(self):
        web = [span(n, [attribute("http.route", f"/r{n % 7}")]) for n in range(1, 3001)]
        self.send("web", web)
        number = 10_000
        for first in range(0, KEYS, 100 * KEYS_OF_A_SPAN):
            spans = []
            for begin in range(first, first + 100 * KEYS_OF_A_SPAN, KEYS_OF_A_SPAN):
                keys = range(begin, begin + KEYS_OF_A_SPAN)
                spans.append(span(number, [attribute(f"user.k{k}.name", "x") for k in keys]))
                number += 1
            self.send("flood", spans)

    def check_answers(self):
        for key in (0, 123_456, KEYS - 1):
            found = self.server.search(f'{{ span.user.k{key}.name = "x" }}')["traces"]
            self.assertEqual(len(found), 1, key)
            self.assertEqual(found[0]["rootService"], "flood")
        self.assertEqual(self.server.search("{ span.user.k200000.name != nil }")["traces"], [])
        routes = self.server.get("/api/v1/attribute-values", key="span.http.route")["values"]
        self.assertEqual(sum(value["count"] for value in routes), 3000)
        keys = self.server.get("/api/v1/attributes")
        self.assertEqual((len(keys["attributes"]), keys["complete"]), (10_000, False))
        keys = self.server.get("/api/v1/attributes", prefix="user.k12345")
        self.assertEqual((len(keys["attributes"]), keys["complete"]), (11, True))

    def test_the_flood_is_named_and_harms_nobody(self):
        before, _ = self.server.memory_bytes()
        self.send_everything()
        self.check_answers()
        self.server.flush()
        self.check_answers()
        _, peak = self.server.memory_bytes()
        self.assertLess(peak - before, MEMORY_BYTES_MAX)
        named = 'weft_many_attribute_keys_total{tenant="default",service="flood"}'
        self.assertGreaterEqual(self.server.metrics()[named], 1000)
        self.assertEqual(
            [name for name in self.server.metrics() if "many_attribute_keys" in name], [named]
        )
        out = subprocess.run(
            [str(BINARY), "blocks", "--data", str(self.data), "--json"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        many = [m for line in out.splitlines() for m in json.loads(line).get("manyKeys", [])]
        self.assertEqual({m["service"] for m in many}, {"flood"})
        self.assertEqual(sum(m["keys"] for m in many), KEYS)
        self.assertTrue(many[0]["example"].startswith("user.k"))


if __name__ == "__main__":
    unittest.main()
