"""The same block through pyarrow, DuckDB and what the program that wrote it says is in it."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import duckdb
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMAT = ROOT / "docs" / "block-format.md"
FILES = ("spans", "events", "links", "resources", "scopes", "traces", "attributes")


def write_block(folder, kind, seed, count):
    program = os.environ["WEFT_WRITE_FIXTURE_BLOCK"]
    subprocess.run([program, str(folder), kind, str(seed), str(count)], check=True)
    return pathlib.Path(folder)


def read_arrow(file):
    return pyarrow.parquet.ParquetFile(file, page_checksum_verification=True).read()


def documented_queries():
    """heading -> SQL, for each `### ` section of the document that has some."""
    sections = FORMAT.read_text(encoding="utf-8").split("\n### ")[1:]
    found = {section.split("\n", 1)[0]: re.search(r"```sql\n(.*?)```", section, re.DOTALL) for section in sections}
    return {heading: match.group(1) for heading, match in found.items() if match}


class Shop(unittest.TestCase):
    """An ordinary block, against the list of its spans."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.block = write_block(cls.folder.name, "shop", 11, 20000)
        with open(cls.block / "expected.jsonl", encoding="utf-8") as lines:
            cls.expected = {span["span_id"]: span for span in map(json.loads, lines)}
        cls.duck = duckdb.connect()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def sql(self, query):
        return self.duck.execute(query.replace("BLOCK", str(self.block)))

    def test_pyarrow_reads_every_span(self):
        rows = read_arrow(self.block / "spans.parquet")
        services = read_arrow(self.block / "resources.parquet")["attr.service.name"].to_pylist()
        columns = {name: rows[name].to_pylist() for name in rows.column_names if name != "start_time"}
        starts = rows["start_time"].cast("int64").to_pylist()
        keys = [name for name in rows.column_names if name.startswith("attr.")]
        self.assertEqual(rows.num_rows, len(self.expected))
        for row in range(rows.num_rows):
            span = self.expected[columns["span_id"][row].hex()]
            back = columns["parent"][row]
            parent = columns["span_id"][row - back].hex() if back else None
            found = {
                "trace_id": columns["trace_id"][row].hex(),
                "span_id": columns["span_id"][row].hex(),
                "parent_span_id": parent,
                "start_ns": starts[row],
                "duration_ns": columns["duration_ns"][row],
                "name": columns["name"][row],
                "kind": columns["kind"][row],
                "status_code": columns["status_code"][row],
                "service": services[columns["resource_id"][row]],
                "attributes": {
                    key[len("attr.") :]: self.plain(columns[key][row])
                    for key in keys
                    if columns[key][row] is not None
                },
            }
            self.assertEqual(found, span)

    @staticmethod
    def plain(value):
        """UUIDs as text, everything else as it is."""
        return value if isinstance(value, (str, int, float, bool, bytes)) else str(value)

    def test_duckdb_reads_every_span(self):
        result = self.sql(
            """SELECT hex(trace_id), hex(span_id), epoch_ns(start_time), duration_ns, s.name, kind,
                      status_code, r."attr.service.name", "attr.session.id"::VARCHAR,
                      "attr.http.response.status_code"
               FROM 'BLOCK/spans.parquet' s JOIN 'BLOCK/resources.parquet' r USING (resource_id)"""
        ).fetchall()
        self.assertEqual(len(result), len(self.expected))
        for trace, span_id, start, duration, name, kind, status, service, session, code in result:
            span = self.expected[span_id.lower()]
            self.assertEqual(span["trace_id"], trace.lower())
            self.assertEqual(
                (start, duration, name, kind, status, service),
                tuple(span[k] for k in ("start_ns", "duration_ns", "name", "kind", "status_code", "service")),
            )
            self.assertEqual(session, span["attributes"]["session.id"])
            self.assertEqual(code, span["attributes"].get("http.response.status_code"))

    def test_duckdb_skips_row_groups_without_losing_rows(self):
        # A filter on each kind of column whose statistics an engine may prune by.
        for span in list(self.expected.values())[::4001]:
            session = span["attributes"]["session.id"]
            of_session = sum(s["attributes"]["session.id"] == session for s in self.expected.values())
            of_name = sum(s["name"] == span["name"] for s in self.expected.values())
            of_duration = sum(s["duration_ns"] == span["duration_ns"] for s in self.expected.values())
            for condition, count in (
                (f"\"attr.session.id\" = '{session}'", of_session),
                (f"name = '{span['name']}'", of_name),
                (f"duration_ns = {span['duration_ns']}", of_duration),
                (f"span_id = '{span['span_id']}'::BLOB", None),
            ):
                found = self.sql(f"SELECT count(*) FROM 'BLOCK/spans.parquet' WHERE {condition}").fetchone()[0]
                if count is not None:
                    self.assertEqual(found, count, condition)

    def test_documented_queries_say_what_the_spans_say(self):
        queries = documented_queries()
        self.assertEqual(set(queries), {"Slowest operations", "Errors by service", "N+1 calls"})
        results = {name: self.sql(query).fetchall() for name, query in queries.items()}
        spans = list(self.expected.values())

        counts = {}
        for span in spans:
            key = (span["service"], span["name"])
            counts[key] = counts.get(key, 0) + 1
        self.assertTrue(results["Slowest operations"])
        for service, name, count, p50, p99 in results["Slowest operations"]:
            self.assertEqual(count, counts[service, name])
            self.assertLessEqual(p50, p99)
        ordered = [row[-1] for row in results["Slowest operations"]]
        self.assertEqual(ordered, sorted(ordered, reverse=True))

        for service, count, errors, percent in results["Errors by service"]:
            own = [span for span in spans if span["service"] == service]
            bad = sum(span["status_code"] == "error" for span in own)
            self.assertEqual((count, errors), (len(own), bad))
            self.assertAlmostEqual(percent, 100 * bad / len(own), places=1)
        self.assertEqual(sum(row[2] for row in results["Errors by service"]),
                         sum(span["status_code"] == "error" for span in spans))

        calls = {}
        for span in spans:
            if span["kind"] == "client" and span["parent_span_id"]:
                key = (span["trace_id"], span["parent_span_id"], span["name"])
                calls[key] = calls.get(key, 0) + 1
        self.assertTrue(results["N+1 calls"])
        for trace_id, caller_id, _, call, count in results["N+1 calls"]:
            self.assertEqual(count, calls[trace_id, caller_id, call])
        self.assertEqual(results["N+1 calls"][0][-1], max(calls.values()))


