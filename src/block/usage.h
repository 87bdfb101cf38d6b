// Usage: whose the bytes of blocks are, exact to the byte.
//
// The rows of a table add up to the sizes of all files of the blocks that were added to it,
// meta.json included. Read are footers and, for services and operations, the columns that say which
// span is whose. The rules, which docs/cli.md repeats for users:
//
// - Services and operations: the bytes of a row group go to them in proportion to their spans in
//   it; those of events and links in proportion to the events and links of their spans. What
//   belongs to a whole block (resources, scopes, page indexes, footers, meta.json) goes in
//   proportion to their spans in the block. Deleted spans have no share.
// - Attributes: a column has the bytes of its pages and dictionaries and an equal share of the rest
//   of its file (page index and footer). Attributes without a column share the bytes of
//   attributes.parquet in proportion to their number. What is no attribute stands under the name
//   of its file and column, meta.json under its own.
//
// A share is rounded so that the shares of a number add up to it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "block/reader.h"
#include "block/row_set.h"

namespace weft::block {

enum class UsageBy : uint8_t { kTenant, kService, kOperation, kAttribute };

struct UsageRow {
  model::TenantId tenant;
  std::string service;  // kService, kOperation; empty for spans without service.name
  std::string name;     // kOperation
  std::string scope;    // kAttribute: "span", "resource", ...; empty for what is no attribute
  std::string key;      // kAttribute; or a file, or file/column
  uint64_t count = 0;   // spans; of attributes values
  uint64_t bytes = 0;
  bool others = false;  // what came when the table was full
};

// One thread at a time.
class UsageTable {
 public:
  // Beyond `rows_max` rows what has no row yet is put together in one, so that memory is bounded
  // and the sum stays right.
  explicit UsageTable(UsageBy by, size_t rows_max = 100'000) : by_(by), rows_max_(rows_max) {}

  // `total_bytes` are those of all files of the block. kCorrupt when it is not what was written.
  Error Add(const Block& block, uint64_t total_bytes, const RowSetPtr& deleted);

  // Largest first.
  std::vector<UsageRow> Rows() const;

 private:
  using Key = std::tuple<model::TenantId, std::string, std::string>;
  struct Sum {
    uint64_t count = 0;
    uint64_t bytes = 0;
  };
  class ByOperation;
  class ByAttribute;

  void AddTo(Key key, uint64_t count, uint64_t bytes);

  const UsageBy by_;
  const size_t rows_max_;
  std::map<Key, Sum> sums_;
  std::map<model::TenantId, Sum> others_;
};

}  // namespace weft::block
