"""Tempo's messages, written down here a second time, and a JSON reader as strict as Grafana's.

Field numbers as in Tempo's published schema; nothing is taken from proto/tempo.proto, which is what is tested.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from opentelemetry.proto.trace.v1 import trace_pb2

F = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "string": F.TYPE_STRING,
    "uint32": F.TYPE_UINT32,
    "uint64": F.TYPE_UINT64,
    "bool": F.TYPE_BOOL,
    "int64": F.TYPE_INT64,
    "double": F.TYPE_DOUBLE,
}

OTLP = "opentelemetry.proto."
MESSAGES = {
    "TraceByIDResponse": [
        (1, "trace", OTLP + "trace.v1.TracesData"),
        (2, "metrics", "TraceByIDMetrics"),
        (3, "status", "PartialStatus"),
        (4, "message", "string"),
    ],
    "TraceByIDMetrics": [(1, "inspectedBytes", "uint64")],
    "SearchRequest": [
        (4, "Limit", "uint32"),
        (5, "start", "uint32"),
        (6, "end", "uint32"),
        (8, "Query", "string"),
        (9, "SpansPerSpanSet", "uint32"),
    ],
    "SearchResponse": [(1, "traces", "*TraceSearchMetadata"), (2, "metrics", "SearchMetrics")],
    "TraceSearchMetadata": [
        (1, "traceID", "string"),
        (2, "rootServiceName", "string"),
        (3, "rootTraceName", "string"),
        (4, "startTimeUnixNano", "uint64"),
        (5, "durationMs", "uint32"),
        (6, "spanSet", "SpanSet"),
        (7, "spanSets", "*SpanSet"),
        (8, "serviceStats", "%ServiceStats"),
    ],
    "ServiceStats": [(1, "spanCount", "uint32"), (2, "errorCount", "uint32")],
    "SpanSet": [
        (1, "spans", "*Span"),
        (2, "matched", "uint32"),
        (3, "attributes", "*" + OTLP + "common.v1.KeyValue"),
    ],
    "Span": [
        (1, "spanID", "string"),
        (2, "name", "string"),
        (3, "startTimeUnixNano", "uint64"),
        (4, "durationNanos", "uint64"),
        (5, "attributes", "*" + OTLP + "common.v1.KeyValue"),
    ],
    "SearchMetrics": [
        (1, "inspectedTraces", "uint32"),
        (2, "inspectedBytes", "uint64"),
        (3, "totalBlocks", "uint32"),
        (4, "completedJobs", "uint32"),
        (5, "totalJobs", "uint32"),
        (6, "totalBlockBytes", "uint64"),
        (7, "inspectedSpans", "uint64"),
    ],
    "QueryRangeRequest": [
        (1, "query", "string"),
        (2, "start", "uint64"),
        (3, "end", "uint64"),
        (4, "step", "uint64"),
        (16, "exemplars", "uint32"),
    ],
    "QueryRangeResponse": [(1, "series", "*TimeSeries"), (2, "metrics", "SearchMetrics")],
    "TimeSeries": [
        (1, "labels", "*" + OTLP + "common.v1.KeyValue"),
        (2, "samples", "*Sample"),
        (4, "exemplars", "*Exemplar"),
    ],
    "Sample": [(1, "value", "double"), (2, "timestampMs", "int64")],
    "Exemplar": [
        (1, "labels", "*" + OTLP + "common.v1.KeyValue"),
        (2, "value", "double"),
        (3, "timestampMs", "int64"),
    ],
    "QueryInstantRequest": [(1, "query", "string"), (2, "start", "uint64"), (3, "end", "uint64")],
    "QueryInstantResponse": [(1, "series", "*InstantSeries"), (2, "metrics", "SearchMetrics")],
    "InstantSeries": [
        (1, "labels", "*" + OTLP + "common.v1.KeyValue"),
        (2, "value", "double"),
    ],
    "SearchTagsRequest": [
        (1, "scope", "string"),
        (2, "query", "string"),
        (3, "start", "uint32"),
        (4, "end", "uint32"),
        (5, "maxTagsPerScope", "uint32"),
    ],
    "SearchTagsResponse": [(1, "tagNames", "*string"), (2, "metrics", "MetadataMetrics")],
    "SearchTagsV2Response": [
        (1, "scopes", "*SearchTagsV2Scope"),
        (2, "metrics", "MetadataMetrics"),
    ],
    "SearchTagsV2Scope": [(1, "name", "string"), (2, "tags", "*string")],
    "SearchTagValuesRequest": [
        (1, "tagName", "string"),
        (2, "query", "string"),
        (4, "start", "uint32"),
        (5, "end", "uint32"),
        (6, "maxTagValues", "uint32"),
    ],
    "SearchTagValuesResponse": [(1, "tagValues", "*string"), (2, "metrics", "MetadataMetrics")],
    "SearchTagValuesV2Response": [
        (1, "tagValues", "*TagValue"),
        (2, "metrics", "MetadataMetrics"),
    ],
    "TagValue": [(1, "type", "string"), (2, "value", "string")],
    "MetadataMetrics": [
        (1, "inspectedBytes", "uint64"),
        (2, "totalJobs", "uint32"),
        (3, "completedJobs", "uint32"),
        (4, "totalBlocks", "uint32"),
        (5, "totalBlockBytes", "uint64"),
    ],
}


def _add_field(message, number, name, kind):
    field = message.field.add(name=name, number=number, json_name=name)
    field.label = F.LABEL_REPEATED if kind[0] in "*%" else F.LABEL_OPTIONAL
    bare = kind.lstrip("*%")
    if kind[0] == "%":  # a map from strings
        entry = message.nested_type.add(name=name[0].upper() + name[1:] + "Entry")
        entry.options.map_entry = True
        _add_field(entry, 1, "key", "string")
        _add_field(entry, 2, "value", bare)
        field.type, field.type_name = F.TYPE_MESSAGE, f".tempopb.{message.name}.{entry.name}"
    elif bare in SCALARS:
        field.type = SCALARS[bare]
    elif bare == "PartialStatus":
        field.type, field.type_name = F.TYPE_ENUM, ".tempopb.PartialStatus"
    else:
        field.type = F.TYPE_MESSAGE
        field.type_name = "." + (bare if bare.startswith(OTLP) else "tempopb." + bare)


def _make():
    pool = descriptor_pool.Default()
    file = descriptor_pb2.FileDescriptorProto(
        name="test/tempo.proto",
        package="tempopb",
        syntax="proto3",
        dependency=[
            trace_pb2.DESCRIPTOR.name,
            trace_pb2.DESCRIPTOR.dependencies[0].name,
        ],
    )
    status = file.enum_type.add(name="PartialStatus")
    status.value.add(name="COMPLETE", number=0)
    status.value.add(name="PARTIAL", number=1)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field, kind in fields:
            _add_field(message, number, field, kind)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName("tempopb." + name))
        for name in MESSAGES
    }


CLASSES = _make()


def unknown_fields(message):
    """The numbers of fields that the schema does not have, anywhere inside."""
    from google.protobuf import unknown_fields as unknown

    found = [field.field_number for field in unknown.UnknownFieldSet(message)]
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            parts = list(value.values())
        else:
            parts = value if hasattr(value, "__len__") else [value]
        for part in parts:
            if hasattr(part, "ListFields"):
                found += unknown_fields(part)
    return found


def from_proto(name, data):
    """The message in these bytes; AssertionError when a field is not Tempo's."""
    message = CLASSES[name].FromString(data)
    assert not unknown_fields(message), unknown_fields(message)
    return message


def from_json(name, text):
    """The message in this JSON; json_format.ParseError for a field that is not Tempo's, as in Grafana."""
    return json_format.Parse(text, CLASSES[name](), ignore_unknown_fields=False)
