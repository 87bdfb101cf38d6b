"""ClickHouse in this process (chdb), with the table of the OpenTelemetry Collector's exporter."""

import chdb.session

# What the exporter creates, but for its second table of trace ids and times: one insert less for ClickHouse to do.
TABLE = """
CREATE TABLE otel_traces (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)),
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)),
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(ZSTD(1)),
  `Events.Timestamp` Array(DateTime64(9)) CODEC(ZSTD(1)),
  `Events.Name` Array(LowCardinality(String)) CODEC(ZSTD(1)),
  `Events.Attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
  `Links.TraceId` Array(String) CODEC(ZSTD(1)),
  `Links.SpanId` Array(String) CODEC(ZSTD(1)),
  `Links.TraceState` Array(String) CODEC(ZSTD(1)),
  `Links.Attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1
"""


class Store:
    """Spans are staged in a table in memory of the same types; the insert copies from there."""

    def __init__(self, folder):
        self.session = chdb.session.Session(str(folder))
        self.session.query("CREATE DATABASE otel ENGINE = Atomic")
        self.session.query("USE otel")
        self.session.query(TABLE)
        self.session.query("SYSTEM STOP MERGES otel_traces")
        self.session.query("CREATE TABLE staged AS otel_traces ENGINE = Memory")

    def version(self):
        return "ClickHouse " + self._value("SELECT version()")

    def stage(self, file):
        self.session.query("TRUNCATE TABLE staged")
        self.session.query(f"INSERT INTO staged SELECT * FROM file('{file}', 'Arrow')")

    def insert(self):
        self.session.query("INSERT INTO otel_traces SELECT * FROM staged")

    def merge(self):
        self.session.query("TRUNCATE TABLE staged")
        self.session.query("SYSTEM START MERGES otel_traces")
        self.session.query("OPTIMIZE TABLE otel_traces FINAL")

    def spans(self):
        return int(self._value("SELECT count() FROM otel_traces"))

    def bytes_on_disk(self):
        """Of the parts in use, every file counted; what a merge replaced is deleted later."""
        return int(
            self._value(
                "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'otel_traces'"
            )
        )

    def trace(self, trace_id):
        return self._rows(
            f"SELECT * FROM otel_traces WHERE TraceId = '{trace_id}' ORDER BY Timestamp"
        )

    def with_attribute(self, key, value):
        return self._rows(
            "SELECT TraceId, SpanId, ServiceName, SpanName, Timestamp, Duration FROM otel_traces "
            f"WHERE SpanAttributes['{key}'] = '{value}'"
        )

    def _value(self, query):
        return str(self.session.query(query, "TabSeparated")).strip()

    def _rows(self, query):
        """How many rows the answer has; the rows themselves arrive as JSON, one a line."""
        return str(self.session.query(query, "JSONEachRow")).count("\n")

    def close(self):
        self.session.close()
