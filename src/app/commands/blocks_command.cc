#include "app/commands/blocks_command.h"

#include <array>
#include <cstdio>
#include <map>

#include "api/json_writer.h"
#include "api/time_text.h"
#include "app/commands/progress_bar.h"
#include "app/commands/text_table.h"
#include "block/key_flood.h"
#include "store/catalog.h"

namespace weft::app::commands {
namespace {

double BytesPerSpan(const store::CatalogBlock& block) {
  if (block.meta.span_count == 0) return 0;
  return static_cast<double>(block.total_bytes) / static_cast<double>(block.meta.span_count);
}

std::string OneDecimal(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

void WriteManyKeys(const std::vector<block::ManyKeys>& list, api::JsonWriter* json) {
  json->Key("manyKeys");
  json->BeginArray();
  for (const block::ManyKeys& many : list) {
    json->BeginObject();
    json->Field("service", many.service);
    json->UintField("keys", many.keys);
    json->Field("example", many.example);
    json->EndObject();
  }
  json->EndArray();
}

// Services that send ids as attribute keys: the most that one block has of each.
void PrintManyKeys(const store::Catalog& catalog, const Stream& out) {
  std::map<model::TenantId, std::vector<block::ManyKeys>> tenants;
  for (const store::CatalogBlock& block : catalog.blocks) {
    const auto meta = block.ReadMeta();
    if (meta.ok()) block::MergeManyKeys(meta->many_keys, &tenants[block.name.tenant]);
  }
  for (const auto& [tenant, list] : tenants) {
    for (const block::ManyKeys& many : list) {
      out.Print(Printable("service " + (many.service.empty() ? "without a name" : many.service) +
                          " of tenant " + tenant + " sends too many attribute keys: " +
                          FormatCount(many.keys) + " without a column in one block, such as " +
                          many.example + "; put what differs into the value") +
                "\n");
    }
  }
}

void PrintJson(const store::Catalog& catalog, const Stream& out) {
  for (const store::CatalogBlock& block : catalog.blocks) {
    const auto meta = block.ReadMeta();
    if (!meta.ok()) continue;  // it was packed by this process a moment ago
    std::string text;
    api::JsonWriter json(&text);
    json.BeginObject();
    json.Field("tenant", block.name.tenant);
    json.Field("id", block.name.id);
    json.UintField("level", block.meta.level);
    json.UintField("spans", block.meta.span_count);
    json.UintField("traces", block.meta.trace_count);
    json.UintField("events", meta->event_count);
    json.UintField("links", meta->link_count);
    json.UintField("bytes", block.total_bytes);
    json.Key("bytesPerSpan"), json.Double(BytesPerSpan(block));
    json.Int64Field("createdNs", block.meta.created_ns);
    json.Int64Field("firstStartNs", block.meta.first_start_ns);
    json.Int64Field("lastStartNs", block.meta.last_start_ns);
    json.Int64Field("lastEndNs", block.meta.last_end_ns);
    json.UintField("duplicates", meta->duplicate_count);
    json.UintField("deletedSpans", block.deleted_spans());
    if (!meta->many_keys.empty()) WriteManyKeys(meta->many_keys, &json);
    json.EndObject();
    out.Print(text + "\n");
  }
}

void PrintTable(const store::Catalog& catalog, const Stream& out) {
  TextTable table({{"TENANT", false, true},
                   {"BLOCK"},
                   {"LEVEL", true},
                   {"SPANS", true},
                   {"TRACES", true},
                   {"SIZE", true},
                   {"B/SPAN", true},
                   {"FIRST SPAN"},
                   {"LAST SPAN"}});
  uint64_t spans = 0;
  uint64_t traces = 0;
  uint64_t bytes = 0;
  uint64_t deleted = 0;
  for (const store::CatalogBlock& block : catalog.blocks) {
    deleted += block.deleted_spans();
    const store::BlockFacts& meta = block.meta;
    table.AddRow({block.name.tenant, block.name.id, std::to_string(meta.level),
                  FormatCount(meta.span_count), FormatCount(meta.trace_count),
                  FormatBytes(block.total_bytes), OneDecimal(BytesPerSpan(block)),
                  api::FormatTime(meta.first_start_ns, 0), api::FormatTime(meta.last_start_ns, 0)});
    spans += meta.span_count;
    traces += meta.trace_count;
    bytes += block.total_bytes;
  }
  if (!table.empty()) table.Print(out);
  std::string total = FormatCount(catalog.blocks.size()) +
                      (catalog.blocks.size() == 1 ? " block, " : " blocks, ") + FormatCount(spans) +
                      " spans in " + FormatCount(traces) + " traces, " + FormatBytes(bytes);
  if (spans > 0)
    total += ", " + OneDecimal(static_cast<double>(bytes) / static_cast<double>(spans)) +
             " bytes a span";
  out.Print(total + "\n");
  if (deleted > 0) {
    out.Print(FormatCount(deleted) +
              " of the spans are deleted, or have moved to a block of what their traces keep; "
              "compaction takes them out\n");
  }
  PrintManyKeys(catalog, out);
}

}  // namespace

int RunBlocks(const BlocksOptions& options, const Console& console) {
  const auto place = OpenedPlace::Open(options.place);
  if (!place.ok()) {
    console.Complain(place.error().message());
    return 1;
  }
  if (!place->hint().empty()) console.Complain(place->hint());
  const auto catalog = store::ReadCatalog(place->objects(), {.parallel_reads = 8});
  if (!catalog.ok()) {
    console.Complain(catalog.error().message());
    return 1;
  }
  options.json ? PrintJson(*catalog, console.out) : PrintTable(*catalog, console.out);
  for (const auto& damaged : catalog->damaged) {
    console.Complain("damaged: " + store::FolderOf(damaged.name) + ": " + damaged.error.message());
  }
  for (const auto& name : catalog->unfinished) {
    console.Complain("not a whole block (being written, or left by a crash): " +
                     store::FolderOf(name));
  }
  for (const std::string& folder : catalog->strangers) {
    console.Complain("not a block of weft: " + Printable(folder));
  }
  for (const auto& damaged : catalog->damaged_deletions) {
    console.Complain("damaged: " + damaged.object + ": " + damaged.error.message());
  }
  return catalog->damaged.empty() && catalog->damaged_deletions.empty() ? 0 : 1;
}

}  // namespace weft::app::commands
