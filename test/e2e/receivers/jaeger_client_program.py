"""A program with Jaeger's own client, which sends to an agent over UDP: sends one trace, prints its id.

usage: jaeger_client_program.py SERVICE ADDRESS
"""

import sys
import time

from jaeger_client import Config


def main():
    name, address = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    config = Config(
        config={
            "sampler": {"type": "const", "param": 1},
            "local_agent": {"reporting_host": host, "reporting_port": int(port)},
            "generate_128bit_trace_id": True,
        },
        service_name=f"from-{name}",
    )
    tracer = config.initialize_tracer()
    with tracer.start_span("order", tags={"span.kind": "server"}) as order:
        with tracer.start_span("charge", child_of=order, tags={"span.kind": "client"}) as charge:
            charge.set_tag("amount", 42)
            charge.set_tag("currency", "EUR")
            charge.set_tag("error", True)
            charge.log_kv({"event": "declined", "why": "no money"})
    print(f"{order.trace_id:032x}")
    closing = tracer.close()
    while not closing.done():
        time.sleep(0.01)


main()
