"""A program with OpenTelemetry's SDK that exports to Zipkin or Jaeger: sends one trace, prints its id.

usage: opentelemetry_client.py zipkin-json|zipkin-proto|jaeger-http|jaeger-grpc|jaeger-udp ADDRESS
"""

import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode


def make_exporter(way, address):
    host, port = address.rsplit(":", 1)
    if way == "zipkin-json":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter

        return ZipkinExporter(endpoint=f"http://{address}/api/v2/spans")
    if way == "zipkin-proto":
        from opentelemetry.exporter.zipkin.proto.http import ZipkinExporter

        return ZipkinExporter(endpoint=f"http://{address}/api/v2/spans")
    if way == "jaeger-grpc":
        from opentelemetry.exporter.jaeger.proto.grpc import JaegerExporter

        return JaegerExporter(collector_endpoint=address, insecure=True)
    from opentelemetry.exporter.jaeger.thrift import JaegerExporter

    if way == "jaeger-http":
        return JaegerExporter(collector_endpoint=f"http://{address}/api/traces?format=jaeger.thrift")
    return JaegerExporter(agent_host_name=host, agent_port=int(port))


def main():
    way, address = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": f"from-{way}"}))
    provider.add_span_processor(SimpleSpanProcessor(make_exporter(way, address)))
    tracer = provider.get_tracer("shop", "1.2.3")
    other = SpanContext(trace_id=0x1234, span_id=0x5678, is_remote=True)
    with tracer.start_as_current_span("order", kind=SpanKind.SERVER) as order:
        with tracer.start_as_current_span(
            "charge", kind=SpanKind.CLIENT, links=[Link(other)]
        ) as charge:
            charge.set_attribute("amount", 42)
            charge.set_attribute("currency", "EUR")
            charge.set_attribute("gift", True)
            charge.set_attribute("weight", 1.5)
            charge.add_event("declined")
            charge.set_status(Status(StatusCode.ERROR, "no money"))
        with tracer.start_as_current_span("log", kind=SpanKind.INTERNAL):
            pass
    print(trace.format_trace_id(order.get_span_context().trace_id))
    provider.shutdown()


main()
