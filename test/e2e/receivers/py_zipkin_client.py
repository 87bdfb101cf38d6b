"""A program with py_zipkin: sends one trace in an encoding of Zipkin's, prints its id.

usage: py_zipkin_client.py V1_JSON|V1_THRIFT|V2_JSON|V2_PROTO3 ADDRESS
"""

import sys
import urllib.request

from py_zipkin import Encoding
from py_zipkin.util import ZipkinAttrs, generate_random_128bit_string, generate_random_64bit_string
from py_zipkin.zipkin import zipkin_client_span, zipkin_server_span

CONTENT_TYPES = {
    "V1_JSON": "application/json",
    "V1_THRIFT": "application/x-thrift",
    "V2_JSON": "application/json",
    "V2_PROTO3": "application/x-protobuf",
}


def main():
    encoding, address = sys.argv[1:]
    path = "/api/v1/spans" if encoding.startswith("V1") else "/api/v2/spans"

    def send(encoded):
        request = urllib.request.Request(
            f"http://{address}{path}",
            data=encoded if isinstance(encoded, bytes) else encoded.encode(),
            headers={"Content-Type": CONTENT_TYPES[encoding]},
        )
        with urllib.request.urlopen(request) as answer:
            if answer.status != 202:
                sys.exit(f"answered with {answer.status}")

    attributes = ZipkinAttrs(
        trace_id=generate_random_128bit_string(),
        span_id=generate_random_64bit_string(),
        parent_span_id=None,
        flags="0",
        is_sampled=True,
    )
    with zipkin_server_span(
        service_name=f"from-{encoding}",
        span_name="order",
        transport_handler=send,
        zipkin_attrs=attributes,
        encoding=Encoding[encoding],
        host="10.0.0.1",
        port=8080,
    ):
        with zipkin_client_span(service_name=f"from-{encoding}", span_name="charge") as charge:
            charge.update_binary_annotations({"currency": "EUR", "error": "no money"})
            charge.add_annotation("declined")
            charge.add_sa_binary_annotation(port=443, service_name="bank", host="10.0.0.9")
    print(attributes.trace_id)


main()
