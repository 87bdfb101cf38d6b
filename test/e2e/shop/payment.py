"""Payment: looks the payer up and charges the card with somebody else's API."""

import logging
import os
import time

from flask import Flask, jsonify, request
from opentelemetry import baggage, trace

app = Flask(__name__)
log = logging.getLogger("payment")
tracer = trace.get_tracer("shop.payment")
DECLINED = "4000000000000002"
STRIPE_SECONDS = 0.140


class CardError(Exception):
    """The bank refuses the card."""


@app.get("/healthz")
def healthz():
    return "ok"


def lookup_user(user):
    with tracer.start_as_current_span("lookup_user") as span:
        span.set_attribute("user.id", user)
        time.sleep(0.004)


def call_stripe_api(card, cents):
    with tracer.start_as_current_span("call_stripe_api", kind=trace.SpanKind.CLIENT) as span:
        span.set_attribute("payment.cents", cents)
        time.sleep(STRIPE_SECONDS)
        if card == DECLINED:
            raise CardError("Your card was declined")
        span.add_event("payment_processed", {"payment.provider": "stripe", "payment.cents": cents})


@app.post("/charge")
def charge():
    body = request.get_json()
    span = trace.get_current_span()
    for key in ("user.id", "tenant.id", "experiment.variant"):
        span.set_attribute("baggage." + key, str(baggage.get_baggage(key)))
    lookup_user(body["user"])
    try:
        call_stripe_api(body["card"], body["cents"])
    except CardError as error:
        log.error("charge refused: %s", error)
        return jsonify(error=str(error)), 402
    log.info("charged %d cents", body["cents"])
    return jsonify(paid=True), 200


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
