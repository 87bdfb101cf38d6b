"""bench/run micro: what each stage of a span's way costs by itself, beside its budget, and the rooms' own benchmarks."""

import json
import shutil
import subprocess
import sys
import tempfile

import report
import workload

# What weft_stages measures: (name, its parts there, budget in ns a span). The budgets are for a 2.6 GHz core.
STAGES = (
    ("decode into SpanBatch", ("decode",), 600),
    ("WAL: encode, LZ4, checksum, write", ("wal_encode", "wal_write"), 200),
    ("metrics of spans", ("generate",), 200),
    ("merge into live", ("merge",), 200),
    ("cut and preorder", ("cut",), 100),
    ("pivot, encode, compress, write", ("block", "write"), 900),
    ("compaction", ("compaction",), 500),
)


def measure_stages():
    folder = tempfile.mkdtemp(prefix="stages-", dir=workload.scratch())
    try:
        done = subprocess.run(
            [str(workload.TOOLS / "weft_stages"), folder], stdout=subprocess.PIPE, text=True, check=True
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return json.loads(done.stdout)


def stages():
    found = measure_stages()
    ns = found["nsPerSpan"]
    rows, sum_ns, sum_budget = [], 0.0, 0
    for name, parts, budget in STAGES:
        cost = sum(ns[part] for part in parts)
        sum_ns += cost
        sum_budget += budget
        rows.append([name, f"{cost:.0f}", *verdict(cost, budget), f"{cost / ns['baseline']:.2f}"])
    rows.append(["all", f"{sum_ns:.0f}", *verdict(sum_ns, sum_budget), f"{sum_ns / ns['baseline']:.2f}"])
    rows.append(["baseline: walk and hash", f"{ns['baseline']:.0f}", "", "", "1.00"])
    report.table(
        f"Stages of {found['spans']} spans of {found['bytesPerSpan']:.0f} B, CPU of one thread, best of 3, no syncs",
        ["", "ns/span", "budget", "", "x baseline"],
        rows,
    )
    return found


def verdict(cost, budget):
    return f"<= {budget}", "met" if cost <= budget else "MISSED"


def room(program):
    """One program of Google Benchmark: ns a span where it counts spans, time a call for the rest."""
    done = subprocess.run(
        [str(program), "--benchmark_format=json"], stdout=subprocess.PIPE, text=True, check=True
    )
    results = json.loads(done.stdout[done.stdout.index("{") :])["benchmarks"]
    report.table(
        program.name,
        ["", "ns/span", "CPU a call", ""],
        [[r["name"], per_span(r), f"{r['cpu_time']:.1f}", r["time_unit"]] for r in results],
    )
    return results


def per_span(result):
    for name in ("ns/span", "ns_per_span", "ns/row"):
        if name in result:
            return f"{result[name]:.0f}"
    if "items_per_second" in result:
        return f"{1e9 / result['items_per_second']:.0f}"
    return ""


def run(name=""):
    facts = report.machine()
    print(report.describe(facts))
    result = {"machine": facts}
    if name in "stages":
        result["stages"] = stages()
    # The others in that folder are no benchmarks but tools of some: weft_...
    programs = [
        program
        for program in sorted(workload.TOOLS.glob(f"*{name}*"))
        if program.is_file() and program.name.endswith("_bench")
    ]
    for program in programs:
        result[program.name] = room(program)
    if len(result) == 1:
        sys.exit(f"no micro-benchmark's name contains {name!r}")
    report.save("micro", result)
