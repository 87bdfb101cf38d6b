#include "app/commands/question.h"

#include "api/time_text.h"
#include "app/commands/json_fields.h"
#include "app/commands/query_command.h"
#include "net/url.h"

namespace weft::app::commands {

Error CheckTimes(const TimeFlags& times) {
  if (times.since.empty()) return Error::Ok();
  if (!times.start.empty())
    return {ErrorCode::kInvalidArgument, "--since and --start exclude each other"};
  if (!api::ParseDuration(times.since))
    return {ErrorCode::kInvalidArgument, "--since: write a duration such as 15m or 2h30m"};
  return Error::Ok();
}

void AddParameter(std::string_view name, std::string_view value, std::string* target) {
  if (value.empty()) return;
  target->append(target->find('?') == std::string::npos ? "?" : "&").append(name).append("=");
  target->append(net::PercentEncode(value));
}

void AddTimes(const TimeFlags& times, std::string* target) {
  AddParameter("start", times.since.empty() ? times.start : "now-" + times.since, target);
  AddParameter("end", times.end, target);
}

std::optional<boost::json::value> Ask(const ServerChoice& server, const std::string& target,
                                      const std::string& query, const Console& console,
                                      int* exit_code) {
  *exit_code = kExitFailed;
  auto client = ApiClient::Connect(server);
  if (!client.ok()) {
    console.Complain(client.error().message());
    return std::nullopt;
  }
  const auto response = client->GetAny(target);
  if (!response.ok()) {
    console.Complain(response.error().message());
    return std::nullopt;
  }
  if (response->status != 200) {
    *exit_code = PrintRefusal(query, *response, console);
    return std::nullopt;
  }
  auto answer = ParseJson(response->body);
  if (!answer) {
    console.Complain("the server's answer is not JSON");
    return std::nullopt;
  }
  *exit_code = 0;
  return answer;
}

bool CheckComplete(const boost::json::value& answer, const Console& console) {
  const boost::json::value* complete = MemberOf(&answer, "complete");
  const bool is_complete = complete == nullptr || !complete->is_bool() || complete->get_bool();
  if (!is_complete) console.Complain("the answer is not complete: " + TextOf(&answer, "reason"));
  return is_complete;
}

}  // namespace weft::app::commands
