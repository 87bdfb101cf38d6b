"""The three services, each started as `opentelemetry-instrument python FILE` with its own way
of exporting.
"""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse

from postgres import free_port

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ("payment", "orders", "gateway")  # in the order in which they need each other


def exporter_of(name, server):
    """One service by gRPC, one by HTTP with protobuf, one by HTTP with gzip."""
    if name == "gateway":
        return {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{server.otlp_grpc}",
        }
    http_exporter = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{server.otlp_http}",
    }
    if name == "payment":
        http_exporter["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip"
    return http_exporter


class Services:
    """Runs from construction to stop()."""

    def __init__(self, venv, server, postgres, logs):
        self.ports = {name: free_port() for name in NAMES}
        self.logs = {name: pathlib.Path(logs) / f"{name}.log" for name in NAMES}
        self.processes = {}
        common = {
            "PATH": f"{venv}/bin:/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
            "ORDERS_URL": self.url("orders"),
            "PAYMENT_URL": self.url("payment"),
            "SQLALCHEMY_URL": postgres.sqlalchemy_url,
            "PSYCOPG2_DSN": postgres.psycopg2_dsn,
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_PYTHON_LOG_CORRELATION": "true",
            "OTEL_PYTHON_LOG_LEVEL": "info",
            "OTEL_PYTHON_FLASK_EXCLUDED_URLS": "healthz",
            "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=shop,deployment.environment.name=test",
        }
        try:
            for name in NAMES:
                self._start(name, common | exporter_of(name, server))
            for name in NAMES:
                self._wait_until_healthy(name)
        except Exception:
            self.stop()
            raise

    def url(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def _start(self, name, environment):
        environment = environment | {"OTEL_SERVICE_NAME": name, "PORT": str(self.ports[name])}
        with open(self.logs[name], "wb") as log:
            self.processes[name] = subprocess.Popen(
                ["opentelemetry-instrument", "python", str(HERE / f"{name}.py")],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_until_healthy(self, name):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.processes[name].poll() is not None:
                break
            try:
                if request("GET", self.url(name) + "/healthz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"{name} did not start:\n{self.logs[name].read_text()}")

    def order(self, **order):
        """Sends an order as a browser would; -> status, answer."""
        return request("POST", self.url("gateway") + "/api/orders", order)

    def log_lines(self, name):
        return self.logs[name].read_text().splitlines()

    def stop(self):
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def request(method, url, body=None):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=15)
    try:
        connection.request(
            method,
            parts.path,
            json.dumps(body) if body else None,
            {"Content-Type": "application/json"},
        )
        response = connection.getresponse()
        text = response.read()
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.status, json.loads(text) if is_json else text
    finally:
        connection.close()
