#include "app/commands/console.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "api/json_writer.h"
#include "base/utf8.h"

namespace weft::app::commands {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

Stream Describe(std::FILE* file) {
  Stream stream;
  stream.file = file;
  stream.is_terminal = isatty(fileno(file)) == 1;
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  const char* no_color = std::getenv("NO_COLOR");
  stream.colours = stream.is_terminal && !dumb && (no_color == nullptr || *no_color == '\0');
  winsize size{};
  if (stream.is_terminal && ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) {
    stream.width = size.ws_col;
  }
  return stream;
}

std::string_view CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kPlain: return "";
    case Colour::kRed: return "\x1b[31m";
    case Colour::kGreen: return "\x1b[32m";
    case Colour::kYellow: return "\x1b[33m";
    case Colour::kBlue: return "\x1b[34m";
    case Colour::kGrey: return "\x1b[90m";
    case Colour::kBold: return "\x1b[1m";
  }
  return "";
}

// The code point of a well-formed character of `bytes` bytes.
uint32_t Decode(std::string_view text, size_t bytes) {
  constexpr std::array<uint32_t, 5> kFirstMask = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t point = static_cast<unsigned char>(text[0]) & kFirstMask[bytes];
  for (size_t i = 1; i < bytes; ++i)
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  return point;
}

// Characters that take two columns (East Asian wide, emoji) and none (combining marks), by their
// main ranges.
size_t WidthOf(uint32_t point) {
  constexpr std::array<std::array<uint32_t, 2>, 9> kWide = {{{0x1100, 0x115f},
                                                             {0x2e80, 0xa4cf},
                                                             {0xac00, 0xd7a3},
                                                             {0xf900, 0xfaff},
                                                             {0xfe30, 0xfe6f},
                                                             {0xff00, 0xff60},
                                                             {0x1f300, 0x1f64f},
                                                             {0x1f900, 0x1faff},
                                                             {0x20000, 0x3fffd}}};
  if ((point >= 0x300 && point <= 0x36f) || (point >= 0x200b && point <= 0x200f)) return 0;
  for (const auto& [first, last] : kWide) {
    if (point >= first && point <= last) return 2;
  }
  return 1;
}

// The longest prefix that takes at most `width` columns.
std::string_view Prefix(std::string_view text, size_t width) {
  size_t used = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = std::max<size_t>(1, Utf8CharacterBytes(text.substr(i)));
    used += WidthOf(Decode(text.substr(i), bytes));
    if (used > width) return text.substr(0, i);
    i += bytes;
  }
  return text;
}

}  // namespace

void Stream::Print(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), file); }

std::string Stream::Paint(Colour colour, std::string_view text) const {
  if (!colours || colour == Colour::kPlain) return std::string(text);
  return std::string(CodeOf(colour)).append(text).append("\x1b[0m");
}

Console Console::OfProcess() { return {Describe(stdout), Describe(stderr)}; }

void Console::Complain(std::string_view message) const {
  std::fflush(out.file);
  err.Print(err.Paint(Colour::kRed, "weft: ") + std::string(message) + "\n");
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t bytes = Utf8CharacterBytes(text);
    const uint32_t point = bytes == 0 ? 0 : Decode(text, bytes);
    // C0, DEL and C1 controls, and the characters that turn the direction of writing around.
    const bool harmless = point >= 0x20 && (point < 0x7f || point > 0x9f) &&
                          (point < 0x202a || point > 0x202e) && (point < 0x2066 || point > 0x2069);
    out.append(harmless ? text.substr(0, bytes) : kReplacement);
    text.remove_prefix(std::max<size_t>(1, bytes));
  }
  return out;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = std::max<size_t>(1, Utf8CharacterBytes(text.substr(i)));
    width += WidthOf(Decode(text.substr(i), bytes));
    i += bytes;
  }
  return width;
}

std::string Fit(std::string_view text, size_t width, bool right) {
  const size_t taken = DisplayWidth(text);
  if (taken > width) {
    std::string cut(Prefix(text, width == 0 ? 0 : width - 1));
    if (width > 0) cut += "…";
    cut.append(width - std::min(width, DisplayWidth(cut)), ' ');
    return cut;
  }
  const std::string padding(width - taken, ' ');
  return right ? padding + std::string(text) : std::string(text) + padding;
}

}  // namespace weft::app::commands
