"""The object stores' stand-ins on this machine: installed once into build/stores, run on free ports of
127.0.0.1 with data that is thrown away.

| service | stand-in | what it can't show |
|---|---|---|
| S3 | versitygw on a folder | AWS's own latencies, throttling and identities |
| Azure Blob Storage | Azurite | hierarchical namespaces, identities other than the account's key |
| Google Cloud Storage | fake-gcs-server | credentials: it lets everybody in |
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "stores"
VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
FAKE_GCS = "github.com/fsouza/fake-gcs-server@v1.56.1"
AZURITE = "azurite@3.35.0"
BUCKET = "weft-test"


def say(text):
    print(f"stores: {text}", flush=True)


def install_go(package):
    """-> the program of a Go package, built once for each version."""
    name = package.partition("@")[0].rpartition("/")[2]
    folder = TOOLS / package.rpartition("/")[2].replace("@", "-")
    if not (folder / name).exists():
        if shutil.which("go") is None:
            raise RuntimeError(f"Go 1.21 or newer is needed to build {package}, and there is no `go`")
        say(f"building {package}")
        subprocess.run(["nice", "-n", "5", "go", "install", package], check=True, cwd=TOOLS,
                       env={**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"})
    return folder / name


def install_npm(package, program):
    folder = TOOLS / package.replace("@", "-")
    installed = folder / "node_modules" / ".bin" / program
    if not installed.exists():
        say(f"installing {package}")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error",
                        "--prefix", str(folder), package], check=True, cwd=folder)
    return installed


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Emulator:
    """A stand-in that can be stopped and started again on the same port and data."""

    prefix = "some/prefix"  # in the bucket

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "service"
        self.data.mkdir(parents=True)
        self.port = free_port()
        self.process = None
        self.program = self.install()

    def start(self):
        with open(self.folder / "service.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.data, env={**os.environ, **self.own_environment()})
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{self.name} did not start:\n{(self.folder / 'service.log').read_text()}")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def own_environment(self):
        return {}

    def request(self, method, path, headers=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            answer = response.read()
            if response.status >= 300:
                raise RuntimeError(f"{self.name}: {method} {path}: {response.status} {answer[:300]!r}")
        finally:
            connection.close()


class S3(Emulator):
    name = "S3 (versitygw)"
    environment = {"AWS_ACCESS_KEY_ID": "weft-test-key", "AWS_SECRET_ACCESS_KEY": "weft-test-secret",
                   "AWS_EC2_METADATA_DISABLED": "true"}
    secret = "weft-test-secret"
    wrong = {"AWS_SECRET_ACCESS_KEY": "not-the-secret"}
    tls = ()  # certificate and key

    def install(self):
        return install_go(VERSITYGW)

    def own_environment(self):
        return {"ROOT_ACCESS_KEY_ID": self.environment["AWS_ACCESS_KEY_ID"],
                "ROOT_SECRET_ACCESS_KEY": self.secret}

    def command(self):
        command = [self.program, "--port", f"127.0.0.1:{self.port}", "--quiet",
                   "--access-log", str(self.folder / "requests.log")]
        if self.tls:
            command += ["--cert", self.tls[0], "--key", self.tls[1]]
        return [*command, "posix", str(self.data)]

    def make_bucket(self):
        (self.data / BUCKET).mkdir(exist_ok=True)

    def store(self, bucket=BUCKET):
        scheme = "https" if self.tls else "http"
        return (f"s3://{bucket}/{self.prefix}?endpoint_override=127.0.0.1:{self.port}"
                f"&scheme={scheme}&region=us-east-1")

    def request_count(self):
        """What really went over the wire so far, retries included."""
        return len((self.folder / "requests.log").read_text().splitlines())


class Azure(Emulator):
    name = "Azure Blob Storage (Azurite)"
    account = "wefttest"
    key = base64.b64encode(b"weft's own made-up account key, 64 bytes long, for tests only.!!").decode()
    environment = {"AZURE_STORAGE_KEY": key}
    secret = key
    wrong = {"AZURE_STORAGE_KEY": base64.b64encode(b"another key").decode()}

    def install(self):
        return install_npm(AZURITE, "azurite-blob")

    def own_environment(self):
        return {"AZURITE_ACCOUNTS": f"{self.account}:{self.key}"}

    def command(self):
        return [self.program, "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location",
                str(self.data), "--skipApiVersionCheck", "--disableTelemetry", "--silent"]

    def make_bucket(self):
        path = f"/{self.account}/{BUCKET}"
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"x-ms-date": now, "x-ms-version": "2021-08-06", "Content-Length": "0"}
        to_sign = "PUT" + "\n" * 12 + (f"x-ms-date:{now}\nx-ms-version:2021-08-06\n"
                                       f"/{self.account}{path}\nrestype:container")
        digest = hmac.new(base64.b64decode(self.key), to_sign.encode(), hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        headers["Authorization"] = f"SharedKey {self.account}:{signature}"
        self.request("PUT", f"{path}?restype=container", headers)

    def store(self, bucket=BUCKET):
        return f"abfs://{self.account}@127.0.0.1:{self.port}/{bucket}/{self.prefix}?enable_tls=false"


class Gcs(Emulator):
    name = "Google Cloud Storage (fake-gcs-server)"
    environment = {}
    secret = None
    wrong = None

    def install(self):
        return install_go(FAKE_GCS)

    def command(self):
        address = f"127.0.0.1:{self.port}"
        return [self.program, "-host", "127.0.0.1", "-port", str(self.port), "-scheme", "http",
                "-backend", "filesystem", "-filesystem-root", str(self.data),
                "-external-url", f"http://{address}", "-public-host", address, "-log-level", "error"]

    def make_bucket(self):
        self.request("POST", "/storage/v1/b?project=weft", {"Content-Type": "application/json"},
                     json.dumps({"name": BUCKET}))

    def store(self, bucket=BUCKET):
        return (f"gs://anonymous@{bucket}/{self.prefix}?endpoint_override=127.0.0.1:{self.port}"
                f"&scheme=http")


ALL = {"s3": S3, "azure": Azure, "gcs": Gcs}
