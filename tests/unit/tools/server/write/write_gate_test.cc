#include "tools/server/write/write_gate.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "ingest/write_path/write_path.h"
#include "storage/model/series_key.h"
#include "storage/series_filter.h"

namespace tidemark::server {
namespace {

using model::MatchOp;

constexpr model::Timestamp kTime{1};

class HeldCaller final : public http::Caller {
 public:
  [[nodiscard]] std::string_view name() const override { return "held"; }
  [[nodiscard]] bool May(http::Access, std::string_view) const override { return true; }
  [[nodiscard]] bool MayEverywhere(http::Access) const override { return true; }
  [[nodiscard]] bool MaySomewhere(http::Access) const override { return true; }
  [[nodiscard]] const storage::SeriesFilter* filter() const override { return filter_ ? &*filter_ : nullptr; }
  [[nodiscard]] quota::Account* account() const override { return account_; }
  [[nodiscard]] bool revoked() const override { return false; }

  std::optional<storage::SeriesFilter> filter_;
  quota::Account* account_ = nullptr;
};

class WriteGateTest : public testing::Test {
 protected:
  void Hold(std::vector<std::vector<model::Matcher>> any_of) {
    caller_.filter_ = storage::SeriesFilter::Make(std::move(any_of), "{...}").value();
  }
  // Admits what was built; the labels of the rows that are left, as text.
  std::vector<std::string> Left() {
    model::Batch& batch = builder_.batch();
    WriteGate gate(&caller_, nullptr, "d");
    EXPECT_FALSE(gate.Admit(&batch, &held_));
    std::vector<std::string> out;
    for (const model::Row& row : batch.rows) {
      const Result<model::ParsedKey> key = model::ParseSeriesKey(row.key.format, row.key.bytes, &batch.arena);
      EXPECT_TRUE(key.ok());
      std::string& text = out.emplace_back(key->measurement);
      for (const model::LabelView& tag : key->tags) text += "," + std::string(tag.name) + "=" + std::string(tag.value);
    }
    return out;
  }

