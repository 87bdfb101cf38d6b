"""Programs that send what came before OTLP, with the clients of that time, to a real server: what
they sent is found by its trace id and by TraceQL, live and in blocks."""

import http.client
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from python_environment import ensure_environment  # noqa: E402
from weft_server import BINARY, ROOT, WeftServer  # noqa: E402

VENV = ROOT / "build" / "e2e" / "old-clients"

def value_of(any_value):
    """The Python value of an AnyValue in OTLP/JSON."""
    ((kind, value),) = any_value.items()
    return int(value) if kind == "intValue" else value


def attributes_of(owner):
    return {a["key"]: value_of(a["value"]) for a in owner.get("attributes", [])}


class ReceiversTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ensure_environment(VENV, HERE / "requirements.txt")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weft-receivers-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.server = WeftServer(self.folder / "data", self.folder / "log")
        self.addCleanup(lambda: self.server.stop())

    def run_client(self, program, way, address):
        """-> the id of the trace that it sent"""
        done = subprocess.run(
            [str(VENV / "bin" / "python"), str(HERE / program), way, address],
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done.stdout.strip()

    def spans_of(self, trace_id):
        """Span name -> (span, its resource's attributes, its scope)."""
        trace = self.server.get(f"/api/v1/traces/{trace_id}", format="otlp")
        spans = {}
        for resource in trace["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    spans[span["name"]] = (
                        span,
                        attributes_of(resource["resource"]),
                        scope.get("scope", {}),
                    )
        return spans

    def names_found(self, query):
        found = self.server.search(query)["traces"]
        return [trace["traceId"] for trace in found]

    def check_opentelemetry(self, way, address, types_kept):
        trace_id = self.run_client("opentelemetry_client.py", way, address)
        service = f"from-{way}"
        for state in ("live", "in blocks"):
            with self.subTest(way=way, state=state):
                self.check_opentelemetry_spans(trace_id, service, types_kept)
            self.server.flush()

    def check_opentelemetry_spans(self, trace_id, service, types_kept):
        spans = self.spans_of(trace_id)
        self.assertEqual(sorted(spans), ["charge", "log", "order"])
        order, resource, scope = spans["order"]
        self.assertEqual(resource["service.name"], service)
        self.assertEqual(scope, {"name": "shop", "version": "1.2.3"})
        self.assertEqual(order["kind"], 2)
        self.assertNotIn("parentSpanId", order)
        charge, resource, _ = spans["charge"]
        self.assertEqual(resource["service.name"], service)
        self.assertEqual(charge["kind"], 3)
        self.assertEqual(charge["parentSpanId"], order["spanId"])
        self.assertEqual(charge["status"]["code"], 2)
        # Zipkin has no kind for inner work, and no types.
        self.assertEqual(spans["log"][0].get("kind", 0), 1 if types_kept else 0)
        attributes = attributes_of(charge)
        # By Thrift this exporter sends what it knows of the resource as tags of each span.
        self.assertEqual((resource | attributes)["telemetry.sdk.language"], "python")
        expected = {"amount": 42, "currency": "EUR", "gift": True, "weight": 1.5}
        if not types_kept:
            expected = {"amount": "42", "currency": "EUR", "gift": "true", "weight": "1.5"}
        for key, value in expected.items():
            self.assertEqual(attributes[key], value)
            self.assertIs(type(attributes[key]), type(value))
        # To Jaeger this exporter sends an event's name as the field `message`.
        event = charge["events"][0]
        name = attributes_of(event).get("message") or event["name"]
        self.assertIn("declined", name)
        if types_kept:
            ids = [(link["traceId"], link["spanId"]) for link in charge["links"]]
            self.assertEqual(ids, [(f"{0x1234:032x}", f"{0x5678:016x}")])
        self.assertLess(int(charge["startTimeUnixNano"]), int(charge["endTimeUnixNano"]))
        query = f'{{ resource.service.name = "{service}" && name = "charge" && status = error && kind = client'
        self.assertEqual(self.names_found(query + ' && span.currency = "EUR" }'), [trace_id])
        self.assertEqual(self.names_found(query + ' && span.currency = "USD" }'), [])
        if types_kept:
            self.assertEqual(self.names_found(query + " && span.amount > 41 }"), [trace_id])
        return charge

    def test_opentelemetry_by_zipkin(self):
        for way in ("zipkin-json", "zipkin-proto"):
            self.check_opentelemetry(way, self.server.addresses["zipkin_http"], types_kept=False)

    def test_opentelemetry_by_jaeger(self):
        for way in ("jaeger-http", "jaeger-grpc"):
            address = self.server.addresses[way.replace("-", "_")]
            self.check_opentelemetry(way, address, types_kept=True)

    def test_opentelemetry_by_jaeger_s_agent(self):
        self.check_opentelemetry(
            "jaeger-udp", self.server.addresses["jaeger_compact"], types_kept=True
        )

    def test_jaeger_client(self):
        trace_id = self.run_client(
            "jaeger_client_program.py", "jaeger-client", self.server.addresses["jaeger_compact"]
        )
        for state in ("live", "in blocks"):
            with self.subTest(state=state):
                spans = self.spans_of(trace_id)
                self.assertEqual(sorted(spans), ["charge", "order"])
                order, resource, _ = spans["order"]
                self.assertEqual(resource["service.name"], "from-jaeger-client")
                self.assertIn("host.name", resource)
                self.assertTrue(resource["opencensus.exporterversion"].startswith("Jaeger-Python"))
                self.assertEqual(order["kind"], 2)
                charge, _, _ = spans["charge"]
                self.assertEqual(charge["parentSpanId"], order["spanId"])
                self.assertEqual(charge["status"]["code"], 2)
                attributes = attributes_of(charge)
                self.assertEqual(attributes["amount"], 42)
                self.assertEqual(attributes["currency"], "EUR")
                event = charge["events"][0]
                self.assertEqual(event["name"], "declined")
                self.assertEqual(attributes_of(event), {"why": "no money"})
                query = '{ resource.service.name = "from-jaeger-client" && span.amount > 41 }'
                self.assertEqual(self.names_found(query), [trace_id])
            self.server.flush()

    def test_py_zipkin(self):
        for encoding in ("V1_JSON", "V1_THRIFT", "V2_JSON", "V2_PROTO3"):
            trace_id = self.run_client(
                "py_zipkin_client.py", encoding, self.server.addresses["zipkin_http"]
            )
            for state in ("live", "in blocks"):
                with self.subTest(encoding=encoding, state=state):
                    self.check_py_zipkin_spans(trace_id, f"from-{encoding}")
                self.server.flush()

    def check_py_zipkin_spans(self, trace_id, service):
        spans = self.spans_of(trace_id)
        self.assertEqual(sorted(spans), ["charge", "order"])
        order, resource, _ = spans["order"]
        self.assertEqual(resource, {"service.name": service})
        self.assertEqual(order["kind"], 2)
        self.assertEqual(attributes_of(order)["network.local.address"], "10.0.0.1")
        self.assertEqual(attributes_of(order)["network.local.port"], 8080)
        charge, _, _ = spans["charge"]
        self.assertEqual(charge["kind"], 3)
        self.assertEqual(charge["parentSpanId"], order["spanId"])
        self.assertEqual(charge["status"]["code"], 2)
        self.assertEqual([e["name"] for e in charge["events"]], ["declined"])
        attributes = attributes_of(charge)
        self.assertEqual(attributes["currency"], "EUR")
        self.assertEqual(attributes["error"], "no money")
        self.assertEqual(attributes["peer.service"], "bank")
        self.assertEqual(attributes["network.peer.address"], "10.0.0.9")
        self.assertEqual(attributes["network.peer.port"], 443)
        query = f'{{ resource.service.name = "{service}" && span.peer.service = "bank" }}'
        self.assertEqual(self.names_found(query), [trace_id])

    def test_client_and_server_may_share_a_span(self):
        host, port = self.server.addresses["zipkin_http"].rsplit(":", 1)
        start_us = 1_763_737_200_000_000
        for kind, service, shared in (("CLIENT", "front", "false"), ("SERVER", "back", "true")):
            connection = http.client.HTTPConnection(host, int(port), timeout=60)
            connection.request(
                "POST",
                "/api/v2/spans",
                f'[{{"traceId":"48485a3953bb6124","id":"a2fb4a1d1a96d312","kind":"{kind}",'
                f'"timestamp":{start_us},"duration":5,"shared":{shared},'
                f'"localEndpoint":{{"serviceName":"{service}"}},"name":"{kind}"}}]',
                {"Content-Type": "application/json"},
            )
            self.assertEqual(connection.getresponse().status, 202)
            connection.close()
        for _ in ("live", "in blocks"):
            spans = self.spans_of("48485a3953bb6124")
            self.assertEqual(sorted(spans), ["CLIENT", "SERVER"])
            self.assertEqual(spans["SERVER"][1]["service.name"], "back")
            self.assertEqual(spans["SERVER"][0]["kind"], 2)
            self.assertTrue(attributes_of(spans["SERVER"][0])["zipkin.shared"])
            self.server.flush()


class RateTest(unittest.TestCase):
    def test_a_tenant_that_sends_too_much_is_told_to_wait(self):
        with tempfile.TemporaryDirectory() as folder:
            flags = ["--receive-tenant-rate", "1", "--receive-tenant-burst", "1KiB"]
            data = pathlib.Path(folder) / "data"
            with WeftServer(data, pathlib.Path(folder) / "log", flags) as server:
                answers = [self.send(server, tenant) for tenant in ("a", "a", "b")]
        self.assertEqual([status for status, _, _ in answers], [202, 429, 202])
        _, wait_seconds, message = answers[1]
        self.assertGreaterEqual(int(wait_seconds), 60)
        self.assertTrue(message.startswith("RATE_LIMITED: "), message)

    def send(self, server, tenant):
        host, port = server.addresses["zipkin_http"].rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.request(
            "POST",
            "/api/v2/spans",
            f'[{{"traceId":"1","id":"2","timestamp":3,"name":"{"n" * 1200}"}}]',
            {"Content-Type": "application/json", "X-Scope-OrgID": tenant},
        )
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers["Retry-After"], body


class AddressesTest(unittest.TestCase):
    """Receivers beside OTLP's may be off; a port that is taken is said clearly."""

    def serve(self, data, *flags):
        command = [str(BINARY), "serve", "--data", str(data)]
        for flag in ("--http", "--otlp-grpc", "--otlp-http"):
            command += [flag, "127.0.0.1:0"]
        return subprocess.run(command + list(flags), capture_output=True, text=True, timeout=60)

    def test_an_address_that_was_chosen_must_be_free(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for flag in ("--zipkin-http", "--jaeger-http", "--jaeger-grpc"):
                done = self.serve(folder, flag, address)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{flag[2:]}: cannot listen on {address}", done.stderr)

    def test_they_can_be_off(self):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data"
            names = (
                "zipkin-http",
                "jaeger-http",
                "jaeger-grpc",
                "jaeger-compact",
                "jaeger-binary",
            )
            flags = [text for name in names for text in ("--" + name, "off")]
            with WeftServer(data, pathlib.Path(folder) / "log", flags) as server:
                for name in names:
                    self.assertEqual(server.addresses[name.replace("-", "_")], "")
