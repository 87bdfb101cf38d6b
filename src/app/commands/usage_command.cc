#include "app/commands/usage_command.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "api/json_writer.h"
#include "api/time_text.h"
#include "api/usage_row.h"
#include "app/commands/progress_bar.h"
#include "app/commands/stored_files.h"
#include "app/commands/text_table.h"
#include "base/env.h"
#include "block/usage.h"
#include "store/catalog.h"

namespace weft::app::commands {
namespace {

using block::UsageBy;
using block::UsageRow;

constexpr int kExitWrong = 2;
constexpr uint64_t kCacheBytes = 16u << 20;

std::optional<UsageBy> ByOf(const std::string& text) {
  if (text == "tenant") return UsageBy::kTenant;
  if (text == "service") return UsageBy::kService;
  if (text == "operation") return UsageBy::kOperation;
  if (text == "attribute") return UsageBy::kAttribute;
  return std::nullopt;
}

Result<TimeRange> RangeOf(const UsageOptions& options) {
  TimeRange range;
  const int64_t now_ns = Env::Posix().NowNs();
  if (!options.start.empty()) {
    WEFT_ASSIGN_OR_RETURN(range.start_ns, api::ParseTime(options.start, now_ns));
  }
  if (!options.end.empty()) {
    WEFT_ASSIGN_OR_RETURN(range.end_ns, api::ParseTime(options.end, now_ns));
  }
  return range;
}

Error AddBlock(const store::ObjectStore& objects, const store::CatalogBlock& block,
               block::UsageTable* table) {
  WEFT_ASSIGN_OR_RETURN(block::BlockMeta meta, block.ReadMeta());
  WEFT_ASSIGN_OR_RETURN(const auto opened,
                        block::Block::Open(std::move(meta), StoredFiles(objects, block.name),
                                           std::make_shared<block::ColumnCache>(kCacheBytes)));
  return table->Add(*opened, block.total_bytes, block.deleted);
}

std::string Percent(uint64_t part, uint64_t whole) {
  std::array<char, 16> text;
  const double share =
      whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  std::snprintf(text.data(), text.size(), "%.1f %%", share);
  return text.data();
}

// What the row is of, for people.
std::string NameOf(const UsageRow& row, UsageBy by) {
  if (row.others) return "(all others)";
  if (by == UsageBy::kAttribute) return row.scope.empty() ? row.key : row.scope + "." + row.key;
  const std::string service = row.service.empty() ? "(no service)" : row.service;
  return by == UsageBy::kOperation ? service + ": " + row.name : service;
}

void PrintTable(const std::vector<UsageRow>& rows, UsageBy by, size_t shown, const Stream& out) {
  uint64_t bytes = 0;
  for (const UsageRow& row : rows) bytes += row.bytes;
  const bool attributes = by == UsageBy::kAttribute;
  TextTable table({{"TENANT", false, true},
                   {by == UsageBy::kTenant ? ""
                    : attributes           ? "ATTRIBUTE OR COLUMN"
                                           : "NAME",
                    false, true},
                   {attributes ? "VALUES" : "SPANS", true},
                   {"BYTES", true},
                   {"SHARE", true}});
  for (size_t i = 0; i < shown; ++i) {
    const UsageRow& row = rows[i];
    table.AddRow({row.tenant, by == UsageBy::kTenant ? "" : NameOf(row, by), FormatCount(row.count),
                  FormatCount(row.bytes), Percent(row.bytes, bytes)});
  }
  if (!table.empty()) table.Print(out);
  std::string total = FormatCount(bytes) + " bytes";
  if (shown < rows.size()) total += "; " + FormatCount(rows.size() - shown) + " rows more";
  out.Print(total + "\n");
}

void PrintJson(const std::vector<UsageRow>& rows, UsageBy by, size_t shown, const Stream& out) {
  for (size_t i = 0; i < shown; ++i) {
    std::string text;
    api::JsonWriter json(&text);
    api::WriteUsageRow(rows[i], by, &json);
    out.Print(text + "\n");
  }
}

}  // namespace

int RunUsage(const UsageOptions& options, const Console& console) {
  const auto by = ByOf(options.by);
  if (!by) {
    console.Complain("--by: tenant, service, operation or attribute");
    return kExitWrong;
  }
  const auto range = RangeOf(options);
  if (!range.ok()) {
    console.Complain(range.error().message());
    return kExitWrong;
  }
  const auto place = OpenedPlace::Open(options.place);
  const auto catalog = place.ok() ? store::ReadCatalog(place->objects()) : place.error();
  if (!catalog.ok()) {
    console.Complain(catalog.error().message());
    return 1;
  }
  block::UsageTable table(*by);
  int exit_code = catalog->damaged.empty() ? 0 : 1;
  for (const auto& damaged : catalog->damaged) {
    console.Complain("damaged: " + store::FolderOf(damaged.name) + ": " + damaged.error.message());
  }
  for (const store::CatalogBlock& block : catalog->blocks) {
    if (!options.tenant.empty() && block.name.tenant != options.tenant) continue;
    if (!range->Contains(block.meta.last_start_ns)) continue;
    const Error error = AddBlock(place->objects(), block, &table);
    if (error.ok()) continue;
    console.Complain("block " + store::FolderOf(block.name) + ": " + error.message());
    exit_code = 1;
  }
  const std::vector<UsageRow> rows = table.Rows();
  const size_t shown =
      options.limit == 0 ? rows.size() : std::min<size_t>(options.limit, rows.size());
  if (options.json || !console.out.is_terminal) {
    PrintJson(rows, *by, shown, console.out);
  } else {
    PrintTable(rows, *by, shown, console.out);
  }
  return exit_code;
}

}  // namespace weft::app::commands
