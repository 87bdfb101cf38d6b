#include "query/exec/catalog.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/exec/memory_source.h"
#include "query/exec/random_queries.h"
#include "query/exec/reference_interpreter.h"
#include "query/exec/stored_test_source.h"
#include "query/lang/traceql/compile.h"

namespace weft::query::exec {
namespace {

// The same spans, counted plainly.
class CatalogTest : public testing::TestWithParam<uint64_t> {
 protected:
  // In memory and in blocks, all of them or the first half.
  CatalogTest() : chance_(GetParam()), spans_(RandomSpans(&chance_, 12)) {
    std::vector<model::SpanBatch> halves(2);
    for (uint32_t half = 0; half < 2; ++half) {
      std::vector<uint32_t> rows;
      for (uint32_t i = half; i < spans_.size(); i += 2) rows.push_back(i);
      model::BatchAppender(&halves[half]).Append(spans_, rows);
    }
    if (GetParam() % 2 == 0) {
      source_ = StoredTestSource::Make(halves, {}).value();
    } else {
      source_ = std::make_shared<MemorySource>(MemorySource::Of(std::move(halves)));
    }
    if (GetParam() % 3 != 0) range_.end_ns = spans_.start_ns[spans_.size() / 2];
    for (const PlainSpan& s : ToPlainSpans(spans_)) {
      if (range_.Contains(s.start_ns)) plain_.push_back(s);
    }
  }

  Catalog Make() const { return Catalog(*source_, Env::Posix(), "t", range_, {}); }

  static std::string ServiceOf(const PlainSpan& s) {
    const auto found = s.resource.find("service.name");
    return found == s.resource.end() ? "" : found->second.text;
  }

