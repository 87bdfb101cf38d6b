#include "app/commands/import_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "app/commands/json_elements.h"
#include "app/commands/otlp_pieces.h"

namespace weft::app::commands {
namespace {

constexpr size_t kMessageBytesMax = 256 << 20;
// Pieces larger than this are cut up: a request should be some thousands of spans.
constexpr size_t kPieceBytesMax = 4 << 20;
constexpr size_t kHeadBytes = 1 << 20;
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

uint32_t BigEndian32(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void AddPieces(std::vector<OtlpPiece> pieces, ImportEncoding encoding, uint64_t place,
               uint64_t end_offset, std::vector<ImportRecord>* records) {
  for (OtlpPiece& piece : pieces) {
    records->push_back({encoding, std::move(piece.bytes), piece.span_count, place, 0});
  }
  // Only the last piece's end may be resumed from.
  if (!records->empty()) records->back().end_offset = end_offset;
}

// The records of one element of "resourceSpans".
Error AddElement(std::string_view element, uint64_t place, uint64_t end_offset,
                 std::vector<ImportRecord>* records) {
  WEFT_ASSIGN_OR_RETURN(auto pieces, CutJson(element, kPieceBytesMax));
  AddPieces(std::move(pieces), ImportEncoding::kJson, place, end_offset, records);
  return Error::Ok();
}

Error AddDocument(std::string_view document, uint64_t place, uint64_t end_offset,
                  std::vector<ImportRecord>* records) {
  WEFT_ASSIGN_OR_RETURN(const auto elements, JsonElements(document));
  const size_t before = records->size();
  for (const std::string& element : elements) {
    const Error error = AddElement(element, place, 0, records);
    if (!error.ok()) {
      records->resize(before);
      return error;
    }
  }
  if (records->size() > before) records->back().end_offset = end_offset;
  return Error::Ok();
}

Error AddMessage(std::string_view message, uint64_t place, uint64_t end_offset,
                 std::vector<ImportRecord>* records) {
  WEFT_ASSIGN_OR_RETURN(auto pieces, CutProtobuf(message, kPieceBytesMax));
  AddPieces(std::move(pieces), ImportEncoding::kProtobuf, place, end_offset, records);
  return Error::Ok();
}

class JsonLinesReader : public ImportReader {
 public:
  JsonLinesReader(std::unique_ptr<ByteSource> source, Report report)
      : ImportReader(std::move(source), std::move(report)) {}

  std::string_view unit() const override { return "line"; }

  Result<bool> Next(std::vector<ImportRecord>* records) override {
    WEFT_ASSIGN_OR_RETURN(const auto end, FindLineEnd());
    if (!end) return false;
    const std::string_view line = source_->view().substr(0, *end);
    ++line_;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      const Error error = AddDocument(line, line_, source_->offset() + *end + 1, records);
      if (!error.ok()) report_(line_, error);
    }
    source_->Consume(std::min(*end + 1, source_->view().size()));
    return true;
  }

 private:
  // Bytes before the end of the line at hand; nothing at the end of the file.
  Result<std::optional<size_t>> FindLineEnd() {
    size_t searched = 0;
    while (true) {
      const size_t at = source_->view().find('\n', searched);
      if (at != std::string_view::npos) return std::optional<size_t>(at);
      searched = source_->view().size();
      if (searched > kMessageBytesMax) {
        return Error(ErrorCode::kTooLarge,
                     "line " + std::to_string(line_ + 1) + " is longer than 256 MiB");
      }
      WEFT_ASSIGN_OR_RETURN(const bool more, source_->Fill());
      if (!more) return searched == 0 ? std::optional<size_t>() : std::optional<size_t>(searched);
    }
  }

  uint64_t line_ = 0;
};

class JsonDocumentReader : public ImportReader {
 public:
  JsonDocumentReader(std::unique_ptr<ByteSource> source, Report report)
      : ImportReader(std::move(source), std::move(report)) {}

  std::string_view unit() const override { return "line"; }

  Result<bool> Next(std::vector<ImportRecord>* records) override {
    WEFT_ASSIGN_OR_RETURN(const auto event, NextEvent());
    if (!event) return false;
    switch (*event) {
      case Event::kElementBegin:
        element_ = "{";
        element_line_ = line_;
        return true;
      case Event::kElementEnd: return EndElement(records);
      case Event::kBroken:
        return Error(ErrorCode::kInvalidArgument,
                     "line " + std::to_string(line_) + ": brackets don't match; stopped here");
      default: return true;
    }
  }

