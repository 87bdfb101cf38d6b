// Any bytes: parsed or refused; what is parsed is written and parsed to the same value again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "block/json_text.h"
#include "block/text_escape.h"
#include "model/span_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  std::string escaped;
  std::string back;
  if (!block::AppendEscapedText(text, &escaped)) escaped = text;
  if (!block::AppendUnescapedText(escaped, &back)) back = escaped;
  if (back != text) std::abort();

  model::SpanBatch batch;
  const auto value = block::ParseJsonText(text, &batch);
  if (!value.ok()) return 0;
  std::string once;
  block::AppendJsonText(batch, *value, &once);
  model::SpanBatch again;
  const auto second = block::ParseJsonText(once, &again);
  if (!second.ok()) std::abort();
  std::string twice;
  block::AppendJsonText(again, *second, &twice);
  if (once != twice) std::abort();
  return 0;
}