  Chance chance_;
  model::SpanBatch spans_;
  std::shared_ptr<const block::RowSource> source_;
  TimeRange range_;
  std::vector<PlainSpan> plain_;
};

TEST_P(CatalogTest, CountsServices) {
  std::map<std::string, std::pair<uint64_t, uint64_t>> expected;
  for (const PlainSpan& s : plain_) {
    auto& counts = expected[ServiceOf(s)];
    ++counts.first;
    counts.second += s.status == 2 ? 1 : 0;
  }
  const auto services = Make().Services();
  ASSERT_TRUE(services.ok());
  std::map<std::string, std::pair<uint64_t, uint64_t>> found;
  for (const ServiceEntry& s : *services) found[s.name] = {s.span_count, s.error_count};
  EXPECT_EQ(found, expected);
  EXPECT_TRUE(std::is_sorted(services->begin(), services->end(),
                             [](auto& a, auto& b) { return a.name < b.name; }));
}

TEST_P(CatalogTest, CountsOperations) {
  for (const char* service : {"svc1", "", "nobody", static_cast<const char*>(nullptr)}) {
    std::map<std::pair<std::string, int64_t>, std::pair<uint64_t, uint64_t>> expected;
    for (const PlainSpan& s : plain_) {
      if (service != nullptr && ServiceOf(s) != service) continue;
      auto& counts = expected[{s.name, s.kind}];
      ++counts.first;
      counts.second += s.status == 2 ? 1 : 0;
    }
    const std::string wanted = service == nullptr ? "" : service;
    const auto operations = Make().Operations(service == nullptr ? nullptr : &wanted);
    ASSERT_TRUE(operations.ok());
    decltype(expected) found;
    for (const OperationEntry& o : *operations)
      found[{o.name, o.kind}] = {o.span_count, o.error_count};
    EXPECT_EQ(found, expected) << wanted;
  }
}

// Text and type of the values that a span carries.
using Carried = std::set<std::pair<int, std::string>>;

void Carry(const PlainValue& v, Carried* out) {
  switch (v.type) {
    case PlainValue::Type::kText: out->insert({1, v.text}); break;
    case PlainValue::Type::kInt: out->insert({2, std::to_string(v.number)}); break;
    case PlainValue::Type::kFloat: out->insert({3, std::to_string(v.real)}); break;
    case PlainValue::Type::kBool: out->insert({4, v.number != 0 ? "true" : "false"}); break;
    case PlainValue::Type::kArray:
      for (const PlainValue& e : v.elements) Carry(e, out);
      break;
    default: break;
  }
}

void Carry(const PlainAttributes& attributes, const std::string& key, Carried* out) {
  if (const auto found = attributes.find(key); found != attributes.end()) Carry(found->second, out);
}

Carried CarriedBy(const PlainSpan& s, const std::string& field) {
  Carried out;
  if (field == "span.a") Carry(s.attributes, "a", &out);
  if (field == "resource.a") Carry(s.resource, "a", &out);
  if (field == "instrumentation.a") Carry(s.scope, "a", &out);
  if (field == ".a") Carry(s.attributes.contains("a") ? s.attributes : s.resource, "a", &out);
  if (field == "name") out.insert({1, s.name});
  if (field == "kind")
    out.insert({1, std::vector<std::string>{"unspecified", "internal", "server", "client",
                                            "producer", "consumer"}[static_cast<size_t>(s.kind)]});
  if (field == "rootName") out.insert({1, s.root_name});
  for (const PlainEvent& e : s.events) {
    if (field == "event.a") Carry(e.attributes, "a", &out);
    if (field == "event:name") out.insert({1, e.name});
  }
  for (const PlainLink& l : s.links) {
    if (field == "link.a") Carry(l.attributes, "a", &out);
  }
  return out;
}

TEST_P(CatalogTest, CountsValues) {
  for (const char* field : {"span.a", "resource.a", "instrumentation.a", ".a", "event.a", "link.a",
                            "name", "kind", "rootName", "event:name", "span.nope"}) {
    std::map<std::pair<int, std::string>, uint64_t> expected;
    for (const PlainSpan& s : plain_) {
      for (const auto& value : CarriedBy(s, field)) ++expected[value];
    }
    const auto answer = Make().AttributeValues({*lang::traceql::CompileField(field), "", 10000});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_TRUE(answer->complete);
    decltype(expected) found;
    for (const ValueEntry& v : answer->values) {
      const bool real = v.type == model::ValueType::kDouble;
      found[{static_cast<int>(v.type), real ? std::to_string(std::stod(v.text)) : v.text}] +=
          v.count;
    }
    EXPECT_EQ(found, expected) << field;
    EXPECT_TRUE(std::is_sorted(answer->values.begin(), answer->values.end(),
                               [](auto& a, auto& b) { return a.count > b.count; }));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, CatalogTest, testing::Range<uint64_t>(1, 20));

class CatalogCases : public testing::Test {
 protected:
  CatalogCases()
      : chance_(3),
        source_(MemorySource::Of(Batches())),
        catalog_(source_, Env::Posix(), "t", {}, {}) {}

  std::vector<model::SpanBatch> Batches() {
    std::vector<model::SpanBatch> out;
    out.push_back(RandomSpans(&chance_, 30));
    return out;
  }

  Chance chance_;
  MemorySource source_;
  Catalog catalog_;
};

TEST_F(CatalogCases, ListsKeysByScopeAndKey) {
  const auto keys = catalog_.AttributeKeys(nullptr, "", 1000);
  ASSERT_TRUE(keys.ok());
  EXPECT_TRUE(keys->complete);
  std::vector<std::string> names;
  for (const KeyEntry& k : keys->keys)
    names.push_back(std::string(ScopeName(k.scope)) + "." + k.key);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_THAT(names,
              testing::IsSupersetOf({"event.a", "link.b", "resource.service.name", "span.c d"}));
  const block::Scope resource = block::Scope::kResource;
  const auto some = catalog_.AttributeKeys(&resource, "serv", 1000);
  ASSERT_TRUE(some.ok());
  ASSERT_EQ(some->keys.size(), 1u);
  EXPECT_EQ(some->keys[0].key, "service.name");
  EXPECT_EQ(some->keys[0].types, 1u << static_cast<unsigned>(model::ValueType::kString));
  // The first ones, however the keys come.
  for (uint32_t limit = 1; limit < names.size(); ++limit) {
    const auto first = catalog_.AttributeKeys(nullptr, "", limit);
    ASSERT_TRUE(first.ok());
    EXPECT_FALSE(first->complete);
    ASSERT_EQ(first->keys.size(), limit);
    for (uint32_t i = 0; i < limit; ++i) EXPECT_EQ(first->keys[i].key, keys->keys[i].key);
  }
}

TEST_F(CatalogCases, CutsValuesAtTheLimitAndSaysSo) {
  const auto all = catalog_.AttributeValues({*lang::traceql::CompileField("name"), "", 100});
  const auto two = catalog_.AttributeValues({*lang::traceql::CompileField("name"), "", 2});
  ASSERT_TRUE(all.ok() && two.ok());
  ASSERT_EQ(two->values.size(), 2u);
  EXPECT_FALSE(two->complete);
  EXPECT_EQ(two->values[1].text, all->values[1].text);
  EXPECT_EQ(two->values[1].count, all->values[1].count);
}

TEST_F(CatalogCases, FindsPrefixesInAnyCase) {
  const auto values = catalog_.AttributeValues({*lang::traceql::CompileField("name"), "X", 100});
  ASSERT_TRUE(values.ok());
  std::vector<std::string> texts;
  for (const ValueEntry& v : values->values) texts.push_back(v.text);
  EXPECT_THAT(texts, testing::UnorderedElementsAre("x", "xy"));
}

TEST_F(CatalogCases, RefusesToListDurations) {
  const auto values = catalog_.AttributeValues({*lang::traceql::CompileField("duration"), "", 100});
  EXPECT_EQ(values.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(CatalogCases, StopsWhenItIsCancelled) {
  const std::atomic<bool> cancelled{true};
  const Catalog catalog(source_, Env::Posix(), "t", {}, {.cancelled = &cancelled});
  EXPECT_EQ(catalog.Services().error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace weft::query::exec
