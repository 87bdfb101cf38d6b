#include "receive/otlp/count_records.h"

#include "receive/json_reader.h"
#include "receive/wire_reader.h"

namespace weft::receive::otlp {
namespace {

Error NotTheMessage() {
  return Error(ErrorCode::kInvalidArgument,
               "the body is not an OTLP request in protobuf: a field is cut short or has an "
               "impossible length");
}

// Calls each(bytes) for every field `field` of a message; false when it is malformed or `each` says
// so.
template <typename Each>
bool ForEachField(std::string_view message, uint32_t field, Each each) {
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.tag() != BytesTag(field)) {
      reader.Skip();
    } else if (const std::string_view bytes = reader.Bytes(); reader.ok() && !each(bytes)) {
      return false;
    }
  }
  return reader.ok();
}

// resource_logs 1 { scope_logs 2 { log_records 2 } }
bool CountLogs(std::string_view body, uint64_t* count) {
  return ForEachField(body, 1, [count](std::string_view resource_logs) {
    return ForEachField(resource_logs, 2, [count](std::string_view scope_logs) {
      return ForEachField(scope_logs, 2, [count](std::string_view) { return ++*count != 0; });
    });
  });
}

// Metric: gauge 5, sum 7, histogram 9, exponential_histogram 10, summary 11, each { data_points 1 }
bool CountPoints(std::string_view metric, uint64_t* count) {
  for (const uint32_t kind : {5u, 7u, 9u, 10u, 11u}) {
    const bool ok = ForEachField(metric, kind, [count](std::string_view data) {
      return ForEachField(data, 1, [count](std::string_view) { return ++*count != 0; });
    });
    if (!ok) return false;
  }
  return true;
}

// resource_metrics 1 { scope_metrics 2 { metrics 2 } }
bool CountMetrics(std::string_view body, uint64_t* count) {
  return ForEachField(body, 1, [count](std::string_view resource_metrics) {
    return ForEachField(resource_metrics, 2, [count](std::string_view scope_metrics) {
      return ForEachField(scope_metrics, 2,
                          [count](std::string_view metric) { return CountPoints(metric, count); });
    });
  });
}

// The way from the root to what is counted: one step is the member's two names.
struct JsonStep {
  std::string_view camel;
  std::string_view snake;
};

class JsonCounter {
 public:
  Result<uint64_t> Count(Signal signal, std::string body) {
    if (body.empty()) return uint64_t{0};
    const bool logs = signal == Signal::kLogs;
    const JsonStep root = logs ? JsonStep{"resourceLogs", "resource_logs"}
                               : JsonStep{"resourceMetrics", "resource_metrics"};
    const Error error = json_.Document(&body, [&](std::string_view name, JsonValue value) {
      return Step(root, name, value, [&](JsonValue v) { return Resource(v, logs); });
    });
    if (!error.ok()) return error;
    return count_;
  }

 private:
  template <typename Each>
  bool Step(const JsonStep& step, std::string_view name, JsonValue value, Each each) {
    if (name != step.camel && name != step.snake) return true;
    return json_.Array(value, "the request", each);
  }
  bool Resource(JsonValue value, bool logs) {
    const JsonStep step =
        logs ? JsonStep{"scopeLogs", "scope_logs"} : JsonStep{"scopeMetrics", "scope_metrics"};
    return json_.Object(value, "the request", [&](std::string_view name, JsonValue v) {
      return Step(step, name, v, [&](JsonValue scope) { return Scope(scope, logs); });
    });
  }
  bool Scope(JsonValue value, bool logs) {
    const JsonStep step =
        logs ? JsonStep{"logRecords", "log_records"} : JsonStep{"metrics", "metrics"};
    return json_.Object(value, "the request", [&](std::string_view name, JsonValue v) {
      return Step(step, name, v,
                  [&](JsonValue item) { return logs ? ++count_ != 0 : Metric(item); });
    });
  }
  bool Metric(JsonValue value) {
    return json_.Object(value, "metric", [&](std::string_view name, JsonValue data) {
      for (const std::string_view kind : {"gauge", "sum", "histogram", "exponentialHistogram",
                                          "exponential_histogram", "summary"}) {
        if (name == kind) return DataPoints(data);
      }
      return true;
    });
  }
  bool DataPoints(JsonValue data) {
    return json_.Object(data, "metric", [&](std::string_view name, JsonValue points) {
      return Step({"dataPoints", "data_points"}, name, points,
                  [&](JsonValue) { return ++count_ != 0; });
    });
  }

  JsonReader json_{"OTLP"};
  uint64_t count_ = 0;
};

}  // namespace

Result<uint64_t> CountRecords(Encoding encoding, Signal signal, std::string_view body) {
  if (encoding == Encoding::kJson) return JsonCounter().Count(signal, std::string(body));
  uint64_t count = 0;
  const bool ok = signal == Signal::kLogs ? CountLogs(body, &count) : CountMetrics(body, &count);
  if (!ok) return NotTheMessage();
  return count;
}

}  // namespace weft::receive::otlp
