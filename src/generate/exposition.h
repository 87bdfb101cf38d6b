// Series as text for whoever scrapes them.
#pragma once

#include <string>

#include "generate/series_store.h"
#include "model/span_sink.h"

namespace weft::generate {

enum class TextForm : uint8_t {
  kPrometheus,   // text format 0.0.4
  kOpenMetrics,  // 1.0.0, with an exemplar for each bucket that has one
};

// All series of the tenant, sorted. Any thread.
std::string RenderSeries(const SeriesStore& store, const model::TenantId& tenant, TextForm form);

// The form that a scraper's Accept field asks for.
TextForm FormOf(std::string_view accept);
std::string_view ContentTypeOf(TextForm form);

}  // namespace weft::generate
