"""A real Prometheus on a free port of 127.0.0.1, for tests that have it as their judge."""

import json
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Prometheus:
    """Started on construction, on what `data` holds; a context manager that stops it."""

    def __init__(self, folder, config="", flags=()):
        folder = pathlib.Path(folder)
        (folder / "prometheus.yml").write_text(config)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                    *flags,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + "/-/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"Prometheus did not start:\n{self.log.read_text()[-2000:]}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def ask(url, path, tenant="default", **query):
    """The `data` of an answer of Prometheus' API, Prometheus' own or weft's."""
    target = f"{url}/api/v1/{path}?" + urllib.parse.urlencode(query, doseq=True)
    request = urllib.request.Request(target, headers={"X-Scope-OrgID": tenant})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{path} {query}: {error.read().decode()}") from None


def series_of(data):
    """{labels: [(time, value)]} of a vector or a matrix."""
    return {
        tuple(sorted(one["metric"].items())): [
            (float(at), float(value)) for at, value in one.get("values") or [one["value"]]
        ]
        for one in data["result"]
    }


def wait_for(check, seconds=60):
    """What `check` gives once that is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)
