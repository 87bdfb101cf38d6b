"""Real traces of two microservice systems (the data set "Nezha"), imported: what
weft tells of them must equal what was worked out from the original tables. Skipped where the data is not beside the checkout."""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from trace_view import Trace  # noqa: E402
from weft_server import BINARY, ROOT, WeftServer  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "given-nezha"
PAGE = 500


class Imported:
    """A server that holds one file, and all its traces."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-e2e-nezha-"))
        self.reference = json.loads((DATA / "reference" / f"summary_{name}.json").read_text())
        self.server = WeftServer(self.folder / "data", self.folder / "weft.log")
        try:
            file = DATA / "otlp" / f"{name}.otlp.ndjson.gz"
            done = subprocess.run(
                [str(BINARY), "import", "--data", str(self.folder / "data"), str(file)],
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=300,
            )
            if done.returncode != 0:
                raise AssertionError(f"weft import failed:\n{done.stdout}{done.stderr}")
            self.server.flush()
            self.summaries = list(self.pages())
            self.traces = [
                Trace(self.server.get(f"/api/v1/traces/{s['traceId']}", format="columns"))
                for s in self.summaries
            ]
        except Exception:
            self.stop()
            raise

    def pages(self):
        """Every trace, page by page."""
        more = {}
        while True:
            answer = self.server.search("{}", limit=PAGE, spansPerTrace=0, **more)
            assert answer["complete"], answer
            yield from answer["traces"]
            if "nextCursor" not in answer:
                return
            more = {"cursor": answer["nextCursor"]}

    def stop(self):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class NezhaTests:
    """The checks; a class below names the file."""

    @classmethod
    def setUpClass(cls):
        if not DATA.exists():
            raise unittest.SkipTest(f"the data set is not there: {DATA.relative_to(ROOT.parent)}")
        cls.imported = Imported(cls.name)
        cls.reference = cls.imported.reference

    @classmethod
    def tearDownClass(cls):
        imported = cls.__dict__.get("imported")
        if imported is not None:
            imported.stop()

    def test_counts(self):
        self.assertEqual(len(self.imported.traces), self.reference["traces"])
        self.assertEqual(
            sum(len(t.spans) for t in self.imported.traces), self.reference["unique_spans"]
        )
        self.assertEqual(
            sum(s["spanCount"] for s in self.imported.summaries), self.reference["unique_spans"]
        )

    def test_spans_per_service(self):
        services = {
            s["name"]: s["spanCount"]
            for s in self.imported.server.get("/api/v1/services")["services"]
        }
        self.assertEqual(services, self.reference["spans_per_service"])

    def test_parents(self):
        orphans = sum(bool(s.marks & 1) for t in self.imported.traces for s in t.spans)
        self.assertEqual(orphans, self.reference["missing_parents"])
        outside = sum(bool(s.marks & (8 | 16)) for t in self.imported.traces for s in t.spans)
        self.assertEqual(outside, self.reference["children_outside_parent"])

    def test_cross_service_edges(self):
        edges = collections.Counter()
        for trace in self.imported.traces:
            for span in trace.spans:
                if span.parent is not None and span.parent.service != span.service:
                    edges[f"{span.parent.service} -> {span.service}"] += 1
        self.assertEqual(dict(edges), self.reference["cross_service_edges"])

    def test_durations_by_operation(self):
        durations = collections.defaultdict(list)
        for trace in self.imported.traces:
            for span in trace.spans:
                durations[f"{span.service} | {span.name}"].append(span.duration)
        self.assertEqual(set(durations), set(self.reference["operations"]))
        for operation, expected in self.reference["operations"].items():
            values = durations[operation]
            with self.subTest(operation):
                self.assertEqual(
                    (len(values), min(values), max(values), sum(values)),
                    (expected["count"], expected["min_ns"], expected["max_ns"], expected["sum_ns"]),
                )

    def test_nothing_is_refused(self):
        refused = {
            name: n
            for name, n in self.imported.server.metrics().items()
            if re.match(r"weft_\w*refused\w*_total", name) and n
        }
        self.assertEqual(refused, {})


class OnlineBoutique(NezhaTests, unittest.TestCase):
    name = "construct_data_2022-08-23_17_00"


class TrainTicket(NezhaTests, unittest.TestCase):
    name = "construct_data_2023-01-30_11_39"
