// Dashboards that people save: nobody writes over what he has not seen, and what was sent comes back byte for byte.
#include "tools/server/dashboard/saved_dashboards.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/series_filter.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;

class SavedDashboardsTest : public storage::StoreFixture {
 protected:
  SavedDashboardsTest() { Open(); }

  static Request With(std::string_view body, std::vector<http::HeaderField> headers = {}) {
    Request request;
    request.headers = std::move(headers);
    request.body.Reserve(body.size() + 1);
    std::ranges::copy(body, request.body.data());
    request.body.SetSize(body.size());
    return request;
  }
  Response Save(std::string_view name, std::string_view body, const std::string& expected) {
    const bool fresh = expected == "*";
    return saved().Put(With(body, {{fresh ? "If-None-Match" : "If-Match", expected}}), name);
  }
  Response Load(std::string_view name, const std::string& version = "") {
    Request request = With("");
    if (!version.empty()) request.params.Add("version", version);
    return saved().Get(request, name);
  }
  static std::string Header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }
  SavedDashboards saved() { return SavedDashboards(store_->Documents()); }
};

std::string Board(const std::string& title) { return "{\n  \"title\": \"" + title + "\", \"rows\":[]  }\n"; }

TEST_F(SavedDashboardsTest, ComesBackByteForByte) {
  const Response made = Save("mine", Board("A \\u00e4"), "*");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(Header(made, "ETag"), "\"1\"");
  EXPECT_EQ(made.body, R"({"status":"success","data":{"name":"mine","version":1}})");
  const Response loaded = Load("mine");
  EXPECT_EQ(loaded.body, Board("A \\u00e4"));
  EXPECT_EQ(Header(loaded, "ETag"), "\"1\"");
  EXPECT_EQ(saved().Get(With("", {{"If-None-Match", "\"1\""}}), "mine").status, 304);
  EXPECT_EQ(Load("other").status, 404);
  const Response list = saved().List();
  EXPECT_TRUE(list.body.starts_with(R"({"status":"success","data":[{"name":"mine","version":1,"bytes":)")) << list.body;
  EXPECT_NE(list.body.find(R"("title":"A ä")"), std::string::npos) << list.body;
}

TEST_F(SavedDashboardsTest, OfTwoEditorsNeitherLosesAnything) {
  ASSERT_EQ(Save("mine", Board("first"), "*").status, 200);
  ASSERT_EQ(Save("mine", Board("of ada"), "\"1\"").status, 200);
  const Response late = Save("mine", Board("of bob"), "\"1\"");
  EXPECT_EQ(late.status, 412);
  EXPECT_NE(late.body.find("version 2"), std::string::npos) << late.body;
  EXPECT_EQ(Load("mine").body, Board("of ada"));
  EXPECT_EQ(Save("mine", Board("again"), "*").status, 412) << "it is there already";
  EXPECT_EQ(Save("mine", Board("of both"), "\"2\"").status, 200);
  EXPECT_EQ(Load("mine", "1").body, Board("first"));
  EXPECT_EQ(Load("mine", "2").body, Board("of ada"));
  EXPECT_EQ(Load("mine", "9").status, 404);
  EXPECT_EQ(Load("mine", "x").status, 400);
  const std::string history = saved().History("mine").body;
  EXPECT_LT(history.find(R"("version":3)"), history.find(R"("version":2)")) << history;
  EXPECT_LT(history.find(R"("version":2)"), history.find(R"("version":1)"));
  EXPECT_EQ(saved().History("other").status, 404);
}

TEST_F(SavedDashboardsTest, WhoDoesNotSayWhatHeHasSeenIsAskedTo) {
  EXPECT_EQ(saved().Put(With(Board("a")), "mine").status, 428);
  ASSERT_EQ(Save("mine", Board("a"), "*").status, 200);
  EXPECT_EQ(saved().Put(With(Board("a")), "mine").status, 428);
  EXPECT_EQ(saved().Delete(With(""), "mine").status, 428);
  for (const char* const tag : {"1", "\"x\"", "\"\"", "*", "W/\"1\"", "\"1\", \"2\"", "\"0\"", "\"-1\""}) {
    EXPECT_EQ(Save("mine", Board("b"), tag == std::string_view("*") ? "\"*\"" : tag).status, 400) << tag;
  }
  EXPECT_EQ(Load("mine").body, Board("a"));
}

