// Who sends or asks: the one place where a tenant's name is checked, for receivers and for the API
// alike.
#pragma once

#include <string_view>

#include "base/error.h"
#include "model/span_sink.h"

namespace weft::model {

// The header of HTTP requests (any case) and the metadata key of gRPC calls that name the tenant.
inline constexpr std::string_view kTenantHeader = "X-Scope-OrgID";
// Who it is when no one is named.
inline constexpr std::string_view kDefaultTenant = "default";
inline constexpr size_t kTenantBytesMax = 150;

// The tenant that a header's value names; spaces around it do not count, and an empty value is the
// default tenant. Refused with kInvalidArgument: more than 150 bytes, anything but
// [A-Za-z0-9!-_.*'()], and the names "." and ".." (a tenant is a folder on disk).
Result<TenantId> ParseTenant(std::string_view header_value);

}  // namespace weft::model
