// Where a command prints: two streams and what is known about the terminals behind them.
//
// Text that comes from spans goes through Printable() before it reaches a terminal: a span's name
// must not be able to move the cursor or change the title. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace weft::app::commands {

enum class Colour { kPlain, kRed, kGreen, kYellow, kBlue, kGrey, kBold };

struct Stream {
  std::FILE* file = nullptr;
  bool is_terminal = false;
  bool colours = false;  // a terminal, and neither NO_COLOR nor TERM=dumb forbids it
  size_t width = 100;    // columns; 100 when it isn't a terminal

  void Print(std::string_view text) const;
  // The text in a colour, or as it is where there are none.
  std::string Paint(Colour colour, std::string_view text) const;
};

struct Console {
  Stream out;
  Stream err;

  // Standard output and standard error of this process.
  static Console OfProcess();
  // Prints "weft: `message`" to `err`.
  void Complain(std::string_view message) const;
};

// Control characters and broken UTF-8 replaced by U+FFFD.
std::string Printable(std::string_view text);
// Columns that printable text takes on a terminal.
size_t DisplayWidth(std::string_view text);
// `text` in exactly `width` columns: padded with spaces behind (or before, when `right`), or cut
// with an ellipsis.
std::string Fit(std::string_view text, size_t width, bool right = false);

}  // namespace weft::app::commands
