"""Two real servers on one store: one writes and compacts, the other only reads; and a second writer.

The reader is asked all the time while blocks come, are merged and deleted under it (the writer's grace for
old blocks is made shorter than the reader's refresh, so that it meets blocks that are gone). What it has found
once it must find again, and in the end it gives what the writer gives.
"""

import json
import os
import pathlib
import subprocess
import threading
import time

from api import ApiReader
from weft_server import BINARY, ApiError, WeftServer

# Old blocks are deleted two query timeouts after a merge.
WRITER = ["--compaction-blocks", "2", "--compaction-age-min", "10ms", "--compaction-window", "24h",
          "--cut-root-grace", "100ms", "--cut-idle", "200ms", "--query-timeout", "400ms",
          "--compaction-cpu-percent", "100"]
ROUNDS = 6


def in_order(value):
    """The same whatever the order of spans and attributes, which a merge may change."""
    if isinstance(value, dict):
        return {key: in_order(member) for key, member in value.items()}
    if isinstance(value, list):
        return sorted(map(in_order, value), key=lambda member: json.dumps(member, sort_keys=True))
    return value


def spans_of(otlp):
    """Each span with its resource and scope."""
    return in_order([[resource.get("resource"), scope.get("scope"), span] for resource in otlp["resourceSpans"]
                     for scope in resource["scopeSpans"] for span in scope["spans"]])


class Folder:
    """A store in a folder, in the place of a service."""

    name = "a folder"

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def store(self):
        return f"file://{self.folder.resolve()}/shared"

    def stop(self):
        pass


