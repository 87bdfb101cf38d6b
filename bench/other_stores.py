"""The same spans in stores that are not ours, beside weft's figures of the same run.

ClickHouse (in-process, chdb) with the table of the OpenTelemetry Collector's exporter, and DuckDB. Both are
measured generously: they get columns that are decoded already, no socket, no write-ahead log, and their
questions are function calls; weft's figures are from the socket on, and its questions go through HTTP.
"""

import json
import shutil
import subprocess
import sys
import tempfile

import report
import workload

sys.path.insert(0, str(workload.ROOT / "tools"))

import python_packages  # noqa: E402

STORES = ("clickhouse", "duck")
MEASURE = workload.ROOT / "bench" / "stores" / "measure.py"
HOW = (
    "ClickHouse and DuckDB get decoded columns, 100,000 spans an insert, no socket and no log; their CPU is of "
    "inserts\nand of one merge of everything, their answers are function calls. weft: from the socket, through its "
    "log, answers by HTTP."
)


def run(spans):
    """-> what each store needed, or None when their packages can't be had."""
    python = python_packages.engines()
    if python is None:
        print("\nClickHouse and DuckDB are left out: pip cannot install test/block/requirements.txt here")
        return None
    scratch = workload.scratch()
    folder = tempfile.mkdtemp(prefix="stores-", dir=scratch)
    try:
        workload.write_span_table(spans, f"{folder}/files", f"{folder}/samples.json")
        return [measure(python, store, folder) for store in STORES]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(python, store, folder):
    done = subprocess.run(
        [str(python), str(MEASURE), store, f"{folder}/files", f"{folder}/samples.json", f"{folder}/{store}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"bench/stores/{store}.py failed:\n{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    print(f"measured {result['store']} with {result['spans']} spans", flush=True)
    return result


def rows_of(weft, others, asked):
    """(name, asked, weft's figure, the others', digits)"""

    def row(name, digits, ours, theirs, limit=None):
        return name, limit, ours, [theirs(other) for other in others], digits

    rows = [
        row("CPU us/span, inserting", 1, weft["cpuUsPerSpanFresh"],
            lambda o: o["cpuUsPerSpanInserting"]),
        row("CPU us/span, with merging", 1, weft["cpuUsPerSpan"],
            lambda o: o["cpuUsPerSpanInserting"] + o["cpuUsPerSpanMerging"],
            asked["cpuUsPerSpan"]),
        row("B/span on disk, fresh", 1, weft["fresh"]["bytesPerSpan"],
            lambda o: o["bytesPerSpanFresh"], asked["bytesPerSpanFresh"]),
        row("B/span on disk, merged", 1, weft["disk"]["bytesPerSpan"],
            lambda o: o["bytesPerSpan"], asked["bytesPerSpan"]),
        row("peak RSS MB", 0, weft["peakRssBytesCompacting"] / 1e6,
            lambda o: o["peakRssBytes"] / 1e6),
    ]
    for question, ours in weft["p50Ms"].items():
        rows.append(row(f"{question}, p50 ms", 2, ours, lambda o, q=question: o["p50Ms"][q],
                        asked["p50Ms"][question]))
    return rows


def print_result(weft, others, asked, facts):
    header = ["", "asked", "weft"]
    for other in others:
        header += [other["store"], "x weft"]
    table = []
    for name, limit, ours, theirs, digits in rows_of(weft, others, asked):
        line = [name, f"<= {limit:g}" if limit is not None else "", f"{ours:.{digits}f}"]
        for figure in theirs:
            line += [f"{figure:.{digits}f}", f"{figure / ours:.1f}"]
        table.append(line)
    report.table(f"Other stores, {facts['date']}, {facts['processor']}, {facts['cores']} cores", header, table)
    print(HOW)
