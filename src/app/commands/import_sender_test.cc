#include "app/commands/import_sender.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "app/commands/import_command.h"
#include "app/commands/import_progress.h"
#include "net/http_server.h"

namespace weft::app::commands {
namespace {

using testing::HasSubstr;

// An OTLP receiver that answers by script: each request takes the next answer, the last one for
// ever.
class FakeReceiver : public net::HttpHandler {
 public:
  struct Script {
    int status = 200;
    std::string body = "{}";
    std::string retry_after;
  };

  explicit FakeReceiver(std::vector<Script> script) : script_(std::move(script)) {}

  void OnRequest(net::HttpRequest request, net::HttpRespond respond) override {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    Script answer = script_[std::min(requests_.size(), script_.size()) - 1];
    // A record that says so breaks every request that it is in.
    if (request.body.find("poison") != std::string::npos)
      answer = {400, R"({"code":3,"message":"bad span"})", ""};
    net::HttpResponse response = net::HttpResponse::Json(answer.status, answer.body);
    if (!answer.retry_after.empty()) response.headers.Set("Retry-After", answer.retry_after);
    respond(std::move(response));
  }

  std::vector<net::HttpRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::vector<Script> script_;
  std::vector<net::HttpRequest> requests_;
};

struct Receiver {
  explicit Receiver(std::vector<FakeReceiver::Script> script = {FakeReceiver::Script()})
      : handler(std::make_shared<FakeReceiver>(std::move(script))),
        server(*net::HttpServer::Start("127.0.0.1:0", {}, handler)) {}
  std::string address() const { return server->bound_address(); }

  std::shared_ptr<FakeReceiver> handler;
  std::unique_ptr<net::HttpServer> server;
};

Result<ImportSender::Answer> Send(const Receiver& receiver,
                                  const std::atomic<bool>* interrupted = nullptr) {
  ImportSender::Options options;
  options.address = receiver.address();
  options.tenant = "shop";
  options.interrupted = interrupted;
  options.give_up_after_ns = 2'000'000'000;
  return ImportSender(options, Env::Posix()).Send(ImportEncoding::kJson, "{\"resourceSpans\":[]}");
}

TEST(ImportSender, SendsOtlpWithItsTenant) {
  const Receiver receiver;
  ASSERT_TRUE(Send(receiver)->accepted);
  const net::HttpRequest request = receiver.handler->requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/traces");
  EXPECT_EQ(request.headers.Get("Content-Type"), "application/json");
  EXPECT_EQ(request.headers.Get("X-Scope-OrgID"), "shop");
}

TEST(ImportSender, TriesAgainWhenTheServerIsBusy) {
  const Receiver receiver({{503, "{}", ""}, {429, "{}", "1"}, {200, "{}", ""}});
  const int64_t begin_ns = Env::Posix().MonotonicNs();
  EXPECT_TRUE(Send(receiver)->accepted);
  EXPECT_EQ(receiver.handler->requests().size(), 3u);
  EXPECT_GE(Env::Posix().MonotonicNs() - begin_ns, 1'000'000'000);  // Retry-After
}

TEST(ImportSender, GivesUpAfterAWhile) {
  const Receiver receiver({{503, "{}", ""}});
  EXPECT_EQ(Send(receiver).error().code(), ErrorCode::kUnavailable);
  const std::atomic<bool> interrupted = true;
  EXPECT_EQ(Send(receiver, &interrupted).error().code(), ErrorCode::kCancelled);
}

TEST(ImportSender, ReportsWhatTheServerLeftOut) {
  const Receiver receiver(
      {{200, R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"no id"}})", ""}});
  const auto answer = Send(receiver);
  EXPECT_TRUE(answer->accepted);
  EXPECT_EQ(answer->rejected_spans, 3u);
  EXPECT_EQ(answer->message, "no id");
}

TEST(ImportSender, ARefusalIsAnAnswerAndAStrangeServerAnError) {
  EXPECT_FALSE(Send(Receiver({{400, R"({"message":"bad"})", ""}}))->accepted);
  EXPECT_EQ(Send(Receiver({{400, R"({"message":"bad"})", ""}}))->message, "bad");
  EXPECT_THAT(Send(Receiver({{404, "nothing here", ""}})).error().message(),
              HasSubstr("does not take OTLP"));
}

// `weft import` on a file of this content, with its state in a fresh folder.
struct ImportRun {
  ImportRun(const std::string& content, const std::string& name)
      : path(testing::TempDir() + "/" + name + ".jsonl") {
    state = testing::TempDir() + "/" + name + ".state";
    (void)Env::Posix().RemoveTree(state).ok();
    setenv("XDG_STATE_HOME", state.c_str(), 1);
    std::FILE* file = std::fopen(path.c_str(), "wb");
    std::fwrite(content.data(), 1, content.size(), file);
    std::fclose(file);
  }

  int Run(const std::string& address, bool restart = false) {
    char* text[2] = {nullptr, nullptr};
    size_t size[2] = {0, 0};
    Console console;
    console.out.file = open_memstream(&text[0], &size[0]);
    console.err.file = open_memstream(&text[1], &size[1]);
    const int exit_code = RunImport({{path}, address, "", "", restart}, console);
    std::fclose(console.out.file);
    std::fclose(console.err.file);
    out = text[0];
    err = text[1];
    for (char* t : text) std::free(t);
    return exit_code;
  }

  std::string path;
  std::string state;
  std::string out;
  std::string err;
};

std::string Line(const std::string& name) {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":")" + name +
         R"("}]}]}]})"
         "\n";
}

