#include "block/usage.h"

#include <algorithm>
#include <utility>

#include "block/column_merger.h"
#include "block/schema.h"

namespace weft::block {
namespace {

// The tables of a block, each once.
std::vector<const TableReader*> TablesOf(const Block& block) {
  std::vector<const TableReader*> tables;
  for (const Scope scope :
       {Scope::kSpan, Scope::kEvent, Scope::kLink, Scope::kResource, Scope::kInstrumentation}) {
    tables.push_back(&block.table(scope));
  }
  tables.push_back(&block.traces());
  tables.push_back(&block.overflow_table());
  return tables;
}

uint64_t BytesOf(const ChunkPlace& chunk) {
  uint64_t bytes = chunk.dictionary_bytes + chunk.filter_bytes;
  for (const PagePlace& page : chunk.pages) bytes += page.size_bytes;
  return bytes;
}

uint64_t BytesOf(const FileRowGroup& group) {
  uint64_t bytes = 0;
  for (const ChunkPlace& chunk : group.chunks) bytes += BytesOf(chunk);
  return bytes;
}

uint64_t PageBytesOf(const TableReader& table) {
  uint64_t bytes = 0;
  for (const FileRowGroup& group : table.row_groups()) bytes += BytesOf(group);
  return bytes;
}

// Everything of a file that is not in a column's pages.
uint64_t RestOf(const TableReader& table) { return table.size_bytes() - PageBytesOf(table); }

// Calls give(i, share) for each weight; the shares add up to `bytes`. Not for weights of 0
// together.
template <typename Give>
void Share(uint64_t bytes, const std::vector<uint64_t>& weights, Give give) {
  unsigned __int128 sum = 0;
  for (const uint64_t weight : weights) sum += weight;
  unsigned __int128 before = 0;
  uint64_t given = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    before += weights[i];
    const auto upto = static_cast<uint64_t>(bytes * before / sum);
    give(i, upto - given);
    given = upto;
  }
}

}  // namespace

// The spans of one block by service and, unless the table is by service, name.
class UsageTable::ByOperation {
 public:
  ByOperation(UsageTable* table, const Block& block, const RowSetPtr& deleted)
      : table_(table), block_(block), deleted_(deleted) {}

  Error Run(uint64_t total_bytes) {
    WEFT_ASSIGN_OR_RETURN(services_, block_.ServiceNames(nullptr));
    uint64_t left = total_bytes;
    for (uint32_t g = 0; g < block_.row_group_count(); ++g)
      WEFT_RETURN_IF_ERROR(AddGroup(g, &left));
    // Whatever is left is of the block as a whole; with no span left, nobody's.
    if (!Give(left, spans_)) table_->AddTo({block_.meta().tenant, "", ""}, 0, left);
    for (size_t i = 0; i < spans_.size(); ++i) {
      table_->AddTo({block_.meta().tenant, keys_[i].first, keys_[i].second}, spans_[i], bytes_[i]);
    }
    return Error::Ok();
  }

 private:
  using Name = std::pair<std::string, std::string>;

  Error AddGroup(uint32_t g, uint64_t* left) {
    WEFT_RETURN_IF_ERROR(ReadOwners(g));
    std::vector<uint64_t> spans(keys_.size(), 0);
    for (const uint32_t owner : owner_) {
      if (owner != kDeleted) ++spans[owner];
    }
    spans_.resize(keys_.size(), 0);
    for (size_t i = 0; i < spans.size(); ++i) spans_[i] += spans[i];
    for (const TableReader* table : TablesOf(block_)) {
      const auto group = table->RowGroupOf(static_cast<int32_t>(g));
      if (!group) continue;
      const uint64_t bytes = BytesOf(table->row_groups()[*group]);
      std::vector<uint64_t> weights = spans;
      if (table == &block_.table(Scope::kEvent)) {
        WEFT_ASSIGN_OR_RETURN(weights, CountOwned(*table, *group, kEventSpanRow, g));
      } else if (table == &block_.table(Scope::kLink)) {
        WEFT_ASSIGN_OR_RETURN(weights, CountOwned(*table, *group, kLinkSpanRow, g));
      }
      if (Give(bytes, weights)) *left -= bytes;
    }
    return Error::Ok();
  }

