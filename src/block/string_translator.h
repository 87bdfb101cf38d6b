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

  // One batch's strings, for loops over its rows; valid until Clear().
  class BatchStrings {
   public:
    // The code in strings() of string `code` of the batch.
    model::Code Translate(model::Code code) {
      if (codes_[code] == kUnknown) codes_[code] = translator_->Add(batch_, code);
      return codes_[code];
    }

   private:
    friend class StringTranslator;
    StringTranslator* translator_ = nullptr;
    uint32_t batch_ = 0;
    model::Code* codes_ = nullptr;
  };
  BatchStrings StringsOf(uint32_t batch) {
    if (codes_[batch].empty()) Begin(batch);
    BatchStrings strings;
    strings.translator_ = this;
    strings.batch_ = batch;
    strings.codes_ = codes_[batch].data();
    return strings;
  }
  model::Code Translate(uint32_t batch, model::Code code) {
    return StringsOf(batch).Translate(code);
  }
  model::Code Intern(std::string_view text) { return strings_.Intern(text); }

  const model::StringTable& strings() const { return strings_; }
  // To add strings that stand in no batch.
  model::StringTable* mutable_strings() { return &strings_; }

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
