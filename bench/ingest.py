"""bench/run ingest: what it costs to take spans in, from the socket to durable blocks."""

import collections
import json
import pathlib
import threading
import time

import other_stores
import query
import report
import workload

# The targets for now; docs/performance.md has them beside what was measured.
ASKED_CPU_US = 2.5  # compaction included
ASKED_FRESH_BYTES = 28.0
ASKED_BYTES = 25.0  # after compaction
ASKED_RSS_MB = 300.0
ASKED_P50_MS = {"trace by id": 2.0, "rare attribute value": 3.0, "absent attribute value": 1.0}
ASKED_OF_STORES = {
    "cpuUsPerSpan": ASKED_CPU_US,
    "bytesPerSpanFresh": ASKED_FRESH_BYTES,
    "bytesPerSpan": ASKED_BYTES,
    "p50Ms": ASKED_P50_MS,
}
SPANS_MAX = 2_000_000  # the sender keeps them in memory; other stores have them staged, 1.4 kB each
RATE = 50_000
RATE_SECONDS = 40
MB = 1_000_000
# One merge of all blocks of a run, soon after the last is written; what it replaced is gone 2 s later.
COMPACTION = ["--compaction-window", "1000000h", "--compaction-cpu-percent", "100",
              "--compaction-spans", "10000000", "--query-timeout", "1s"]
COMPACTION_SECONDS_MAX = 120


def send_everything(protocol, spans, ask=False):
    """-> CPU, memory, time and disk of one fresh server that takes all spans as fast as it can."""
    with workload.server(*COMPACTION) as server:
        samples = server.data.parent / "samples.json"
        with workload.Load(server, protocol, spans, samples=samples) as load:
            server.reset_memory_peak()
            before = server.cpu_seconds()
            begin = time.monotonic()
            load.go()
            sent = load.finish()
            acknowledged = time.monotonic() - begin
            server.flush()
            durable = time.monotonic() - begin
            cpu = server.cpu_seconds() - before
            fresh = disk(server.data, sent["spans"])
            peak = server.memory_bytes()[1]
            compact(server, fresh["blocks"])
            cpu_compacted = server.cpu_seconds() - before
        stored = server.get("/api/v1/status")["storedSpans"]
        if stored != sent["spans"]:
            raise RuntimeError(f"{sent['spans']} spans were acknowledged and {stored} are stored")
        result = {
            "protocol": protocol,
            "spans": stored,
            "cpuUsPerSpan": cpu_compacted * 1e6 / stored,
            "cpuUsPerSpanFresh": cpu * 1e6 / stored,
            "acknowledgedPerSecond": stored / acknowledged,
            "secondsToDurable": durable,
            "peakRssBytes": peak,
            "peakRssBytesCompacting": server.memory_bytes()[1],
            "retries": sent["retries"],
            "fresh": fresh,
            "disk": disk(server.data, stored),
        }
        if ask:
            result["p50Ms"] = query.three_questions(server, json.loads(samples.read_text()))
        return result


def compact(server, blocks):
    """Waits until the blocks are merged and what they replaced is off the disk."""
    if blocks < 2:
        return
    deadline = time.monotonic() + COMPACTION_SECONDS_MAX
    while time.monotonic() < deadline:
        metrics = server.metrics()
        done = metrics.get("weft_compaction_merges_total", 0) > 0
        if done and metrics.get("weft_compaction_waiting_blocks", 0) == 0:
            folders = {f.parent for f in pathlib.Path(server.data, "blocks").rglob("meta.json")}
            if len(folders) == server.get("/api/v1/status")["blocks"]:
                return
        time.sleep(0.2)
    raise RuntimeError(f"{blocks} blocks were not merged in {COMPACTION_SECONDS_MAX} s")


def disk(data, spans):
    """Bytes a span by file and by column."""
    blocks = [f for f in pathlib.Path(data, "blocks").rglob("*") if f.is_file()]
    by_file = collections.Counter()
    for file in blocks:
        by_file[file.name] += file.stat().st_size
    columns = workload.column_bytes([f for f in blocks if f.suffix == ".parquet"])
    return {
        "bytesPerSpan": sum(by_file.values()) / spans,
        "blocks": len({f.parent for f in blocks}),
        "byFile": {name: size / spans for name, size in by_file.most_common()},
        "byColumn": {
            file: {name: size / spans for name, size in sizes.items()}
            for file, sizes in columns.items()
        },
    }


