// KeyRoles: what keys mean that a translation treats in their own way, looked up once for each
// distinct key of a request.
//
// One thread, one batch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/string_table.h"

namespace weft::receive {

// `Role` is an enum of bytes below 255 whose 0 means nothing special.
template <typename Role>
class KeyRoles {
 public:
  using Table = std::unordered_map<std::string_view, Role>;

  // Both outlive this.
  KeyRoles(const Table* table, const model::StringTable* strings)
      : table_(*table), strings_(*strings) {}

  Role Of(model::Code key) {
    if (key >= roles_.size()) roles_.resize(std::max<size_t>(key + 1, 2 * roles_.size()), kUnknown);
    uint8_t& role = roles_[key];
    if (role == kUnknown) {
      const auto known = table_.find(strings_[key]);
      role = known == table_.end() ? 0 : static_cast<uint8_t>(known->second);
    }
    return static_cast<Role>(role);
  }

 private:
  static constexpr uint8_t kUnknown = 255;

  const Table& table_;
  const model::StringTable& strings_;
  std::vector<uint8_t> roles_;  // by code
};

}  // namespace weft::receive
