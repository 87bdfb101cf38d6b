"""What Grafana's Tempo data source asks, in its order, of the real server; each answer field by field.

The spans are those of test/corpus/data/three_traces.spans, of which Tempo's own answers are known.
"""

import base64
import gzip
import http.client
import json
import os
import pathlib
import site
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
# grpcio and protobuf are those of the services' environment, which is of this Python.
for packages in pathlib.Path(os.environ.get("WEFT_E2E_VENV", "/none")).glob("lib/python*/site-packages"):
    site.addsitedir(str(packages))

import grpc  # noqa: E402
from tempo_schema import CLASSES, from_json, from_proto  # noqa: E402
from weft_server import WeftServer  # noqa: E402

MS = 1_000_000
T1 = "0af7651916cd43dd8448eb211c80319c"
T2 = "0abc".rjust(32, "0")
T3 = "1" * 32


def any_value(value):
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(v) for v in value]}}
    return {"stringValue": value}


def attributes(values):
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def span(base_ns, trace, ident, name, kind, begin_ms, end_ms, values, **more):
    out = {
        "traceId": trace,
        "spanId": ident,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(base_ns + begin_ms * MS),
        "endTimeUnixNano": str(base_ns + end_ms * MS),
        "attributes": attributes(values),
    }
    out.update(more)
    return out


def three_traces(base_ns):
    """OTLP/JSON of the data set, T1 beginning at `base_ns`."""
    a, b, c, d, e = (digit * 16 for digit in "abcde")
    exception = {
        "timeUnixNano": str(base_ns + 30 * MS),
        "name": "exception",
        "attributes": attributes({"exception.type": "E1"}),
    }
    link = {
        "traceId": T2,
        "spanId": "00000000000000f0",
        "attributes": attributes({"linkattr": "lv"}),
    }
    services = [
        (
            {
                "service.name": "frontend",
                "k8s.cluster.name": "prod",
                "deployment.environment": "prod",
            },
            [
                span(
                    base_ns,
                    T1,
                    a,
                    "GET /",
                    2,
                    0,
                    100,
                    {"http.status_code": 200, "http.method": "GET", "foo": "bar"},
                ),
                span(
                    base_ns,
                    T1,
                    b,
                    "call api",
                    3,
                    10,
                    90,
                    {"peer.service": "api"},
                    parentSpanId=a,
                ),
            ],
        ),
        (
            {"service.name": "api", "deployment.environment": "staging"},
            [
                span(
                    base_ns,
                    T1,
                    c,
                    "POST /order",
                    2,
                    20,
                    80,
                    {"http.status_code": 500, "http.method": "POST"},
                    parentSpanId=b,
                    status={"code": 2, "message": "boom"},
                    events=[exception],
                    links=[link],
                ),
                span(
                    base_ns,
                    T1,
                    d,
                    "calc",
                    1,
                    25,
                    35,
                    {
                        "foo": 5,
                        "num": 3,
                        "f": 2.5,
                        "b": True,
                        "arr": ["x", "y"],
                        "iarr": [1, 2, 3],
                        "mix": "nil",
                    },
                    parentSpanId=c,
                ),
                span(
                    base_ns,
                    T1,
                    e,
                    "SELECT",
                    3,
                    40,
                    60,
                    {"db.system": "postgresql", "foo bar": "quoted"},
                    parentSpanId=c,
                    status={"code": 1},
                ),
            ],
        ),
        (
            {"service.name": "solo"},
            [
                span(
                    base_ns,
                    T2,
                    "00000000000000f0",
                    "solo op",
                    1,
                    1000,
                    1000,
                    {"foo": "BAR", "num": 7},
                )
            ],
        ),
        (
            {"service.name": "orphan"},
            [
                span(
                    base_ns,
                    T3,
                    "0123456789abcdef",
                    "orphan op",
                    5,
                    2000,
                    2005,
                    {"foo": "baz"},
                    parentSpanId="9" * 16,
                )
            ],
        ),
    ]
    scope = {"name": "lib.a", "version": "1.2.3", "attributes": attributes({"lang": "cpp"})}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes(resource)},
                "scopeSpans": [{"scope": scope, "spans": spans}],
            }
            for resource, spans in services
        ]
    }