def send_at_rate(rate, seconds):
    """Memory and CPU of a server under a steady stream of live spans."""
    resident = []
    with workload.server() as server:
        finished = threading.Event()

        def watch():
            while not finished.wait(0.2):
                resident.append(server.memory_bytes()[0])

        watcher = threading.Thread(target=watch)
        with workload.Load(server, "http", int(rate * seconds), rate=rate) as load:
            server.reset_memory_peak()
            before = server.cpu_seconds()
            load.go()
            watcher.start()
            try:
                sent = load.finish()
            finally:
                finished.set()
                watcher.join()
        cpu = server.cpu_seconds() - before
        return {
            "askedRate": rate,
            "rate": sent["spans"] / sent["seconds"],
            "seconds": sent["seconds"],
            "retries": sent["retries"],
            "cpuShare": cpu / sent["seconds"],
            "peakRssBytes": server.memory_bytes()[1],
            "medianRssBytes": sorted(resident)[len(resident) // 2],
        }


def print_result(result):
    base = result["baseline"]
    report.table(
        f"Ingest of {base['spans']} spans of {base['bytesPerSpan']:.0f} B with "
        f"{base['attributesPerSpan']:.1f} attributes, "
        f"{base['spansPerTrace']:.1f} spans a trace, on 2 connections",
        ["", "CPU us/span", "fresh", "x baseline", "spans/s", "peak RSS MB", "compacting",
         "B/span", "fresh", "blocks", "fresh"],
        [
            [
                run["protocol"],
                f"{run['cpuUsPerSpan']:.2f}",
                f"{run['cpuUsPerSpanFresh']:.2f}",
                f"{run['cpuUsPerSpan'] * 1000 / base['walkAndHashNs']:.1f}",
                f"{run['acknowledgedPerSecond']:.0f}",
                f"{run['peakRssBytes'] / MB:.0f}",
                f"{run['peakRssBytesCompacting'] / MB:.0f}",
                f"{run['disk']['bytesPerSpan']:.1f}",
                f"{run['fresh']['bytesPerSpan']:.1f}",
                run["disk"]["blocks"],
                run["fresh"]["blocks"],
            ]
            for run in result["runs"]
        ]
        + [
            [
                "baseline: walk and hash",
                f"{base['walkAndHashNs'] / 1000:.2f}",
                "",
                "1.0",
                *[""] * 7,
            ]
        ],
    )
    print_disk(result["runs"][0]["disk"])
    steady = result["steady"]
    rows = [
        [
            "CPU us/span, socket to durable block, compaction included",
            *report.asked(max(r["cpuUsPerSpan"] for r in result["runs"]), ASKED_CPU_US, digits=2),
        ],
        [
            "B/span on disk, every file, fresh",
            *report.asked(
                max(r["fresh"]["bytesPerSpan"] for r in result["runs"]), ASKED_FRESH_BYTES
            ),
        ],
        [
            "B/span on disk, every file, compacted",
            *report.asked(max(r["disk"]["bytesPerSpan"] for r in result["runs"]), ASKED_BYTES),
        ],
    ]
    if steady:
        rows.append(
            [
                f"peak RSS MB at {steady['rate']:.0f} spans/s for {steady['seconds']:.0f} s "
                f"({steady['cpuShare']:.2f} cores, {steady['retries']} retries)",
                *report.asked(steady["peakRssBytes"] / MB, ASKED_RSS_MB, digits=0),
            ]
        )
    report.table("Asked and measured", ["", "measured", "asked", ""], rows)


def print_disk(disk):
    report.table(
        "Bytes a span by file",
        ["file", "B/span"],
        [[n, f"{b:.2f}"] for n, b in disk["byFile"].items()],
    )
    columns = [
        (size, f"{file}: {name}")
        for file, sizes in disk["byColumn"].items()
        for name, size in sizes.items()
    ]
    columns.sort(reverse=True)
    rows = [[name, f"{size:.2f}"] for size, name in columns[:24]]
    rows.append([f"the other {len(columns[24:])}", f"{sum(size for size, _ in columns[24:]):.2f}"])
    report.table("Bytes a span by column", ["column", "B/span"], rows)


def run(spans, steady=True):
    facts = report.machine()
    print(report.describe(facts))
    result = {"machine": facts, "runs": []}
    # On both sides of the runs: a machine that other work slows down slows both.
    first = workload.baseline(spans)
    for protocol in ("http", "grpc"):
        result["runs"].append(send_everything(protocol, spans, ask=protocol == "http"))
    second = workload.baseline(spans)
    result["baseline"] = first | {
        "walkAndHashNs": (first["walkAndHashNs"] + second["walkAndHashNs"]) / 2
    }
    result["steady"] = send_at_rate(RATE, RATE_SECONDS) if steady else None
    print_result(result)
    if stores := other_stores.run(spans):
        result["otherStores"] = stores
        other_stores.print_result(result["runs"][0], stores, ASKED_OF_STORES, facts)
    report.save("ingest", result)
