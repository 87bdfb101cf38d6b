"""deploy/grafana against a weft with the demo's traffic: every query of the dashboards and of the data sources, with Grafana's
variables filled in as Grafana does, has a right answer."""

import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DEPLOY = HERE.parents[2] / "deploy" / "grafana"
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "prometheus"))

from real_prometheus import ask, series_of  # noqa: E402
from weft_server import BINARY, WeftServer  # noqa: E402

RANGE_S = 900
REQUESTS = 'span_kind=~"SPAN_KIND_(SERVER|CONSUMER)"'


def filled_in(expression, interval="1m"):
    for name, value in (
        ("$__rate_interval", interval),
        ("$__range", f"{RANGE_S}s"),
        ("$service", ".+"),
        ("$__tags", 'service="checkout"'),
    ):
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


class Grafana(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-e2e-grafana-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.server = WeftServer(cls.folder / "data", cls.folder / "weft.log")
        cls.addClassCleanup(cls.server.stop)
        # The past is there, and nothing comes while questions are asked.
        command = [str(BINARY), "demo", "--otlp", cls.server.otlp_http, "--history", "1200"]
        subprocess.run([*command, "--seconds", "1", "--rate", "8"], check=True, capture_output=True)
        cls.server.flush()
        cls.now_s = int(time.time()) // 60 * 60
        cls.services = {s["name"] for s in cls.server.get("/api/v1/services")["services"]}

    def instant(self, query):
        url = f"http://{self.server.http}/prometheus"
        data = ask(url, "query", query=query, time=self.now_s)
        return {labels: points[0][1] for labels, points in series_of(data).items()}

    def over_time(self, query, step=60):
        url = f"http://{self.server.http}/prometheus"
        when = {"start": self.now_s - RANGE_S, "end": self.now_s, "step": step}
        return series_of(ask(url, "query_range", query=query, **when))

    def check_series(self, found):
        """Numbers that can be, of services that there are."""
        self.assertTrue(found)
        for labels, points in found.items():
            for name, value in labels:
                if name in ("service", "resource_service_name"):
                    self.assertIn(value, self.services)
            for _, value in points:
                self.assertFalse(math.isinf(value), labels)
        values = [v for points in found.values() for _, v in points if not math.isnan(v)]
        self.assertTrue(any(v > 0 for v in values))

    def test_every_query_of_the_dashboards_has_an_answer(self):
        asked = 0
        for file in sorted((DEPLOY / "dashboards").glob("*.json")):
            board = json.loads(file.read_text())
            for panel in board["panels"]:
                for target in panel["targets"]:
                    if target["datasource"]["uid"] != "weft-metrics":
                        self.assertEqual(target["datasource"]["uid"], "weft-traces")
                        continue
                    asked += 1
                    with self.subTest(board=board["title"], panel=panel["title"]):
                        query = filled_in(target["expr"])
                        if target["instant"]:
                            found = {k: [(0, v)] for k, v in self.instant(query).items()}
                        else:
                            found = self.over_time(query)
                        self.check_series(found)
        self.assertGreaterEqual(asked, 20)

    def test_uids_and_variables(self):
        sources = (DEPLOY / "provisioning" / "datasources" / "weft.yaml").read_text()
        self.assertEqual(re.findall(r"^    uid: (\S+)$", sources, re.M), ["weft-metrics", "weft-traces"])
        self.assertEqual(sources.count("datasourceUid: weft-metrics"), 2)
        for file in (DEPLOY / "dashboards").glob("*.json"):
            text = file.read_text()
            self.assertEqual(set(re.findall(r'"uid": "(weft-(?:metrics|traces))"', text)) - {"weft-metrics", "weft-traces"}, set())
            for variable in json.loads(text)["templating"]["list"]:
                metric, label = re.fullmatch(
                    r"label_values\((\w+), (\w+)\)", variable["query"]["query"]
                ).groups()
                values = ask(f"http://{self.server.http}/prometheus", f"label/{label}/values", **{"match[]": metric})
                self.assertEqual(set(values), self.services)

    def test_metrics_of_a_trace(self):
        sources = (DEPLOY / "provisioning" / "datasources" / "weft.yaml").read_text()
        queries = re.findall(r"^            query: (.+)$", sources, re.M)
        self.assertEqual(len(queries), 3)
        for query in queries:
            with self.subTest(query=query):
                self.check_series(self.over_time(filled_in(query.replace("$$", "$"))))

    def test_rates_are_those_that_traceql_gives(self):
        query = f"sum by (service) (rate(traces_spanmetrics_calls_total{{{REQUESTS}}}[1m]))"
        found = self.over_time(query)
        spans = "{ kind = server || kind = consumer } | rate() by (resource.service.name)"
        answer = self.server.get(
            "/api/metrics/query_range",
            q=spans,
            start=self.now_s - RANGE_S,
            end=self.now_s,
            step="60s",
        )
        expected = {}
        for series in answer["series"]:
            service = series["labels"][0]["value"]["stringValue"]
            for sample in series["samples"]:
                at = int(sample["timestampMs"]) / 1000
                expected[service, at] = float(sample.get("value", 0))
        compared = 0
        for labels, points in found.items():
            for at, value in points:
                compared += 1
                self.assertAlmostEqual(value, expected[dict(labels)["service"], at], places=9)
        self.assertGreater(compared, 100)

    def test_what_grafanas_service_graph_asks(self):
        graph = "traces_service_graph_request"
        calls = self.instant(f"sum by (client, server) (rate({graph}_total{{}}[{RANGE_S}s]))")
        pairs = {(dict(k).get("client"), dict(k).get("server")) for k in calls}
        self.assertLessEqual(
            {("frontend-proxy", "frontend"), ("frontend", "checkout"), ("checkout", "payment")}, pairs
        )
        failed = self.instant(f"sum by (client, server) (rate({graph}_failed_total{{}}[{RANGE_S}s]))")
        seconds = self.instant(f"sum by (client, server) (rate({graph}_server_seconds_sum{{}}[{RANGE_S}s]))")
        self.assertLessEqual(failed.keys(), calls.keys())
        self.assertLessEqual(seconds.keys(), calls.keys())
        for labels, rate in failed.items():
            self.assertLessEqual(rate, calls[labels])
        # weft's own service graph says the same of the same time.
        own = self.server.get(
            "/api/v1/service-graph",
            start=(self.now_s - RANGE_S) * 10**9 + 1,
            end=self.now_s * 10**9 + 1,
        )
        requests = {}
        for edge in own["edges"]:
            key = (edge["client"]["name"], edge["server"]["name"])
            requests[key] = requests.get(key, 0) + edge["requests"]
        counted = self.instant(f"sum by (client, server) (increase({graph}_total[{RANGE_S}s]))")
        self.assertEqual(
            {(dict(k)["client"], dict(k)["server"]): v for k, v in counted.items() if v}, requests
        )
        # The table below the graph.
        busiest = self.instant(
            f"topk(5, sum(rate(traces_spanmetrics_calls_total{{}}[{RANGE_S}s])) by (span_name))"
        )
        self.assertEqual(len(busiest), 5)
        names = "|".join(re.escape(dict(k)["span_name"]).replace("\\", "\\\\") for k in busiest)
        slow = self.instant(
            f'histogram_quantile(.9, sum(rate(traces_spanmetrics_latency_bucket{{span_name=~"{names}"}}'
            f"[{RANGE_S}s])) by (le, span_name))"
        )
        self.assertEqual(slow.keys(), busiest.keys())


if __name__ == "__main__":
    unittest.main()