TEST(RunImport, SendsAFileInOneRequestAndSumsUp) {
  const Receiver receiver;
  ImportRun run(Line("a") + Line("b"), "plain");
  EXPECT_EQ(run.Run(receiver.address()), 0);
  EXPECT_THAT(run.out, HasSubstr("2 spans imported"));
  EXPECT_EQ(run.err, "");
  ASSERT_EQ(receiver.handler->requests().size(), 1u);
  EXPECT_THAT(receiver.handler->requests()[0].body, HasSubstr(R"("a"}]}]},{"scopeSpans")"));
}

TEST(RunImport, OneBrokenRecordCostsOnlyItself) {
  const Receiver receiver;
  ImportRun run(Line("a") + Line("poison") + "{broken\n" + Line("b"), "poison");
  EXPECT_EQ(run.Run(receiver.address()), 1);
  EXPECT_THAT(run.out, HasSubstr("2 spans imported"));
  EXPECT_THAT(run.out, HasSubstr("2 pieces skipped as broken"));
  EXPECT_THAT(run.err, HasSubstr("line 2: refused: bad span"));
  EXPECT_THAT(run.err, HasSubstr("line 3: not OTLP/JSON"));
}

TEST(RunImport, GoesOnWhereItWasInterrupted) {
  std::string content;
  const std::string filler(200'000, 'x');
  for (int i = 0; i < 30; ++i) content += Line("span-" + std::to_string(i) + "-" + filler);
  ImportRun run(content, "resume");
  // The second batch finds no receiver any more: the import ends there.
  const Receiver first({{}, {404, "", ""}});
  EXPECT_EQ(run.Run(first.address()), 1);
  const size_t done = first.handler->requests().size();
  EXPECT_EQ(done, 2u);
  EXPECT_EQ(run.Run(first.address()), 1);  // goes on, and is refused again at once
  ASSERT_EQ(first.handler->requests().size(), 3u);
  EXPECT_THAT(run.err, HasSubstr("goes on behind 10 spans"));
  EXPECT_EQ(first.handler->requests()[1].body, first.handler->requests()[2].body);
  EXPECT_EQ(run.Run(first.address(), true), 1);  // --restart: from the beginning
  EXPECT_EQ(first.handler->requests()[3].body, first.handler->requests()[0].body);
}

TEST(RunImport, ForgetsTheProgressOfACompleteImport) {
  const Receiver receiver;
  ImportRun run(Line("a"), "complete");
  EXPECT_EQ(run.Run(receiver.address()), 0);
  EXPECT_EQ(run.Run(receiver.address()), 0);
  EXPECT_EQ(receiver.handler->requests().size(), 2u);
}

TEST(RunImport, SaysWhenThereIsNoFileOrNoServer) {
  ImportRun run("", "missing");
  run.path = "/nonexistent/file.jsonl";
  const Receiver receiver;
  EXPECT_EQ(run.Run(receiver.address()), 1);
  EXPECT_THAT(run.err, HasSubstr("No such file"));
}

TEST(ImportProgress, BelongsToAFileAsItIs) {
  ImportRun run("hello", "progress");
  Env& env = Env::Posix();
  ImportCounts counts;
  counts.offset = 17;
  counts.spans = 3;
  ImportProgress(env, run.path, "there").Save(counts, true);
  EXPECT_EQ(ImportProgress(env, run.path, "there").Load().offset, 17u);
  EXPECT_EQ(ImportProgress(env, run.path, "there").Load().spans, 3u);
  EXPECT_EQ(ImportProgress(env, run.path, "elsewhere").Load().offset, 0u);
  std::FILE* file = std::fopen(run.path.c_str(), "ab");
  std::fputs("more", file);
  std::fclose(file);
  EXPECT_EQ(ImportProgress(env, run.path, "there").Load().offset, 0u);
  EXPECT_FALSE(ImportProgress(env, "-", "there").enabled());
}

}  // namespace
}  // namespace weft::app::commands
