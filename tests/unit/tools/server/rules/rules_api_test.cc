// Rule groups through the API: what is put is in force and comes back as it was, over a restart too.
#include "tools/server/rules/rules_api.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/storage/engine/store_fixture.h"
#include "tests/unit/tools/server/access/memory_documents.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;

constexpr const char* kGroup = R"(name: latency
interval: 15s
labels: {team: calls}
rules:
  - alert: Slow
    expr: 'latency > 1'
    for: 30s
    labels: {severity: "page", version: "1.0"}
    annotations:
      summary: |
        it is slow: {{ $value }}
        # and this is text
  - {record: x, expr: "5"}
)";

class RulesApiTest : public storage::StoreFixture {
 protected:
  RulesApiTest() {
    Open();
    book_ = std::make_unique<RuleBook>(store_->Documents(), query::promql::ParseOptions{});
    api_ = std::make_unique<RulesApi>(
        book_.get(), RulesApi::Hooks{.apply = [this] { ++applied_; },
                                     .is_file = [](std::string_view name) { return name == "f.yml"; }});
  }
  static Request With(std::vector<std::string> captures, std::string_view body = "") {
    Request request;
    request.captures = std::move(captures);
    request.body.Reserve(body.size() + 1);
    std::ranges::copy(body, request.body.data());
    request.body.SetSize(body.size());
    return request;
  }
  Response Put(const std::string& space, std::string_view body) { return api_->Put(With({space}, body)); }

  std::unique_ptr<RuleBook> book_;
  std::unique_ptr<RulesApi> api_;
  int applied_ = 0;
};

TEST_F(RulesApiTest, ComesBackAsItWasPut) {
  EXPECT_EQ(api_->List(With({})).body, "{}\n");
  const Response put = Put("team a/b", kGroup);
  ASSERT_EQ(put.status, 202) << put.body;
  EXPECT_EQ(put.body, R"({"status":"success","data":null,"errorType":"","error":""})");
  EXPECT_EQ(applied_, 1);
  const std::string group = R"(name: latency
interval: 15s
labels:
  team: calls
rules:
  - alert: Slow
    expr: "latency > 1"
    for: 30s
    labels:
      severity: "page"
      version: "1.0"
    annotations:
      summary: "it is slow: {{ $value }}\n# and this is text\n"
  - record: x
    expr: "5"
)";
  EXPECT_EQ(api_->Get(With({"team a/b", "latency"})).body, group);
  // What came back may be put again.
  ASSERT_EQ(Put("team a/b", group).status, 202);
  EXPECT_EQ(api_->Get(With({"team a/b", "latency"})).body, group);
  ASSERT_EQ(Put("b", "{name: two, rules: []}").status, 202);
  ASSERT_EQ(Put("b", "{name: one}").status, 202);
  EXPECT_EQ(api_->List(With({"b"})).body, "\"b\":\n    - name: one\n    - name: two\n      rules: []\n");
  EXPECT_TRUE(api_->List(With({})).body.starts_with("\"b\":\n    - name: one\n"));
}

TEST_F(RulesApiTest, GroupsAreThereAfterARestart) {
  ASSERT_EQ(Put("ns", kGroup).status, 202);
  ASSERT_EQ(Put("ns", "{name: other, rules: [{record: y, expr: vector(1), into: sums}]}").status, 202);
  RuleBook again(store_->Documents(), {});
  again.Load();
  const auto groups = again.Groups();
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].file, "ns");
  EXPECT_EQ(groups[0].name, "latency");
  EXPECT_EQ(groups[0].rules[0].for_ms, 30'000);
  EXPECT_EQ(groups[0].rules[0].labels[1].name, "team");
  EXPECT_EQ(groups[1].rules[0].into, "sums");
  EXPECT_EQ(again.Find("ns", "latency", storage::SeriesFilter::Everything())->text, kGroup);
  EXPECT_EQ(store_->Documents()->History("rules", "ns/latency", 10)->front().author, Request().caller->name());
}

