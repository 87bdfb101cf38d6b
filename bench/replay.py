"""bench/run replay: how long a server takes to start when its log holds all the spans.

The server is killed (SIGKILL) with everything acknowledged and nothing in blocks, and started again.
"""

import re
import time

import report
import workload

ASKED_PER_SECOND = 1_000_000
# Nothing is cut to blocks, so that all of it comes from the log.
SERVER = [
    "--memory-max", "8GiB", "--cut-root-grace", "1h", "--cut-idle", "1h", "--cut-age-max", "1h",
    "--compaction-cpu-percent", "0",
]
ROUNDS = 3


def restart(server):
    """-> wall and CPU seconds from the start of the process until it is ready."""
    server.kill()
    server.log_path.write_text("")
    begin = time.monotonic()
    server.start(ready_seconds=600)
    return time.monotonic() - begin, server.cpu_seconds()


def run(spans):
    facts = report.machine()
    print(report.describe(facts))
    first = workload.baseline(1_000_000)
    with workload.server(*SERVER) as server:
        empty = min(restart(server) for _ in range(ROUNDS))
        with workload.Load(server, "http", spans, on_the_fly=True) as load:
            load.go()
            sent = load.finish()
        rounds = []
        for _ in range(ROUNDS):
            rounds.append(restart(server))
            live = server.get("/api/v1/status")["liveSpans"]
            if live != sent["spans"]:
                raise RuntimeError(f"{sent['spans']} spans were acknowledged and {live} came back")
        wall, cpu = min(rounds)
        log = server.log_path.read_text()
    rate = sent["spans"] / (wall - empty[0])
    rows = [
        ["spans a second", f"{rate:.0f}", f">= {ASKED_PER_SECOND}", "met" if rate >= ASKED_PER_SECOND else "MISSED"],
        ["seconds until ready", f"{wall:.2f}", "", ""],
        ["seconds until ready, empty log", f"{empty[0]:.2f}", "", ""],
        ["CPU ns a span", f"{(cpu - empty[1]) * 1e9 / sent['spans']:.0f}", "", ""],
        ["baseline: walk and hash, ns a span", f"{first['walkAndHashNs']:.0f}", "", ""],
    ]
    report.table(
        f"Replay of {sent['spans']} spans from the log, the best of {ROUNDS}",
        ["", "measured", "asked", ""],
        rows,
    )
    print("\nthe log of the last start:")
    print("\n".join(line for line in log.splitlines() if re.search("replay", line, re.IGNORECASE)))
    report.save(
        "replay",
        {"machine": facts, "spans": sent["spans"], "perSecond": rate, "rounds": rounds, "empty": empty},
    )
