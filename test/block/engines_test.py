"""The same block through pyarrow, DuckDB, ClickHouse and what the program that wrote it says is in it."""

import calendar
import collections
import io
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import chdb
import duckdb
import pyarrow
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMAT = ROOT / "docs" / "block-format.md"
FILES = ("spans", "events", "links", "resources", "scopes", "traces", "attributes", "counts")


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
            self.assertEqual(found, {member: span[member] for member in found})

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

    def test_engines_use_the_bloom_filters(self):
        columns = [
            name
            for (name,) in self.sql(
                """SELECT DISTINCT path_in_schema FROM parquet_metadata('BLOCK/spans.parquet')
                   WHERE bloom_filter_length > 0"""
            ).fetchall()
        ]
        keys = [name.strip('"')[len("attr.") :] for name in columns]
        self.assertIn("session.id", keys)  # a UUID
        self.assertIn("url.full", keys)  # a text
        for key in ("session.id", "url.full"):
            values = collections.Counter(
                s["attributes"][key] for s in self.expected.values() if key in s["attributes"]
            )
            for value, count in list(values.items())[::97]:
                literal = value.replace("'", "''")
                where = f"WHERE \"attr.{key}\" = '{literal}'"
                found = self.sql(f"SELECT count(*) FROM 'BLOCK/spans.parquet' {where}").fetchone()[0]
                self.assertEqual(found, count, where)
                if key == "url.full":
                    file = self.block / "spans.parquet"
                    answer = chdb.query(f"SELECT count() FROM file('{file}', Parquet) {where}", "CSV")
                    self.assertEqual(int(str(answer)), count, where)
        excluded = self.sql(
            """SELECT bool_and(bloom_filter_excludes)
               FROM parquet_bloom_probe('BLOCK/spans.parquet', 'attr.url.full', 'https://nowhere.example/0')"""
        ).fetchone()[0]
        self.assertTrue(excluded)

    # --- the queries of docs/block-format.md, each against the list of spans

    def documented(self, heading):
        return self.sql(documented_queries()[heading]).fetchall()

    def children(self):
        found = collections.defaultdict(list)
        for span in self.expected.values():
            if span["parent_span_id"] in self.expected:
                found[span["parent_span_id"]].append(span)
        return found

    def count_by(self, *keys, where=lambda span: True):
        return collections.Counter(tuple(s[k] for k in keys) for s in self.expected.values() if where(s))

    def test_every_documented_query_is_tested(self):
        tested = {name.removeprefix("test_query_") for name in dir(self) if name.startswith("test_query_")}
        headings = {heading.lower().replace(" ", "_").replace("+", "_plus_") for heading in documented_queries()}
        self.assertEqual(headings, tested)
        self.assertGreaterEqual(len(headings), 10)

    def test_query_slowest_operations(self):
        counts = self.count_by("service", "name")
        rows = self.documented("Slowest operations")
        self.assertTrue(rows)
        for service, name, count, p50, p99 in rows:
            self.assertEqual(count, counts[service, name])
            self.assertLessEqual(p50, p99)
        ordered = [row[-1] for row in rows]
        self.assertEqual(ordered, sorted(ordered, reverse=True))

    def test_query_errors_by_service(self):
        all_spans = self.count_by("service")
        bad = self.count_by("service", where=lambda span: span["status_code"] == "error")
        rows = self.documented("Errors by service")
        self.assertEqual({row[0] for row in rows}, {key[0] for key in all_spans})
        for service, count, errors, percent in rows:
            self.assertEqual((count, errors), (all_spans[service,], bad[service,]))
            self.assertAlmostEqual(percent, 100 * errors / count, places=1)

    def test_query_n_plus_1_calls(self):
        calls = self.count_by("trace_id", "parent_span_id", "name",
                              where=lambda span: span["kind"] == "client" and span["parent_span_id"])
        rows = self.documented("N+1 calls")
        self.assertTrue(rows)
        for trace_id, caller_id, _, call, count in rows:
            self.assertEqual(count, calls[trace_id, caller_id, call])
        self.assertEqual(rows[0][-1], max(calls.values()))

    def test_query_slowest_traces(self):
        traces = collections.defaultdict(list)
        for span in self.expected.values():
            traces[span["trace_id"]].append(span)

        def facts(trace_id):
            spans = traces[trace_id]
            root = next(s for s in spans if s["parent_span_id"] is None)
            end = max(s["start_ns"] + s["duration_ns"] for s in spans)
            duration = end - min(s["start_ns"] for s in spans)
            errors = sum(s["status_code"] == "error" for s in spans)
            return trace_id, root["service"], root["name"], round(duration / 1e6, 3), len(spans), errors

        slowest = sorted(map(facts, traces), key=lambda row: (-row[3], row[0]))[:20]
        self.assertEqual(self.documented("Slowest traces"), slowest)

    def test_query_error_rate_by_version(self):
        version = lambda span: (span["service"], span["resource"]["attributes"]["service.version"])  # noqa: E731
        all_spans = collections.Counter(map(version, self.expected.values()))
        bad = collections.Counter(version(s) for s in self.expected.values() if s["status_code"] == "error")
        wanted = [(*key, count, round(100 * bad[key] / count, 3)) for key, count in sorted(all_spans.items())]
        self.assertEqual(self.documented("Error rate by version"), wanted)
        self.assertGreater(len(wanted), len({service for service, *_ in wanted}))

    def test_query_service_edges(self):
        edges, errors = collections.Counter(), collections.Counter()
        for parent, spans in self.children().items():
            for span in spans:
                edge = (self.expected[parent]["service"], span["service"])
                edges[edge] += edge[0] != edge[1]
                errors[edge] += span["status_code"] == "error"
        rows = self.documented("Service edges")
        self.assertEqual({row[:2]: row[2] for row in rows}, {edge: n for edge, n in edges.items() if n})
        for caller, callee, _, bad, _ in rows:
            self.assertEqual(bad, errors[caller, callee])

    def test_query_self_time(self):
        children = self.children()
        own = collections.Counter()
        for span in self.expected.values():
            inside = sum(child["duration_ns"] for child in children[span["span_id"]])
            own[span["service"], span["name"]] += max(span["duration_ns"] - inside, 0)
        rows = self.documented("Self time")
        self.assertEqual([row[2] for row in rows], [round(ns / 1e6, 3) for _, ns in own.most_common(20)])
        for service, name, ms in rows:
            self.assertAlmostEqual(ms, own[service, name] / 1e6, places=3)

    def test_query_requests_per_minute(self):
        wanted = collections.Counter(
            (span["start_ns"] // 60_000_000_000, span["service"])
            for span in self.expected.values() if span["kind"] in ("server", "consumer"))
        rows = self.documented("Requests per minute")
        self.assertEqual({(calendar.timegm(row[0].timetuple()) // 60, row[1]): row[2] for row in rows}, wanted)

    def test_query_rates_from_counts(self):
        wanted = collections.Counter()
        errors = collections.Counter()
        durations = collections.Counter()
        for span in self.expected.values():
            key = (span["start_ns"] // 60_000_000_000, span["service"])
            wanted[key] += 1
            errors[key] += span["status_code"] == "error"
            durations[key] += span["duration_ns"]
        found = {}
        for minute, service, spans, bad, mean_ms in self.documented("Rates from counts"):
            key = (calendar.timegm(minute.timetuple()) // 60, service)
            found[key] = (spans, bad)
            exact_ms = durations[key] / spans / 1e6
            self.assertTrue(0.93 * exact_ms - 0.1 <= mean_ms <= exact_ms + 0.1, (key, mean_ms, exact_ms))
        self.assertEqual(found, {key: (count, errors[key]) for key, count in wanted.items()})

    def test_query_exceptions(self):
        wanted = collections.Counter(
            (span["service"], event["attributes"]["exception.type"])
            for span in self.expected.values() for event in span["events"] if event["name"] == "exception")
        self.assertTrue(wanted)
        self.assertEqual({row[:2]: row[2] for row in self.documented("Exceptions")}, wanted)

    def test_query_orphans(self):
        self.assertEqual(self.documented("Orphans"), [])  # a shop whose context gets through everywhere
        with tempfile.TemporaryDirectory() as folder:
            block = write_block(folder, "odd", 3, 100)
            with open(block / "expected.jsonl", encoding="utf-8", errors="replace") as lines:
                spans = list(map(json.loads, lines))
            ids = collections.Counter((span["trace_id"], span["span_id"]) for span in spans)
            orphans = [span for span in spans
                       if span["parent_span_id"] and (span["trace_id"], span["parent_span_id"]) not in ids]
            # One of several spans with one id may stand below another of them instead.
            sure = sum(ids[span["trace_id"], span["span_id"]] == 1 for span in orphans)
            self.assertGreater(sure, 0)
            query = documented_queries()["Orphans"].replace("BLOCK", str(block))
            # Of an odd shop not every resource has a service.
            found = self.duck.execute(query.replace('r."attr.service.name"', "NULL")).fetchall()
            self.assertTrue(sure <= sum(row[2] for row in found) <= len(orphans))


class Odd(unittest.TestCase):
    """Spans as odd as OTLP allows: all engines read them, and alike."""

    def test_all_engines_read_the_same(self):
        for kind, count in (("odd", 200), ("shop", 5000)):
            with tempfile.TemporaryDirectory() as folder:
                block = write_block(folder, kind, 5, count)
                for name in FILES:
                    with self.subTest(file=name, kind=kind):
                        self.compare(block / f"{name}.parquet")
                        self.compare_clickhouse(block / f"{name}.parquet")

    def compare_clickhouse(self, file):
        # One thread keeps the order of rows. ClickHouse's JSON type knows no arrays: JSON comes as text.
        answer = chdb.query(
            f"SELECT * FROM file('{file}', Parquet) "
            "SETTINGS max_threads = 1, input_format_parquet_enable_json_parsing = 0", "ArrowStream")
        found = pyarrow.ipc.open_stream(io.BytesIO(answer.bytes())).read_all()
        arrow = read_arrow(file)
        self.assertEqual(found.column_names, arrow.column_names)
        for name in arrow.column_names:
            wanted, column = arrow[name], found[name]
            if wanted.type == pyarrow.binary():  # ClickHouse has one type for text and bytes
                column = column.cast(pyarrow.binary())
            elif str(wanted.type) != "extension<arrow.json>":
                self.assertEqual(column.type, wanted.type, name)
            # repr: a NaN is not equal to itself
            self.assertEqual(list(map(repr, column.to_pylist())), list(map(repr, wanted.to_pylist())), name)

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
