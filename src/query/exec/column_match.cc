#include "query/exec/column_match.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <re2/re2.h>

#include "block/json_text.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::Dictionary;
using model::ValueType;
using plan::Compare;
using plan::Predicate;
using plan::Scalar;
using plan::Value;

// 64 bytes that are 0 or 1 to 64 bits, byte 0 to bit 0.
uint64_t PackBytes(const uint8_t* bytes) {
  uint64_t word = 0;
  for (int i = 0; i < 8; ++i) {
    uint64_t eight;
    std::memcpy(&eight, bytes + 8 * i, 8);
    word |= (eight * 0x0102040810204080ULL >> 56) << (8 * i);
  }
  return word;
}

// Adds row i where test(i) is true. The inner loop has no branch, so that the compiler makes
// vectors of it.
template <typename Test>
void AddWhere(Bitmap* rows, Test test) {
  const uint32_t size = rows->size();
  uint64_t* words = rows->words();
  uint32_t i = 0;
  for (; i + 64 <= size; i += 64) {
    uint8_t bytes[64];
    for (uint32_t j = 0; j < 64; ++j) bytes[j] = test(i + j) ? 1 : 0;
    words[i / 64] |= PackBytes(bytes);
  }
  for (; i < size; ++i) {
    if (test(i)) rows->Set(i);
  }
}

// A comparison of whole numbers with any constant is "inside [low, high]" or its contrary.
struct IntTest {
  int64_t low = 1;
  int64_t high = 0;
  bool outside = false;

  bool never() const { return low > high && !outside; }
};

constexpr int64_t kIntMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kIntMax = std::numeric_limits<int64_t>::max();

IntTest IntTestOf(Compare op, int64_t c) {
  switch (op) {
    case Compare::kEqual: return {c, c, false};
    case Compare::kNotEqual: return {c, c, true};
    case Compare::kLess: return c == kIntMin ? IntTest() : IntTest{kIntMin, c - 1, false};
    case Compare::kLessEqual: return {kIntMin, c, false};
    case Compare::kGreater: return c == kIntMax ? IntTest() : IntTest{c + 1, kIntMax, false};
    case Compare::kGreaterEqual: return {c, kIntMax, false};
  }
  return {};
}

constexpr IntTest kAllInts{kIntMin, kIntMax, false};

IntTest IntTestOf(Compare op, double c) {
  if (std::isnan(c)) return op == Compare::kNotEqual ? kAllInts : IntTest();
  const bool less = op == Compare::kLess || op == Compare::kLessEqual;
  const bool greater = op == Compare::kGreater || op == Compare::kGreaterEqual;
  if (c >= 9223372036854775808.0) return less || op == Compare::kNotEqual ? kAllInts : IntTest();
  if (c < -9223372036854775808.0) return greater || op == Compare::kNotEqual ? kAllInts : IntTest();
  const double floor = std::floor(c);
  const auto whole = static_cast<int64_t>(floor);
  if (floor == c) return IntTestOf(op, whole);
  if (less) return {kIntMin, whole, false};
  if (greater) return whole == kIntMax ? IntTest() : IntTest{whole + 1, kIntMax, false};
  return op == Compare::kNotEqual ? kAllInts : IntTest();
}

void MatchInts(const Predicate& leaf, const Column& column, Bitmap* rows) {
  if (leaf.kind != Predicate::Kind::kCompare || column.type != ValueType::kInt) {
    return AddWhere(rows, [&](uint32_t i) {
      const bool is_bool = column.type == ValueType::kBool;
      return MatchesScalar(
          leaf, is_bool ? Scalar::Bool(column.ints[i] != 0) : Scalar::Int(column.ints[i]));
    });
  }
  const Value& c = leaf.right.constant;
  if (!c.is_number()) return;
  const IntTest test = c.type == Value::Type::kInt ? IntTestOf(leaf.compare, c.number)
                                                   : IntTestOf(leaf.compare, c.real);
  if (test.never()) return;
  const int64_t* values = column.ints.data();
  const int64_t low = test.low;
  const int64_t high = test.high;
  if (test.outside) {
    AddWhere(rows, [=](uint32_t i) { return values[i] != low; });
  } else if (low == kIntMin) {
    AddWhere(rows, [=](uint32_t i) { return values[i] <= high; });
  } else if (high == kIntMax) {
    AddWhere(rows, [=](uint32_t i) { return values[i] >= low; });
  } else {
    AddWhere(rows, [=](uint32_t i) { return values[i] >= low && values[i] <= high; });
  }
}

