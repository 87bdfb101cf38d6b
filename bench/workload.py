"""The sender (weft_otlp_load) and servers with throw-away data."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "e2e"))

from weft_server import BINARY, WeftServer  # noqa: E402

TOOLS = BINARY.parent / "bench"


def scratch():
    """Where data may lie for the time of a run."""
    folder = ROOT / "build" / "bench"  # a real disk: /tmp may be memory
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def server(*arguments):
    """A server on an empty data folder, which is removed afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=scratch()))
    try:
        with WeftServer(folder / "data", folder / "log", arguments) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Load:
    """A sender that has made its spans and waits for go()."""

    def __init__(
        self,
        target,
        protocol,
        spans,
        *,
        rate=0,
        connections=2,
        samples=None,
        seed=1,
        on_the_fly=False,
        window=0,
        seconds=0,
    ):
        address = target.otlp_grpc if protocol == "grpc" else target.otlp_http
        command = [
            str(TOOLS / "weft_otlp_load"),
            "send",
            "--protocol",
            protocol,
            "--address",
            address,
            "--spans",
            str(spans),
            "--connections",
            str(connections),
            "--rate",
            str(rate),
            "--seed",
            str(seed),
        ]
        if samples:
            command += ["--samples", str(samples)]
        if on_the_fly:
            command += ["--on-the-fly"]
        if seconds:
            command += ["--seconds", str(seconds)]
        if window:
            command += ["--window", str(window)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if line != "ready\n":
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"the sender did not start: {line!r}")

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self, at_window=None):
        """Waits for the last acknowledgement; -> what the sender counted. With windows: calls
        at_window(spans acknowledged so far) at the end of each."""
        last = ""
        for last in self.process.stdout:
            line = json.loads(last)
            if at_window is not None and "acknowledged" in line:
                at_window(line["acknowledged"])
        if self.process.wait() != 0:
            raise RuntimeError(f"the sender failed: {last}")
        return json.loads(last)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Ends a sender that has not finished."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def baseline(spans):
    """CPU of a walk with hashing over the same bytes: what every receiver has to do at least."""
    done = subprocess.run(
        [str(TOOLS / "weft_otlp_load"), "baseline", "--spans", str(spans)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def write_span_table(spans, folder, samples):
    """The spans of the same sender as Arrow files, for other stores."""
    pathlib.Path(folder).mkdir(exist_ok=True)
    command = [str(TOOLS / "weft_write_span_table"), "--spans", str(spans)]
    subprocess.run(
        [*command, "--folder", str(folder), "--samples", str(samples)],
        stdout=subprocess.DEVNULL,
        check=True,
    )


def column_bytes(files):
    if not files:
        return {}
    done = subprocess.run(
        [str(TOOLS / "weft_parquet_columns"), *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