TEST_F(SavedDashboardsTest, DeletedOnesKeepTheirHistory) {
  ASSERT_EQ(Save("mine", Board("a"), "*").status, 200);
  EXPECT_EQ(saved().Delete(With("", {{"If-Match", "\"7\""}}), "mine").status, 412);
  EXPECT_EQ(saved().Delete(With("", {{"If-Match", "\"1\""}}), "mine").status, 200);
  EXPECT_EQ(Load("mine").status, 404);
  EXPECT_EQ(saved().List().body, R"({"status":"success","data":[]})");
  EXPECT_EQ(Load("mine", "1").body, Board("a"));
  EXPECT_NE(saved().History("mine").body.find(R"("deleted":true)"), std::string::npos);
  EXPECT_EQ(Header(Save("mine", Board("b"), "*"), "ETag"), "\"3\"");
}

class NamedCaller final : public http::Caller {
 public:
  NamedCaller(std::string name, bool held) : name_(std::move(name)), held_(held) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] bool May(http::Access /*access*/, std::string_view /*database*/) const override { return true; }
  [[nodiscard]] bool MayEverywhere(http::Access /*access*/) const override { return true; }
  [[nodiscard]] bool MaySomewhere(http::Access /*access*/) const override { return true; }
  [[nodiscard]] const storage::SeriesFilter* filter() const override { return held_ ? &filter_ : nullptr; }
  [[nodiscard]] quota::Account* account() const override { return nullptr; }
  [[nodiscard]] bool revoked() const override { return false; }

 private:
  std::string name_;
  bool held_;
  storage::SeriesFilter filter_ =
      storage::SeriesFilter::Make({{{model::MatchOp::kEqual, "team", "a"}}}, R"({team="a"})").value();
};

TEST_F(SavedDashboardsTest, WhoSeesAPartChangesHisOwnOnly) {
  const auto of_a = std::make_shared<const NamedCaller>("a", true);
  const NamedCaller of_b("b", true);
  const NamedCaller root("root", false);
  EXPECT_TRUE(saved().CheckMaker(*of_a, "mine").ok()) << "there is none yet";
  Request request = With(Board("first"), {{"If-None-Match", "*"}});
  request.caller = of_a;
  ASSERT_EQ(saved().Put(request, "mine").status, 200);
  EXPECT_TRUE(saved().CheckMaker(*of_a, "mine").ok());
  EXPECT_TRUE(saved().CheckMaker(root, "mine").ok());
  EXPECT_TRUE(saved().CheckMaker(of_b, "mine").error().message.contains("by another name"));
  // It stays his when somebody else has worked on it, until it is deleted and another one takes its name.
  ASSERT_EQ(Save("mine", Board("second"), "\"1\"").status, 200);
  EXPECT_TRUE(saved().CheckMaker(*of_a, "mine").ok());
  ASSERT_EQ(saved().Delete(With("", {{"If-Match", "\"2\""}}), "mine").status, 200);
  ASSERT_EQ(Save("mine", Board("another"), "*").status, 200);
  EXPECT_FALSE(saved().CheckMaker(*of_a, "mine").ok());
}

TEST_F(SavedDashboardsTest, RefusesWhatIsNone) {
  const auto refused = [this](std::string_view name, std::string_view body, std::string_view why) {
    const Response response = Save(name, body, "*");
    EXPECT_EQ(response.status, 400) << name;
    EXPECT_NE(response.body.find(why), std::string::npos) << response.body;
  };
  refused("a", "", "is a JSON object");
  refused("a", "[1]", "is a JSON object");
  refused("a", R"({"rows":[]})", R"(\"title\")");
  refused("a", R"({"title":"x","panels":[]})", "Grafana");
  for (const char* const name : {"", ".a", "a/b", "a b", "ä"}) refused(name, Board("x"), "name is 1 to 64");
  refused(std::string(65, 'a'), Board("x"), "name is 1 to 64");
  EXPECT_EQ(
      Save("a", "{\"title\":\"x\",\"rows\":[],\"y\":\"" + std::string(storage::kMaxDocumentBytes, 'y') + "\"}", "*")
          .status,
      413);
}

}  // namespace
}  // namespace tidemark::server