 private:
  using Event = JsonElementScanner::Event;

  // Scans to the next event and keeps what lies inside an element; nothing at the end of the file.
  Result<std::optional<Event>> NextEvent() {
    while (true) {
      const auto step = scanner_.Scan(source_->view());
      const std::string_view seen = source_->view().substr(0, step.used);
      line_ += static_cast<uint64_t>(std::count(seen.begin(), seen.end(), '\n'));
      if (!element_.empty()) element_.append(seen);
      source_->Consume(step.used);
      if (step.event != Event::kNone) return std::optional<Event>(step.event);
      if (element_.size() > kMessageBytesMax) {
        return Error(ErrorCode::kTooLarge, "line " + std::to_string(element_line_) +
                                               ": an element of more than 256 MiB; stopped here");
      }
      WEFT_ASSIGN_OR_RETURN(const bool more, source_->Fill());
      if (more) continue;
      if (scanner_.between_documents()) return std::optional<Event>();
      return Error(ErrorCode::kInvalidArgument,
                   "line " + std::to_string(line_) + ": the document is cut short");
    }
  }

  bool EndElement(std::vector<ImportRecord>* records) {
    const Error error = AddElement(element_, element_line_, source_->offset(), records);
    if (!error.ok()) report_(element_line_, error);
    element_.clear();
    return true;
  }

  JsonElementScanner scanner_;
  std::string element_;
  uint64_t element_line_ = 0;
  uint64_t line_ = 1;
};

// One message, maybe larger than memory: its fields are read one by one.
class ProtobufReader : public ImportReader {
 public:
  ProtobufReader(std::unique_ptr<ByteSource> source, Report report)
      : ImportReader(std::move(source), std::move(report)) {}

  std::string_view unit() const override { return "message"; }

  Result<bool> Next(std::vector<ImportRecord>* records) override {
    WEFT_ASSIGN_OR_RETURN(const bool more, source_->Require(1));
    if (!more) return false;
    WEFT_ASSIGN_OR_RETURN(const size_t size, FieldBytes());
    WEFT_ASSIGN_OR_RETURN(const bool whole, source_->Require(size));
    if (!whole) return Broken("the file is cut short");
    ++count_;
    const Error error =
        AddMessage(source_->view().substr(0, size), count_, source_->offset() + size, records);
    if (!error.ok()) report_(count_, error);
    source_->Consume(size);
    return true;
  }

 private:
  Error Broken(std::string_view why) const {
    return Error(
        ErrorCode::kInvalidArgument,
        "not OTLP protobuf at byte " + std::to_string(source_->offset()) + ": " + std::string(why));
  }

  // Reads a varint at `*at` of the bytes at hand.
  Result<uint64_t> Varint(size_t* at) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      WEFT_ASSIGN_OR_RETURN(const bool there, source_->Require(*at + 1));
      if (!there) return Broken("the file is cut short");
      const auto byte = static_cast<unsigned char>(source_->view()[(*at)++]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return Broken("a number of more than 64 bits");
  }

  // Size of the field at hand, its tag included.
  Result<size_t> FieldBytes() {
    size_t at = 0;
    WEFT_ASSIGN_OR_RETURN(const uint64_t tag, Varint(&at));
    if (tag >> 3 == 0) return Broken("a field without a number");
    switch (tag & 7) {
      case 0: WEFT_RETURN_IF_ERROR(Varint(&at).error()); return at;
      case 1: return at + 8;
      case 5: return at + 4;
      case 2: break;
      default: return Broken("an unknown wire type");
    }
    WEFT_ASSIGN_OR_RETURN(const uint64_t size, Varint(&at));
    if (size > kMessageBytesMax) return Broken("a field of more than 256 MiB");
    return at + size;
  }

  uint64_t count_ = 0;
};

// Messages behind 4-byte lengths.
class FramedReader : public ImportReader {
 public:
  FramedReader(std::unique_ptr<ByteSource> source, Report report)
      : ImportReader(std::move(source), std::move(report)) {}

  std::string_view unit() const override { return "message"; }

