"""DuckDB in this process, with the table that one would write down for spans."""

import pathlib

import duckdb
import pyarrow

TABLE = """
CREATE TABLE spans (
  Timestamp TIMESTAMP_NS,
  TraceId VARCHAR, SpanId VARCHAR, ParentSpanId VARCHAR, TraceState VARCHAR,
  SpanName VARCHAR, SpanKind VARCHAR, ServiceName VARCHAR,
  ResourceAttributes MAP(VARCHAR, VARCHAR),
  ScopeName VARCHAR, ScopeVersion VARCHAR,
  SpanAttributes MAP(VARCHAR, VARCHAR),
  Duration UBIGINT,
  StatusCode VARCHAR, StatusMessage VARCHAR,
  "Events.Timestamp" TIMESTAMP_NS[], "Events.Name" VARCHAR[], "Events.Attributes" MAP(VARCHAR, VARCHAR)[],
  "Links.TraceId" VARCHAR[], "Links.SpanId" VARCHAR[], "Links.TraceState" VARCHAR[],
  "Links.Attributes" MAP(VARCHAR, VARCHAR)[]
)
"""


class Store:
    """Spans are staged as an Arrow table; DuckDB scans it where it lies."""

    def __init__(self, folder):
        self.file = pathlib.Path(folder) / "spans.duckdb"
        self.file.parent.mkdir(parents=True)
        self.connection = duckdb.connect(str(self.file))
        self._run(TABLE)
        self.staged = None

    def version(self):
        return "DuckDB " + duckdb.__version__

    def stage(self, file):
        with pyarrow.memory_map(str(file)) as mapped:
            self.staged = pyarrow.ipc.open_file(mapped).read_all()
        self.connection.register("staged", self.staged)

    def insert(self):
        self._run("INSERT INTO spans SELECT * FROM staged")

    def merge(self):
        """Nothing merges; what the log still holds goes to the table."""
        self.connection.unregister("staged")
        self.staged = None
        self._run("CHECKPOINT")

    def spans(self):
        return self._run("SELECT count(*) FROM spans")[0][0]

    def bytes_on_disk(self):
        return sum(f.stat().st_size for f in self.file.parent.iterdir())

    def trace(self, trace_id):
        return self._rows("SELECT * FROM spans WHERE TraceId = ? ORDER BY Timestamp", [trace_id])

    def with_attribute(self, key, value):
        return self._rows(
            "SELECT TraceId, SpanId, ServiceName, SpanName, Timestamp, Duration FROM spans "
            "WHERE SpanAttributes[?] = ?",
            [key, value],
        )

    def _rows(self, query, values):
        return len(self._run(query, values))

    def _run(self, query, values=()):
        """To the end: DuckDB goes on working while an answer is fetched."""
        return self.connection.execute(query, values).fetchall()

    def close(self):
        self.connection.close()
