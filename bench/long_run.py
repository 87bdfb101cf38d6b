"""bench/run ingest with many spans: whether the cost of a span stays what it is while the store grows.

The sender makes its spans while it sends them, so that neither side keeps them in memory. Each tenth of the run is
a row: what the server spent in it, and what it held at its end; a last row, when everything is merged. Merging runs
beside, as it does in service, but with a whole core to take; its time is busy time of its thread.
"""

import time

import report
import workload

TENTHS = 10
COMPACTION = ["--compaction-cpu-percent", "100", "--compaction-age-min", "1s", "--query-timeout", "1s"]
SECONDS_MAX = 1800  # for merging what is left at the end
MB = 1_000_000


class Meter:
    """Reads the server at the end of each tenth."""

    def __init__(self, server):
        self.server = server
        self.spans = 0
        self.rows = []
        self.server.reset_memory_peak()
        self.before = self._now()

    def _now(self):
        return time.monotonic(), self.server.cpu_seconds(), self._merging()

    def _merging(self):
        return self.server.metrics().get("weft_compaction_busy_microseconds_total", 0.0)

    def read(self, acknowledged):
        now = self._now()
        seconds, cpu, merging = (after - before for after, before in zip(now, self.before))
        self.before = now
        status = self.server.get("/api/v1/status")
        resident, peak = self.server.memory_bytes()
        self.server.reset_memory_peak()
        spans = acknowledged - self.spans
        self.spans = acknowledged
        self.rows.append(
            {
                "acknowledged": acknowledged,
                "spans": spans,
                "seconds": seconds,
                "cpuSeconds": cpu,
                "mergingBusySeconds": merging / 1e6,
                "rssBytes": resident,
                "peakRssBytes": peak,
                "storedSpans": status["storedSpans"],
                "blocks": status["blocks"],
                "bytesPerSpan": status["bytes"] / max(1, status["storedSpans"]),
            }
        )
        print(line_of(self.rows[-1]), flush=True)


HEADER = "  acknowledged  spans/s  CPU us/span  of which merging  RSS MB  peak MB  blocks  B/span"


def line_of(row):
    rates = " " * 38  # of the last row: flushing and merging what is left, no spans
    if row["spans"] >= row["acknowledged"] / 100:
        rates = (
            f"{row['spans'] / row['seconds']:7.0f}  {per_span(row, 'cpuSeconds'):11.2f}  "
            f"{per_span(row, 'mergingBusySeconds'):16.2f}"
        )
    return (
        f"  {row['acknowledged']:12d}  {rates}  {row['rssBytes'] / MB:6.0f}  "
        f"{row['peakRssBytes'] / MB:7.0f}  {row['blocks']:6d}  {row['bytesPerSpan']:6.1f}"
    )


def per_span(row, name):
    return row[name] * 1e6 / row["spans"]


def growth(rows):
    """CPU a span of the second half of the tenths over that of the first half."""

    def cost(some):
        return sum(row["cpuSeconds"] for row in some) / sum(row["spans"] for row in some)

    return cost(rows[TENTHS // 2 : TENTHS]) / cost(rows[: TENTHS // 2])


def wait_until_merged(server):
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        if server.metrics().get("weft_compaction_waiting_blocks", 0) == 0:
            return
        time.sleep(0.5)
    raise RuntimeError(f"blocks still wait to be merged after {SECONDS_MAX} s")


def run(spans):
    facts = report.machine()
    print(report.describe(facts))
    first = workload.baseline(1_000_000)
    print(f"\nIngest of {spans} spans by OTLP/HTTP on 2 connections, made while they are sent")
    print(HEADER, flush=True)
    with workload.server(*COMPACTION) as server:
        with workload.Load(server, "http", spans, on_the_fly=True, window=spans // TENTHS) as load:
            meter = Meter(server)
            before = server.cpu_seconds()
            load.go()
            sent = load.finish(meter.read)
            server.flush()
            wait_until_merged(server)
            meter.read(sent["spans"])
        stored = server.get("/api/v1/status")["storedSpans"]
        if stored != sent["spans"]:
            raise RuntimeError(f"{sent['spans']} spans were acknowledged and {stored} are stored")
        total = (server.cpu_seconds() - before) * 1e6 / stored
    second = workload.baseline(1_000_000)
    baseline = (first["walkAndHashNs"] + second["walkAndHashNs"]) / 2000
    print(
        f"all of it, merged: {total:.2f} us a span ({total / baseline:.1f} x the baseline of {baseline:.2f} us); "
        f"a span of the second half costs {growth(meter.rows):.2f} x one of the first"
    )
    report.save(
        "long-run",
        {"machine": facts, "baselineUs": baseline, "cpuUsPerSpan": total, "sent": sent, "rows": meter.rows},
    )