class TwoServers:
    def __init__(self, service, folder, report):
        self.service, self.folder, self.report = service, folder, report
        self.servers = []
        self.seed = 100
        self.found_problems = []
        self.questions = 0
        self.stop_asking = threading.Event()

    def start(self, name, *arguments):
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        server = WeftServer(self.folder / name / "data", self.folder / name / "server.log",
                            ["--store", self.service.store(), *arguments])
        self.servers.append(server)
        return server

    def end(self):
        self.stop_asking.set()
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()

    def send(self, server, seconds=1):
        self.seed += 1
        return subprocess.run(
            [BINARY, "demo", "--otlp", f"http://{server.otlp_http}", "--seconds", str(seconds), "--history", "20",
             "--seed", str(self.seed)], capture_output=True, text=True, timeout=60)

    @staticmethod
    def spans(server):
        """-> {trace id: its number of spans}, problems"""
        found, problems = ApiReader(server).search_all("{ }")
        # A trace whose start moves while pages are turned may be given twice: it is still one.
        return {i: t["spanCount"] for i, t in found.items()}, [p for p in problems if "twice" not in p]

    def ask(self, reader):
        """In a thread: what was found once is found again."""
        before = {}
        while not self.stop_asking.is_set():
            try:
                now, problems = self.spans(reader)
            except Exception as error:  # noqa: BLE001
                now, problems = before, [f"the reader did not answer: {error!r}"]
            problems += [f"trace {i} had {n} spans and has {now.get(i, 0)}" for i, n in before.items()
                         if now.get(i, 0) < n]
            self.found_problems += problems
            self.questions += 1
            before = now

    def compare(self, writer, reader, seconds=20):
        """Both give the same, soon."""
        deadline = time.monotonic() + seconds
        while True:
            wanted, problems = self.spans(writer)
            got, more = self.spans(reader)
            if wanted == got or time.monotonic() > deadline:
                break
            time.sleep(0.3)
        problems += more
        if wanted != got:
            problems.append(f"the writer finds {len(wanted)} traces of {sum(wanted.values())} spans, "
                            f"the reader {len(got)} of {sum(got.values())}")
        for trace_id in list(wanted)[:5]:
            one = writer.get(f"/api/v1/traces/{trace_id}", format="otlp")
            other = reader.get(f"/api/v1/traces/{trace_id}", format="otlp")
            if spans_of(one) != spans_of(other):
                problems.append(f"trace {trace_id} is not the same from both")
        return problems

    def refusals(self, reader):
        problems = []
        for path, body in (("/v1/traces", b"{}"), ("/v1/traces", b'{"resourceSpans":[{"scopeSpans":[{"spans":['
                           b'{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",'
                           b'"name":"x","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}')):
            refused = subprocess.run(
                ["curl", "-s", "-w", " %{http_code}", "-H", "Content-Type: application/json", "--data-binary", "@-",
                 f"http://{reader.otlp_http}{path}"], input=body, capture_output=True, timeout=30).stdout.decode()
            if "--read-only" not in refused or refused.endswith(" 200") or refused.endswith(" 503"):
                problems.append(f"spans are not refused for good: {refused}")
        try:
            reader.flush()
            problems.append("/flush is not refused")
        except ApiError as error:
            if "only reads" not in str(error):
                problems.append(f"/flush: {error}")
        return problems

    def second_writer(self):
        (self.folder / "second").mkdir(parents=True, exist_ok=True)
        command = [BINARY, "serve", "--data", self.folder / "second" / "data", "--store", self.service.store()]
        for flag in ("--http", "--otlp-grpc", "--otlp-http"):
            command += [flag, "127.0.0.1:0"]
        try:
            second = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return ["a second writer was let in"]
        good = second.returncode == 1 and "another server writes to" in second.stderr and \
            "--read-only" in second.stderr
        return [] if good else [f"{second.returncode}: {second.stderr[-500:]}"]

    def files(self):
        """Of a store in a folder: every file with its time."""
        root = self.service.store().removeprefix("file://")
        return {(str(p), p.stat().st_mtime_ns) for p in pathlib.Path(root).rglob("*")} if root.startswith("/") else set()

    def tell(self):
        writer = self.start("writer", *WRITER)
        self.send(writer)
        writer.flush()
        # A refresh that is later than the deletion of old blocks: only looking again helps.
        reader = self.start("reader", "--read-only", "--catalog-refresh", "3s")
        self.report("a reader finds what the writer has written", self.compare(writer, reader))
        self.report("a reader refuses spans and flushes", self.refusals(reader))
        self.report("a second writer is refused", self.second_writer())

        asking = threading.Thread(target=self.ask, args=(reader,))
        asking.start()
        for _ in range(ROUNDS):
            self.send(writer)
            writer.flush()
            time.sleep(1.5)
        self.stop_asking.set()
        asking.join(120)
        merged = sum(v for k, v in writer.metrics().items() if k.startswith("weft_compaction_merges_total"))
        problems = self.found_problems + self.compare(writer, reader)
        if merged < 2:
            problems.append(f"the writer has merged {merged} times: nothing was replaced")
        if any(v for k, v in reader.metrics().items() if k.startswith("weft_store_damaged_blocks")):
            problems.append("the reader takes blocks for damaged that were replaced")
        self.report(f"a reader gives whole answers while blocks are replaced ({self.questions} questions, "
                    f"{merged:.0f} merges)", problems)

        writer.kill()
        began = time.monotonic()
        writer = self.start("writer", *WRITER)
        seconds = time.monotonic() - began
        problems = [] if seconds < 10 else [f"it took {seconds:.1f} s"]
        self.send(writer)
        writer.flush()
        self.report("after kill -9 the writer's data folder has its store back at once",
                    problems + self.compare(writer, reader))

        writer.kill()
        spans, _ = self.spans(reader)
        other = self.start("other", *WRITER)
        after, problems = self.spans(other)
        if after != spans:
            problems.append("it does not find what there was")
        self.send(other)
        other.flush()
        self.report("another writer takes over when the first is gone", problems + self.compare(other, reader))
        problems = [] if other.stop() == 0 else [f"the writer: {other.log_tail()}"]
        before = self.files()
        problems += [] if reader.stop() == 0 else [f"the reader: {reader.log_tail()}"]
        if self.files() != before:
            problems.append("the reader's end has changed the store")
        self.report("both end in order", problems)


def tell_two_servers(service, folder, report):
    os.makedirs(folder, exist_ok=True)
    story = TwoServers(service, folder, report)
    try:
        story.tell()
    finally:
        story.end()
