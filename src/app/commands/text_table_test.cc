#include "app/commands/text_table.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "app/commands/progress_bar.h"

namespace weft::app::commands {
namespace {

// What `print` writes to a stream.
template <typename F>
std::string Printed(Stream stream, F print) {
  char* text = nullptr;
  size_t size = 0;
  stream.file = open_memstream(&text, &size);
  print(stream);
  std::fclose(stream.file);
  std::string out(text, size);
  std::free(text);
  return out;
}

TEST(TextTable, ColumnsAreAsWideAsTheirContents) {
  TextTable table({{"NAME"}, {"SPANS", true}});
  table.AddRow({"checkout", "12"});
  table.AddRow({"é", "1,234,567"});
  EXPECT_EQ(Printed({}, [&](const Stream& s) { table.Print(s); }),
            "NAME          SPANS\n"
            "checkout         12\n"
            "é         1,234,567\n");
}

TEST(TextTable, OnATerminalTheShrinkingColumnGivesWay) {
  TextTable table({{"ID"}, {"NAME", false, true}});
  table.AddRow({"0123456789", "a rather long name of an operation"});
  Stream terminal;
  terminal.is_terminal = true;
  terminal.width = 24;
  EXPECT_EQ(Printed(terminal, [&](const Stream& s) { table.Print(s); }),
            "ID          NAME\n"
            "0123456789  a rather lo…\n");
  EXPECT_NE(Printed({}, [&](const Stream& s) { table.Print(s); }).find("operation"),
            std::string::npos);
}

TEST(TextTable, CellsCannotControlTheTerminal) {
  TextTable table({{"NAME"}});
  table.AddRow({"evil\x1b[2J"});
  EXPECT_EQ(Printed({}, [&](const Stream& s) { table.Print(s); }).find('\x1b'), std::string::npos);
}

TEST(ProgressBar, DrawsOnTerminalsOnly) {
  const auto draw = [](const Stream& s) {
    ProgressBar(s, "import x", 1000).Update(500, "7 spans/s");
  };
  EXPECT_EQ(Printed({}, draw), "");
  Stream terminal;
  terminal.is_terminal = true;
  const std::string drawn = Printed(terminal, draw);
  EXPECT_NE(drawn.find("[############------------]  50 %  500 B of 1.0 kB  7 spans/s"),
            std::string::npos)
      << drawn;
  EXPECT_TRUE(drawn.ends_with("\r\x1b[K"));  // and takes its line away
}

TEST(FormatBytes, UsesDecimalUnits) {
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1234), "1.2 kB");
  EXPECT_EQ(FormatBytes(999'999), "1.0 MB");
  EXPECT_EQ(FormatBytes(24'600'000'000), "25 GB");
}

TEST(FormatCount, GroupsByThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
}

}  // namespace
}  // namespace weft::app::commands
