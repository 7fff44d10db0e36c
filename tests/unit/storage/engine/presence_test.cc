// Which series a view says are there in a range of time, against the rows that it gives.
#include <gmock/gmock.h>

#include <random>
#include <set>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay0 = (1'700'000'000'000'000'000 / kNsPerDay) * kNsPerDay;

constexpr model::TimeRange Days(int64_t first, int64_t last) {
  return {{kDay0 + first * kNsPerDay}, {kDay0 + (last + 1) * kNsPerDay - 1}};
}

class PresenceTest : public StoreFixture {
 protected:
  PresenceTest() { clock_.Set(kDay0 + 20 * kNsPerDay); }

  std::vector<std::string> Hosts(model::TimeRange range) {
    const auto view = store_->OpenView("");
    EXPECT_TRUE(view.ok());
    auto refs = (*view)->Select({}, range, {.numeric = true, .strings = true});
    EXPECT_TRUE(refs.ok());
    std::set<std::string> hosts;
    for (const model::SeriesRef ref : (*view)->Present(*refs, range)) hosts.insert(HostOf(**view, ref));
    const std::vector<std::string> all(hosts.begin(), hosts.end());
    // Labels come of the same series.
    const auto values = (*view)->LabelValues("host", {}, range);
    EXPECT_TRUE(values.ok());
    EXPECT_EQ(*values, all);
    return all;
  }
  static std::string HostOf(const View& view, model::SeriesRef ref) {
    model::LabelViews labels;
    view.LabelsOf(ref, &labels);
    for (const model::LabelView& label : labels) {
      if (label.name == "host") return std::string(label.value);
    }
    return {};
  }
  void Delete(std::string host, model::TimeRange range) {
    const auto report = store_->Delete("", {.selectors = {{Equal("host", std::move(host))}}, .range = range});
    ASSERT_TRUE(report.ok()) << report.error().message;
  }
  void Checkpoint() {
    const auto done = store_->Checkpoint();
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  void Compact() {
    const auto done = store_->Compact("default", {}, nullptr);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
};

TEST_F(PresenceTest, InHeadsByTheTimesOfEachSeries) {
  Open();
  WriteDouble("a", kDay0 + 10 * kSecond, 1);
  WriteDouble("b", kDay0 + 20 * kSecond, 1);
  EXPECT_THAT(Hosts({}), ElementsAre("a", "b"));
  EXPECT_THAT(Hosts({{kDay0}, {kDay0 + 10 * kSecond}}), ElementsAre("a"));
  EXPECT_THAT(Hosts({{kDay0 + 11 * kSecond}, {kDay0 + 19 * kSecond}}), IsEmpty());
  EXPECT_THAT(Hosts({{kDay0 + 11 * kSecond}, {kDay0 + 30 * kSecond}}), ElementsAre("b"));
  EXPECT_THAT(Hosts({{5}, {4}}), IsEmpty());
}

TEST_F(PresenceTest, OnDiskByPartition) {
  StoreOptions options = Options();
  options.longest_merge_ns = 0;  // what a merge has made is one partition, and tells of all of its time
  Open(options);
  // The ids of a and c enclose that of b: pages alone would not tell b from them.
  for (const int day : {0, 1, 2}) {
    for (const std::string host : {"a", "b", "c"}) {
      if (host == "b" && day != 1) continue;
      WriteDouble(host, kDay0 + day * kNsPerDay + 10 * kSecond, day);
    }
    if (day == 0) WriteDouble("b", kDay0 + 5 * kNsPerDay, 1);
  }
  Checkpoint();
  for (const bool compacted : {false, true}) {
    if (compacted) Compact();
    EXPECT_THAT(Hosts(Days(0, 0)), ElementsAre("a", "c"));
    EXPECT_THAT(Hosts(Days(1, 1)), ElementsAre("a", "b", "c"));
    EXPECT_THAT(Hosts(Days(2, 3)), ElementsAre("a", "c"));
    EXPECT_THAT(Hosts(Days(4, 6)), ElementsAre("b"));
    EXPECT_THAT(Hosts(Days(6, 9)), IsEmpty());
    // Within a partition, by the first and last time of what lies in it.
    EXPECT_THAT(Hosts({{kDay0 + 20 * kSecond}, {kDay0 + 3600 * kSecond}}), IsEmpty());
  }
  CloseAndOpen();
  EXPECT_THAT(Hosts(Days(0, 0)), ElementsAre("a", "c"));
}

TEST_F(PresenceTest, ByFieldOnDisk) {
  Open();
  model::BatchBuilder builder;
  builder.Row("m", {{"host", "a"}}, {kDay0}).Field("v", 1.0).Field("text", std::string_view("x"));
  builder.Row("m", {{"host", "a"}}, {kDay0 + kNsPerDay}).Field("v", 1.0);
  Write(builder.batch());
  Checkpoint();
  const auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  EXPECT_THAT(*(*view)->LabelValues("__name__", {}, Days(0, 0)), ElementsAre("m_text", "m_v"));
  EXPECT_THAT(*(*view)->LabelValues("__name__", {}, Days(1, 1)), ElementsAre("m_v"));
  EXPECT_THAT(*(*view)->LabelNames({}, Days(1, 1)), ElementsAre("__name__", "host"));
  EXPECT_THAT(*(*view)->LabelNames({}, Days(3, 3)), IsEmpty());
  const std::vector<model::Matcher> text = {Equal("__name__", "m_text")};
  EXPECT_THAT(*(*view)->LabelValues("host", text, Days(0, 1)), ElementsAre("a"));
  EXPECT_THAT(*(*view)->LabelValues("host", text, Days(1, 1)), IsEmpty());
}

TEST_F(PresenceTest, WhatIsDeletedIsNotThere) {
  Open();
  for (const std::string host : {"a", "b"}) {
    for (const int day : {0, 1}) WriteDouble(host, kDay0 + day * kNsPerDay + 10 * kSecond, day);
  }
  // In heads, on disk under a mask, and rewritten.
  Delete("a", Days(0, 0));
  EXPECT_THAT(Hosts(Days(0, 0)), ElementsAre("b"));
  EXPECT_THAT(Hosts(Days(0, 1)), ElementsAre("a", "b"));
  Checkpoint();
  EXPECT_THAT(Hosts(Days(0, 0)), ElementsAre("b"));
  Delete("b", {});
  EXPECT_THAT(Hosts({}), ElementsAre("a"));
  EXPECT_THAT(Hosts(Days(0, 0)), IsEmpty());
  Compact();
  EXPECT_THAT(Hosts(Days(0, 0)), IsEmpty());
  EXPECT_THAT(Hosts(Days(1, 1)), ElementsAre("a"));
  // Two deletions that cover a partition only together.
  Delete("a", {Days(1, 1).first, {kDay0 + kNsPerDay + 10 * kSecond}});
  EXPECT_THAT(Hosts(Days(1, 1)), IsEmpty());
  WriteDouble("a", kDay0 + kNsPerDay, 3);
  EXPECT_THAT(Hosts(Days(1, 1)), ElementsAre("a"));
}

TEST_F(PresenceTest, WhereOnlyTiersAreLeft) {
  StoreOptions options = Options();
  options.new_database.tiers = {{kNsPerHour, 0}};
  Open(options);
  ASSERT_TRUE(store_->CreateDatabase("default", options.new_database).ok());
  for (const std::string host : {"a", "b", "c"}) {
    for (int i = 0; i < 100; ++i) WriteDouble(host, kDay0 + i * 60 * kSecond, i * 0.37);
  }
  Checkpoint();
  Compact();
  DatabaseOptions shorter = store_->Databases()[0].options;
  shorter.retention_ns = 5 * kNsPerDay;
  ASSERT_TRUE(store_->SetDatabaseOptions("", shorter).ok());
  ASSERT_TRUE(store_->ApplyRetention().ok());
  ASSERT_TRUE((*store_->OpenView(""))->RawGoneIn({}).has_value());
  EXPECT_THAT(Hosts(Days(0, 0)), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Hosts(Days(1, 1)), IsEmpty());
  Delete("b", Days(0, 0));
  EXPECT_THAT(Hosts(Days(0, 0)), ElementsAre("a", "c"));
}

TEST_F(PresenceTest, WhatADatabaseTellsOfItsPartitions) {
  Open();
  WriteDouble("a", kDay0 + 10 * kSecond, 1);
  WriteDouble("b", kDay0 + kNsPerDay, 1);
  {
    const auto view = store_->OpenView("");
    EXPECT_THAT((*view)->Partitions(), IsEmpty());
    const StagedInfo staged = (*view)->Staged();
    EXPECT_EQ(staged.series, 2U);
    EXPECT_EQ(staged.rows, (model::TimeRange{{kDay0 + 10 * kSecond}, {kDay0 + kNsPerDay}}));
  }
  Checkpoint();
  const auto view = store_->OpenView("");
  EXPECT_TRUE((*view)->Staged().rows.empty());
  const std::vector<PartitionInfo> partitions = (*view)->Partitions();
  ASSERT_EQ(partitions.size(), 2U);
  EXPECT_EQ(partitions[0].bounds, Days(0, 0));
  EXPECT_EQ(partitions[0].rows, (model::TimeRange{{kDay0 + 10 * kSecond}, {kDay0 + 10 * kSecond}}));
  EXPECT_EQ(partitions[0].row_count, 1U);
  EXPECT_EQ(partitions[0].epochs, 1U);
  EXPECT_GT(partitions[0].bytes, 0U);
  EXPECT_FALSE(partitions[0].tiers_only);
}

// Random writes, deletions, checkpoints and compactions: what has rows is present, whatever the range; and of whole
// partitions on disk without deletions that wait, nothing else is.
TEST_F(PresenceTest, NothingThatHasRowsIsLeftOut) {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    TempDirectory directory;
    StoreOptions options = Options();
    options.directory = directory.path() + "/data";
    options.longest_merge_ns = 0;
    Open(options);
    for (int round = 0; round < 12; ++round) {
      model::BatchBuilder builder;
      for (int i = 0; i < 60; ++i) {
        const int64_t time =
            kDay0 + static_cast<int64_t>(random() % 6) * kNsPerDay + static_cast<int64_t>(random() % 86'400) * kSecond;
        const std::string host = "h" + std::to_string(random() % 40);
        auto& row = builder.Row("m", {{"host", host}}, {time});
        if (random() % 2 == 0) row.Field("v", 1.0);
        row.Field("w", static_cast<double>(i));
      }
      Write(builder.batch());
      if (random() % 3 == 0) {
        const int64_t first = kDay0 + static_cast<int64_t>(random() % 6) * kNsPerDay;
        Delete("h" + std::to_string(random() % 40),
               {{first}, {first + static_cast<int64_t>(random() % 3) * kNsPerDay}});
      }
      const uint64_t action = random() % 4;
      if (action == 0) Checkpoint();
      if (action == 1) {
        Checkpoint();
        Compact();
      }
      const auto view = store_->OpenView("");
      const auto refs = (*view)->Select({}, {}, {});
      ASSERT_TRUE(refs.ok());
      for (int query = 0; query < 10; ++query) {
        const auto day = static_cast<int64_t>(random() % 6);
        const bool whole = query % 2 == 0;
        model::TimeRange range = Days(day, day + random() % 2);
        if (!whole) range.first.ns += static_cast<int64_t>(random() % 86'400) * kSecond;
        const std::vector<model::SeriesRef> present = (*view)->Present(*refs, range);
        std::vector<model::SeriesRef> having;
        const auto cursor = (*view)->Scan(*refs, range);
        for (model::Column column; *cursor->Next(&column);) {
          if (!column.empty()) having.push_back(column.ref);
        }
        EXPECT_TRUE(std::includes(present.begin(), present.end(), having.begin(), having.end()));
        if (whole && action == 1) {
          EXPECT_EQ(present, having);
        }
      }
    }
    store_.reset();
  }
}

}  // namespace
}  // namespace tidemark::storage
