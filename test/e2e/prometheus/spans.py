"""Spans that are known one by one, what is sent of them, and what metrics of them must say."""

import collections
import json
import random
import urllib.request

KINDS = {
    1: "SPAN_KIND_INTERNAL",
    2: "SPAN_KIND_SERVER",
    3: "SPAN_KIND_CLIENT",
    5: "SPAN_KIND_CONSUMER",
}
STATUSES = {0: "STATUS_CODE_UNSET", 1: "STATUS_CODE_OK", 2: "STATUS_CODE_ERROR"}
BOUNDS = [0.002 * 2**i for i in range(14)]

Span = collections.namedtuple("Span", "service name kind status start_ns end_ns route")


def make_spans(count, first_ns, last_ns, seed=1):
    """`count` spans of a few operations, spread evenly by chance: so many of each that no series ends in between."""
    chance = random.Random(seed)
    spans = []
    for _ in range(count):
        start = chance.randrange(first_ns, last_ns)
        spans.append(
            Span(
                service=chance.choice(["web", "api", "db"]),
                name=chance.choice(["GET /", 'odd "name"\\']),
                kind=chance.choice([2, 3]),
                status=chance.choice([0, 0, 0, 2]),
                start_ns=start,
                end_ns=start + int(10 ** chance.uniform(5, 10.5)),
                route=chance.choice(["/a", None]),
            )
        )
    return spans


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def as_otlp(spans, seed=1):
    """ExportTraceServiceRequest in JSON; each span a trace of its own."""
    chance = random.Random(seed)
    by_service = collections.defaultdict(list)
    for span in spans:
        by_service[span.service].append(
            {
                "traceId": f"{chance.getrandbits(128):032x}",
                "spanId": f"{chance.getrandbits(64):016x}",
                "name": span.name,
                "kind": span.kind,
                "startTimeUnixNano": str(span.start_ns),
                "endTimeUnixNano": str(span.end_ns),
                "status": {"code": span.status},
                "attributes": [attribute("http.route", span.route)] if span.route else [],
            }
        )
    return as_request(by_service)


def make_calls(count, first_ns, last_ns, seed=1):
    """Traces of a client's and a server's span, some of which go on to a database: OTLP in JSON, and the edges."""
    chance = random.Random(seed)
    spans = collections.defaultdict(list)
    edges = []  # client, server, type, start, whether it failed, seconds at the server
    for _ in range(count):
        start = chance.randrange(first_ns, last_ns)
        trace, client, server = f"{chance.getrandbits(128):032x}", *(
            f"{chance.getrandbits(64):016x}" for _ in range(2)
        )
        callee = chance.choice(["api", "cart"])
        failed = chance.random() < 0.2
        length = int(10 ** chance.uniform(6, 10))

        def add(service, span_id, parent, kind, begin, end, bad, **values):
            spans[service].append(
                {
                    "traceId": trace,
                    "spanId": span_id,
                    "parentSpanId": parent,
                    "name": "call",
                    "kind": kind,
                    "startTimeUnixNano": str(begin),
                    "endTimeUnixNano": str(end),
                    "status": {"code": 2 if bad else 0},
                    "attributes": [attribute(k.replace("_", "."), v) for k, v in values.items()],
                }
            )

        add("web", client, "", 3, start, start + length + 2000, False)
        add(callee, server, client, 2, start + 1000, start + 1000 + length, failed)
        edges.append(("web", callee, "", start + 1000, failed, length / 1e9))
        if chance.random() < 0.5:
            query = f"{chance.getrandbits(64):016x}"
            add(callee, query, server, 3, start + 2000, start + 5000, False, db_system="postgresql")
            edges.append((callee, "postgresql", "database", start + 2000, False, 3e-6))
    return spans, edges


def as_request(spans_by_service):
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [attribute("service.name", service)]},
                "scopeSpans": [{"spans": spans}],
            }
            for service, spans in spans_by_service.items()
        ]
    }


def send(otlp_http, spans, seed=1):
    send_request(otlp_http, as_otlp(spans, seed))


def send_request(otlp_http, body, tenant="default"):
    request = urllib.request.Request(
        f"http://{otlp_http}/v1/traces",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "X-Scope-OrgID": tenant},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer).get("partialSuccess", {}) == {}


def labels_of(span, names):
    all_of_them = {
        "service": span.service,
        "span_name": span.name,
        "span_kind": KINDS[span.kind],
        "status_code": STATUSES[span.status],
        "http_route": span.route,
    }
    return tuple(sorted((name, all_of_them[name]) for name in names if all_of_them[name]))


def count(spans, names, after_s=0, until_s=float("inf")):
    """{labels: number} of the spans that start in (after, until]."""
    out = collections.Counter()
    for span in spans:
        if after_s * 1e9 < span.start_ns <= until_s * 1e9:
            out[labels_of(span, names)] += 1
    return dict(out)
