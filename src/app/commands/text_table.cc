#include "app/commands/text_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace weft::app::commands {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 8;  // of a column that shrinks

}  // namespace

void TextTable::AddRow(const std::vector<std::string>& cells, Colour colour) {
  Row row{{}, colour};
  for (const std::string& cell : cells) row.cells.push_back(Printable(cell));
  rows_.push_back(std::move(row));
}

std::vector<size_t> TextTable::Widths(size_t width_max) const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = DisplayWidth(columns_[c].heading);
    for (const Row& row : rows_) width = std::max(width, DisplayWidth(row.cells[c]));
    widths.push_back(width);
  }
  size_t total = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  // The widest column that may shrink gives way until all fit.
  while (total > width_max) {
    size_t widest = columns_.size();
    for (size_t c = 0; c < columns_.size(); ++c) {
      const bool can = columns_[c].shrinks && widths[c] > kNarrowest;
      if (can && (widest == columns_.size() || widths[c] > widths[widest])) widest = c;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
    --total;
  }
  return widths;
}

std::string TextTable::Line(const std::vector<std::string>& cells,
                            const std::vector<size_t>& widths) const {
  std::string line;
  for (size_t c = 0; c < cells.size(); ++c) {
    if (c > 0) line.append(kGap, ' ');
    line += Fit(cells[c], widths[c], columns_[c].right);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string TextTable::Text(const Stream& stream) const {
  // A file or a pipe gets everything in full; a terminal what fits.
  const std::vector<size_t> widths = Widths(stream.is_terminal ? stream.width : 1u << 20);
  std::vector<std::string> headings;
  for (const ColumnSpec& column : columns_) headings.push_back(column.heading);
  std::string out = stream.Paint(Colour::kBold, Line(headings, widths)) + "\n";
  for (const Row& row : rows_) out += stream.Paint(row.colour, Line(row.cells, widths)) + "\n";
  return out;
}

void TextTable::Print(const Stream& stream) const { stream.Print(Text(stream)); }

}  // namespace weft::app::commands
