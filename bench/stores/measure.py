"""Takes the spans of a folder of Arrow files into one store and asks it questions; prints one line of JSON.

usage: measure.py clickhouse|duck FILES SAMPLES DATA

FILES is what weft_write_span_table wrote, SAMPLES what it wrote to ask for, DATA a folder for the store to make.
Each file is one insert. Staging - reading the file into memory in the store's own form or in Arrow's - is not counted.
"""

import importlib
import json
import pathlib
import random
import resource
import sys
import time

REPETITIONS = 100
SECONDS_MAX = 20
KEY = "guid:x-request-id"


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_bytes():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no VmHWM")


def timed(ask, arguments, right):
    """Median milliseconds of an answer, warm; each is checked."""
    times = []
    begin = time.monotonic()
    for n in range(REPETITIONS + 3):
        argument = arguments()
        start = time.perf_counter()
        rows = ask(argument)
        if n >= 3:
            times.append((time.perf_counter() - start) * 1000)
        if not right(rows):
            raise RuntimeError(f"{rows} rows for {argument!r}")
        if times and time.monotonic() - begin > SECONDS_MAX:
            break
    return sorted(times)[len(times) // 2]


def questions(store, samples):
    pick = random.Random(1)
    return {
        "trace by id": timed(
            store.trace, lambda: pick.choice(samples["traceIds"]), lambda rows: rows > 0
        ),
        "rare attribute value": timed(
            lambda value: store.with_attribute(KEY, value),
            lambda: pick.choice(samples["requestIds"]),
            lambda rows: rows == 1,
        ),
        "absent attribute value": timed(
            lambda value: store.with_attribute(KEY, value),
            lambda: f"no-such-{pick.randrange(10**9)}",
            lambda rows: rows == 0,
        ),
    }


def main():
    name, files, samples, data = sys.argv[1:]
    store = importlib.import_module(name).Store(pathlib.Path(data))
    inserting = 0.0
    for file in sorted(pathlib.Path(files).glob("*.arrow")):
        store.stage(file)
        before = cpu_seconds()
        store.insert()
        inserting += cpu_seconds() - before
    spans = store.spans()
    fresh = store.bytes_on_disk()
    before = cpu_seconds()
    store.merge()
    merging = cpu_seconds() - before
    result = {
        "store": store.version(),
        "spans": spans,
        "cpuUsPerSpanInserting": inserting * 1e6 / spans,
        "cpuUsPerSpanMerging": merging * 1e6 / spans,
        "bytesPerSpanFresh": fresh / spans,
        "bytesPerSpan": store.bytes_on_disk() / spans,
        "peakRssBytes": peak_bytes(),
        "p50Ms": questions(store, json.loads(pathlib.Path(samples).read_text())),
    }
    store.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
