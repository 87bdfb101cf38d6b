"""Metrics of spans, against what Python counts and against a real Prometheus that is asked the same."""

import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

import spans as known  # noqa: E402
from real_prometheus import Prometheus, ask, series_of, wait_for  # noqa: E402
from weft_server import WeftServer  # noqa: E402

ALL = ("service", "span_name", "span_kind", "status_code", "http_route")
CALLS = "traces_spanmetrics_calls_total"
LATENCY = "traces_spanmetrics_latency"
# What both are asked, over windows that are multiples of the 15 s between samples and others.
QUERIES = [
    f"sum(rate({CALLS}[5m]))",
    f"sum by (service, status_code) (rate({CALLS}[1m]))",
    f'sum by (span_name) (increase({CALLS}{{span_kind="SPAN_KIND_SERVER"}}[2m]))',
    f"sum(rate({CALLS}[100s]))",
    f"topk(3, sum by (service, span_name) (rate({CALLS}[5m])))",
    f'sum by (service) (rate({CALLS}{{status_code="STATUS_CODE_ERROR"}}[5m]))'
    f" / sum by (service) (rate({CALLS}[5m]))",
    f"histogram_quantile(0.9, sum by (le, service) (rate({LATENCY}_bucket[5m])))",
    f"sum by (service) (rate({LATENCY}_sum[5m])) / sum by (service) (rate({LATENCY}_count[5m]))",
    f'sum(increase({CALLS}{{service=~"w.*|api", span_name!="GET /"}}[3m] offset 2m))',
    f"avg by (span_kind) (irate({CALLS}[1m]))",
    f"count(sum by (service, span_name, http_route) (increase({CALLS}[10m])) > 5)",
    f'label_replace(sum by (service) (delta({CALLS}[5m])), "s", "$1!", "service", "(.*)b")',
    f"max_over_time({CALLS}{{service=\"web\"}}[1m]) - min_over_time({CALLS}{{service=\"web\"}}[1m])",
    f"sum by (service) (increase({CALLS}[5m])) and on(service)"
    f' sum by (service) (increase({CALLS}{{http_route="/a"}}[5m])) > bool 0',
]


def close(a, b):
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