class TempoTest(unittest.TestCase):
    """The spans are live in the first half of each test and in a block in the second."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="weft-tempo-")
        root = pathlib.Path(cls.folder.name)
        (root / "data").mkdir()
        cls.server = WeftServer(
            root / "data", root / "log", ["--cut-root-grace", "1h", "--cut-idle", "1h"]
        )
        cls.base_ns = (time.time_ns() // 1_000_000_000 - 120) * 1_000_000_000
        cls.send(three_traces(cls.base_ns))
        cls.start = cls.base_ns // 1_000_000_000 - 60
        cls.end = cls.start + 600

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    @classmethod
    def send(cls, body):
        host, port = cls.server.otlp_http.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.request(
            "POST", "/v1/traces", json.dumps(body), {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        assert response.status == 200, response.read()
        response.read()
        connection.close()

    def get(self, target, accept="application/json", status=200):
        got, headers, body = self.server.request("GET", target, headers={"Accept": accept})
        self.assertEqual(got, status, body)
        if status == 200 and accept.startswith("application/"):
            self.assertEqual(headers["Content-Type"], accept)
        return body

    def both(self, check):
        """Runs the check while the spans are live, and again when they are in a block."""
        with self.subTest("live"):
            check()
        self.server.flush()
        with self.subTest("in a block"):
            check()

    def times(self, **more):
        return urllib.parse.urlencode({"start": self.start, "end": self.end, **more})

    def test_health(self):
        self.assertEqual(self.get("/api/echo", accept="*/*"), b"echo")
        self.assertEqual(self.get("/ready", accept="*/*"), b"ready\n")
        self.assertEqual(json.loads(self.get("/api/status/buildinfo"))["version"], "3.0.0")

    def test_trace_view(self):
        def check():
            body = self.get(f"/api/v2/traces/{T1}", accept="application/protobuf")
            answer = from_proto("TraceByIDResponse", body)
            self.assertEqual(answer.status, 0)
            spans = {
                s.name: (r, s)
                for r in answer.trace.resource_spans
                for scope in r.scope_spans
                for s in scope.spans
            }
            self.assertEqual(
                set(spans), {"GET /", "call api", "POST /order", "calc", "SELECT"}
            )
            resource, post = spans["POST /order"]
            self.assertEqual(post.trace_id.hex(), T1)
            self.assertEqual(post.span_id.hex(), "c" * 16)
            self.assertEqual(post.parent_span_id.hex(), "b" * 16)
            self.assertEqual(post.start_time_unix_nano, self.base_ns + 20 * MS)
            self.assertEqual((post.status.code, post.status.message), (2, "boom"))
            self.assertEqual(post.events[0].attributes[0].value.string_value, "E1")
            self.assertEqual(post.links[0].trace_id.hex(), T2)
            services = {a.key: a.value.string_value for a in resource.resource.attributes}
            self.assertEqual(services["service.name"], "api")
            calc = {a.key: a.value for a in spans["calc"][1].attributes}
            self.assertEqual(list(calc), sorted(calc))
            self.assertEqual(calc["foo"].int_value, 5)
            self.assertEqual(calc["f"].double_value, 2.5)
            self.assertIs(calc["b"].bool_value, True)
            self.assertEqual([v.int_value for v in calc["iarr"].array_value.values], [1, 2, 3])
            self.assertEqual(resource.scope_spans[0].scope.name, "lib.a")

            v1 = self.get(f"/api/traces/{T1}", accept="application/protobuf")
            self.assertEqual(v1, answer.trace.SerializeToString())
            for _, one in spans.values():
                one.status.SetInParent()  # JSON has one for each span
            same = from_json("TraceByIDResponse", self.get(f"/api/v2/traces/{T1}"))
            self.assertEqual(same, answer)
            batches = json.loads(self.get(f"/api/traces/{T1}"))["batches"]
            first = batches[0]["scopeSpans"][0]["spans"][0]
            self.assertEqual(base64.b64decode(first["traceId"]).hex(), T1)
            self.assertEqual(first["kind"], "SPAN_KIND_SERVER")

        self.both(check)

    def test_a_trace_that_is_not_there(self):
        body = self.get("/api/v2/traces/dead", accept="application/protobuf")
        self.assertEqual(len(from_proto("TraceByIDResponse", body).trace.resource_spans), 0)
        self.assertEqual(self.get("/api/traces/dead", status=404), b"")

    def test_tags_and_values_of_the_query_editor(self):
        def check():
            for more in ("", "&" + self.times()):
                answer = from_json(
                    "SearchTagsV2Response", self.get("/api/v2/search/tags?limit=5000" + more)
                )
                scopes = {s.name: list(s.tags) for s in answer.scopes}
                self.assertEqual(
                    scopes["resource"],
                    ["deployment.environment", "k8s.cluster.name", "service.name"],
                )
                self.assertIn("foo bar", scopes["span"])
                self.assertEqual(scopes["event"], ["exception.type"])
                self.assertEqual(scopes["link"], ["linkattr"])
                self.assertEqual(len(scopes["intrinsic"]), 25)
            same = from_proto(
                "SearchTagsV2Response",
                self.get("/api/v2/search/tags?limit=5000", accept="application/protobuf"),
            )
            self.assertEqual({s.name: list(s.tags) for s in same.scopes}, scopes)

            def values(tag, **query):
                # Grafana encodes the name twice.
                name = urllib.parse.quote(urllib.parse.quote(tag, safe=""), safe="")
                target = f"/api/v2/search/tag/{name}/values?" + urllib.parse.urlencode(query)
                message = from_json("SearchTagValuesV2Response", self.get(target))
                return {(v.type, v.value) for v in message.tagValues}

            self.assertEqual(
                values("resource.service.name", q="{}", limit=5000),
                {("string", s) for s in ("frontend", "api", "solo", "orphan")},
            )
            self.assertEqual(
                values("name", q='{resource.service.name="api" && }', limit=5000),
                {("string", s) for s in ("POST /order", "calc", "SELECT")},
            )
            self.assertEqual(
                values("status", q="{}"), {("keyword", s) for s in ("ok", "error", "unset")}
            )
            self.assertEqual(values('span."foo bar"'), {("string", "quoted")})
            self.assertEqual(
                values("span.foo"),
                {("string", "bar"), ("string", "BAR"), ("string", "baz"), ("int", "5")},
            )
            legacy = from_json(
                "SearchTagValuesResponse", self.get("/api/search/tag/service.name/values")
            )
            self.assertEqual(set(legacy.tagValues), {"frontend", "api", "solo", "orphan"})
            names = from_json("SearchTagsResponse", self.get("/api/search/tags"))
            self.assertIn("service.name", names.tagNames)

        self.both(check)

    def search(self, **query):
        target = "/api/search?" + urllib.parse.urlencode(query)
        return from_json("SearchResponse", self.get(target))

    def test_search(self):
        def check():
            # As the data source sends it.
            answer = self.search(
                q='{resource.service.name="api" && status=error}',
                limit=20,
                spss=3,
                start=self.start,
                end=self.end,
            )
            (trace,) = answer.traces
            self.assertEqual(trace.traceID, T1)
            self.assertEqual(trace.rootServiceName, "frontend")
            self.assertEqual(trace.rootTraceName, "GET /")
            self.assertEqual(trace.startTimeUnixNano, self.base_ns)
            self.assertEqual(trace.durationMs, 100)
            self.assertEqual(
                {s: (c.spanCount, c.errorCount) for s, c in trace.serviceStats.items()},
                {"frontend": (2, 0), "api": (3, 1)},
            )
            (spanset,) = trace.spanSets
            self.assertEqual(trace.spanSet, spanset)
            self.assertEqual(spanset.matched, 1)
            (one,) = spanset.spans
            self.assertEqual(one.spanID, "c" * 16)
            self.assertEqual(one.startTimeUnixNano, self.base_ns + 20 * MS)
            self.assertEqual(one.durationNanos, 60 * MS)
            self.assertEqual(one.name, "")
            self.assertEqual(
                {a.key: a.value.string_value for a in one.attributes},
                {"service.name": "api", "status": "error"},
            )
            self.assertEqual(answer.metrics.completedJobs, answer.metrics.totalJobs)

        self.both(check)

    def test_what_traces_drilldown_asks(self):
        def check():
            structure = self.search(
                q="({nestedSetParent<0} &>> {kind=server}) || ({nestedSetParent<0}) | "
                "select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)",
                spss=20,
                **{"start": self.start, "end": self.end},
            )
            spans = {
                s.name: {a.key: a.value for a in s.attributes}
                for t in structure.traces
                for s in t.spanSets[0].spans
            }
            self.assertEqual(set(spans), {"GET /", "POST /order", "solo op"})
            post = spans["POST /order"]
            self.assertEqual(post["service.name"].string_value, "api")
            self.assertEqual(post["status"].string_value, "error")
            numbers = [post["nestedSet" + s].int_value for s in ("Parent", "Left", "Right")]
            self.assertEqual(numbers, [2, 3, 8])
            self.assertEqual(spans["GET /"]["nestedSetParent"].int_value, -1)
            grouped = self.search(
                q="{} | by(resource.service.name) | count() > 2", start=self.start, end=self.end
            )
            (spanset,) = grouped.traces[0].spanSets
            found = {a.key: a.value for a in spanset.attributes}
            self.assertEqual(found["by(resource.service.name)"].string_value, "api")
            self.assertEqual(found["count()"].int_value, 3)
            values = self.get(
                "/api/v2/search/tag/resource.service.name/values?"
                + self.times(q="{nestedSetParent<0}")
            )
            message = from_json("SearchTagValuesV2Response", values)
            self.assertEqual({v.value for v in message.tagValues}, {"frontend", "solo"})

        self.both(check)

    def test_search_as_protobuf_is_the_same(self):
        target = "/api/search?" + self.times(q="{}", spss=100)
        text = from_json("SearchResponse", self.get(target))
        binary = from_proto("SearchResponse", self.get(target, accept="application/protobuf"))
        self.assertEqual(list(text.traces), list(binary.traces))
        self.assertEqual([t.traceID for t in text.traces], [T3, T2, T1])
        self.assertEqual(text.traces[0].rootServiceName, "<root span not yet received>")

    def test_search_by_tags(self):
        def check():
            answer = self.search(
                tags='service.name=FRONT http.method=get', start=self.start, end=self.end
            )
            self.assertEqual([t.traceID for t in answer.traces], [T1])
            self.assertEqual(len(answer.traces[0].spanSets), 0)

        self.both(check)

    def stream(self, method, request, answer, tenant=None, address=None):
        """The messages of one call, each checked against the schema."""
        channel = grpc.insecure_channel(
            address or self.server.otlp_grpc, options=[("grpc.max_receive_message_length", 4 << 20)]
        )
        with channel:
            call = channel.unary_stream(
                "/tempopb.StreamingQuerier/" + method,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=lambda data: from_proto(answer, data),
            )
            metadata = [("x-scope-orgid", tenant)] if tenant else []
            return list(call(request, timeout=30, metadata=metadata))

    def ask(self, limit=20, **more):
        return CLASSES["SearchRequest"](
            Query="{}", Limit=limit, start=self.start, end=self.end, SpansPerSpanSet=3, **more
        )

    def test_streamed_health_check(self):
        now = int(time.time())
        request = CLASSES["SearchRequest"](Query="{}", Limit=1, start=now - 900, end=now)
        messages = self.stream("Search", request, "SearchResponse")
        self.assertEqual([t.traceID for t in messages[-1].traces], [T3])

    def test_grafana_streams_on_the_http_port(self):
        request = self.ask()
        there = self.stream("Search", request, "SearchResponse", address=self.server.http)
        here = self.stream("Search", request, "SearchResponse")
        self.assertEqual(list(there[-1].traces), list(here[-1].traces))
        self.assertEqual(len(there[-1].traces), 3)

    def test_streamed_search(self):
        def check():
            (message,) = self.stream("Search", self.ask(), "SearchResponse")
            http = from_json("SearchResponse", self.get("/api/search?" + self.times(q="{}")))
            self.assertEqual(list(message.traces), list(http.traces))
            (nothing,) = self.stream("Search", self.ask(), "SearchResponse", tenant="nobody")
            self.assertEqual(len(nothing.traces), 0)
            (both,) = self.stream("Search", self.ask(), "SearchResponse", tenant="default|x")
            self.assertEqual(list(both.traces), list(http.traces))

        self.both(check)

    def test_a_large_search_is_streamed_as_it_is_found(self):
        base_ns = self.base_ns - 3600 * 1_000_000_000
        spans = [
            span(base_ns, f"{n + 1:032x}", f"{n + 1:016x}", "x" * 1000, 2, n, n + 1, {"a": "b" * 500})
            for n in range(2000)
        ]
        resource = {"attributes": attributes({"service.name": "many"})}
        self.send({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})
        second = base_ns // 1_000_000_000
        request = CLASSES["SearchRequest"](
            Query='{ resource.service.name = "many" } | select(span.a, name)',
            Limit=5000,
            start=second,
            end=second + 60,
        )
        messages = self.stream("Search", request, "SearchResponse")
        newest_first = [f"{n + 1:032x}" for n in reversed(range(2000))]
        seen = []
        for message in messages:
            self.assertLess(message.ByteSize(), 1 << 20)
            seen += [t.traceID for t in message.traces if t.traceID not in set(seen)]
        self.assertEqual(seen, newest_first)
        self.assertEqual([t.traceID for t in messages[0].traces], newest_first[:20])
        tail = []  # the last answer is whole, in packets
        while len(tail) < 2000:
            tail = [t.traceID for t in messages.pop().traces] + tail
        self.assertEqual(tail, newest_first)
        self.assertGreater(len(messages), 1)

    def test_streamed_tags(self):
        def check():
            request = CLASSES["SearchTagsRequest"](start=self.start, end=self.end)
            (v2,) = self.stream("SearchTagsV2", request, "SearchTagsV2Response")
            target = "/api/v2/search/tags?" + self.times()
            self.assertEqual(v2, from_json("SearchTagsV2Response", self.get(target)))
            (v1,) = self.stream("SearchTags", request, "SearchTagsResponse")
            self.assertIn("service.name", v1.tagNames)
            request = CLASSES["SearchTagValuesRequest"](
                tagName="resource.service.name",
                query="{ name = \"calc\" && }",
                start=self.start,
                end=self.end,
            )
            (values,) = self.stream("SearchTagValuesV2", request, "SearchTagValuesV2Response")
            self.assertEqual([(v.type, v.value) for v in values.tagValues], [("string", "api")])
            (values,) = self.stream("SearchTagValues", request, "SearchTagValuesResponse")
            self.assertEqual(list(values.tagValues), ["api"])

        self.both(check)

    def test_streamed_metrics(self):
        def check():
            second = 10**9
            ask = CLASSES["QueryRangeRequest"](
                query="{} | count_over_time() by (resource.service.name)",
                start=self.start * second,
                end=self.end * second,
                step=second,
                exemplars=5,
            )
            (answer,) = self.stream("MetricsQueryRange", ask, "QueryRangeResponse")
            counts = {
                s.labels[0].value.string_value: sum(sample.value for sample in s.samples)
                for s in answer.series
            }
            self.assertEqual(counts, {"frontend": 2, "api": 3, "solo": 1, "orphan": 1})
            exemplars = [e for s in answer.series for e in s.exemplars]
            self.assertEqual(len(exemplars), 5)
            self.assertEqual({e.labels[0].key for e in exemplars}, {"trace:id"})
            over_http = from_json(
                "QueryRangeResponse",
                self.get(
                    "/api/metrics/query_range?"
                    + urllib.parse.urlencode({"q": ask.query, "step": "1s", "exemplars": 5})
                    + f"&start={self.start}&end={self.end}"
                ),
            )
            self.assertEqual(over_http.series, answer.series)
            ask = CLASSES["QueryInstantRequest"](
                query="{ status = error } | max_over_time(duration)",
                start=(self.start - 1) * second,
                end=self.end * second,
            )
            (answer,) = self.stream("MetricsQueryInstant", ask, "QueryInstantResponse")
            self.assertEqual([s.value for s in answer.series], [0.06])

        self.both(check)

    def test_streamed_refusals(self):
        def code_of(method, request, answer, **more):
            with self.assertRaises(grpc.RpcError) as caught:
                self.stream(method, request, answer, **more)
            return caught.exception.code(), caught.exception.details()

        bad = CLASSES["SearchRequest"](Query="{ name = }")
        code, text = code_of("Search", bad, "SearchResponse")
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertTrue(text.startswith("invalid TraceQL query: parse error at line 1, col "), text)
        code, text = code_of("Search", self.ask(), "SearchResponse", tenant="a b")
        self.assertEqual(
            (code, text),
            (
                grpc.StatusCode.INVALID_ARGUMENT,
                "tenant ID 'a b' contains unsupported character ' '",
            ),
        )
        code, _ = code_of("SearchTags", CLASSES["SearchTagsRequest"](scope="x"), "SearchTagsResponse")
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
        ask = CLASSES["QueryRangeRequest"](query="{}", start=1, end=2)
        code, text = code_of("MetricsQueryRange", ask, "QueryRangeResponse")
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("expected a metric", text)
        huge = CLASSES["SearchRequest"](Query="{" * (2 << 20))
        code, text = code_of("Search", huge, "SearchResponse")
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("1048576", text)

    def test_gzip(self):
        status, headers, body = self.server.request(
            "GET",
            f"/api/v2/traces/{T1}",
            headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
        )
        self.assertEqual((status, headers["Content-Encoding"]), (200, "gzip"))
        from_json("TraceByIDResponse", gzip.decompress(body))

    def test_refusals_are_text(self):
        body = self.get("/api/v2/traces/xyz", status=400)
        self.assertEqual(
            body,
            b"trace IDs can only contain hex characters: invalid character 'x' at position 1",
        )
        self.assertEqual(
            self.get("/api/v2/search/tags?scope=blerg", status=400), b"invalid scope: blerg"
        )


if __name__ == "__main__":
    unittest.main()
