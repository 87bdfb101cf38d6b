// Reads spans out of a file in any of the forms that OTLP is stored in, told apart by their
// content:
//
// - OTLP/JSON, one document per line (the file exporter of collectors) or documents of any layout;
// - a protobuf TracesData or ExportTraceServiceRequest;
// - messages behind 4-byte big-endian lengths (the collector's file exporter for protobuf and for
//   compressed data), each JSON or protobuf, plain or zstd;
// each of them plain or as a whole in gzip or zstd.
//
// Memory: one record, at most kRecordBytesMax.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands/byte_source.h"
#include "base/error.h"

namespace weft::app::commands {

enum class ImportEncoding : uint8_t { kProtobuf, kJson };

// Some spans that can be sent alone, and joined with others of the same encoding.
struct ImportRecord {
  ImportEncoding encoding = ImportEncoding::kProtobuf;
  // kProtobuf: fields of a TracesData, so that records side by side are a message. kJson: elements
  // of "resourceSpans", with commas between them.
  std::string bytes;
  uint64_t span_count = 0;
  uint64_t place = 0;       // line of the file, or number of the message: from 1
  uint64_t end_offset = 0;  // decompressed bytes of the file up to its end
};

class ImportReader {
 public:
  static constexpr size_t kRecordBytesMax = 64 << 20;

  // Told of everything that is left out: its place as in ImportRecord, and why. kUnsupported: it
  // holds no traces but something else; any other code: it is broken.
  using Report = std::function<void(uint64_t place, const Error& why)>;

  // Looks at the first bytes and chooses the form. kInvalidArgument when it is none of the above.
  static Result<std::unique_ptr<ImportReader>> Open(std::unique_ptr<ByteSource> source,
                                                    Report report);
  virtual ~ImportReader() = default;

  // The next records (none or several: a piece that is too large to send is cut up), false at the
  // end of the file. An error ends it: the rest can't be read.
  virtual Result<bool> Next(std::vector<ImportRecord>* records) = 0;
  // "line" or "message": what `place` counts.
  virtual std::string_view unit() const = 0;

  const ByteSource& source() const { return *source_; }

 protected:
  ImportReader(std::unique_ptr<ByteSource> source, Report report)
      : source_(std::move(source)), report_(std::move(report)) {}

  std::unique_ptr<ByteSource> source_;
  Report report_;
};

}  // namespace weft::app::commands
