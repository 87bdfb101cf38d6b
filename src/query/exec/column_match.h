// Which rows of one column satisfy a comparison with a constant: on the dictionary first, then on
// codes.
#pragma once

#include <cstdint>
#include <vector>

#include "block/column.h"
#include "query/exec/bitmap.h"
#include "query/plan/arithmetic.h"
#include "query/plan/predicate.h"

namespace weft::query::exec {

// `leaf` below is a predicate of kind kCompare with a constant on its right, kMatch or kNotMatch;
// its left side is taken to be the column.

// Whether the leaf is true for one value.
bool MatchesScalar(const plan::Predicate& leaf, const plan::Scalar& value);

// One byte for each entry of the dictionary: 1 where the leaf is true. Entries that are arrays
// match by their elements, as plan/predicate.h says; kvlists and bytes never match. Returns how
// many match.
uint32_t MatchDictionary(const plan::Predicate& leaf, const block::Dictionary& dictionary,
                         std::vector<uint8_t>* matches);

// Adds to `rows` those on which the leaf is true. Rows without a value are never added.
void MatchColumn(const plan::Predicate& leaf, const block::Column& column, Bitmap* rows);

// Adds to `rows` those whose number, as an unsigned one, is in [start, end).
void MatchUnsignedRange(const block::Column& column, uint64_t start, uint64_t end, Bitmap* rows);

// Adds to `rows` those that have a value.
void MarkPresent(const block::Column& column, Bitmap* rows);

// Adds to `rows` those whose `index` points at a set bit of `chosen`; an index outside is no row's.
void MapThrough(const std::vector<int64_t>& index, const Bitmap& chosen, Bitmap* rows);

// The elements of an array as block/ writes it: strings, numbers and bools; others are left out.
// The views live as long as `*owner`.
std::vector<plan::Scalar> ArrayElements(std::string_view json, model::SpanBatch* owner);

}  // namespace weft::query::exec
