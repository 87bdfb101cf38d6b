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


@contextlib.contextmanager
def server(*arguments):
    """A server on an empty data folder, which is removed afterwards."""
    scratch = ROOT / "build" / "bench"  # a real disk: /tmp may be memory
    scratch.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=scratch))
    try:
        with WeftServer(folder / "data", folder / "log", arguments) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Load:
    """A sender that has made its spans and waits for go()."""

    def __init__(self, target, protocol, spans, *, rate=0, connections=2, samples=None, seed=1):
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

    def finish(self):
        """Waits for the last acknowledgement; -> what the sender counted."""
        out, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise RuntimeError(f"the sender failed: {out}")
        return json.loads(out)

    def stop(self):
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