void MatchCodes(const Predicate& leaf, const Column& column, Bitmap* rows) {
  std::vector<uint8_t> matches;
  const uint32_t count = MatchDictionary(leaf, *column.dictionary, &matches);
  if (count == 0) return;
  const uint32_t* codes = column.codes.data();
  const auto size = static_cast<uint32_t>(matches.size());
  if (count == size) return AddWhere(rows, [=](uint32_t i) { return codes[i] < size; });
  if (count == 1) {
    const auto code =
        static_cast<uint32_t>(std::find(matches.begin(), matches.end(), 1) - matches.begin());
    return AddWhere(rows, [=](uint32_t i) { return codes[i] == code; });
  }
  const uint8_t* table = matches.data();
  AddWhere(rows, [=](uint32_t i) { return codes[i] < size && table[codes[i]] != 0; });
}

bool IsNegative(const Predicate& leaf) {
  return leaf.kind == Predicate::Kind::kNotMatch ||
         (leaf.kind == Predicate::Kind::kCompare && leaf.compare == Compare::kNotEqual);
}

// Whether the leaf could be true of some value of this type.
bool FitsType(const Predicate& leaf, const Scalar& value) {
  if (leaf.kind != Predicate::Kind::kCompare) return value.type == Value::Type::kString;
  const Value& c = leaf.right.constant;
  return value.type == c.type || (value.is_number() && c.is_number());
}

// Whether a strict leaf can't be true of numbers of this type.
bool IsOtherNumber(const Predicate& leaf, ValueType type) {
  if (!leaf.strict || leaf.kind != Predicate::Kind::kCompare) return false;
  const Value::Type wanted = leaf.right.constant.type;
  return (type == ValueType::kInt && wanted == Value::Type::kDouble) ||
         (type == ValueType::kDouble && wanted == Value::Type::kInt);
}

bool MatchesArrayStrictly(const Predicate& leaf, const std::vector<Scalar>& elements) {
  const auto differs = [&](const Scalar& e) { return e.type != elements[0].type; };
  if (std::any_of(elements.begin(), elements.end(), differs)) return false;
  const bool compares = leaf.kind == Predicate::Kind::kCompare;
  if (!elements.empty() && compares && elements[0].type != leaf.right.constant.type) return false;
  return std::any_of(elements.begin(), elements.end(),
                     [&](const Scalar& e) { return MatchesScalar(leaf, e); });
}

bool MatchesArray(const Predicate& leaf, std::string_view json) {
  model::SpanBatch owner;
  if (leaf.strict) return MatchesArrayStrictly(leaf, ArrayElements(json, &owner));
  const bool negative = IsNegative(leaf);
  bool fits = false;
  for (const Scalar& element : ArrayElements(json, &owner)) {
    if (!FitsType(leaf, element)) continue;
    fits = true;
    if (MatchesScalar(leaf, element) != negative) return !negative;
  }
  return negative && fits;
}

Scalar DictionaryScalar(const Dictionary& dictionary, uint32_t i) {
  switch (dictionary.type) {
    case ValueType::kString: return Scalar::String(dictionary.strings[i]);
    case ValueType::kInt: return Scalar::Int(dictionary.ints[i]);
    case ValueType::kBool: return Scalar::Bool(dictionary.ints[i] != 0);
    case ValueType::kDouble: return Scalar::Double(dictionary.doubles[i]);
    default: return {};
  }
}

}  // namespace