  // Which key each span of the row group has.
  Error ReadOwners(uint32_t g) {
    const TableReader& spans = block_.table(Scope::kSpan);
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr resources, spans.Read(g, kSpanResourceId, nullptr));
    const bool named = table_->by_ == UsageBy::kOperation;
    ColumnPtr names;
    if (named) {
      WEFT_ASSIGN_OR_RETURN(names, spans.Read(g, kSpanName, nullptr));
    }
    const FileRowGroup& rows = spans.row_groups()[g];
    const std::vector<uint64_t> deleted =
        deleted_ ? deleted_->Bits(rows.first_row, rows.row_count) : std::vector<uint64_t>();
    std::map<std::pair<uint64_t, uint32_t>, uint32_t> known;  // resource and code of the name
    owner_.assign(rows.row_count, kDeleted);
    for (uint32_t row = 0; row < rows.row_count; ++row) {
      if (!deleted.empty() && (deleted[row / 64] >> (row % 64) & 1) != 0) continue;
      const uint64_t resource = NumberAt(*resources, row);
      if (resource >= services_->size()) {
        return {ErrorCode::kCorrupt, "spans.parquet names an unknown resource"};
      }
      const uint32_t code = named ? names->codes[row] : 0;
      const auto [at, added] = known.try_emplace({resource, code}, 0);
      if (added) {
        at->second = IndexOf(
            {(*services_)[resource], named ? std::string(names->dictionary->strings[code]) : ""});
      }
      owner_[row] = at->second;
    }
    return Error::Ok();
  }

  uint32_t IndexOf(Name name) {
    const auto [at, added] = index_.try_emplace(name, static_cast<uint32_t>(keys_.size()));
    if (added) {
      keys_.push_back(std::move(name));
      bytes_.push_back(0);
    }
    return at->second;
  }

  Result<std::vector<uint64_t>> CountOwned(const TableReader& table, uint32_t group,
                                           uint32_t column, uint32_t g) const {
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr owners, table.Read(group, column, nullptr));
    const uint64_t first = block_.table(Scope::kSpan).row_groups()[g].first_row;
    std::vector<uint64_t> counts(keys_.size(), 0);
    for (uint32_t i = 0; i < owners->row_count; ++i) {
      const uint64_t row = NumberAt(*owners, i) - first;
      if (row >= owner_.size()) {
        return Error(ErrorCode::kCorrupt, table.name() + " names a span of another row group");
      }
      if (owner_[row] != kDeleted) ++counts[owner_[row]];
    }
    return counts;
  }

  // False, and nothing is given, when nobody has a weight.
  bool Give(uint64_t bytes, const std::vector<uint64_t>& weights) {
    const bool any =
        std::any_of(weights.begin(), weights.end(), [](uint64_t weight) { return weight > 0; });
    if (any) Share(bytes, weights, [&](size_t i, uint64_t share) { bytes_[i] += share; });
    return any;
  }

  static constexpr uint32_t kDeleted = 0xffffffff;

  UsageTable* table_;
  const Block& block_;
  const RowSetPtr deleted_;
  std::shared_ptr<const std::vector<std::string>> services_;
  std::map<Name, uint32_t> index_;
  std::vector<Name> keys_;
  std::vector<uint64_t> bytes_;  // by key
  std::vector<uint64_t> spans_;  // by key, of the row groups so far
  std::vector<uint32_t> owner_;  // key of each span of the row group
};

// The columns of one block.
class UsageTable::ByAttribute {
 public:
  ByAttribute(UsageTable* table, const Block& block) : table_(table), block_(block) {}

  Error Run(uint64_t total_bytes) {
    uint64_t left = total_bytes;
    for (const TableReader* table : TablesOf(block_)) left -= table->size_bytes();
    for (const FileMeta& file : block_.meta().files) {
      const bool is_table = file.name != kCountsFile && file.name != kBundleFile;
      if (is_table || file.size_bytes > left) continue;
      AddFile(file.name, file.size_bytes);
      left -= file.size_bytes;
    }
    AddFile(std::string(kMetaFile), left);
    for (const Scope scope :
         {Scope::kSpan, Scope::kEvent, Scope::kLink, Scope::kResource, Scope::kInstrumentation}) {
      AddColumns(block_.table(scope), ScopeText(scope));
    }
    AddColumns(block_.traces(), "");
    return AddOverflow();
  }

 private:
  void AddFile(std::string name, uint64_t bytes) {
    table_->AddTo({block_.meta().tenant, "", std::move(name)}, 0, bytes);
  }

