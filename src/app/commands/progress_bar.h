// One line on a terminal that shows how far long work has come; nothing at all where there is none.
//
//   import demo.jsonl.gz  [##########----------]  52 %  1.2 GB of 2.3 GB  81,000 spans/s
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/commands/console.h"

namespace weft::app::commands {

class ProgressBar {
 public:
  // `total` 0: unknown, only what is done is shown.
  ProgressBar(const Stream& stream, std::string label, uint64_t total);
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws, at most ten times a second. `note` stands behind the numbers.
  void Update(uint64_t done, std::string_view note);
  // Takes the line away, so that others may print.
  void Clear();

 private:
  const Stream& stream_;
  const std::string label_;
  const uint64_t total_;
  int64_t drawn_ns_ = 0;
  bool visible_ = false;
};

// "1.2 GB": decimal units, as disks are sold.
std::string FormatBytes(uint64_t bytes);
// "1,234,567".
std::string FormatCount(uint64_t count);

}  // namespace weft::app::commands
