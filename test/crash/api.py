"""Reads back what the server has, over one kept connection, and compares."""

import http.client
import json
import urllib.parse

from oracle import spans_of

SEARCH_PAGE = 500
# The server runs with a query timeout of half a second, which a busy machine can exceed now and then.
ATTEMPTS = 20


class ApiReader:
    def __init__(self, server):
        self.server = server
        host, port = server.http.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=120)

    def _get(self, path, **query):
        """-> status, parsed body"""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        self.connection.request("GET", path, headers={"Accept": "application/json"})
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def check_traces(self, oracle, trace_ids):
        problems = []
        for trace_id in trace_ids:
            status, answer = self._get(f"/api/v1/traces/{trace_id}", format="otlp")
            if status == 404:
                if oracle.must_exist(trace_id):
                    problems.append(f"trace {trace_id} was acknowledged and is lost")
            elif status == 200:
                problems += oracle.compare(trace_id, spans_of(answer))
            else:
                problems.append(f"trace {trace_id}: status {status}: {answer}")
        return problems

    def search_all(self, query):
        """-> {trace id: summary} over all pages; a trace that is given twice is a problem."""
        found, problems, cursor = {}, [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            for _ in range(ATTEMPTS):
                status, answer = self._get(
                    "/api/v1/search", q=query, limit=SEARCH_PAGE, spansPerTrace=0, **more)
                if status != 200 or answer["complete"]:
                    break
            if status != 200 or not answer["complete"]:
                return found, [f"search {query}: status {status}: {str(answer)[:300]}"]
            for trace in answer["traces"]:
                if trace["traceId"] in found:
                    problems.append(f"search {query} gives trace {trace['traceId']} twice")
                found[trace["traceId"]] = trace
            cursor = answer.get("nextCursor")
            if not cursor:
                return found, problems

    def check_search(self, oracle, service):
        found, problems = self.search_all(f'{{ resource.service.name = "{service}" }}')
        must, may = oracle.of_service(service)
        problems += [f"search of {service} misses trace {t}" for t in must - found.keys()]
        problems += [f"search of {service} gives trace {t}, which is not its"
                     for t in found.keys() - may]
        return problems

    # --- counters

    def check_counters(self, when):
        """At rest: what came in since the process began is stored, live or refused."""
        names = {"weft_received_spans_total": "received", "weft_refused_spans_total": "refused",
                 "weft_stored_spans_total": "stored", "weft_live_spans": "live"}
        total = dict.fromkeys(names.values(), 0)
        for sample, value in self.server.metrics().items():
            name = names.get(sample.partition("{")[0])
            if name:
                total[name] += int(value)
        accounted = total["stored"] + total["live"] + total["refused"]
        if accounted == total["received"]:
            return []
        return [f"{when}: received {total['received']}, accounted for {accounted}: {total}"]

    def check_total(self):
        """What /api/v1/status says is stored is what the blocks' own counts add up to."""
        _, status = self._get("/api/v1/status")
        stored = sum(int(value) for name, value in self.server.metrics().items()
                     if name.startswith("weft_store_spans"))
        problems = []
        if status["liveSpans"] != 0:
            problems.append(f"{status['liveSpans']} spans are live after a flush")
        if status["storedSpans"] != stored:
            problems.append(f"status says {status['storedSpans']} stored spans, metrics {stored}")
        return problems
