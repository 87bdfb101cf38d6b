#include "model/span_metrics.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"

namespace weft::model {
namespace {

constexpr std::array<std::string_view, 6> kKinds{"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                 "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                 "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::array<std::string_view, 3> kStatuses{"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                    "STATUS_CODE_ERROR"};
constexpr std::array<std::string_view, 8> kTakenLabels{
    kServiceLabel,  kSpanNameLabel, kSpanKindLabel, kStatusCodeLabel,
    kOverflowLabel, "le",           "job",          "instance"};
constexpr size_t kLabelValueBytesMax = 2048;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLabelByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

std::string_view SpanKindText(uint8_t kind) { return kKinds[kind < kKinds.size() ? kind : 0]; }

std::string_view StatusCodeText(uint8_t status) {
  return kStatuses[status < kStatuses.size() ? status : 0];
}

std::string LatencyBounds::Text(uint32_t bucket) const {
  if (bucket >= count) return "+Inf";
  return LabelValue(static_cast<double>(first_ns << bucket) / 1e9);
}

std::string LabelName(std::string_view key) {
  std::string out;
  if (key.empty() || IsDigit(key[0])) out.push_back('_');
  for (const char c : key) out.push_back(IsLabelByte(c) ? c : '_');
  return out;
}

Result<std::vector<SpanDimension>> SpanDimensions(const std::vector<std::string>& keys) {
  if (keys.size() > kDimensionsMax) {
    return Error(ErrorCode::kInvalidArgument, "there are " + std::to_string(keys.size()) +
                                                  " dimensions; at most " +
                                                  std::to_string(kDimensionsMax));
  }
  std::vector<SpanDimension> out;
  for (const std::string& key : keys) {
    if (key.empty()) return Error(ErrorCode::kInvalidArgument, "a dimension has no name");
    std::string label = LabelName(key);
    if (std::ranges::find(kTakenLabels, label) != kTakenLabels.end()) label.insert(0, "__");
    for (const SpanDimension& other : out) {
      if (other.label != label) continue;
      return Error(ErrorCode::kInvalidArgument, "the dimensions " + other.key + " and " + key +
                                                    " would both be the label " + label);
    }
    out.push_back({key, std::move(label)});
  }
  return out;
}

std::string LabelValue(std::string_view text) {
  if (text.size() <= kLabelValueBytesMax) return Utf8(text);
  size_t end = kLabelValueBytesMax;
  // Back to where a UTF-8 character begins.
  while (end > kLabelValueBytesMax - 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  return Utf8(text.substr(0, end));
}

std::string LabelValue(double number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

}  // namespace weft::model
