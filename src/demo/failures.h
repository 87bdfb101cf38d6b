// What goes wrong in the shop, as each language's SDK reports it.
#pragma once

#include "demo/active_span.h"

namespace weft::demo {

// The pool of product-reviews' database connections runs dry (2 % of its requests).
extern const Failure kReviewsPoolExhausted;
// A card that the bank refuses.
extern const Failure kCardDeclined;
// The quote service during the retry storm.
extern const Failure kQuoteUnavailable;
// A search that takes the index too long.
extern const Failure kSearchTimeout;

}  // namespace weft::demo
