"""What must be stored: every span that was acknowledged, once, and nothing that was never sent."""

import hashlib
import threading
from collections import Counter

KINDS = {f"SPAN_KIND_{name}": number for number, name in enumerate(
    ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))}


def span_key(span):
    """What tells one OTLP/JSON span from another: its id, and a digest of the rest, to be short."""
    kind = span.get("kind", 0)
    rest = (span.get("parentSpanId", "").lower(), span["name"], KINDS.get(kind, kind),
            int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]),
            sorted(a["key"] + "=" + str(a["value"]) for a in span.get("attributes", [])))
    digest = hashlib.blake2b(repr(rest).encode(), digest_size=8).hexdigest()
    return f"{span['spanId'].lower()}-{digest}"


def spans_of(traces_data):
    """The spans of an OTLP/JSON TracesData."""
    for resource in traces_data.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            yield from scope.get("spans", [])


class Oracle:
    """Thread-safe. A trace is known by its id; what is known of it is a state per span."""

    def __init__(self):
        self._lock = threading.Lock()
        self._acknowledged = {}  # trace id -> {span key}
        self._maybe = {}  # the same, of spans that were sent and not acknowledged
        self._sent_by = {}  # service -> {trace id}
        self._acknowledged_by = {}  # service -> {trace id}
        self.acknowledged_count = 0

    def sending(self, service, spans):
        """Before the first byte of a request leaves."""
        with self._lock:
            for trace_id, key in spans:
                self._sent_by.setdefault(service, set()).add(trace_id)
                if key not in self._acknowledged.setdefault(trace_id, set()):
                    self._maybe.setdefault(trace_id, set()).add(key)

    def acknowledged(self, service, spans):
        with self._lock:
            for trace_id, key in spans:
                self._acknowledged_by.setdefault(service, set()).add(trace_id)
                self._maybe.get(trace_id, set()).discard(key)
                if key not in self._acknowledged[trace_id]:
                    self._acknowledged[trace_id].add(key)
                    self.acknowledged_count += 1

    def trace_ids(self):
        with self._lock:
            return list(self._acknowledged)

    def of_service(self, service):
        """-> the traces that a search for the service must give, and those that it may"""
        with self._lock:
            return set(self._acknowledged_by.get(service, ())), set(self._sent_by.get(service, ()))

    def must_exist(self, trace_id):
        return bool(self._acknowledged.get(trace_id))

    def compare(self, trace_id, found_spans):
        """-> what is wrong with the trace as the server gives it, one line each."""
        found = Counter(span_key(span) for span in found_spans)
        with self._lock:
            must = self._acknowledged.get(trace_id, set())
            may = self._maybe.get(trace_id, set())
            problems = [f"trace {trace_id}: span {key} was acknowledged and is lost"
                        for key in must - found.keys()]
            problems += [f"trace {trace_id}: span {key} is there {count} times"
                         for key, count in found.items() if count > 1]
            problems += [f"trace {trace_id}: span {key} was never sent like this"
                         for key in found.keys() - must - may]
            # What a query has shown once has to stay.
            for key in may & found.keys():
                may.discard(key)
                must.add(key)
        return problems
