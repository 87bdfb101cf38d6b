"""A real shop's requests through a real server: three Flask services with the
unmodified OpenTelemetry distribution, on a real PostgreSQL.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))

import services as shop_services  # noqa: E402
from postgres import Postgres  # noqa: E402
from trace_view import fetch  # noqa: E402
from weft_server import ROOT, WeftServer  # noqa: E402

VENV = pathlib.Path(os.environ["WEFT_E2E_VENV"])
SPANS_OF_AN_ORDER = 16

# Children by start time. SQLAlchemy's instrumentation makes a span per statement that is current
# for nobody, so the driver's own span of the same statement is its sibling.
DATABASE = [
    ("connect", "opentelemetry.instrumentation.sqlalchemy"),
    ("INSERT postgres", "opentelemetry.instrumentation.sqlalchemy"),
    ("INSERT", "opentelemetry.instrumentation.psycopg2"),
    ("SELECT postgres", "opentelemetry.instrumentation.sqlalchemy"),
    ("SELECT", "opentelemetry.instrumentation.psycopg2"),
    ("INSERT", "opentelemetry.instrumentation.psycopg2"),
    ("SELECT", "opentelemetry.instrumentation.psycopg2"),
]
ORDER_TREE = (
    "gateway",
    "POST /api/orders",
    [
        (
            "gateway",
            "POST",
            [
                (
                    "orders",
                    "POST /orders",
                    [
                        ("orders", "validate_inventory", []),
                        ("orders", "save_to_db", [("orders", name, []) for name, _ in DATABASE]),
                        (
                            "orders",
                            "POST",
                            [
                                (
                                    "payment",
                                    "POST /charge",
                                    [
                                        ("payment", "lookup_user", []),
                                        ("payment", "call_stripe_api", []),
                                    ],
                                ),
                            ],
                        ),
                    ],
                ),
            ],
        ),
    ],
)


class Shop:
    """All that runs, and the traces of three orders: paid, with a bad card, out of stock."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-e2e-shop-"))
        self.server = self.postgres = self.services = None
        try:
            self.server = WeftServer(self.folder / "data", self.folder / "weft.log")
            self.postgres = Postgres()
            self.services = shop_services.Services(VENV, self.server, self.postgres, self.folder)
            self._order_things()
        except Exception:
            self.stop()
            raise

    def _order_things(self):
        self.answers = {
            "paid": self.services.order(
                user="u-paid", item="lens", cents=1900, card="4242424242424242"
            ),
            "declined": self.services.order(
                user="u-declined", item="tripod", cents=8900, card="4000000000000002"
            ),
            "empty": self.services.order(
                user="u-empty", item="comet", cents=100, card="4242424242424242"
            ),
        }
        self.ids = {
            "paid": self._await_trace(
                '{ name = "lookup_user" && span.user.id = "u-paid" }', SPANS_OF_AN_ORDER
            ),
            "declined": self._await_trace(
                '{ name = "lookup_user" && span.user.id = "u-declined" }', SPANS_OF_AN_ORDER
            ),
            "empty": self._await_trace('{ span.inventory.item = "comet" }', 4),
        }
        self.traces = {which: fetch(self.server, trace_id) for which, trace_id in self.ids.items()}

    def _await_trace(self, query, spans):
        deadline = time.monotonic() + 20
        while True:
            found = self.server.search(query)["traces"]
            if len(found) == 1 and found[0]["spanCount"] >= spans:
                return found[0]["traceId"]
            if time.monotonic() > deadline:
                raise AssertionError(f"no trace of {spans} spans for {query}: {found}")
            time.sleep(0.1)

    def stop(self):
        for part in (self.services, self.postgres, self.server):
            if part is not None:
                part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


shop = None


def setUpModule():
    global shop
    shop = Shop()


def tearDownModule():
    if shop is not None:
        shop.stop()


