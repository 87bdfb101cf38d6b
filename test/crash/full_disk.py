"""A disk that fills up: new spans are refused and may be sent again, questions are answered, and
all is well when space returns."""

import http.client
import os
import subprocess
import time

from api import ApiReader
from oracle import Oracle
from senders import Generator
from weft_server import WeftServer

DISK = "48m"
ARGUMENTS = ["--wal-segment-bytes", "1MiB", "--wal-disk-reserve", "8MiB", "--block-age", "400ms",
             "--cut-idle", "300ms"]


def check_full_disk(folder, trial):
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "weft-crash", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        print("skipped a full disk: mounting a small disk needs root", flush=True)
        return
    try:
        trial.report("a full disk refuses, answers questions, and recovers",
                     fill_and_free(disk, folder, trial))
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def post(server, body):
    host, port = server.otlp_http.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    try:
        connection.request("POST", "/v1/traces", body=body,
                           headers={"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def send_until(server, oracle, generator, wanted, seconds=60):
    """Sends until the server answers with this status; -> its headers, or None when time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        service, body, spans = generator.request()
        oracle.sending(service, spans)
        status, headers, _ = post(server, body)
        if status == 200:
            oracle.acknowledged(service, spans)
        if status == wanted:
            return headers
    return None


def fill_and_free(disk, folder, trial):
    oracle = Oracle()
    generator = Generator(trial.random, "full-disk")
    problems = []
    ballast = disk / "ballast"

    def server():
        return WeftServer(disk / "data", folder / "full-disk.log", ARGUMENTS)

    def check(running):
        return ApiReader(running).check_traces(oracle, oracle.trace_ids())

    with server() as running:
        if send_until(running, oracle, generator, 200) is None:
            return ["spans are refused on an empty disk"]
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        with open(ballast, "wb") as file:
            file.write(b"\0" * (free - (4 << 20)))
        headers = send_until(running, oracle, generator, 503)
        if headers is None:
            problems.append("spans are accepted on a full disk")
        elif not headers.get("Retry-After"):
            problems.append("503 without Retry-After")
        problems += check(running)
        running.kill()
    with server() as running:  # it starts on a full disk too
        problems += check(running)
        if send_until(running, oracle, generator, 503) is None:
            problems.append("spans are accepted on a full disk after a restart")
        ballast.unlink()
        if send_until(running, oracle, generator, 200) is None:
            problems.append("spans are still refused when there is space again")
        problems += check(running)
        if "the disk is full" not in running.log_path.read_text(errors="replace"):
            problems.append("the log does not say that the disk is full")
        running.kill()
    with server() as running:
        problems += check(running)
    return problems
