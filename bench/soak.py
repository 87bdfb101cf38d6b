"""bench/run soak: twice as many spans as the server can take, for a long time.

First it measures how many spans a second the server takes when it is given all that it can take, then offers
twice that. A sender has a bounded queue, as an SDK has: what the server refuses (503) is sent again, what
finds no room in the queue is dropped by the sender and counted. A row a minute shows memory, what was
acknowledged and refused. Fails when memory passes the bound or goes on growing, or when the spans stored are
not those acknowledged.
"""

import re
import threading
import time

import report
import workload

MB = 1_000_000
MEMORY_MAX_BYTES = 512 << 20
CACHE_MAX_BYTES = 128 << 20
# Besides spans and cache: the program and its libraries, requests on their way, the block that is being written
# and blocks that are being merged.
OTHER_BYTES_MAX = 384 << 20
RSS_BYTES_MAX = MEMORY_MAX_BYTES + CACHE_MAX_BYTES + OTHER_BYTES_MAX
SERVER = ["--memory-max", str(MEMORY_MAX_BYTES), "--cache-max", str(CACHE_MAX_BYTES)]
MINUTES = 30
OVERLOAD = 2.0
CONNECTIONS = 8
PROBE_SPANS = 5_000_000
GROWTH_MAX = 1.1  # median of the last third of the samples over that of the second
REFUSED = re.compile(r'weft_receive_requests_total\{.*code="(429|503)"')


def sustainable():
    """Spans a second that a server takes from connections that never pause."""
    with workload.server(*SERVER) as server:
        moments = []
        with workload.Load(
            server,
            "http",
            PROBE_SPANS,
            on_the_fly=True,
            window=PROBE_SPANS // 5,
            connections=CONNECTIONS,
        ) as load:
            load.go()
            sent = load.finish(lambda acknowledged: moments.append((acknowledged, time.monotonic())))
        # From the second fifth on: before, memory was empty.
        (first, begin), (last, end) = moments[0], moments[-1]
        assert sent["spans"] >= PROBE_SPANS
        return (last - first) / (end - begin)


class Watch:
    """Samples the server every second; a row a minute."""

    def __init__(self, server):
        self.server = server
        self.resident = []
        self.minutes = []
        self.highest = 0
        self.previous = None
        self.finished = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _read(self):
        metrics = self.server.metrics()
        return {
            "time": time.monotonic(),
            "cpu": self.server.cpu_seconds(),
            "received": sum(
                v for k, v in metrics.items() if k.startswith("weft_received_spans_total") and 'protocol="otlp_http"' in k
            ),
            "refused": sum(v for k, v in metrics.items() if REFUSED.match(k)),
            "liveBytes": metrics["weft_live_bytes"],
            "liveSpans": metrics["weft_live_spans"],
        }

    def _run(self):
        self.server.reset_memory_peak()
        self.previous = self._read()
        while not self.finished.wait(1.0):
            self.resident.append(self.server.memory_bytes()[0])
            if time.monotonic() - self.previous["time"] >= 60:
                self._minute()

    def _minute(self):
        now, then = self._read(), self.previous
        self.previous = now
        seconds = now["time"] - then["time"]
        status = self.server.get("/api/v1/status")
        peak = self.server.memory_bytes()[1]
        self.highest = max(self.highest, peak)
        row = {
            "rssBytes": self.resident[-1],
            "peakRssBytes": peak,
            "liveBytes": now["liveBytes"],
            "takenPerSecond": (now["received"] - then["received"]) / seconds,
            "refusedPerSecond": (now["refused"] - then["refused"]) / seconds,
            "cores": (now["cpu"] - then["cpu"]) / seconds,
            "storedSpans": status["storedSpans"],
            "blocks": status["blocks"],
        }
        self.server.reset_memory_peak()
        self.minutes.append(row)
        print(
            f"  {len(self.minutes):6d}  {row['takenPerSecond']:13.0f}  {row['refusedPerSecond']:9.1f}  "
            f"{row['rssBytes'] / MB:6.0f}  {row['peakRssBytes'] / MB:7.0f}  {row['liveBytes'] / MB:7.0f}  "
            f"{row['cores']:5.2f}  {row['blocks']:6d}  {row['storedSpans'] / 1e6:9.1f}",
            flush=True,
        )

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.finished.set()
        self.thread.join()
        self.highest = max(self.highest, self.server.memory_bytes()[1])


HEADER = "  minute  spans taken/s  refused/s  RSS MB  peak MB  live MB  cores  blocks  stored, M"


def median(values):
    return sorted(values)[len(values) // 2]


def growth(resident):
    third = len(resident) // 3
    return median(resident[2 * third :]) / median(resident[third : 2 * third]) if third else 1.0


def faults(result):
    """What must not be."""
    found = []
    if result["peakRssBytes"] > RSS_BYTES_MAX:
        found.append(f"resident memory reached {result['peakRssBytes'] / MB:.0f} MB, more than {RSS_BYTES_MAX / MB:.0f}")
    if result["growth"] > GROWTH_MAX:
        found.append(f"memory grew: the last third holds {result['growth']:.2f} x what the second held")
    if result["stored"] != result["sent"]["spans"]:
        found.append(f"{result['sent']['spans']} spans were acknowledged and {result['stored']} are stored")
    return found


def run(minutes=MINUTES, rate=None):
    facts = report.machine()
    print(report.describe(facts))
    taken = None
    if rate is None:
        taken = sustainable()
        rate = OVERLOAD * taken
        print(f"\nThe server takes {taken:.0f} spans/s; {rate:.0f} are offered for {minutes:g} minutes.", flush=True)
    print(
        f"memory.max {MEMORY_MAX_BYTES >> 20} MiB, cache.max {CACHE_MAX_BYTES >> 20} MiB, {CONNECTIONS} connections"
    )
    print(HEADER, flush=True)
    with workload.server(*SERVER) as server:
        with workload.Load(
            server,
            "http",
            int(rate * minutes * 60),
            rate=rate,
            connections=CONNECTIONS,
            on_the_fly=True,
            seconds=minutes * 60,
        ) as load:
            with Watch(server) as watch:
                load.go()
                sent = load.finish()
        server.flush()
        result = {
            "machine": facts,
            "sustainable": taken,
            "offered": rate,
            "sent": sent,
            "minutes": watch.minutes,
            "peakRssBytes": watch.highest,
            "growth": growth(watch.resident),
            "stored": server.get("/api/v1/status")["storedSpans"],
        }
    print(
        f"acknowledged {sent['spans']}, stored {result['stored']}; refused and sent again: {sent['retries']} requests; "
        f"never sent because the sender's queue was full: {sent['dropped']} spans\n"
        f"highest resident memory {result['peakRssBytes'] / MB:.0f} MB of {RSS_BYTES_MAX / MB:.0f} allowed; "
        f"the last third against the second: {result['growth']:.2f}"
    )
    report.save("soak", result)
    if found := faults(result):
        raise SystemExit("FAILED: " + "; ".join(found))
