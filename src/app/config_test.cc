#include "app/config.h"

#include <cstring>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/setting_text.h"

namespace weft::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ConfigSources File(std::string text) {
  ConfigSources sources;
  sources.file_text = std::move(text);
  sources.file_name = "weft.yaml";
  return sources;
}

TEST(Config, HasDefaults) {
  const auto reading = ReadConfig({});
  ASSERT_TRUE(reading.ok()) << reading.error().message();
  EXPECT_EQ(reading->config.http, "127.0.0.1:3200");
  EXPECT_EQ(reading->config.cut_idle_ns, 10'000'000'000);
  EXPECT_EQ(reading->config.wal_segment_bytes, 64u << 20);
  EXPECT_THAT(reading->config.receive_cors_origins, ElementsAre("*"));
  EXPECT_GT(reading->config.memory_max_bytes, 0u);
}

TEST(Config, FlagBeatsEnvironmentBeatsFile) {
  ConfigSources sources = File("cut:\n  idle: 1s\n  age-max: 2s\n  root-grace: 3s\n");
  sources.environment = [](const char* name) -> const char* {
    if (std::strcmp(name, "WEFT_CUT_IDLE") == 0) return "4s";
    if (std::strcmp(name, "WEFT_CUT_AGE_MAX") == 0) return "5s";
    return nullptr;
  };
  sources.flags["cut.idle"] = "6s";
  const auto reading = ReadConfig(sources);
  ASSERT_TRUE(reading.ok()) << reading.error().message();
  EXPECT_EQ(reading->config.cut_idle_ns, 6'000'000'000);
  EXPECT_EQ(reading->config.cut_age_max_ns, 5'000'000'000);
  EXPECT_EQ(reading->config.cut_root_grace_ns, 3'000'000'000);
  EXPECT_EQ(reading->values.at("cut.idle").origin, "flag");
}

TEST(Config, AReceiverBesideOtlpHasAnAddressOrIsOff) {
  EXPECT_EQ(ReadConfig({})->config.zipkin_http.address, "127.0.0.1:9411");
  EXPECT_FALSE(ReadConfig({})->config.zipkin_http.is_chosen);
  const auto chosen = ReadConfig(File("zipkin-http: 127.0.0.1:9411\n"));
  EXPECT_EQ(chosen->config.zipkin_http.address, "127.0.0.1:9411");
  EXPECT_TRUE(chosen->config.zipkin_http.is_chosen);
  EXPECT_EQ(ReadConfig(File("zipkin-http: off\n"))->config.zipkin_http.address, "");
  EXPECT_THAT(ReadConfig(File("zipkin-http: ''\n")).error().message(),
              HasSubstr("must be an address, or off"));
}

TEST(Config, ASwitchIsTrueOrFalse) {
  EXPECT_FALSE(ReadConfig({})->config.read_only);
  EXPECT_TRUE(ReadConfig(File("read-only: true\n"))->config.read_only);
  EXPECT_FALSE(ReadConfig(File("read-only: false\n"))->config.read_only);
  EXPECT_THAT(ReadConfig(File("read-only: yes please\n")).error().message(),
              HasSubstr("neither true nor false"));
  EXPECT_THAT(ReadConfig(File("catalog:\n  refresh: 1ms\n")).error().message(),
              HasSubstr("at least 100ms"));
}

TEST(Config, AnUnknownKeyNamesTheNearestOne) {
  const auto reading = ReadConfig(File("cut:\n  idel: 1s\n"));
  ASSERT_FALSE(reading.ok());
  EXPECT_THAT(reading.error().message(), HasSubstr("weft.yaml"));
  EXPECT_THAT(reading.error().message(), HasSubstr("did you mean 'cut.idle'"));
}

TEST(Config, AWrongValueSaysWhereItCameFromAndWhatIsAccepted) {
  const auto reading = ReadConfig(File("durability: maybe\n"));
  ASSERT_FALSE(reading.ok());
  EXPECT_THAT(reading.error().message(),
              HasSubstr("durability (file): 'maybe' is neither sync nor async"));
}

TEST(Config, BrokenYamlIsAnErrorWithItsPlace) {
  const auto reading = ReadConfig(File("cut: [1, 2\n"));
  ASSERT_FALSE(reading.ok());
  EXPECT_THAT(reading.error().message(), HasSubstr("line 2"));
  EXPECT_FALSE(ReadConfig(File("just text")).ok());
}

TEST(Config, ListsMayBeYamlLists) {
  const auto reading = ReadConfig(
      File("receive:\n  cors-origins: [\"https://a.example\", \"https://b.example\"]\n"));
  ASSERT_TRUE(reading.ok()) << reading.error().message();
  EXPECT_THAT(reading->config.receive_cors_origins,
              ElementsAre("https://a.example", "https://b.example"));
}

TEST(Config, WhatIsPrintedCanBeReadBack) {
  ConfigSources sources;
  sources.flags = {{"data", "a \"quoted\" folder"}, {"memory.max", "1GiB"}};
  const auto first = ReadConfig(sources);
  ASSERT_TRUE(first.ok());
  const auto second = ReadConfig(File(PrintConfig(*first)));
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_EQ(second->config.data, "a \"quoted\" folder");
  EXPECT_EQ(second->config.memory_max_bytes, 1u << 30);
}

TEST(Config, SecretsAreNotPrintedForEveryone) {
  ConfigSources sources;
  sources.flags = {{"generator.remote-write.url", "https://me:s3cret@host:9090/api?key=s3cret"},
                   {"generator.remote-write.headers", "Authorization: Bearer s3cret"},
                   {"data", "/a@b"}};
  const auto reading = ReadConfig(sources);
  ASSERT_TRUE(reading.ok()) << reading.error().message();
  const std::string text = PrintConfigWithoutSecrets(*reading);
  EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
  EXPECT_NE(text.find("https://<hidden>@host:9090/api?<hidden>"), std::string::npos) << text;
  EXPECT_NE(text.find("data: \"/a@b\"  # flag"), std::string::npos) << text;
  EXPECT_NE(text.find("headers: \"<hidden>\""), std::string::npos) << text;
  EXPECT_NE(PrintConfig(*reading).find("s3cret"), std::string::npos);
}

TEST(Config, ThePrefixOfTempoPathsIsAPath) {
  for (const char* good : {"", "/tempo", "/a/b-1"}) {
    ConfigSources sources;
    sources.flags = {{"tempo.path-prefix", good}};
    const auto reading = ReadConfig(sources);
    ASSERT_TRUE(reading.ok()) << good;
    EXPECT_EQ(reading->config.tempo_path_prefix, good);
  }
  for (const char* wrong : {"tempo", "/", "/tempo/", "//a", "/a?b", "/{x}", "/a b"}) {
    ConfigSources sources;
    sources.flags = {{"tempo.path-prefix", wrong}};
    EXPECT_FALSE(ReadConfig(sources).ok()) << wrong;
  }
}

TEST(Config, TheReferenceInTheDocumentsIsThisTable) {
  std::ifstream file("docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr(PrintReference()))
      << "run: weft serve --print-reference, and put it there";
}

TEST(SettingText, ReadsDurations) {
  EXPECT_EQ(*ParseDuration("1h30m"), 5400'000'000'000);
  EXPECT_EQ(*ParseDuration("250ms"), 250'000'000);
  EXPECT_EQ(*ParseDuration("1.5s"), 1'500'000'000);
  EXPECT_EQ(*ParseDuration("0"), 0);
  for (const char* wrong : {"", "5", "s", "-1s", "1 s", "5y", "1e3s", "99999999999d", "1..5s"}) {
    EXPECT_FALSE(ParseDuration(wrong).ok()) << wrong;
  }
}

TEST(SettingText, ReadsSizes) {
  EXPECT_EQ(*ParseSize("64MiB", 0), 64u << 20);
  EXPECT_EQ(*ParseSize("1GB", 0), 1'000'000'000u);
  EXPECT_EQ(*ParseSize("4096", 0), 4096u);
  EXPECT_EQ(*ParseSize("25%", 1000), 250u);
  for (const char* wrong : {"", "MiB", "25%", "-1", "1Mi", "1 MB", "999999999TiB"}) {
    EXPECT_FALSE(ParseSize(wrong, 0).ok()) << wrong;
  }
  EXPECT_FALSE(ParseSize("120%", 1000).ok());
}

TEST(SettingText, ReadsCounts) {
  EXPECT_EQ(*ParseCount("7", 1, 10), 7u);
  for (const char* wrong : {"", "0", "11", "-1", "1.5", "x"})
    EXPECT_FALSE(ParseCount(wrong, 1, 10).ok()) << wrong;
}

}  // namespace
}  // namespace weft::app