std::vector<Scalar> ArrayElements(std::string_view json, model::SpanBatch* owner) {
  std::vector<Scalar> out;
  const auto array = block::ParseJsonText(json, owner);
  if (!array.ok() || array->type != ValueType::kArray) return out;
  const model::NestedRange range = array->as_nested();
  for (uint32_t i = range.begin; i < range.begin + range.count; ++i) {
    const model::Attribute element = owner->nested[i];
    switch (element.type) {
      case ValueType::kString:
        out.push_back(Scalar::String(owner->strings[element.as_code()]));
        break;
      case ValueType::kInt: out.push_back(Scalar::Int(element.as_int())); break;
      case ValueType::kDouble: out.push_back(Scalar::Double(element.as_double())); break;
      case ValueType::kBool: out.push_back(Scalar::Bool(element.as_bool())); break;
      default: break;
    }
  }
  return out;
}

bool MatchesScalar(const Predicate& leaf, const Scalar& value) {
  if (leaf.kind == Predicate::Kind::kCompare) {
    return plan::Compares(leaf.compare, value, Scalar::Of(leaf.right.constant));
  }
  if (value.type != Value::Type::kString) return false;
  return RE2::FullMatch(value.text, *leaf.regex) == (leaf.kind == Predicate::Kind::kMatch);
}

uint32_t MatchDictionary(const Predicate& leaf, const Dictionary& dictionary,
                         std::vector<uint8_t>* matches) {
  const uint32_t size = dictionary.size();
  matches->assign(size, 0);
  if (dictionary.type == ValueType::kBytes || dictionary.type == ValueType::kKvList) return 0;
  uint32_t count = 0;
  for (uint32_t i = 0; i < size; ++i) {
    const bool match = dictionary.type == ValueType::kArray
                           ? MatchesArray(leaf, dictionary.strings[i])
                           : MatchesScalar(leaf, DictionaryScalar(dictionary, i));
    (*matches)[i] = match ? 1 : 0;
    count += match ? 1 : 0;
  }
  return count;
}

void MatchColumn(const Predicate& leaf, const Column& column, Bitmap* rows) {
  if (IsOtherNumber(leaf, column.type)) return;
  if (column.dictionary) return MatchCodes(leaf, column, rows);
  Bitmap found(column.row_count);
  if (column.type == ValueType::kDouble) {
    AddWhere(&found,
             [&](uint32_t i) { return MatchesScalar(leaf, Scalar::Double(column.doubles[i])); });
  } else {
    MatchInts(leaf, column, &found);
  }
  if (!column.present.empty()) {
    Bitmap present(column.row_count);
    MarkPresent(column, &present);
    found.And(present);
  }
  rows->Or(found);
}

void MatchUnsignedRange(const Column& column, uint64_t start, uint64_t end, Bitmap* rows) {
  if (start >= end) return;
  const int64_t* values = column.ints.data();
  const uint64_t length = end - start;
  AddWhere(rows, [=](uint32_t i) { return static_cast<uint64_t>(values[i]) - start < length; });
}

void MarkPresent(const Column& column, Bitmap* rows) {
  if (column.dictionary) {
    const uint32_t* codes = column.codes.data();
    return AddWhere(rows, [=](uint32_t i) { return codes[i] != block::kNoValue; });
  }
  const size_t words = (rows->size() + 63) / 64;
  for (size_t w = 0; w < words; ++w)
    rows->words()[w] |= column.present.empty() ? ~uint64_t{0} : column.present[w];
  rows->ClearTail();
}

void MapThrough(const std::vector<int64_t>& index, const Bitmap& chosen, Bitmap* rows) {
  const uint64_t size = chosen.size();
  std::vector<uint8_t> table(size + 1, 0);
  chosen.ForEach([&](uint32_t i) { table[i] = 1; });
  const int64_t* at = index.data();
  const uint8_t* flags = table.data();
  AddWhere(rows,
           [=](uint32_t i) { return flags[std::min(static_cast<uint64_t>(at[i]), size)] != 0; });
}

}  // namespace weft::query::exec