  void AddColumns(const TableReader& table, std::string_view scope) {
    const std::vector<uint64_t> equal(table.columns().size(), 1);
    std::vector<uint64_t> bytes(table.columns().size(), 0);
    Share(RestOf(table), equal, [&](size_t c, uint64_t share) { bytes[c] = share; });
    for (uint32_t c = 0; c < table.columns().size(); ++c) {
      uint64_t values = 0;
      for (const FileRowGroup& group : table.row_groups()) {
        bytes[c] += BytesOf(group.chunks[c]);
        values += group.row_count - group.chunks[c].nulls;
      }
      const auto attribute = ParseAttributeColumn(table.columns()[c]);
      if (attribute && !scope.empty()) {
        table_->AddTo({block_.meta().tenant, std::string(scope), attribute->key}, values, bytes[c]);
      } else {
        AddFile(table.name() + "/" + table.columns()[c].name, bytes[c]);
      }
    }
  }

  Error AddOverflow() {
    const TableReader& table = block_.overflow_table();
    std::map<std::pair<std::string, std::string>, uint64_t> counts;
    for (uint32_t g = 0; g < table.row_groups().size(); ++g) {
      WEFT_ASSIGN_OR_RETURN(const ColumnPtr scopes, table.Read(g, kAttributeScope, nullptr));
      WEFT_ASSIGN_OR_RETURN(const ColumnPtr keys, table.Read(g, kAttributeKey, nullptr));
      std::map<std::pair<uint32_t, uint32_t>, uint64_t> codes;
      for (uint32_t i = 0; i < scopes->row_count; ++i) {
        ++codes[{scopes->codes[i], keys->codes[i]}];
      }
      for (const auto& [code, count] : codes) {
        counts[{std::string(scopes->dictionary->strings[code.first]),
                std::string(keys->dictionary->strings[code.second])}] += count;
      }
    }
    if (counts.empty()) {
      AddFile(table.name(), table.size_bytes());
      return Error::Ok();
    }
    std::vector<uint64_t> weights;
    for (const auto& [name, count] : counts) weights.push_back(count);
    auto at = counts.begin();
    Share(table.size_bytes(), weights, [&](size_t, uint64_t share) {
      table_->AddTo({block_.meta().tenant, at->first.first, at->first.second}, at->second, share);
      ++at;
    });
    return Error::Ok();
  }

  UsageTable* table_;
  const Block& block_;
};

void UsageTable::AddTo(Key key, uint64_t count, uint64_t bytes) {
  auto at = sums_.find(key);
  Sum* sum = nullptr;
  if (at != sums_.end()) {
    sum = &at->second;
  } else if (sums_.size() < rows_max_) {
    sum = &sums_[std::move(key)];
  } else {
    sum = &others_[std::get<0>(key)];
  }
  sum->count += count;
  sum->bytes += bytes;
}

Error UsageTable::Add(const Block& block, uint64_t total_bytes, const RowSetPtr& deleted) {
  uint64_t files = 0;
  for (const TableReader* table : TablesOf(block)) {
    files += table->size_bytes();
    if (PageBytesOf(*table) > table->size_bytes()) {
      return {ErrorCode::kCorrupt, table->name() + " claims more pages than it has room for"};
    }
  }
  if (files > total_bytes) {
    return {ErrorCode::kCorrupt, "the files of the block are larger than meta.json says"};
  }
  switch (by_) {
    case UsageBy::kTenant:
      AddTo({block.meta().tenant, "", ""},
            block.meta().span_count - (deleted ? deleted->row_count() : 0), total_bytes);
      return Error::Ok();
    case UsageBy::kService:
    case UsageBy::kOperation: return ByOperation(this, block, deleted).Run(total_bytes);
    case UsageBy::kAttribute: return ByAttribute(this, block).Run(total_bytes);
  }
  return Error::Ok();
}

std::vector<UsageRow> UsageTable::Rows() const {
  std::vector<UsageRow> rows;
  for (const auto& [key, sum] : sums_) {
    UsageRow& row = rows.emplace_back();
    row.tenant = std::get<0>(key);
    const bool attributes = by_ == UsageBy::kAttribute;
    (attributes ? row.scope : row.service) = std::get<1>(key);
    (attributes ? row.key : row.name) = std::get<2>(key);
    row.count = sum.count;
    row.bytes = sum.bytes;
  }
  std::sort(rows.begin(), rows.end(), [](const UsageRow& a, const UsageRow& b) {
    return std::tie(b.bytes, a.tenant, a.service, a.name, a.scope, a.key) <
           std::tie(a.bytes, b.tenant, b.service, b.name, b.scope, b.key);
  });
  for (const auto& [tenant, sum] : others_) {
    UsageRow& row = rows.emplace_back();
    row.tenant = tenant;
    row.count = sum.count;
    row.bytes = sum.bytes;
    row.others = true;
  }
  return rows;
}

}  // namespace weft::block
