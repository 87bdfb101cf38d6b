// Names and values of attributes ("tags") as Tempo's messages, however they were asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/tempo/tag_catalog.h"
#include "base/env.h"
#include "base/error.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "tempo.pb.h"

namespace weft::api::tempo {

// What is looked at when no time is given: what is recent.
inline constexpr int64_t kRecentTagsNs = int64_t{3600} * 1'000'000'000;

// Which of the scopes a request means.
struct AskedScope {
  std::optional<block::Scope> attributes;
  bool all = false;  // of attributes
  bool intrinsics = false;
};

// "", "none", "span", "intrinsic", ...; kInvalidArgument for others, in Tempo's words.
Result<AskedScope> ReadScope(std::string_view text);

// The property or attribute that a name of version 2 (a TraceQL identifier) means; kInvalidArgument
// in Tempo's words.
Result<query::plan::Field> ReadTagName(const std::string& name);
// One that is still percent-encoded, as Grafana's are, is decoded.
std::string DecodeTagName(std::string_view name);

// Any thread. Everything handed in must outlive it; fails as TagCatalog does.
class TagMessages {
 public:
  TagMessages(const block::RowSource& source, const Env& env, const TagRequest& request,
              const query::exec::Budget& budget)
      : request_(request), catalog_(source, env, request_, budget) {}

  // Sorted. Intrinsics only when nothing but they are asked for.
  Result<tempopb::SearchTagsResponse> NamesV1(AskedScope scope) const;
  Result<tempopb::SearchTagsV2Response> NamesV2(const AskedScope& scope) const;
  // Of a name without scope, or a TraceQL identifier.
  Result<tempopb::SearchTagValuesResponse> ValuesV1(const std::string& name) const;
  Result<tempopb::SearchTagValuesV2Response> ValuesV2(const query::plan::Field& field) const;

 private:
  const TagRequest request_;
  const TagCatalog catalog_;
};

}  // namespace weft::api::tempo
