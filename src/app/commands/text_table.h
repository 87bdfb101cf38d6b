// A table of text with a heading, as wide as its contents or as the terminal.
#pragma once

#include <string>
#include <vector>

#include "app/commands/console.h"

namespace weft::app::commands {

class TextTable {
 public:
  struct ColumnSpec {
    std::string heading;
    bool right = false;    // numbers stand at the right edge
    bool shrinks = false;  // may be cut when the table is too wide
  };

  explicit TextTable(std::vector<ColumnSpec> columns) : columns_(std::move(columns)) {}

  // One cell per column; made printable here. The whole row is painted in `colour`.
  void AddRow(const std::vector<std::string>& cells, Colour colour = Colour::kPlain);
  // As wide as `stream` allows, with a line break at the end.
  std::string Text(const Stream& stream) const;
  void Print(const Stream& stream) const;
  bool empty() const { return rows_.empty(); }

 private:
  struct Row {
    std::vector<std::string> cells;
    Colour colour;
  };
  std::vector<size_t> Widths(size_t width_max) const;
  std::string Line(const std::vector<std::string>& cells, const std::vector<size_t>& widths) const;

  std::vector<ColumnSpec> columns_;
  std::vector<Row> rows_;
};

}  // namespace weft::app::commands
