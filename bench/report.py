"""Tables on standard output, JSON into bench/results/."""

import datetime
import json
import os
import pathlib
import platform
import subprocess

RESULTS = pathlib.Path(__file__).resolve().parent / "results"


def machine():
    """What the figures were measured on."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // 1024
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        cwd=RESULTS.parent,
        check=False,
    )
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": model,
        "cores": os.cpu_count(),
        "memoryMiB": memory,
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 2),
        "commit": commit.stdout.strip() or "unknown",
    }


def describe(facts):
    return (
        f"{facts['date']}, {facts['processor']}, {facts['cores']} cores, "
        f"{facts['memoryMiB']} MiB, commit {facts['commit']}, "
        f"load before the run {facts['load']}"
    )


def table(title, header, rows):
    """Prints columns as wide as they need to be; the first is text, the others numbers."""
    cells = [[str(c) for c in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    print(f"\n{title}")
    for n, row in enumerate(cells):
        print(
            "  "
            + "  ".join(
                c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))
            ).rstrip()
        )
        if n == 0:
            print("  " + "  ".join("-" * w for w in widths))


def asked(measured, limit, unit="", digits=1):
    """'12.3 <= 15 us' with a mark when it is missed."""
    verdict = "met" if measured <= limit else "MISSED"
    return f"{measured:.{digits}f}{unit}", f"<= {limit:g}{unit}", verdict


def save(name, result):
    RESULTS.mkdir(exist_ok=True)
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    path = RESULTS / f"{name}-{stamp}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nwritten to {path.relative_to(RESULTS.parents[1])}")
