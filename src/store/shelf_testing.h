// Blocks for tests of the store: small, and of bytes that only the store's own rules matter to.
#pragma once

#include <string>

#include "block/block.h"
#include "store/catalog.h"

namespace weft::store {

inline std::string BlockIdOf(uint64_t n) {
  std::string id = std::to_string(n);
  return std::string(24 - id.size(), '0') + id;
}

// A block with two files, and one auxiliary file when `auxiliary` is not empty.
inline block::EncodedBlock MakeOpaqueBlock(const BlockName& name, uint64_t first_start_ns,
                                           uint64_t last_start_ns, std::string auxiliary = "") {
  block::EncodedBlock block;
  block.meta.tenant = name.tenant;
  block.meta.id = name.id;
  block.meta.span_count = 10;
  block.meta.trace_count = 2;
  block.meta.first_start_ns = first_start_ns;
  block.meta.last_start_ns = last_start_ns;
  block.meta.last_end_ns = last_start_ns + 5;
  block.AddFile("spans.parquet", "the spans of " + name.id);
  block.AddFile("traces.parquet", "the traces of " + name.id);
  if (!auxiliary.empty()) block.auxiliary.push_back({"wal_rows.bin", std::move(auxiliary)});
  return block;
}

}  // namespace weft::store
