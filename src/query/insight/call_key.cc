#include "query/insight/call_key.h"

#include <functional>
#include <initializer_list>

#include "model/ids.h"

namespace weft::query::insight {
namespace {

uint64_t HashOf(std::string_view text) {
  return text.empty() ? 0 : uint64_t{std::hash<std::string_view>()(text)} | 1;
}

// The root says nothing about what was called.
uint64_t HashOfPath(std::string_view url) {
  const std::string_view path = PathOf(url);
  return path.empty() || path == "/" ? 0 : HashOf(path);
}

}  // namespace

std::string_view PathOf(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    const size_t path = url.find('/', scheme + 3);
    if (path == std::string_view::npos) return {};
    url.remove_prefix(path);
  }
  return url.substr(0, url.find_first_of("?#"));
}

uint64_t CallKeys::Part::Of(uint32_t row) {
  const uint32_t code = column->codes[row];
  if (code == block::kNoValue) return 0;
  if (hashes.empty()) hashes.resize(column->dictionary->size(), 0);
  uint64_t& known = hashes[code];
  if (known == 0) known = hash(column->dictionary->strings[code]);
  return known;
}

uint64_t CallKeys::FirstOf(Parts* parts, uint32_t row) {
  for (Part& part : *parts) {
    if (const uint64_t hash = part.Of(row); hash != 0) return hash;
  }
  return 0;
}

Result<CallKeys> CallKeys::Open(exec::GroupColumns* columns) {
  CallKeys out;
  const auto add = [&](Parts* parts, uint64_t (*hash)(std::string_view),
                       std::initializer_list<const char*> keys) -> Error {
    for (const char* key : keys) {
      WEFT_ASSIGN_OR_RETURN(const auto* found, columns->ReadAttribute(block::Scope::kSpan, key));
      for (const block::ColumnPtr& column : *found) {
        if (column->type == model::ValueType::kString && column->dictionary)
          parts->push_back({column.get(), hash, {}});
      }
    }
    return Error::Ok();
  };
  WEFT_RETURN_IF_ERROR(add(&out.method_, HashOf, {"http.request.method", "http.method"}));
  WEFT_RETURN_IF_ERROR(
      add(&out.path_, HashOfPath, {"url.path", "url.full", "http.target", "http.url"}));
  WEFT_RETURN_IF_ERROR(add(&out.rpc_service_, HashOf, {"rpc.service"}));
  WEFT_RETURN_IF_ERROR(add(&out.rpc_method_, HashOf, {"rpc.method"}));
  return out;
}

uint64_t CallKeys::Of(uint32_t row) {
  if (const uint64_t path = FirstOf(&path_, row); path != 0) {
    return model::MixBits(path ^ model::MixBits(FirstOf(&method_, row))) | 1;
  }
  const uint64_t method = FirstOf(&rpc_method_, row);
  if (method == 0) return 0;
  return model::MixBits(method ^ model::MixBits(FirstOf(&rpc_service_, row) + 1)) | 1;
}

}  // namespace weft::query::insight