  ManualClock clock_{1'700'000'000'000'000'000};
  query::run::MemoryTotal all_{0};
  quota::Account account_{"the token \"held\"", &clock_, &all_};
  HeldCaller caller_;
  model::BatchBuilder builder_;
  model::WriteReport held_;
};

using Texts = std::vector<std::string>;

TEST_F(WriteGateTest, WithoutAFilterNothingChanges) {
  builder_.Row("m", {{"team", "b"}}, kTime).Field("v", 1.0);
  EXPECT_EQ(Left(), Texts{"m,team=b"});
  EXPECT_EQ(held_.rows_rejected, 0U);
}

TEST_F(WriteGateTest, LabelsAreAddedInTheirPlaceAndForeignOnesRefused) {
  Hold({{{MatchOp::kEqual, "team", "a"}}});
  builder_.Row("m", {}, kTime).Field("v", 1.0);
  builder_.Row("m", {{"host", "x"}, {"zone", "1"}}, kTime).Field("v", 1.0);
  builder_.Row("m", {{"team", "b"}}, kTime).Field("v", 1.0);
  builder_.Row("m", {{"team", "a"}}, kTime).Field("v", 1.0);
  builder_.Row("m", {{"team", "b"}}, kTime).Field("w", 1.0);
  EXPECT_EQ(Left(), (Texts{"m,team=a", "m,host=x,team=a,zone=1", "m,team=a"}));
  ASSERT_EQ(held_.rows_rejected, 2U);
  EXPECT_NE(held_.rejections[0].error.message.find("may write"), std::string::npos);
}

TEST_F(WriteGateTest, EveryFieldOfARowIsASeries) {
  Hold({{{MatchOp::kEqual, "__name__", "m_v"}}});
  builder_.Row("m", {}, kTime).Field("v", 1.0);
  builder_.Row("m", {}, kTime).Field("v", 1.0).Field("w", 2.0);
  builder_.Row("m", {}, kTime).Field("w", 2.0);
  EXPECT_EQ(Left(), Texts{"m"});
  EXPECT_EQ(held_.rows_rejected, 2U);
}

TEST_F(WriteGateTest, ATagNamedLikeTheMetricNameOpensNothing) {
  Hold({{{MatchOp::kRegex, "__name__", "app_.*"}}});
  builder_.Row("os", {{"__name__", "app_x"}}, kTime).Field("v", 1.0);
  EXPECT_EQ(Left(), Texts{});
  EXPECT_EQ(held_.rows_rejected, 1U);
}

TEST_F(WriteGateTest, WhatWasNotWrittenIsGivenBackToTheQuotas) {
  account_.SetLimits({.points_per_s = 2, .bytes_per_s = 10, .new_series_per_s = 3, .series = 1});
  caller_.account_ = &account_;
  builder_.Row("m", {{"n", "1"}}, kTime).Field("v", 1.0).Field("w", 1.0);
  builder_.Row("m", {{"n", "2"}}, kTime).Field("v", 1.0);
  constexpr model::DatabaseId kDatabase{1};
  // Refused as a whole: it costs nothing, however often.
  for (int i = 0; i < 5; ++i) {
    WriteGate gate(&caller_, nullptr, "d");
    ASSERT_FALSE(gate.AdmitBytes(100)) << i;
    ASSERT_FALSE(gate.Admit(&builder_.batch(), &held_)) << i;
    ASSERT_TRUE(builder_.batch().names->AdmitSeries(kDatabase, model::SeriesId{1}).ok()) << i;
  }
  EXPECT_EQ(account_.usage().series, 0U);
  EXPECT_EQ(account_.usage().bytes, 0U);
  // Written in part.
  WriteGate gate(&caller_, nullptr, "d");
  ASSERT_FALSE(gate.AdmitBytes(100));
  ASSERT_FALSE(gate.Admit(&builder_.batch(), &held_));
  model::NameQuota& names = *builder_.batch().names;
  ASSERT_TRUE(names.AdmitSeries(kDatabase, model::SeriesId{1}).ok());
  const Status second = names.AdmitSeries(kDatabase, model::SeriesId{2});
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.error().message.starts_with(quota::kQuotaWords)) << second.error().message;
  const std::optional<quota::Refusal> told =
      gate.Note({.rows_written = 1, .points_written = 2, .rows_rejected = 1, .rejections = {}});
  ASSERT_TRUE(told);
  EXPECT_EQ(told->reason, second.error().message);
  EXPECT_EQ(told->retry_s, 60) << "as long as it takes, at the least";
  EXPECT_EQ(account_.usage().points, 2U) << "those that were written";
  EXPECT_EQ(account_.usage().refused_rows, 1U);
  EXPECT_EQ(account_.usage().series, 1U);
}

TEST_F(WriteGateTest, TheDatabasesRefusalCostsTheTokenNothing) {
  quota::Account database("the database \"d\"", &clock_, &all_);
  account_.SetLimits({.new_series_per_s = 5, .series = 5});
  database.SetLimits({.new_series_per_s = 1, .series = 2});
  BatchNames names({&account_, &database});
  constexpr model::DatabaseId kDatabase{1};
  int made = 0;
  for (uint32_t id = 1; id <= 20; ++id) {
    if (!names.AdmitNewSeries().ok()) continue;
    names.Made(kDatabase, model::SeriesId{id});
    ++made;
  }
  EXPECT_EQ(made, 2);
  EXPECT_FALSE(names.AdmitSeries(kDatabase, model::SeriesId{100}).ok());
  names.Keep();
  EXPECT_EQ(account_.usage().new_series, 2U);
  EXPECT_EQ(account_.usage().series, 2U);
  EXPECT_EQ(account_.usage().refused_rows, 19U);
  // The token has the rest of what it may.
  int more = 0;
  for (; !account_.AdmitNewSeries(); ++more) account_.SeriesMade(1'000 + static_cast<uint64_t>(more));
  EXPECT_EQ(more, 3);
}

TEST_F(WriteGateTest, RejectionsAreMergedInTheOrderOfTheInput) {
  model::WriteReport own;
  model::WriteReport stored;
  own.Reject(3, InvalidArgument("own"));
  stored.Reject(1, InvalidArgument("stored"));
  stored.Reject(5, InvalidArgument("stored"));
  write_path::MergeRejections(std::move(own), &stored);
  EXPECT_EQ(stored.rows_rejected, 3U);
  ASSERT_EQ(stored.rejections.size(), 3U);
  EXPECT_EQ(stored.rejections[1].line, 3U);
}

}  // namespace
}  // namespace tidemark::server