class MetricsOfSpans(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-e2e-prometheus-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.now_s = int(time.time()) // 15 * 15
        cls.spans = known.make_spans(
            8000, (cls.now_s - 45 * 60) * 10**9, cls.now_s * 10**9 - 1
        )
        cls.server = WeftServer(
            cls.folder / "data",
            cls.folder / "weft.log",
            ["--generator-dimensions", "http.route", "--cut-idle", "1s"],
        )
        cls.addClassCleanup(lambda: cls.server.stop())
        # Some are in a block, some live.
        known.send(cls.server.otlp_http, cls.spans[:4000], seed=1)
        cls.server.flush()
        known.send(cls.server.otlp_http, cls.spans[4000:], seed=2)

    @property
    def url(self):
        return f"http://{self.server.http}"

    def ask(self, path, **query):
        return ask(self.url, path, **query)

    def at(self, query, at_s=None):
        data = self.ask("query", query=query, time=self.now_s if at_s is None else at_s)
        return {labels: points[0][1] for labels, points in series_of(data).items()}

    # --- against what Python counts

    def test_increase_is_the_number_of_spans_in_the_window(self):
        for minutes in (1, 5, 40):
            with self.subTest(minutes=minutes):
                found = self.at(f"increase({CALLS}[{minutes}m])")
                expected = known.count(
                    self.spans, ALL, self.now_s - minutes * 60, self.now_s
                )
                self.assertEqual({k: v for k, v in found.items() if v}, expected)

    def test_buckets_and_sums_are_those_of_the_durations(self):
        window = [s for s in self.spans if s.start_ns > (self.now_s - 1200) * 10**9]
        found = self.at(f"sum by (le, service) (increase({LATENCY}_bucket[20m]))")
        self.assertEqual(len(found), 3 * 15)
        for labels, value in found.items():
            service, bound = dict(labels)["service"], float(dict(labels)["le"])
            expected = sum(
                s.service == service and (s.end_ns - s.start_ns) <= round(bound * 1e9)
                if bound != math.inf
                else s.service == service
                for s in window
            )
            self.assertEqual(value, expected, labels)
        sums = self.at(f"sum by (service) (increase({LATENCY}_sum[20m]))")
        for service in ("web", "api", "db"):
            expected = sum((s.end_ns - s.start_ns) / 1e9 for s in window if s.service == service)
            self.assertTrue(close(sums[(("service", service),)], expected))

    def test_a_range_has_the_windows_of_its_steps(self):
        begin = self.now_s - 600
        data = self.ask(
            "query_range",
            query=f'sum by (service) (increase({CALLS}{{status_code="STATUS_CODE_ERROR"}}[1m]))',
            start=begin,
            end=self.now_s,
            step="60s",
        )
        self.assertEqual(data["resultType"], "matrix")
        errors = [s for s in self.spans if s.status == 2]
        for labels, points in series_of(data).items():
            self.assertEqual([at for at, _ in points], [begin + i * 60 for i in range(11)])
            for at, value in points:
                expected = known.count(errors, ("service",), at - 60, at)
                self.assertEqual(value, expected.get(labels, 0))

    def test_series_labels_and_values(self):
        bounds = {"start": self.now_s - 1800, "end": self.now_s}
        web = f'{CALLS}{{service="web"}}'
        found = {tuple(sorted(s.items())) for s in self.ask("series", **{"match[]": web}, **bounds)}
        expected = known.count(
            [s for s in self.spans if s.service == "web"], ALL, bounds["start"], bounds["end"]
        )
        self.assertEqual(
            found, {tuple(sorted((*labels, ("__name__", CALLS)))) for labels in expected}
        )
        self.assertEqual(self.ask("label/service/values", **bounds), ["api", "db", "web"])
        self.assertEqual(
            self.ask("label/http_route/values", **{"match[]": web}, **bounds), ["/a"]
        )
        self.assertEqual(self.ask("labels", **{"match[]": web}), sorted((*ALL, "__name__")))
        self.assertIn(CALLS, self.ask("label/__name__/values"))

    def test_traceql_is_a_source_of_series(self):
        query = 'traceql{query="{ status = error } | count_over_time() by (resource.service.name)"}'
        found = self.at(f"sum by (resource_service_name) ({query})")
        errors = [s for s in self.spans if s.status == 2]
        expected = known.count(errors, ("service",), self.now_s - 300, self.now_s)
        self.assertEqual(
            found,
            {(("resource_service_name", labels[0][1]),): n for labels, n in expected.items()},
        )

    def test_answers_do_not_depend_on_where_spans_lie(self):
        def all_answers():
            return [
                ask(
                    self.url, "query_range", query=query, start=self.now_s - 900, end=self.now_s, step=30
                )
                for query in QUERIES
            ]

        before = all_answers()
        self.server.flush()
        self.assertEqual(all_answers(), before)
        self.server.stop()
        self.server.start()
        self.assertEqual(all_answers(), before)

    def test_the_service_graph_counts_calls(self):
        spans, edges = known.make_calls(
            1500, (self.now_s - 1800) * 10**9, (self.now_s - 1) * 10**9
        )
        known.send_request(self.server.otlp_http, known.as_request(spans), tenant="graph")

        def at(query):
            data = self.ask("query", query=query, time=self.now_s, tenant="graph")
            return {
                tuple(dict(labels).get(name, "") for name in ("client", "server", "connection_type")): p[0][1]
                for labels, p in series_of(data).items()
            }

        def counted(failed_only):
            found = {}
            for client, server, kind, start, failed, _ in edges:
                if start > (self.now_s - 1200) * 10**9 and (failed or not failed_only):
                    found[client, server, kind] = found.get((client, server, kind), 0) + 1
            return found

        graph = "traces_service_graph_request"
        for _ in range(2):
            calls = at(f"increase({graph}_total[20m])")
            # Whoever calls `web` is not known.
            self.assertEqual({k: v for k, v in calls.items() if k[1] != "web"}, counted(False))
            failed = at(f"increase({graph}_failed_total[20m]) > 0")
            self.assertEqual(failed, counted(True))
            seconds = at(f"increase({graph}_server_seconds_sum[20m])")
            for (client, server, kind), value in seconds.items():
                expected = sum(
                    e[5]
                    for e in edges
                    if e[:3] == (client, server, kind) and e[3] > (self.now_s - 1200) * 10**9
                )
                self.assertTrue(close(value, expected), (client, server, value, expected))
            up_to = at(f'increase({graph}_server_seconds_bucket{{le="0.8", server="cart"}}[20m])')
            expected = sum(
                e[1] == "cart" and e[5] <= 0.8 and e[3] > (self.now_s - 1200) * 10**9 for e in edges
            )
            self.assertEqual(up_to, {("web", "cart", ""): expected})
            # The same from blocks.
            self.server.flush()

    # --- against Prometheus

    def exported(self):
        """Every sample of the last 40 minutes, in OpenMetrics."""
        lines = []
        for name, family, kind in (
            (CALLS, CALLS.removesuffix("_total"), "counter"),
            (LATENCY, LATENCY, "histogram"),
        ):
            lines.append(f"# TYPE {family} {kind}")
            matcher = name if kind == "counter" else f'{{__name__=~"{name}_.*"}}'
            data = self.ask(
                "query_range", query=matcher, start=self.now_s - 2400, end=self.now_s, step=15
            )
            for labels, points in series_of(data).items():
                labels = dict(labels)
                metric = labels.pop("__name__")
                text = ",".join(
                    f'{k}="' + v.replace("\\", "\\\\").replace('"', '\\"') + '"'
                    for k, v in labels.items()
                )
                lines += [f"{metric}{{{text}}} {value!r} {at:.0f}" for at, value in points]
        return "\n".join([*lines, "# EOF", ""])

    def test_prometheus_answers_the_same_on_the_same_samples(self):
        folder = self.folder / "judge"
        folder.mkdir()
        (folder / "samples").write_text(self.exported())
        subprocess.run(
            ["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "samples", folder / "data"],
            check=True,
            capture_output=True,
        )
        with Prometheus(folder) as judge:
            for query in QUERIES:
                # At samples, and between them.
                for shift in (0, 7):
                    with self.subTest(query=query, shift=shift):
                        when = {
                            "start": self.now_s - 900 - shift,
                            "end": self.now_s - shift,
                            "step": 30,
                        }
                        expected = series_of(ask(judge.url, "query_range", query=query, **when))
                        found = series_of(self.ask("query_range", query=query, **when))
                        self.assertTrue(expected)
                        self.assertEqual(found.keys(), expected.keys())
                        for labels, points in expected.items():
                            for (at, value), (at_2, value_2) in zip(points, found[labels], strict=True):
                                self.assertEqual(at, at_2)
                                self.assertTrue(close(value, value_2), (labels, at, value, value_2))

    def test_prometheus_scrapes_what_was_counted_on_arrival(self):
        folder = self.folder / "scraper"
        folder.mkdir()
        with WeftServer(
            folder / "weft", folder / "weft.log", ["--generator-dimensions", "http.route"]
        ) as server:
            known.send(server.otlp_http, self.spans[:1000])
            _, headers, text = server.request("GET", "/metrics/generated")
            self.assertTrue(headers["content-type"].startswith("text/plain; version=0.0.4"))
            checked = subprocess.run(
                ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
            )
            self.assertEqual(checked.returncode, 0, checked.stderr)
            config = f"""
scrape_configs:
  - job_name: weft
    scrape_interval: 500ms
    scrape_timeout: 500ms
    metrics_path: /metrics/generated
    static_configs: [{{targets: ["{server.http}"]}}]
"""
            flags = ["--enable-feature=exemplar-storage"]
            with Prometheus(folder, config, flags) as scraper:
                by = ", ".join(ALL)
                total = wait_for(lambda: ask(scraper.url, "query", query=f"sum({CALLS})")["result"])
                self.assertEqual(float(total[0]["value"][1]), 1000)
                found = series_of(ask(scraper.url, "query", query=f"sum by ({by}) ({CALLS})"))
                self.assertEqual(
                    {labels: points[0][1] for labels, points in found.items()},
                    known.count(self.spans[:1000], ALL),
                )
                # Another thousand, late as these are, count like all others.
                known.send(server.otlp_http, self.spans[1000:2000], seed=3)
                self.assertTrue(
                    wait_for(lambda: ask(scraper.url, "query", query=f"sum({LATENCY}_count) == 2000")["result"])
                )
                exemplars = ask(
                    scraper.url,
                    "query_exemplars",
                    query=f"{LATENCY}_bucket",
                    start=self.now_s - 3600,
                    end=self.now_s + 3600,
                )
                traces = {e["labels"]["traceID"] for s in exemplars for e in s["exemplars"]}
                self.assertGreater(len(traces), 100)
                trace = server.get(f"/api/v1/traces/{min(traces)}")
                self.assertTrue(trace)

    def test_prometheus_is_sent_what_was_counted_on_arrival(self):
        folder = self.folder / "receiver"
        folder.mkdir()
        flags = ["--web.enable-remote-write-receiver", "--enable-feature=exemplar-storage"]
        with Prometheus(folder, flags=flags) as receiver:
            arguments = [
                "--generator-dimensions",
                "http.route",
                "--generator-remote-write-url",
                receiver.url + "/api/v1/write",
                "--generator-remote-write-interval",
                "1s",
            ]
            with WeftServer(folder / "weft", folder / "weft.log", arguments) as server:
                known.send(server.otlp_http, self.spans[:1000])
                done = f"sum({CALLS}) == %d"
                self.assertTrue(
                    wait_for(lambda: ask(receiver.url, "query", query=done % 1000)["result"])
                )
                by = ", ".join(ALL)
                found = series_of(ask(receiver.url, "query", query=f"sum by ({by}) ({CALLS})"))
                self.assertEqual(
                    {labels: points[0][1] for labels, points in found.items()},
                    known.count(self.spans[:1000], ALL),
                )
                known.send(server.otlp_http, self.spans[1000:2000], seed=3)
            # A stop sends what there is.
            self.assertTrue(ask(receiver.url, "query", query=done % 2000)["result"])
            exemplars = ask(
                receiver.url,
                "query_exemplars",
                query=f"{LATENCY}_bucket",
                start=self.now_s - 3600,
                end=self.now_s + 3600,
            )
            self.assertTrue(any(s["exemplars"] for s in exemplars))


if __name__ == "__main__":
    unittest.main()