class PaidOrder(unittest.TestCase):
    def setUp(self):
        self.trace = shop.traces["paid"]

    def test_the_shop_answers(self):
        status, answer = shop.answers["paid"]
        self.assertEqual((status, answer["paid"]), (200, True))

    def test_the_tree_is_exact(self):
        self.assertEqual([root.tree() for root in self.trace.roots], [ORDER_TREE])
        self.assertEqual(self.trace.columns["flags"], [])

    def test_kinds_of_spans(self):
        kinds = {(s.service, s.name): s.kind for s in self.trace.spans}
        self.assertEqual(kinds["gateway", "POST /api/orders"], "server")
        self.assertEqual(kinds["gateway", "POST"], "client")
        self.assertEqual(kinds["orders", "POST /orders"], "server")
        self.assertEqual(kinds["orders", "validate_inventory"], "internal")
        self.assertEqual(kinds["orders", "INSERT"], "client")
        self.assertEqual(kinds["payment", "call_stripe_api"], "client")

    def test_parent_of_each_database_span(self):
        save = self.trace.one("save_to_db", "orders")
        database = [s for s in self.trace.spans if s.attributes.get("db.system") == "postgresql"]
        self.assertEqual([(s.name, s.scope) for s in database], DATABASE)
        for span in database:
            self.assertIs(span.parent, save, span.name)
            self.assertEqual(span.parent_id, save.id)

    def test_statements_as_the_drivers_report_them(self):
        statements = [
            s.attributes.get("db.statement") for s in self.trace.one("save_to_db").children
        ]
        self.assertTrue(statements[1].startswith("INSERT INTO orders"), statements)
        self.assertEqual(statements[5], "INSERT INTO audit (order_id, what) VALUES (%s, %s)")
        self.assertEqual(statements[6], "SELECT what FROM audit WHERE order_id = %s")

    def test_baggage_reaches_the_payment_service(self):
        charge = self.trace.one("POST /charge", "payment").attributes
        self.assertEqual(charge["baggage.user.id"], "u-paid")
        self.assertEqual(charge["baggage.tenant.id"], "acme")
        self.assertEqual(charge["baggage.experiment.variant"], "b")

    def test_events(self):
        miss = self.trace.one("validate_inventory").event("cache_miss")
        self.assertEqual(miss["attributes"], {"cache.name": "stock", "cache.key": "lens"})
        stripe = self.trace.one("call_stripe_api")
        processed = stripe.event("payment_processed")
        self.assertEqual(
            processed["attributes"], {"payment.provider": "stripe", "payment.cents": 1900}
        )
        self.assertGreaterEqual(processed["time"], stripe.start + 140_000_000)
        self.assertLessEqual(processed["time"], stripe.start + stripe.duration)

    def test_durations_nest(self):
        stripe = self.trace.one("call_stripe_api")
        self.assertGreaterEqual(stripe.duration, 140_000_000)
        self.assertLess(stripe.duration, 1_000_000_000)
        for span in self.trace.spans:
            if span.parent is not None:
                self.assertGreaterEqual(span.start, span.parent.start)

    def test_resources(self):
        for span in self.trace.spans:
            self.assertEqual(span.resource["telemetry.sdk.language"], "python")
            self.assertEqual(span.resource["service.namespace"], "shop")
            self.assertEqual(span.resource["deployment.environment.name"], "test")

    def test_no_errors(self):
        self.assertEqual({s.status for s in self.trace.spans} & {"error"}, set())


class DeclinedCard(unittest.TestCase):
    def setUp(self):
        self.trace = shop.traces["declined"]

    def test_the_shop_answers(self):
        self.assertEqual(shop.answers["declined"][0], 402)

    def test_the_tree_is_the_same(self):
        self.assertEqual([root.tree() for root in self.trace.roots], [ORDER_TREE])

    def test_the_error_and_its_stack_trace(self):
        stripe = self.trace.one("call_stripe_api")
        self.assertEqual(stripe.status, "error")
        self.assertEqual(stripe.status_message, "CardError: Your card was declined")
        exception = stripe.event("exception")["attributes"]
        self.assertEqual(exception["exception.type"].rsplit(".", 1)[-1], "CardError")
        self.assertEqual(exception["exception.message"], "Your card was declined")
        self.assertIn("Traceback (most recent call last)", exception["exception.stacktrace"])
        self.assertIn(
            'raise CardError("Your card was declined")', exception["exception.stacktrace"]
        )
        self.assertIn("payment.py", exception["exception.stacktrace"])
        self.assertIsNone(stripe.event("payment_processed"))

    def test_errors_are_found_by_search(self):
        found = shop.server.search('{ status = error && name = "call_stripe_api" }')["traces"]
        self.assertEqual([t["traceId"] for t in found], [shop.ids["declined"]])
        # The clients of a 402 are errors too, by the conventions for HTTP.
        self.assertEqual(found[0]["errorCount"], sum(s.status == "error" for s in self.trace.spans))


