"""A PostgreSQL of the test's own: Debian's server, a free port, a temporary folder."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def bin_folder():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    if not found:
        raise RuntimeError(
            "PostgreSQL is not installed: apt-get install postgresql (./dev setup does it)"
        )
    return pathlib.Path(found[-1]).parent


class Postgres:
    """Runs from construction to stop(); as another user when this is root, which it refuses."""

    def __init__(self):
        self.bin = bin_folder()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-postgres-"))
        self.port = free_port()
        self.process = None
        self._as_user = {}
        if os.geteuid() == 0:
            user = self._unprivileged_user()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        try:
            self._start()
        except Exception:
            self.stop()
            raise

    @staticmethod
    def _unprivileged_user():
        try:
            return pwd.getpwnam("postgres")
        except KeyError:
            return pwd.getpwnam("nobody")

    def _run(self, *command):
        done = subprocess.run(
            [str(c) for c in command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            **self._as_user,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    def _start(self):
        data = self.folder / "data"
        self._run(
            self.bin / "initdb",
            "-D",
            data,
            "-U",
            "shop",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        )
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",
        }
        command = [str(self.bin / "postgres"), "-D", str(data)]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, **self._as_user
            )
        deadline = time.monotonic() + 30
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    "PostgreSQL did not start:\n" + (self.folder / "log").read_text()
                )
            ready = subprocess.run(
                [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                check=False,
            )
            if ready.returncode == 0:
                return
            time.sleep(0.05)

    @property
    def sqlalchemy_url(self):
        return f"postgresql+psycopg2://shop@127.0.0.1:{self.port}/postgres"

    @property
    def psycopg2_dsn(self):
        return f"host=127.0.0.1 port={self.port} user=shop dbname=postgres"

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
