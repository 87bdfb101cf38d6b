#include "block/side_table.h"

#include <algorithm>
#include <utility>

#include "block/attribute_plan.h"
#include "block/json_text.h"

namespace weft::block {

using model::SpanBatch;

SideTable::SideTable(Scope scope, std::span<const SpanBatch* const> batches)
    : scope_(scope), batches_(batches.begin(), batches.end()), rows_of_(batches.size()) {
  row_of_content_.push_back(0);  // the empty string, which no content is
}

void SideTable::AppendField(std::string_view text) {
  const uint64_t size = text.size();
  content_.append(reinterpret_cast<const char*>(&size), sizeof size);
  content_.append(text);
}

// Everything that the row says, unambiguously.
void SideTable::AppendContent(const SpanBatch& batch, uint32_t index) {
  content_.clear();
  if (scope_ == Scope::kResource) {
    AppendField(batch.strings[batch.resources.schema_url[index]]);
    AppendField(std::to_string(batch.resources.dropped_attributes[index]));
  } else {
    AppendField(batch.strings[batch.scopes.name[index]]);
    AppendField(batch.strings[batch.scopes.version[index]]);
    AppendField(batch.strings[batch.scopes.schema_url[index]]);
    AppendField(std::to_string(batch.scopes.dropped_attributes[index]));
  }
  const ScopeAttributes own = AttributesOf(batch, scope_);
  const model::AttributeArray& attributes = *own.attributes;
  const model::IndexRange range = own.RangeOf(index);
  std::vector<std::pair<std::string_view, std::string>> fields;
  for (uint32_t i = range.begin; i < range.end; ++i) {
    fields.emplace_back(batch.strings[attributes.key(i)], std::string());
    AppendJsonText(batch, attributes[i], &fields.back().second);
  }
  std::sort(fields.begin(), fields.end());
  for (const auto& [key, value] : fields) {
    AppendField(key);
    AppendField(value);
  }
}

uint32_t SideTable::Add(uint32_t batch, uint32_t index) {
  const SpanBatch& source = *batches_[batch];
  AppendContent(source, index);
  const model::Code code = contents_.Intern(content_);
  if (code == row_of_content_.size()) {
    row_of_content_.push_back(static_cast<uint32_t>(rows_.size()));
    rows_.push_back({batch, index});
  }
  const uint32_t row = row_of_content_[code];
  std::vector<uint32_t>& known = rows_of_[batch];
  const size_t size = scope_ == Scope::kResource ? source.resources.size() : source.scopes.size();
  if (known.empty()) known.resize(size, 0);
  known[index] = row + 1;
  return row;
}

}  // namespace weft::block
