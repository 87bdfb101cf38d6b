"""bench/run query: how long answers take, through HTTP on one keep-alive connection, warm."""

import http.client
import json
import math
import random
import time
import urllib.parse

import report
import workload


class Client:
    """One connection, one request after the other."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=120)

    def timed(self, target):
        """-> milliseconds until the whole answer is there, status, body"""
        begin = time.perf_counter()
        self.connection.request("GET", target)
        response = self.connection.getresponse()
        body = response.read()
        return (time.perf_counter() - begin) * 1000, response.status, body


def search(query, **more):
    return "/api/v1/search?" + urllib.parse.urlencode({"q": query} | more)


def metric(query, **more):
    return "/api/metrics/query_range?" + urllib.parse.urlencode({"q": query, "exemplars": 0} | more)


def questions(samples, pick, spans):
    """name -> (makes a target, checks the answer, asked p50 in ms or None)"""

    def trace_id():
        return pick.choice(samples["traceIds"])

    def traces(count):
        def check(body):
            found = json.loads(body)
            assert found["complete"] and len(found["traces"]) == count, body[:300]

        return check

    def a_page(body):
        """Twenty traces; a short run has not seen every incident, and may hold fewer."""
        answer = json.loads(body)
        found = len(answer["traces"])
        assert answer["complete"] and (found == 20 or spans < 1_000_000 and found < 20), body[:300]

    def rare():
        value = pick.choice(samples["requestIds"])
        return search('{ span."guid:x-request-id" = "%s" }' % value)

    def series(count_min):
        def check(body):
            answer = json.loads(body)
            assert "status" not in answer and len(answer["series"]) >= count_min, body[:300]

        return check

    def absent():
        return search('{ span."guid:x-request-id" = "no-such-%d" }' % pick.randrange(10**9))

    return {
        "floor: GET /ready": (lambda: "/ready", lambda body: None, None),
        "trace by id, columns": (
            lambda: f"/api/v1/traces/{trace_id()}?format=columns",
            lambda b: json.loads(b)["spans"]["id"][0],
            2.0,
        ),
        "trace by id, OTLP JSON": (
            lambda: f"/api/v1/traces/{trace_id()}?format=otlp",
            lambda b: json.loads(b)["resourceSpans"][0],
            2.0,
        ),
        "trace by id, absent": (lambda: f"/api/v1/traces/{pick.getrandbits(128):032x}", None, None),
        "rare attribute value": (rare, traces(1), 3.0),
        "absent attribute value": (absent, traces(0), 1.0),
        "rare value, any scope": (
            lambda: search('{ ."guid:x-request-id" = "%s" }' % pick.choice(samples["requestIds"])),
            traces(1),
            None,
        ),
        "service and duration, newest 20": (
            lambda: search('{ resource.service.name = "checkout" && duration > 500ms }'),
            a_page,
            5.0,
        ),
        "{A} >> {B}, newest 20": (
            lambda: search('{ resource.service.name = "frontend" } >> { status = error }'),
            a_page,
            10.0,
        ),
        "{A} > {B}, newest 20": (
            lambda: search('{ resource.service.name = "checkout" } > { kind = server }'),
            a_page,
            10.0,
        ),
        "{A} ~ {B}, newest 20": (
            lambda: search('{ kind = client } ~ { status = error }'),
            a_page,
            10.0,
        ),
        "{A} >> {B} that no trace has": (
            lambda: search('{ resource.service.name = "payment" } >> { resource.service.name = "frontend" }'),
            traces(0),
            None,
        ),
        "count() > 1000, in no trace": (lambda: search("{} | count() > 100000"), traces(0), None),
        "rate of everything": (lambda: metric("{} | rate()"), series(1), None),
        "p99 of duration by service, whole range": (
            lambda: "/api/metrics/query?"
            + urllib.parse.urlencode({"q": "{} | quantile_over_time(duration, .99) by (resource.service.name)"}),
            series(5),
            10.0,
        ),
        "p99 of duration by service, in steps": (
            lambda: metric("{} | quantile_over_time(duration, .99) by (resource.service.name)"),
            series(5),
            None,
        ),
        "p99 of duration by service, in steps of a minute": (
            lambda: metric("{} | quantile_over_time(duration, .99) by (resource.service.name)", step="1m"),
            series(5),
            None,
        ),
        "rate by a generic attribute, unique": (
            lambda: metric('{} | count_over_time() by (span."guid:x-request-id") | topk(5)', step="1h"),
            series(1),
            None,
        ),
        # Of a million spans 10,000 of the 17,755, those of the most active.
        "rate by an attribute of 10,000 values, the ten highest": (
            lambda: metric(
                '{ span.app.user.id < "121000" } | rate() by (span.app.user.id) | topk(10)'
            ),
            series(10),
            30.0,
        ),
        "rate by an attribute of 17,000 values, the ten highest": (
            lambda: metric("{ span.app.user.id != nil } | rate() by (span.app.user.id) | topk(10)"),
            series(10),
            None,
        ),
        "rate by an attribute of 17,000 values, all, whole range": (
            lambda: "/api/metrics/query?"
            + urllib.parse.urlencode({"q": "{ span.app.user.id != nil } | rate() by (span.app.user.id)"}),
            series(min(10_000, spans // 100)),
            None,
        ),
        "rate by two attributes": (
            lambda: metric("{} | rate() by (span.http.route, resource.service.name)"),
            series(5),
            None,
        ),
        "compare errors with the rest, all attributes": (
            lambda: metric("{} | compare({ status = error })", step="1h"),
            series(50),
            300.0,
        ),
        "comparison of errors with the rest: fields, numbers, calls": (
            lambda: "/api/v1/comparison?q=" + urllib.parse.quote("{} | compare({ status = error })"),
            lambda b: [json.loads(b)[name][0] for name in ("fields", "numbers", "calls")],
            1000.0,
        ),
        "rate of {A} >> {B}": (
            lambda: metric('{ resource.service.name = "frontend" } >> { status = error } | rate()'),
            series(1),
            None,
        ),
        "errors, newest 20": (lambda: search("{ status = error }"), a_page, None),
        "everything, newest 20": (lambda: search("{}"), a_page, None),
        "regular expression, newest 20": (
            lambda: search('{ name =~ "GET /api/.*reviews" && status = error }'),
            a_page,
            None,
        ),
        "one minute's window": (
            lambda: search('{ resource.service.name = "payment" }', start="now-2m"),
            None,
            None,
        ),
        "services": (lambda: "/api/v1/services", lambda b: json.loads(b)["services"][0], None),
        "operations of a service": (
            lambda: "/api/v1/operations?service=frontend",
            lambda b: json.loads(b)["operations"][0],
            None,
        ),
        "service graph": (lambda: "/api/v1/service-graph", lambda b: json.loads(b)["edges"][0], 50.0),
        "critical paths by name": (
            lambda: "/api/v1/critical-path?q=" + urllib.parse.quote("{} | critical_path() | by(name)"),
            lambda b: json.loads(b)["groups"][0],
            None,
        ),
        "attribute keys": (
            lambda: "/api/v1/attributes",
            lambda b: json.loads(b)["attributes"][0],
            2.0,
        ),
        "attribute values with a prefix": (
            lambda: "/api/v1/attribute-values?key=span.http.route&prefix=/api",
            lambda b: json.loads(b)["values"][0],
            2.0,
        ),
    }


def measure(client, make, check, repetitions, seconds_max):
    """-> sorted milliseconds; the first answers warm up and are checked"""
    for _ in range(3):
        _, status, body = client.timed(make())
        assert status in (200, 404), (status, body[:300])
        if check is not None:
            assert status == 200, (status, body[:300])
            check(body)
    times = []
    begin = time.monotonic()
    while len(times) < repetitions and time.monotonic() - begin < seconds_max:
        times.append(client.timed(make())[0])
    return sorted(times)


def percentile(times, share):
    """The smallest time that `share` of all do not exceed."""
    return times[max(0, math.ceil(share * len(times)) - 1)]


def three_questions(server, samples, repetitions=100):
    """Median milliseconds of those that other stores are asked too, on a server with its spans in blocks."""
    pick = random.Random(1)
    client = Client(server.http)
    asked = questions(samples, pick, len(samples["traceIds"]))
    found = {}
    for name, own_name in (
        ("trace by id", "trace by id, OTLP JSON"),
        ("rare attribute value", "rare attribute value"),
        ("absent attribute value", "absent attribute value"),
    ):
        make, check, _ = asked[own_name]
        found[name] = percentile(measure(client, make, check, repetitions, 20), 0.5)
    return found


def run(spans, repetitions=200):
    facts = report.machine()
    print(report.describe(facts))
    result = {"machine": facts, "queries": {}}
    with workload.server() as server:
        samples_file = server.data.parent / "samples.json"
        # What is made beforehand has to fit into memory.
        on_the_fly = spans > 20_000_000
        with workload.Load(
            server, "http", spans, on_the_fly=on_the_fly, samples=samples_file
        ) as load:
            load.go()
            sent = load.finish()
        server.flush()
        samples = json.loads(samples_file.read_text())
        status = server.get("/api/v1/status")
        result |= {"spans": sent["spans"], "blocks": status["blocks"]}
        pick = random.Random(1)
        client = Client(server.http)
        rows = []
        for name, (make, check, limit) in questions(samples, pick, spans).items():
            try:
                times = measure(client, make, check, repetitions, 20)
            except (AssertionError, ValueError, KeyError, IndexError) as error:
                rows.append([name, "wrong answer", "", "", ""])
                result["queries"][name] = {"error": str(error)[:400]}
                client = Client(server.http)
                continue
            p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
            result["queries"][name] = {
                "p50Ms": p50,
                "p95Ms": p95,
                "count": len(times),
                "askedP50Ms": limit,
            }
            verdict = "" if limit is None else ("met" if p50 <= limit else "MISSED")
            rows.append(
                [name, f"{p50:.2f}", f"{p95:.2f}", f"<= {limit:g}" if limit else "", verdict]
            )
    report.table(
        f"Queries on {result['spans']} spans in {result['blocks']} blocks, ms, "
        f"{repetitions} times each at most",
        ["", "p50", "p95", "p50 asked", ""],
        rows,
    )
    report.save("query", result)
    if any("error" in q for q in result["queries"].values()):
        for name, query in result["queries"].items():
            if "error" in query:
                print(f"{name}: {query['error']}")
        raise SystemExit(1)
