#include "api/tempo/messages.h"

#include <algorithm>
#include <string>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include "api/json_writer.h"

namespace weft::api::tempo {
namespace {

bool IsEmptyList(const google::protobuf::Message& message, std::string_view list) {
  const auto* const field = message.GetDescriptor()->FindFieldByName(std::string(list));
  return field != nullptr && message.GetReflection()->FieldSize(message, field) == 0;
}

}  // namespace

net::HttpResponse AnswerMessage(AnswerForm form, const google::protobuf::Message& message,
                                std::string_view list) {
  if (form == AnswerForm::kProtobuf) return Answer(form, message.SerializeAsString());
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json);
  if (!status.ok()) {
    return AnswerError(Error(ErrorCode::kInternal,
                             "the answer can't be written: " + std::string(status.message())));
  }
  if (IsEmptyList(message, list)) {
    const bool alone = json == "{}";
    json.insert(1, "\"" + std::string(list) + "\":[]" + (alone ? "" : ","));
  }
  return Answer(AnswerForm::kJson, std::move(json));
}

}  // namespace weft::api::tempo
