"""Orders: checks the stock, writes the order down, and has it paid."""

import logging
import os

import psycopg2
import requests
from flask import Flask, jsonify, request
from opentelemetry import trace
from sqlalchemy import create_engine, text

app = Flask(__name__)
log = logging.getLogger("orders")
tracer = trace.get_tracer("shop.orders")

engine = create_engine(os.environ["SQLALCHEMY_URL"], pool_size=1)
connection = psycopg2.connect(os.environ["PSYCOPG2_DSN"])
connection.autocommit = True
STOCK = {"lens": 12, "tripod": 3, "comet": 0}


def create_tables():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY, user_id text, item text, cents int)"
        )
        cursor.execute("CREATE TABLE IF NOT EXISTS audit (order_id int, what text)")
    with engine.connect() as session:
        session.execute(text("SELECT 1"))


@app.get("/healthz")
def healthz():
    return "ok"


def validate_inventory(item):
    with tracer.start_as_current_span("validate_inventory") as span:
        span.set_attribute("inventory.item", item)
        span.add_event("cache_miss", {"cache.name": "stock", "cache.key": item})
        if STOCK.get(item, 0) == 0:
            span.add_event(
                "inventory_check_failed", {"inventory.item": item, "inventory.available": 0}
            )
            log.warning("out of stock: %s", item)
            return False
        return True


def save_to_db(order):
    with tracer.start_as_current_span("save_to_db"):
        with engine.begin() as session:
            row = session.execute(
                text(
                    "INSERT INTO orders (user_id, item, cents) VALUES (:user, :item, :cents) RETURNING id"
                ),
                order,
            )
            order_id = row.scalar_one()
            session.execute(
                text("SELECT count(*) FROM orders WHERE user_id = :user"), order
            ).scalar_one()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO audit (order_id, what) VALUES (%s, %s)", (order_id, "created")
            )
            cursor.execute("SELECT what FROM audit WHERE order_id = %s", (order_id,))
            cursor.fetchall()
        log.info("order %d saved", order_id)
        return order_id


@app.post("/orders")
def create_order():
    order = request.get_json()
    if not validate_inventory(order["item"]):
        return jsonify(error="out of stock"), 409
    order_id = save_to_db(order)
    charge = {
        "order": order_id,
        "user": order["user"],
        "cents": order["cents"],
        "card": order["card"],
    }
    answer = requests.post(os.environ["PAYMENT_URL"] + "/charge", json=charge, timeout=10)
    return jsonify({"order": order_id} | answer.json()), answer.status_code


create_tables()
if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
