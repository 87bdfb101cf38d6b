// StringTranslator: strings of several batches as codes of one table, each distinct string of a
// batch looked up once. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/span_batch.h"
#include "model/string_table.h"

namespace weft::block {

class StringTranslator {
 public:
  // The batches must outlive it and not change.
  explicit StringTranslator(std::span<const model::SpanBatch* const> batches);

  // The code in strings() of string `code` of batch `batch`.
  model::Code Translate(uint32_t batch, model::Code code) {
    if (codes_[batch].empty()) Begin(batch);
    model::Code& known = codes_[batch][code];
    if (known == kUnknown) known = Add(batch, code);
    return known;
  }
  model::Code Intern(std::string_view text) { return strings_.Intern(text); }

  const model::StringTable& strings() const { return strings_; }

  // Back to an empty table; keeps the memory.
  void Clear();

 private:
  static constexpr model::Code kUnknown = 0xffffffff;

  void Begin(uint32_t batch);
  model::Code Add(uint32_t batch, model::Code code);

  std::vector<const model::SpanBatch*> batches_;
  model::StringTable strings_;
  std::vector<std::vector<model::Code>> codes_;  // per batch; empty while it was not asked for
  std::vector<uint32_t> begun_;                  // batches with codes
};

}  // namespace weft::block
