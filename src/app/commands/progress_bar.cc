#include "app/commands/progress_bar.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/env.h"

namespace weft::app::commands {
namespace {

constexpr size_t kBarWidth = 24;
constexpr int64_t kDrawEveryNs = 100'000'000;

}  // namespace

ProgressBar::ProgressBar(const Stream& stream, std::string label, uint64_t total)
    : stream_(stream), label_(std::move(label)), total_(total) {}

void ProgressBar::Update(uint64_t done, std::string_view note) {
  if (!stream_.is_terminal) return;
  const int64_t now_ns = Env::Posix().MonotonicNs();
  if (visible_ && now_ns - drawn_ns_ < kDrawEveryNs) return;
  drawn_ns_ = now_ns;
  std::string line = label_ + "  ";
  if (total_ > 0) {
    const uint64_t percent = std::min<uint64_t>(100, done * 100 / total_);
    const size_t filled = static_cast<size_t>(percent) * kBarWidth / 100;
    line += "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '-') + "] " +
            Fit(std::to_string(percent), 3, true) + " %  " + FormatBytes(done) + " of " +
            FormatBytes(total_);
  } else {
    line += FormatBytes(done);
  }
  line.append("  ").append(note);
  // Carriage return, the line, and erase what is left of the longer one before it.
  stream_.Print("\r" + Fit(line, stream_.width - 1) + "\x1b[K");
  std::fflush(stream_.file);
  visible_ = true;
}

void ProgressBar::Clear() {
  if (!visible_) return;
  stream_.Print("\r\x1b[K");
  std::fflush(stream_.file);
  visible_ = false;
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  if (bytes < 1000) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), value < 9.95 ? "%.1f " : "%.0f ", value);
  return text.data() + std::string(kUnits[unit]);
}

std::string FormatCount(uint64_t count) {
  std::string digits = std::to_string(count);
  for (auto i = static_cast<ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<size_t>(i), 1, ',');
  return digits;
}

}  // namespace weft::app::commands
