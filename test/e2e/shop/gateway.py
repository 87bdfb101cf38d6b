"""The shop's front: takes orders from browsers, says who is asking, and passes them on."""

import logging
import os

import requests
from flask import Flask, jsonify, request
from opentelemetry import baggage, context

app = Flask(__name__)
log = logging.getLogger("gateway")


@app.get("/healthz")
def healthz():
    return "ok"


@app.post("/api/orders")
def create_order():
    order = request.get_json()
    ctx = baggage.set_baggage("user.id", order["user"])
    ctx = baggage.set_baggage("tenant.id", "acme", ctx)
    ctx = baggage.set_baggage("experiment.variant", "b", ctx)
    token = context.attach(ctx)
    try:
        log.info("new order of %s", order["user"])
        answer = requests.post(os.environ["ORDERS_URL"] + "/orders", json=order, timeout=10)
    finally:
        context.detach(token)
    return jsonify(answer.json()), answer.status_code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
