"""Clients that send spans without mercy and write down what the server promised."""

import gzip
import http.client
import json
import random
import threading
import time
from dataclasses import dataclass

from oracle import span_key


class Generator:
    """Requests of a seed: several traces each, traces over several requests, ids used twice."""

    def __init__(self, random_, service, open_traces=()):
        self.random = random_
        self.service = service
        self.open_traces = list(open_traces)  # (trace id, span ids) that later requests go on with

    def _hex(self, digits):
        return f"{self.random.getrandbits(digits * 4):0{digits}x}"

    def _trace(self):
        if self.open_traces and self.random.random() < 0.3:
            return self.random.choice(self.open_traces)
        trace = (self._hex(32), [])
        self.open_traces.append(trace)
        del self.open_traces[:-20]
        return trace

    def _span(self, trace_id, span_ids):
        parent = self.random.choice(span_ids) if span_ids and self.random.random() < 0.9 else ""
        span_id = self._hex(16)
        if span_ids and self.random.random() < 0.02:
            span_id = self.random.choice(span_ids)  # another span under the same id
        span_ids.append(span_id)
        start = time.time_ns() - self.random.randrange(5_000_000_000)
        return {
            "traceId": trace_id, "spanId": span_id, "parentSpanId": parent,
            "name": self.random.choice(("GET ", "SELECT ")) + str(self.random.randrange(50)),
            "kind": self.random.randrange(1, 6),
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + self.random.randrange(100_000_000)),
            "attributes": [{"key": "n", "value": {"intValue": str(self.random.randrange(1000))}}],
        }

    def request(self):
        """-> the service, the body, and [(trace id, span key)]"""
        spans = []
        for _ in range(self.random.randrange(1, 8)):
            trace_id, span_ids = self._trace()
            spans += [self._span(trace_id, span_ids) for _ in range(self.random.randrange(1, 12))]
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": self.service}}]}
        scope_spans = [{"scope": {"name": "crash"}, "spans": spans}]
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans}]}
        keys = [(span["traceId"], span_key(span)) for span in spans]
        return self.service, json.dumps(body).encode(), keys


class Sender(threading.Thread):
    """Sends until told to stop, the connection breaks, or `load.spans_max` spans are sent."""

    def __init__(self, address, oracle, generator, resend, load):
        super().__init__(daemon=True)
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.oracle = oracle
        self.generator = generator
        self.resend = list(resend)  # requests of an earlier life that were not answered
        self.unanswered = []
        self.load = load
        self.problems = []
        self.stopping = threading.Event()

    def run(self):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        sent = 0
        try:
            while not self.stopping.is_set() and sent < self.load.spans_max:
                request = self.resend.pop() if self.resend else self.generator.request()
                service, body, spans = request
                self.oracle.sending(service, spans)
                self.unanswered.append(request)
                self._post(connection, service, body, spans)
                sent += len(spans)
                if self.load.spans_per_second:
                    self.stopping.wait(len(spans) / self.load.spans_per_second)
        except (OSError, http.client.HTTPException):
            pass  # killed, as planned
        except Exception as error:  # a thread's exception must not pass in silence
            self.problems.append(f"sender: {error!r}")
        finally:
            connection.close()
        self.unanswered += self.resend

    def _post(self, connection, service, body, spans):
        headers = {"Content-Type": "application/json"}
        data = body
        if self.generator.random.random() < 0.3:
            headers["Content-Encoding"] = "gzip"
            data = gzip.compress(body, 1)
        connection.request("POST", "/v1/traces", body=data, headers=headers)
        response = connection.getresponse()
        text = response.read()
        if response.status == 200:
            self.unanswered.pop()
            answer = json.loads(text or b"{}").get("partialSuccess", {})
            if int(answer.get("rejectedSpans", 0)):
                self.problems.append(f"good spans were refused: {answer}")
            else:
                self.oracle.acknowledged(service, spans)
        elif response.status in (429, 502, 503, 504):
            time.sleep(0.05)  # its client will try again, some time
        else:
            self.unanswered.pop()
            self.problems.append(f"status {response.status} for a good request: {text[:300]!r}")


@dataclass
class Load:
    """Of one sender."""
    spans_max: int
    spans_per_second: int = 0  # 0: as fast as it goes


def start_senders(address, oracle, seeds, service, trial_so_far, load):
    """`trial_so_far`: requests to send again, and traces to go on with."""
    resend, open_traces = trial_so_far
    count = len(seeds)
    generators = [Generator(random.Random(seed), service, open_traces[i::count])
                  for i, seed in enumerate(seeds)]
    senders = [Sender(address, oracle, generator, resend[i::count], load)
               for i, generator in enumerate(generators)]
    for sender in senders:
        sender.start()
    return senders