  Result<bool> Next(std::vector<ImportRecord>* records) override {
    WEFT_ASSIGN_OR_RETURN(const bool more, source_->Require(1));
    if (!more) return false;
    WEFT_ASSIGN_OR_RETURN(const bool has_length, source_->Require(4));
    const uint32_t size = has_length ? BigEndian32(source_->view()) : 0;
    if (size > kMessageBytesMax) return Broken("a length of more than 256 MiB");
    WEFT_ASSIGN_OR_RETURN(const bool whole, source_->Require(4 + size_t{size}));
    if (!has_length || !whole) return Broken("the file is cut short");
    ++count_;
    const uint64_t end_offset = source_->offset() + 4 + size;
    const Error error = Add(source_->view().substr(4, size), end_offset, records);
    if (!error.ok()) report_(count_, error);
    source_->Consume(4 + size_t{size});
    return true;
  }

 private:
  Error Broken(std::string_view why) const {
    return Error(ErrorCode::kInvalidArgument, "message " + std::to_string(count_ + 1) +
                                                  " at byte " + std::to_string(source_->offset()) +
                                                  ": " + std::string(why));
  }

  Error Add(std::string_view message, uint64_t end_offset, std::vector<ImportRecord>* records) {
    if (message.starts_with(kZstdMagic)) {
      WEFT_ASSIGN_OR_RETURN(const std::string plain,
                            net::Decompress(net::ContentCoding::kZstd, message, kMessageBytesMax));
      return Add(plain, end_offset, records);
    }
    if (message.starts_with('{')) return AddDocument(message, count_, end_offset, records);
    return AddMessage(message, count_, end_offset, records);
  }

  uint64_t count_ = 0;
};

bool LooksFramed(std::string_view head) {
  if (head.size() < 5) return false;
  const uint32_t size = BigEndian32(head);
  const bool plausible =
      head[4] == '\x0a' || head[4] == '{' || head.substr(4).starts_with(kZstdMagic);
  return size > 0 && size <= kMessageBytesMax && plausible;
}

// A message that begins with a field of 123 bytes looks like a newline and a brace: text has no
// other control characters, a message of that size has some.
bool LooksLikeText(std::string_view head) {
  return std::all_of(
      head.begin(), head.begin() + static_cast<ptrdiff_t>(std::min<size_t>(head.size(), 256)),
      [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t';
      });
}

// Whether every document stands on a line of its own: the first one ends before its line does, or
// its line is broken and the next one begins anew.
bool LooksLikeLines(std::string_view head) {
  const size_t line_end = head.find('\n');
  if (line_end == std::string_view::npos) return false;
  JsonElementScanner scanner;
  for (size_t at = 0; at < line_end;) {
    const auto step = scanner.Scan(head.substr(at, line_end - at));
    at += step.used;
    if (step.event == JsonElementScanner::Event::kDocumentEnd ||
        step.event == JsonElementScanner::Event::kBroken)
      return true;
  }
  const size_t next = head.find_first_not_of("\r\n", line_end);
  return next != std::string_view::npos && head[next] == '{';
}

}  // namespace

Result<std::unique_ptr<ImportReader>> ImportReader::Open(std::unique_ptr<ByteSource> source,
                                                         Report report) {
  WEFT_ASSIGN_OR_RETURN(const bool head_is_full, source->Require(kHeadBytes));
  (void)head_is_full;
  if (source->view().starts_with(kByteOrderMark)) source->Consume(kByteOrderMark.size());
  const std::string_view head = source->view();
  const size_t first = std::min(head.find_first_not_of(" \t\r\n"), head.size());
  std::unique_ptr<ImportReader> reader;
  if (head.starts_with('\x0a') && !LooksLikeText(head)) {
    reader = std::make_unique<ProtobufReader>(std::move(source), std::move(report));
  } else if (LooksFramed(head)) {
    reader = std::make_unique<FramedReader>(std::move(source), std::move(report));
  } else if (first == head.size() || (head[first] == '{' && LooksLikeLines(head.substr(first)))) {
    reader = std::make_unique<JsonLinesReader>(std::move(source), std::move(report));
  } else if (head[first] == '{') {
    reader = std::make_unique<JsonDocumentReader>(std::move(source), std::move(report));
  } else {
    return Error(ErrorCode::kInvalidArgument,
                 "neither OTLP/JSON nor OTLP protobuf (plain or behind 4-byte lengths; gzip and "
                 "zstd are undone)");
  }
  return reader;
}

}  // namespace weft::app::commands