TEST_F(RulesApiTest, WhatCannotBeReadIsLeftOut) {
  ASSERT_EQ(Put("ns", kGroup).status, 202);
  ASSERT_TRUE(store_->Documents()->Put("rules", "ns/odd", "# tidemark rules 9 ns\nwhat", "ada").ok());
  RuleBook again(store_->Documents(), {});
  again.Load();
  EXPECT_EQ(again.Groups().size(), 1U);
}

TEST_F(RulesApiTest, FaultsHaveLineColumnAndReason) {
  const auto fault = [&](std::string_view body) {
    const Response put = Put("ns", body);
    EXPECT_EQ(put.status, 400);
    return put.body;
  };
  EXPECT_NE(
      fault("name: g\nrules:\n  - alert: A\n    expr: up ==\n").find("ns:4:11: could not parse expression: 1:6: "),
      std::string::npos);
  EXPECT_NE(fault("rules: []").find("ns:1:1: a group needs a name"), std::string::npos);
  EXPECT_NE(fault("name: [").find("ns:1:1: end of sequence flow"), std::string::npos);
  EXPECT_NE(fault("name: g\nwhat: 5").find("ns:2:1: "), std::string::npos);
  EXPECT_NE(fault("").find("ns:1:1: "), std::string::npos);
  EXPECT_NE(fault("name: g\nrules: [{alert: A, expr: up, annotations: {x: '{{ end'}}]").find("ns:2:47: "),
            std::string::npos);
  EXPECT_NE(fault("name: " + std::string(300, 'x')).find("at most 255 bytes"), std::string::npos);
  EXPECT_EQ(applied_, 0);
  EXPECT_EQ(api_->List(With({})).body, "{}\n");
}

TEST_F(RulesApiTest, AliasesInsideAliasesAreBounded) {
  std::string bomb = "name: g\nx0: &x0 [aaaaaaaaaa, aaaaaaaaaa]\n";
  for (int i = 1; i < 30; ++i) bomb += fmt::format("x{0}: &x{0} [*x{1}, *x{1}, *x{1}]\n", i, i - 1);
  EXPECT_EQ(Put("ns", bomb).status, 413);
}

TEST_F(RulesApiTest, ANamespaceOfAFileIsTheFiles) {
  const Response put = Put("f.yml", kGroup);
  EXPECT_EQ(put.status, 409);
  EXPECT_NE(put.body.find("come from a file of that name"), std::string::npos) << put.body;
}

TEST_F(RulesApiTest, Deletes) {
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(Put("ns", std::string("{name: ") + name + "}").status, 202);
  ASSERT_EQ(Put("other", "{name: a}").status, 202);
  EXPECT_EQ(api_->Delete(With({"ns", "b"})).status, 202);
  EXPECT_EQ(api_->Delete(With({"ns", "b"})).status, 404);
  EXPECT_EQ(api_->Get(With({"ns", "b"})).status, 404);
  EXPECT_EQ(api_->DeleteAll(With({"ns"})).status, 202);
  EXPECT_EQ(api_->DeleteAll(With({"ns"})).status, 404);
  EXPECT_EQ(api_->List(With({})).body, "\"other\":\n    - name: a\n");
  EXPECT_EQ(applied_, 6);
  RuleBook again(store_->Documents(), {});
  again.Load();
  EXPECT_EQ(again.Groups().size(), 1U);
}

TEST_F(RulesApiTest, WhatIsLeftOfADeletionThatFailsIsInForce) {
  access::MemoryDocuments documents;
  RuleBook book(&documents, {});
  size_t applied = 0;
  const RulesApi api(&book,
                     RulesApi::Hooks{.apply = [&] { ++applied; }, .is_file = [](std::string_view) { return false; }});
  for (size_t i = 0; i < storage::kMaxDocumentChanges + 2; ++i) {
    ASSERT_EQ(api.Put(With({"ns"}, fmt::format("{{name: g{:04}}}", i))).status, 202);
  }
  documents.fail_with = MakeError(ErrorCode::kUnavailable, "the disk is full");
  documents.fail_after = 1;
  const size_t before = applied;
  EXPECT_EQ(api.DeleteAll(With({"ns"})).status, 503);
  EXPECT_EQ(book.Groups().size(), 2U);
  EXPECT_EQ(applied, before + 1);
}

}  // namespace
}  // namespace tidemark::server
