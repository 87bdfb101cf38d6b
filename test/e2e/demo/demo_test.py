"""`weft demo` against a real server: each story of docs/demo.md is found the way that page says."""

import collections
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from trace_view import fetch  # noqa: E402
from weft_server import BINARY, WeftServer  # noqa: E402

SECOND = 1_000_000_000


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-e2e-demo-"))
        cls.server = WeftServer(cls.folder / "data", cls.folder / "weft.log")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.addClassCleanup(cls.server.stop)
        cls.shop = subprocess.run(
            [
                str(BINARY),
                "demo",
                "--otlp",
                cls.server.otlp_http,
                "--history",
                "900",
                "--seconds",
                "4",
                "--rate",
                "8",
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )

    def found(self, query, **more):
        return self.server.search(query, **({"limit": 50} | more))["traces"]

    def first(self, query):
        traces = self.found(query)
        self.assertTrue(traces, query)
        return fetch(self.server, traces[0]["traceId"])

    def test_it_says_what_it_does(self):
        self.assertEqual(self.shop.returncode, 0, self.shop.stderr)
        self.assertIn("the past is sent", self.shop.stderr)
        self.assertIn("spans_refused=0", self.shop.stderr)
        self.assertIn("spans_given_up=0", self.shop.stderr)

    def test_eighteen_services(self):
        services = self.server.get("/api/v1/services")["services"]
        self.assertEqual(len(services), 18)
        self.assertGreater(sum(s["spanCount"] for s in services), 50_000)

    def test_checkout_is_slow_since_a_deployment(self):
        trace = self.first('{ name = "POST /api/checkout" && duration > 1s && status != error }')
        slow = max((s for s in trace.spans if not s.children), key=lambda s: s.duration)
        self.assertEqual(slow.service, "payment")
        self.assertEqual(slow.attributes["url.full"], "https://api.card-risk.example/v2/score")
        self.assertEqual(slow.resource["service.version"], "1.9.0")
        self.assertEqual(
            self.found(
                '{ resource.service.name = "payment" && resource.service.version = "1.8.2" && duration > 1s }'
            ),
            [],
        )
        self.assertTrue(
            self.found(
                '{ resource.service.name = "payment" && resource.service.version = "1.8.2" }'
            )
        )

    def test_a_retry_storm(self):
        most = max(
            self.found('{ resource.service.name = "quote" && status = error }', limit=200),
            key=lambda t: t["matched"],
        )
        self.assertEqual(most["matched"], 18)
        trace = fetch(self.server, most["traceId"])
        self.assertTrue(
            any(s.attributes.get("http.request.resend_count") == 2 for s in trace.spans)
        )

    def test_an_n_plus_one_query(self):
        trace = self.first('{ name = "GET /api/orders" }')
        repeated = collections.Counter(
            s.name for s in trace.one("GET /users/{userId}/orders").children
        )
        self.assertEqual(repeated["SELECT accounting.orders"], 1)
        self.assertGreater(repeated["SELECT accounting.order_items"], 2)

    def test_an_endpoint_with_errors(self):
        trace = self.first('{ name = "GET /reviews/{product_id}" && status = error }')
        exception = trace.one("GET /reviews/{product_id}").event("exception")["attributes"]
        self.assertEqual(exception["exception.type"], "psycopg2.pool.PoolError")
        self.assertIn("reviews/store.py", exception["exception.stacktrace"])

    def test_a_service_that_loses_the_trace(self):
        mails = self.found(
            '{ resource.service.name = "email" && kind = server && name = "POST /send_order_confirmation" }'
        )
        self.assertTrue(mails)
        self.assertEqual({(m["rootService"], m["spanCount"]) for m in mails}, {("email", 2)})
        trace = self.first(
            '{ resource.service.name = "checkout" && span.url.full = "http://email:6060/send_order_confirmation" }'
        )
        call = next(
            s for s in trace.spans if s.attributes.get("url.full", "").startswith("http://email:")
        )
        self.assertEqual(call.children, [])

    def test_the_graph_shows_who_calls_whom_and_what_was_torn(self):
        graph = self.server.get("/api/v1/service-graph")
        self.assertTrue(graph["complete"])
        edges = {(e["client"]["name"], e["server"]["name"]): e for e in graph["edges"]}
        for pair, kind in (
            (("cart", "redis-cart"), "database"),
            (("payment", "api.card-risk.example"), "external"),
            (("frontend", "checkout"), "service"),
        ):
            self.assertIn(pair, edges)
            self.assertEqual(edges[pair]["server"]["kind"], kind)
        self.assertEqual(edges["checkout", "accounting"]["via"], "orders")
        mail = edges["checkout", "email"]
        self.assertGreater(mail["torn"], 0)
        self.assertEqual(mail["torn"] + mail["unanswered"], mail["requests"])
        self.assertEqual(mail["serverDurations"]["count"], mail["torn"])

    def printed(self, *arguments):
        done = subprocess.run(
            [str(BINARY), "query", *arguments, "--server", self.server.http],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def asked(self, query):
        return json.loads(self.printed(query))

    def test_metrics_are_counted_on_the_command_line(self):
        query = "{ kind = server } | count_over_time() by (resource.service.name)"
        lines = [json.loads(line) for line in self.printed(query).splitlines()]
        counts = {line["labels"][0]["value"]["stringValue"]: line["value"] for line in lines}
        self.assertGreater(counts["frontend"], counts["payment"])
        # A pseudo-terminal is shown a table, the greatest first.
        main, terminal = pty.openpty()
        with os.fdopen(main) as shown:
            subprocess.run(
                [str(BINARY), "query", query, "--limit", "2", "--server", self.server.http],
                stdout=terminal,
                stderr=terminal,
                env=os.environ | {"NO_COLOR": "1"},
                check=True,
                timeout=60,
            )
            os.close(terminal)
            rows = [shown.readline().split() for _ in range(4)]
        greatest = sorted(counts.items(), key=lambda entry: -entry[1])
        self.assertEqual(rows[0], ["resource.service.name", "VALUE"])
        self.assertEqual([row[0] for row in rows[1:3]], [name for name, _ in greatest[:2]])
        self.assertEqual(rows[1][1], f"{int(greatest[0][1]):,}")
        self.assertIn("more:", rows[3])
        # What explains an answer is written as people write numbers.
        explained = self.printed(query, "--explain").splitlines()[-1]
        self.assertRegex(explained, r'"elapsedMs":[0-9.]+[,}]')

    def test_what_checkouts_were_waiting_for(self):
        checkouts = '{ name = "POST /api/checkout" && duration > 1s && status != error }'
        path = self.asked(checkouts + " | critical_path() | by(resource.service.name)")
        first = path["groups"][0]
        self.assertEqual(first["labels"][0]["value"], "payment")
        self.assertGreater(int(first["ownNs"]), int(path["totalNs"]) / 2)
        own = sum(int(g["ownNs"]) for g in path["groups"])
        self.assertEqual(own, int(path["totalNs"]))
        changed = self.asked(checkouts + ' | what_if(service="payment", factor=0.5)')["whatIf"]
        self.assertLess(
            int(changed["after"]["p50Ns"]), 0.8 * int(changed["before"]["p50Ns"]), changed
        )

    def test_the_doctor_finds_what_is_broken(self):
        shown = subprocess.run(
            [str(BINARY), "doctor", "--json", "--server", self.server.http],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(shown.returncode, 0, shown.stderr)
        findings = [json.loads(line) for line in shown.stdout.splitlines()]
        lost = next(f for f in findings if f["kind"] == "context_lost")
        self.assertEqual((lost["client"], lost["server"]), ("checkout", "email"))
        self.assertEqual(lost["culprit"], "callee")
        call = fetch(self.server, lost["clientTraceId"])
        answer = fetch(self.server, lost["serverTraceId"])
        self.assertIn("checkout", {s.service for s in call.spans})
        self.assertEqual({s.service for s in answer.spans}, {"email"})
        skewed = [f for f in findings if f["kind"] == "clock_skew" and f["server"] == "shipping"]
        self.assertTrue(skewed)
        for finding in skewed:
            self.assertAlmostEqual(int(finding["offsetNs"]) / 1e6, 340, delta=40)
        self.assertEqual(len({f["host"] for f in skewed}), 1)
        only = self.server.get("/api/v1/propagation?service=email")["findings"]
        self.assertTrue(only)
        self.assertTrue(all("email" in (f.get("client"), f["server"]) for f in only))

    def test_the_graph_as_a_command(self):
        shown = subprocess.run(
            [str(BINARY), "graph", "{ .db.system.name != nil }", "--server", self.server.http],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(shown.returncode, 0, shown.stderr)
        edges = [json.loads(line) for line in shown.stdout.splitlines()]
        self.assertTrue(edges)
        self.assertEqual({e["server"]["kind"] for e in edges}, {"database"})
        wrong = subprocess.run(
            [str(BINARY), "graph", "{ nme = 1 }", "--server", self.server.http],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean", wrong.stderr)
        self.assertIn("^^^", wrong.stderr)

    def test_a_leaked_mail_address(self):
        spans = self.found('{ span.enduser.id =~ ".*@.*" }')
        self.assertTrue(spans)
        self.assertEqual(
            {(s["name"], s["service"]) for t in spans for s in t["spans"]},
            {("POST /login", "account")},
        )

    def test_a_clock_that_runs_ahead(self):
        nodes = collections.Counter()
        for hit in self.found(
            '{ name = "shop.Shipping/GetQuote" && kind = server && status != error }', limit=100
        ):
            for span in fetch(self.server, hit["traceId"]).spans:
                if span.service == "shipping" and span.kind == "server" and span.parent is not None:
                    late = (
                        span.start + span.duration
                        > span.parent.start + span.parent.duration + SECOND // 100
                    )
                    nodes[span.resource["k8s.node.name"], late] += 1
        self.assertEqual(len({node for node, _ in nodes}), 2, nodes)
        self.assertEqual(len({node for node, late in nodes if late}), 1, nodes)