class Odd(unittest.TestCase):
    """Spans as odd as OTLP allows: both engines read them, and alike."""

    def test_both_engines_read_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            block = write_block(folder, "odd", 5, 200)
            for name in FILES:
                with self.subTest(file=name):
                    self.compare(block / f"{name}.parquet")

    def compare(self, file):
        arrow = read_arrow(file)
        duck = duckdb.connect()
        names = [row[0] for row in duck.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()]
        self.assertEqual(len(names), arrow.num_columns)
        for index, name in enumerate(names):
            quoted = '"' + name.replace('"', '""') + '"'
            column = arrow.column(index)
            if str(column.type).startswith("timestamp"):
                column = column.cast("int64")
                quoted = f"epoch_ns({quoted})"
            elif str(column.type) == "extension<arrow.uuid>":
                quoted = f"{quoted}::VARCHAR"
            found = [row[0] for row in duck.execute(f"SELECT {quoted} FROM '{file}'").fetchall()]
            wanted = column.to_pylist()
            if str(column.type) == "extension<arrow.uuid>":
                wanted = [None if value is None else str(value) for value in wanted]
            if str(column.type) == "double":  # a NaN is not equal to itself
                found, wanted = [list(map(repr, values)) for values in (found, wanted)]
            self.assertEqual(found, wanted, name)


if __name__ == "__main__":
    unittest.main()