class OutOfStock(unittest.TestCase):
    def test_events_say_why(self):
        trace = shop.traces["empty"]
        self.assertEqual(shop.answers["empty"][0], 409)
        span = trace.one("validate_inventory")
        self.assertEqual(
            [event["name"] for event in span.events], ["cache_miss", "inventory_check_failed"]
        )
        self.assertEqual(
            span.event("inventory_check_failed")["attributes"],
            {"inventory.item": "comet", "inventory.available": 0},
        )
        self.assertEqual(trace.named("save_to_db"), [])


class LogLines(unittest.TestCase):
    def ids_in(self, service, words):
        lines = [line for line in shop.services.log_lines(service) if words in line]
        self.assertEqual(len(lines), 1, lines)
        return re.search(r"trace_id=([0-9a-f]{32}) span_id=([0-9a-f]{16})", lines[0]).groups()

    def test_they_lead_to_their_spans(self):
        for which, service, words, span in (
            ("paid", "gateway", "new order of u-paid", "POST /api/orders"),
            ("paid", "orders", "order 1 saved", "save_to_db"),
            ("paid", "payment", "charged 1900 cents", "POST /charge"),
            ("declined", "payment", "charge refused", "POST /charge"),
            ("empty", "orders", "out of stock: comet", "validate_inventory"),
        ):
            with self.subTest(words):
                trace_id, span_id = self.ids_in(service, words)
                self.assertEqual(trace_id, shop.ids[which])
                self.assertEqual(span_id, shop.traces[which].one(span, service).id)


class Discovery(unittest.TestCase):
    def test_services(self):
        names = [s["name"] for s in shop.server.get("/api/v1/services")["services"]]
        self.assertEqual(names, ["gateway", "orders", "payment"])

    def test_operations(self):
        operations = shop.server.get("/api/v1/operations", service="payment")["operations"]
        self.assertEqual(
            [(o["name"], o["kind"]) for o in operations],
            [
                ("POST /charge", "server"),
                ("call_stripe_api", "client"),
                ("lookup_user", "internal"),
            ],
        )

    def test_attribute_values(self):
        values = shop.server.get("/api/v1/attribute-values", key="span.baggage.user.id")["values"]
        self.assertEqual({v["value"] for v in values}, {"u-paid", "u-declined"})

    def test_search_by_resource_and_duration(self):
        found = shop.server.search(
            '{ resource.service.name = "payment" && duration > 130ms && kind = client }'
        )["traces"]
        self.assertEqual({t["traceId"] for t in found}, {shop.ids["paid"], shop.ids["declined"]})


@unittest.skipUnless(
    (ROOT / "test" / "browser" / "node_modules").exists(),
    "the browser tests are not installed: ./dev setup",
)
@unittest.skipUnless(shutil.which("chromium"), "there is no chromium: ./dev setup")
class InTheBrowser(unittest.TestCase):
    def test_the_waterfall_and_the_critical_path(self):
        environment = os.environ | {
            "WEFT_URL": f"http://{shop.server.http}",
            "WEFT_TRACE_ID": shop.ids["paid"],
            "WEFT_OUTPUT": str(ROOT / "test" / "output"),
        }
        done = subprocess.run(
            ["node", str(HERE / "shop.spec.mjs")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class AfterAPowerCut(unittest.TestCase):
    """Last, because the restarted server has other ports (see load_tests)."""

    def test_kill_and_restart_keeps_every_trace(self):
        before = {which: self.shape(trace) for which, trace in shop.traces.items()}
        shop.server.kill()
        shop.server.start()
        after = {
            which: self.shape(fetch(shop.server, trace_id)) for which, trace_id in shop.ids.items()
        }
        self.assertEqual(after, before)
        found = shop.server.search('{ status = error && name = "call_stripe_api" }')["traces"]
        self.assertEqual([t["traceId"] for t in found], [shop.ids["declined"]])
        shop.server.flush()
        in_blocks = {
            which: self.shape(fetch(shop.server, trace_id)) for which, trace_id in shop.ids.items()
        }
        self.assertEqual(in_blocks, before)

    @staticmethod
    def shape(trace):
        return [
            (
                s.id,
                s.parent_id,
                s.name,
                s.service,
                s.start,
                s.duration,
                s.status,
                s.attributes,
                s.events,
            )
            for s in trace.spans
        ]


def load_tests(loader, tests, pattern):
    suite = unittest.TestSuite()
    for case in (
        PaidOrder,
        DeclinedCard,
        OutOfStock,
        LogLines,
        Discovery,
        InTheBrowser,
        AfterAPowerCut,
    ):
        suite.addTests(loader.loadTestsFromTestCase(case))
    return suite
