#include "demo/failures.h"

namespace weft::demo {

const Failure kReviewsPoolExhausted = {"psycopg2.pool.PoolError", "connection pool exhausted",
                                       R"(Traceback (most recent call last):
  File "/usr/local/lib/python3.12/site-packages/flask/app.py", line 1511, in wsgi_app
    response = self.full_dispatch_request()
  File "/usr/local/lib/python3.12/site-packages/flask/app.py", line 917, in full_dispatch_request
    rv = self.dispatch_request()
  File "/app/reviews/views.py", line 48, in list_reviews
    rows = store.reviews_of(product_id)
  File "/app/reviews/store.py", line 31, in reviews_of
    connection = self._pool.getconn()
  File "/usr/local/lib/python3.12/site-packages/psycopg2/pool.py", line 92, in _getconn
    raise PoolError("connection pool exhausted")
psycopg2.pool.PoolError: connection pool exhausted
)"};

const Failure kCardDeclined = {
    "CardDeclinedError", "The card was declined by its issuer (code 51: insufficient funds)",
    R"(CardDeclinedError: The card was declined by its issuer (code 51: insufficient funds)
    at CardGateway.authorize (/app/dist/gateway.js:88:13)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)
    at async charge (/app/dist/charge.js:41:20)
    at async Object.chargeServiceHandler [as charge] (/app/dist/server.js:27:22)
)"};

const Failure kQuoteUnavailable = {
    "GuzzleHttp\\Exception\\ServerException", "no worker available within 200 ms",
    R"(GuzzleHttp\Exception\ServerException: no worker available within 200 ms in /app/src/WorkerPool.php:57
Stack trace:
#0 /app/src/routes.php(34): Shop\Quote\WorkerPool->acquire(200)
#1 /app/vendor/slim/slim/Slim/Handlers/Strategies/RequestResponse.php(38): Closure->{closure}(Object(Request), Object(Response), Array)
#2 /app/vendor/slim/slim/Slim/Routing/Route.php(363): Slim\Handlers\Strategies\RequestResponse->__invoke()
#3 /app/public/index.php(61): Slim\App->run()
#4 {main}
)"};

const Failure kSearchTimeout = {
    "java.net.SocketTimeoutException",
    "3,000 milliseconds timeout on connection http-outgoing-12 [ACTIVE]",
    R"(java.net.SocketTimeoutException: 3,000 milliseconds timeout on connection http-outgoing-12 [ACTIVE]
	at org.opensearch.client.RestClient.extractAndWrapCause(RestClient.java:1089)
	at org.opensearch.client.RestClient.performRequest(RestClient.java:376)
	at shop.search.ProductIndex.find(ProductIndex.java:74)
	at shop.search.SearchController.search(SearchController.java:39)
	at java.base/java.lang.VirtualThread.run(VirtualThread.java:329)
)"};

}  // namespace weft::demo
