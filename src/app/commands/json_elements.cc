#include "app/commands/json_elements.h"

namespace weft::app::commands {
namespace {

constexpr size_t kDepthMax = 100'000;
constexpr size_t kKeyBytesMax = 32;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

void JsonElementScanner::InString(char c) {
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    in_string_ = false;
    return;
  }
  if (brackets_.size() == 1 && last_text_.size() < kKeyBytesMax) last_text_.push_back(c);
}

JsonElementScanner::Event JsonElementScanner::Close(char c) {
  if (brackets_.empty() || brackets_.back() != (c == '}' ? '{' : '[')) return Event::kBroken;
  brackets_.pop_back();
  if (brackets_.empty()) return Event::kDocumentEnd;
  if (brackets_.size() == 1) in_list_ = false;
  return in_list_ && c == '}' && brackets_.size() == 2 ? Event::kElementEnd : Event::kNone;
}

JsonElementScanner::Event JsonElementScanner::Structural(char c) {
  switch (c) {
    case '"':
      in_string_ = true;
      last_text_.clear();
      return Event::kNone;
    case ':':
      if (brackets_.size() == 1) key_ = last_text_;
      return Event::kNone;
    case '{':
    case '[':
      if (brackets_.size() >= kDepthMax || (brackets_.empty() && c == '[')) return Event::kBroken;
      if (brackets_.size() == 1 && c == '[')
        in_list_ = key_ == "resourceSpans" || key_ == "batches";
      brackets_.push_back(c);
      return in_list_ && c == '{' && brackets_.size() == 3 ? Event::kElementBegin : Event::kNone;
    case '}':
    case ']': return Close(c);
    default: return brackets_.empty() && !IsBlank(c) ? Event::kBroken : Event::kNone;
  }
}

JsonElementScanner::Step JsonElementScanner::Scan(std::string_view piece) {
  for (size_t i = 0; i < piece.size(); ++i) {
    if (in_string_) {
      InString(piece[i]);
      continue;
    }
    const Event event = Structural(piece[i]);
    if (event != Event::kNone) return {event, i + 1};
  }
  return {Event::kNone, piece.size()};
}

}  // namespace weft::app::commands
