#include "model/tenant.h"

#include <string>

namespace weft::model {
namespace {

bool IsTenantByte(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!-_.*'()").find(c) != std::string_view::npos;
}

std::string_view TrimBlanks(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

Error Refuse(std::string_view why) {
  return Error(ErrorCode::kInvalidArgument, "header X-Scope-OrgID: " + std::string(why));
}

}  // namespace

Result<TenantId> ParseTenant(std::string_view header_value) {
  const std::string_view name = TrimBlanks(header_value);
  if (name.empty()) return TenantId(kDefaultTenant);
  if (name.size() > kTenantBytesMax) return Refuse("a tenant's name has at most 150 characters");
  for (const char c : name) {
    if (!IsTenantByte(c))
      return Refuse("a tenant's name may hold only A-Z a-z 0-9 ! - _ . * ' ( )");
  }
  if (name == "." || name == "..") return Refuse("\".\" and \"..\" are not names");
  return TenantId(name);
}

}  // namespace weft::model
