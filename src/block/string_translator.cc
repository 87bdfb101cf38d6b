#include "block/string_translator.h"

#include <algorithm>

namespace weft::block {

StringTranslator::StringTranslator(std::span<const model::SpanBatch* const> batches)
    : batches_(batches.begin(), batches.end()), codes_(batches.size()) {}

void StringTranslator::Begin(uint32_t batch) {
  codes_[batch].assign(batches_[batch]->strings.size(), kUnknown);
  begun_.push_back(batch);
}

model::Code StringTranslator::Add(uint32_t batch, model::Code code) {
  const model::StringTable& source = batches_[batch]->strings;
  return strings_.InternHashed(source[code], source.hash(code));
}

void StringTranslator::Clear() {
  strings_.Clear();
  for (const uint32_t batch : begun_) codes_[batch].clear();
  begun_.clear();
}

}  // namespace weft::block
