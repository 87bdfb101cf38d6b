"""A real `weft serve` on free ports, for end-to-end tests and benchmarks."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("WEFT_BINARY", ROOT / "build" / "release" / "weft"))


class ApiError(Exception):
    """The server's refusal: its HTTP status and the body."""

    def __init__(self, status, body):
        super().__init__(f"HTTP status {status}: {body[:400]!r}")
        self.status = status
        self.body = body


class WeftServer:
    """Starts the server on construction; a context manager that stops it."""

    def __init__(self, data, log, arguments=()):
        self.data = pathlib.Path(data)
        self.arguments = list(arguments)
        self.log_path = pathlib.Path(log)
        self.process = None
        self.addresses = {}
        self.start()

    def start(self, ready_seconds=60):
        addresses = self.data / "server.json"
        addresses.unlink(missing_ok=True)
        command = [str(BINARY), "serve", "--data", str(self.data)]
        for flag in (
            "--http",
            "--otlp-grpc",
            "--otlp-http",
            "--zipkin-http",
            "--jaeger-http",
            "--jaeger-grpc",
            "--jaeger-compact",
            "--jaeger-binary",
        ):
            if flag not in self.arguments:
                command += [flag, "127.0.0.1:0"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command + self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + ready_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"weft serve ended with {self.process.returncode}:\n{self.log_tail()}"
                )
            if self._is_ready(addresses):
                return
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"weft serve was not ready after {ready_seconds} s:\n{self.log_tail()}")

    def _is_ready(self, addresses):
        try:
            self.addresses = json.loads(addresses.read_text())
            status, _, _ = self.request("GET", "/ready")
            return status == 200
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return False

    @property
    def http(self):
        return self.addresses["http"]

    @property
    def otlp_http(self):
        return self.addresses["otlp_http"]

    @property
    def otlp_grpc(self):
        return self.addresses["otlp_grpc"]

    def log_tail(self, lines=30):
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, timeout=40):
        """SIGTERM, as an operator would; the exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"weft serve did not stop within {timeout} s of SIGTERM") from None

    def kill(self):
        """SIGKILL: the process gets no chance to write anything."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.stop()

    # --- its API

    def request(self, method, target, body=None, headers=None, timeout=120):
        """-> status, headers, body"""
        host, port = self.http.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def get(self, path, **query):
        """The JSON answer to a GET; ApiError when refused."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        status, _, body = self.request("GET", path, headers={"Accept": "application/json"})
        if status != 200:
            raise ApiError(status, body)
        return json.loads(body)

    def flush(self):
        status, _, body = self.request("POST", "/flush", timeout=600)
        if status != 200:
            raise ApiError(status, body)
        return json.loads(body)

    def search(self, query, **more):
        return self.get("/api/v1/search", q=query, **more)

    def metrics(self):
        """Sample name with labels -> value, from /metrics."""
        _, _, body = self.request("GET", "/metrics")
        samples = {}
        for line in body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    # --- its process

    def cpu_seconds(self):
        fields = (
            pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self):
        """-> resident now, highest so far"""
        sizes = {}
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                sizes[name] = int(rest.split()[0]) * 1024
        return sizes["VmRSS"], sizes["VmHWM"]

    def reset_memory_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
