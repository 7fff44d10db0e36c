// What a selector of the retention does not keep so long is refused, in words, instead of taken and never seen.
#include <gmock/gmock.h>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kOld = kNow - 2 * kNsPerHour;

class KeepTest : public StoreFixture {
 protected:
  void OpenWith(std::vector<std::vector<model::Matcher>> selectors) {
    StoreOptions options = Options();
    for (auto& matchers : selectors) options.new_database.selectors.push_back({std::move(matchers), kNsPerHour});
    Open(options);
  }
  model::WriteReport Send(model::BatchBuilder& builder) {
    auto report = store_->Write("", builder.batch());
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : model::WriteReport{};
  }
  size_t Rows(std::string_view metric) { return Read({Equal("__name__", std::string(metric))}).size(); }
  static model::Matcher Matches(std::string name, std::string value) {
    return {model::MatchOp::kRegex, std::move(name), std::move(value)};
  }
};

TEST_F(KeepTest, OldPointsOfASelectorAreRefusedWithTheirLines) {
  OpenWith({{Matches("__name__", "debug_.*")}});
  model::BatchBuilder builder;
  builder.Row("debug", {{"host", "a"}}, {kOld}).Field("x", 1.0);
  builder.Row("cpu", {{"host", "a"}}, {kOld}).Field("x", 1.0);
  builder.Row("debug", {{"host", "a"}}, {kNow - kNsPerHour}).Field("x", 2.0);      // just kept
  builder.Row("debug", {{"host", "a"}}, {kNow - kNsPerHour - 1}).Field("x", 3.0);  // just not
  builder.batch().rows[3].line = 40;
  const model::WriteReport report = Send(builder);
  EXPECT_EQ(report.rows_written, 2U);
  EXPECT_EQ(report.points_written, 2U);
  EXPECT_EQ(report.rows_rejected, 2U);
  ASSERT_EQ(report.rejections.size(), 2U);
  EXPECT_EQ(report.rejections[0].error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(report.rejections[0].error.message, "points beyond retention policy");
  EXPECT_EQ(report.rejections[1].line, 40U);
  EXPECT_EQ(Rows("debug_x"), 1U);
  EXPECT_EQ(Rows("cpu_x"), 1U);
}

TEST_F(KeepTest, TheOtherFieldsOfARowAreKept) {
  OpenWith({{Matches("__name__", "m_(b|d)")}, {Equal("__name__", "m_e")}});
  model::BatchBuilder builder;
  const auto row = [&](int64_t time_ns, int64_t value) {
    builder.Row("m", {{"host", "a"}}, {time_ns})
        .Field("a", value)
        .Field("b", value + 1)
        .Field("c", std::string_view("text"))
        .Field("d", static_cast<double>(value) + 0.25)
        .Field("e", value + 4);
  };
  row(kOld, 10);
  row(kNow, 20);
  row(kOld + kSecond, 30);
  const model::WriteReport report = Send(builder);
  EXPECT_EQ(report.rows_written, 3U);
  EXPECT_EQ(report.rows_rejected, 2U);
  EXPECT_EQ(report.points_written, 2U + 5 + 2);
  ASSERT_EQ(report.rejections.size(), 2U);
  EXPECT_EQ(report.rejections[0].error.message, "points beyond retention policy: field \"b\", \"d\", \"e\"");
  const auto check = [&] {
    const auto a = Read({Equal("__name__", "m_a")});
    ASSERT_EQ(a.size(), 3U);
    EXPECT_EQ(a[0].value, model::FieldValue(int64_t{10}));
    EXPECT_EQ(a[1].value, model::FieldValue(int64_t{30}));
    EXPECT_EQ(Rows("m_c"), 3U);
    for (const char* metric : {"m_b", "m_d", "m_e"}) EXPECT_EQ(Rows(metric), 1U) << metric;
    EXPECT_EQ(Read({Equal("__name__", "m_d")})[0].value, model::FieldValue(20.25));
  };
  check();
  Open();  // from the journal
  check();
  CloseAndOpen();
  check();
}

TEST_F(KeepTest, FieldsThatAreWidenedAreRefusedLikeOthers) {
  OpenWith({{Equal("__name__", "m_b")}});
  model::BatchBuilder first;
  first.Row("m", {}, {kNow}).Field("a", 0.5).Field("b", 0.5);
  Send(first);
  model::BatchBuilder second;
  second.Row("m", {}, {kOld}).Field("a", int64_t{7}).Field("b", int64_t{8});
  const model::WriteReport report = Send(second);
  EXPECT_EQ(report.points_written, 1U);
  EXPECT_EQ(report.rows_rejected, 1U);
  EXPECT_EQ(Read({Equal("__name__", "m_a")})[0].value, model::FieldValue(7.0));
  EXPECT_EQ(Rows("m_b"), 1U);
}

TEST_F(KeepTest, MatchersAreThoseOfQueries) {
  // Each with what it refuses of: host=a, host=b and zone=x, no tags.
  const std::vector<std::pair<std::vector<model::Matcher>, std::vector<bool>>> cases = {
      {{Equal("host", "a")}, {true, false, false}},
      {{Equal("host", "")}, {false, false, true}},
      {{{model::MatchOp::kNotEqual, "host", "a"}}, {false, true, true}},
      {{{model::MatchOp::kNotEqual, "host", ""}}, {true, true, false}},
      {{Matches("host", "a|b"), Matches("zone", "x?")}, {true, true, false}},
      {{Matches("host", ".*")}, {true, true, true}},
      {{{model::MatchOp::kNotRegex, "zone", ".+"}}, {true, false, true}},
      {{Equal("host", "b"), Equal("__name__", "other")}, {false, false, false}},
      {{Equal("host", "b"), Equal("__name__", "m")}, {false, true, false}},
  };
  for (const auto& [matchers, refused] : cases) {
    SCOPED_TRACE(matchers[0].name + " " + matchers[0].value + " " + std::to_string(static_cast<int>(matchers[0].op)));
    std::filesystem::remove_all(directory_.path() + "/data");
    OpenWith({matchers});
    model::BatchBuilder builder;
    builder.Row("m", {{"host", "a"}}, {kOld}).Field("value", 1.0);
    builder.Row("m", {{"host", "b"}, {"zone", "x"}}, {kOld}).Field("value", 1.0);
    builder.Row("m", {}, {kOld}).Field("value", 1.0);
    const model::WriteReport report = Send(builder);
    std::vector<bool> found(3, true);
    for (const model::LabelViews& tags :
         std::vector<model::LabelViews>{{{"host", "a"}}, {{"host", "b"}, {"zone", "x"}}, {}}) {
      const size_t which = tags.empty() ? 2 : tags.size() - 1;
      std::vector<model::Matcher> query = {Equal("__name__", "m"), Equal("host", "")};
      if (!tags.empty()) query[1].value = tags[0].value;
      found[which] = Read(query).empty();
    }
    EXPECT_EQ(found, refused);
    EXPECT_EQ(report.rows_rejected, static_cast<uint64_t>(std::count(refused.begin(), refused.end(), true)));
    // What is refused makes no series.
    EXPECT_EQ(store_->Stats().series, 3 - report.rows_rejected);
    store_.reset();
  }
}

TEST_F(KeepTest, ASelectorThatGoesRefusesNothing) {
  OpenWith({{Equal("host", "a")}});
  model::BatchBuilder builder;
  builder.Row("m", {{"host", "a"}}, {kOld}).Field("value", 1.0);
  EXPECT_EQ(Send(builder).rows_rejected, 1U);
  ASSERT_TRUE(store_->SetDatabaseOptions("", {}).ok());
  EXPECT_EQ(Send(builder).rows_rejected, 0U);
  EXPECT_EQ(Rows("m"), 1U);
  // It is read again at the next start.
  DatabaseOptions options;
  options.selectors.push_back({{Equal("host", "a")}, kNsPerHour});
  ASSERT_TRUE(store_->SetDatabaseOptions("", options).ok());
  CloseAndOpen();
  EXPECT_EQ(Send(builder).rows_rejected, 1U);
}

// A partition goes whole, so what is kept for two hours must not lie in one of a day; unless a tier keeps it anyway.
TEST_F(KeepTest, AShortRetentionMakesShortPartitions) {
  constexpr int64_t kMinute = 60 * kSecond;
  for (const bool outlived : {false, true}) {
    SCOPED_TRACE(outlived);
    const std::string database = outlived ? "tiers" : "none";
    if (!outlived) Open();
    DatabaseOptions options;
    options.retention_ns = 2 * kNsPerHour;
    if (outlived) options.tiers = {{5 * kMinute, 0}};
    ASSERT_TRUE(store_->CreateDatabase(database, options).ok());
    for (const int64_t age : {100, 50, 0}) WriteDouble("a", kNow - age * kMinute, 1, database);
    ASSERT_TRUE(store_->Checkpoint().ok());
    EXPECT_EQ((*store_->OpenView(database))->Partitions().size(), outlived ? 1U : 3U);
  }
  clock_.Advance(2 * kNsPerHour);
  auto dropped = store_->ApplyRetention();
  ASSERT_TRUE(dropped.ok()) << dropped.error().message;
  EXPECT_EQ((*store_->OpenView("none"))->Partitions().size(), 1U);
}

TEST_F(KeepTest, ReadersDoNotSeeWhatWritersAreRefused) {
  constexpr int64_t kMinute = 60 * kSecond;
  Open();
  model::BatchBuilder builder;
  for (int64_t age = 0; age < 60; ++age) {
    builder.Row("m", {{"host", "a"}}, {kNow - age * kMinute}).Field("x", age);
  }
  builder.Row("old", {{"host", "a"}}, {kNow - 59 * kMinute}).Field("x", 1.0);
  Write(builder.batch());
  for (const bool on_disk : {false, true}) {
    SCOPED_TRACE(on_disk);
    if (on_disk) {
      ASSERT_TRUE(store_->Checkpoint().ok());
    }
    DatabaseOptions options = store_->Databases()[0].options;
    options.retention_ns = 10 * kMinute;
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
    // At once, though their partition is far from being dropped.
    auto view = *store_->OpenView("");
    const auto rows = StoreFixture::Read(*view, {Equal("__name__", "m_x")});
    ASSERT_EQ(rows.size(), 11U);
    EXPECT_EQ(rows.front().time_ns, kNow - 10 * kMinute);
    const std::vector<model::Matcher> all = {Equal("host", "a")};
    EXPECT_TRUE(StoreFixture::Read(*view, {Equal("__name__", "old_x")}).empty());
    if (!on_disk) {
      EXPECT_EQ(view->Present(*view->Select(all, {}), {}).size(), 1U);
    }
    // What is kept of the result before does not count any more.
    const auto changed = view->ChangedSince(view->Changes());
    ASSERT_FALSE(changed.empty());
    EXPECT_LT(changed[0].first.ns, kNow - 59 * kMinute);
    // Kept longer again they are still there.
    options.retention_ns = 0;
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
    EXPECT_EQ(Rows("m_x"), 60U);
    // A tier that outlives them has them answer for it until they go.
    options.retention_ns = 10 * kMinute;
    options.tiers = {{5 * kMinute, 0}};
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
    EXPECT_EQ(Rows("m_x"), 60U);
    // One that does not keeps its buckets whole.
    options.tiers = {{7 * kMinute, 10 * kMinute}};
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
    const int64_t floor = (kNow - 10 * kMinute) / (7 * kMinute) * (7 * kMinute);
    EXPECT_EQ(Read({Equal("__name__", "m_x")}).front().time_ns, kNow - (kNow - floor) / kMinute * kMinute);
    options.tiers.clear();
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
  }
}

}  // namespace
}  // namespace tidemark::storage
