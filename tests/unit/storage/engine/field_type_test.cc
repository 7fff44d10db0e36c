// Names of fields that get another type: what is written and read, over restarts, and what frees a name.
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

using model::FieldType;
using model::FieldValue;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kBig = (int64_t{1} << 53) + 1;  // that no float is equal to

class FieldTypeTest : public StoreFixture {
 protected:
  // Why a row is refused, "" when it is taken.
  template <typename Value>
  std::string Put(int64_t time_ns, Value value, std::string_view host = "a", std::string_view field = "v") {
    model::BatchBuilder builder;
    builder.Row("m", {{"host", host}}, {time_ns}).Field(field, value);
    const auto report = store_->Write("", builder.batch());
    EXPECT_TRUE(report.ok()) << report.error().message;
    if (!report.ok()) return report.error().message;
    return report->rejections.empty() ? "" : report->rejections[0].error.message;
  }
  // Rows of all fields of one name, by time; of one time that of the younger field.
  std::map<int64_t, FieldValue> Rows(std::string_view metric = "m_v", std::string_view host = "a") {
    std::map<int64_t, FieldValue> rows;
    const auto view = store_->OpenView("");
    EXPECT_TRUE(view.ok());
    if (!view.ok()) return rows;
    const std::vector<model::Matcher> matchers{Equal("__name__", std::string(metric)),
                                               Equal("host", std::string(host))};
    const auto refs = (*view)->Select(matchers, {}, {.numeric = true, .strings = true});
    EXPECT_TRUE(refs.ok());
    const auto cursor = (*view)->Scan(*refs, {});
    for (model::Column column; cursor->Next(&column).value();) {
      for (size_t i = 0; i < column.size(); ++i) rows.insert_or_assign(column.times[i], ValueOf(column, i));
    }
    EXPECT_THAT(cursor->warnings(), IsEmpty());
    return rows;
  }
  void DeleteAll(std::vector<std::string> fields = {}, std::string host = {}) {
    DeleteRequest request{.selectors = {{{model::MatchOp::kRegex, "__name__", "m_.*"}}}, .fields = std::move(fields)};
    if (!host.empty()) request.selectors[0].push_back(Equal("host", host));
    const auto deleted = store_->Delete("", request);
    ASSERT_TRUE(deleted.ok()) << deleted.error().message;
  }
  void Compact() {
    const auto compacted = store_->Compact("", {}, nullptr);
    ASSERT_TRUE(compacted.ok()) << compacted.error().message;
  }
  std::vector<std::string> Fields() {
    std::vector<std::string> out;
    for (const FieldDescription& field : store_->OpenView("").value()->Fields()) {
      out.push_back(field.metric + " " + std::string(model::Name(field.type)) + " " + std::to_string(field.series));
    }
    return out;
  }
};

TEST_F(FieldTypeTest, IntegersStayExactAndFloatsFollow) {
  Open();
  EXPECT_EQ(Put(kNow, kBig), "");
  EXPECT_EQ(Put(kNow + kSecond, 1.5), "");
  EXPECT_EQ(Put(kNow + 2 * kSecond, int64_t{7}), "");
  EXPECT_THAT(Put(kNow + 3 * kSecond, kBig), HasSubstr("9007199254740993"));
  const std::map<int64_t, FieldValue> rows{{kNow, kBig}, {kNow + kSecond, 1.5}, {kNow + 2 * kSecond, 7.0}};
  EXPECT_EQ(Rows(), rows);
  EXPECT_THAT(Fields(), ElementsAre("m_v float 1"));
  Open();  // a crash: the journal has it
  EXPECT_EQ(Rows(), rows);
  EXPECT_EQ(Put(kNow + 4 * kSecond, int64_t{8}), "");
  EXPECT_EQ(Rows().at(kNow + 4 * kSecond), FieldValue(8.0));
  ASSERT_TRUE(store_->Checkpoint().ok());
  Open();  // the saved entries have it
  EXPECT_EQ(Rows().size(), 4U);
  EXPECT_EQ(Put(kNow + 5 * kSecond, int64_t{9}), "");
  Compact();
  CloseAndOpen();
  EXPECT_EQ(Rows().size(), 5U);
  EXPECT_EQ(Rows().at(kNow), FieldValue(kBig));
  EXPECT_THAT(Fields(), ElementsAre("m_v float 1"));
}

TEST_F(FieldTypeTest, ACheckpointBetweenTheTwoTypes) {
  Open();
  EXPECT_EQ(Put(kNow, kBig), "");
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_EQ(Put(kNow + kSecond, 1.5), "");
  Open();
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow, kBig}, {kNow + kSecond, 1.5}}));
}

TEST_F(FieldTypeTest, TheLaterWriteWinsAtOneTime) {
  Open();
  EXPECT_EQ(Put(kNow, int64_t{1}), "");
  EXPECT_EQ(Put(kNow, 2.5), "");
  EXPECT_EQ(Rows().at(kNow), FieldValue(2.5));
  EXPECT_EQ(Put(kNow, int64_t{3}), "");
  EXPECT_EQ(Rows().at(kNow), FieldValue(3.0));
  Compact();
  EXPECT_EQ(Rows().at(kNow), FieldValue(3.0));
}

TEST_F(FieldTypeTest, ADeletionCoversBothFields) {
  Open();
  EXPECT_EQ(Put(kNow, int64_t{1}), "");
  EXPECT_EQ(Put(kNow + kSecond, 1.5), "");
  DeleteAll({"v"});
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(Put(kNow, int64_t{4}), "");
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow, 4.0}}));
  Open();
  Compact();
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow, 4.0}}));
}

TEST_F(FieldTypeTest, APolicyThatRefusesLastsOverARestart) {
  Open();
  EXPECT_EQ(Put(kNow, int64_t{1}), "");
  DatabaseOptions options;
  options.type_conflicts = model::TypeConflicts::kRefuse;
  ASSERT_TRUE(store_->SetDatabaseOptions("", options).ok());
  EXPECT_THAT(Put(kNow, 1.5), HasSubstr("is type float, already exists as type integer"));
  CloseAndOpen();
  EXPECT_EQ(store_->Databases()[0].options.type_conflicts, model::TypeConflicts::kRefuse);
  EXPECT_THAT(Put(kNow, 1.5), HasSubstr("is type float, already exists as type integer"));
  options.type_conflicts = model::TypeConflicts::kWiden;
  ASSERT_TRUE(store_->SetDatabaseOptions("", options).ok());
  EXPECT_EQ(Put(kNow, 1.5), "");
}

TEST_F(FieldTypeTest, ATypeGoesWithTheLastRow) {
  Open();
  EXPECT_EQ(Put(kNow, "text"), "");
  EXPECT_EQ(Put(kNow, "text", "b"), "");
  EXPECT_THAT(Put(kNow, 1.5), HasSubstr("field type conflict"));
  DeleteAll({}, "b");
  EXPECT_THAT(Put(kNow, 1.5), HasSubstr("field type conflict"));
  DeleteAll();
  EXPECT_EQ(Put(kNow, 1.5), "");
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow, 1.5}}));
  EXPECT_THAT(Put(kNow, "text"), HasSubstr("is type string, already exists as type float"));
  EXPECT_THAT(Fields(), ElementsAre(HasSubstr("m_v float")));
  Open();  // texts, the deletion and the float are replayed in their order
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow, 1.5}}));
  EXPECT_THAT(Put(kNow, "text"), HasSubstr("is type string, already exists as type float"));
  Compact();
  CloseAndOpen();
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow, 1.5}}));
  // And back again: an id of its own each time.
  DeleteAll();
  Compact();
  EXPECT_EQ(Put(kNow, "text"), "");
  EXPECT_EQ(Put(kNow, true, "a", "other"), "");
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow, FieldValue(std::string("text"))}}));
}

TEST_F(FieldTypeTest, AThirdTypeInOneBatchLeavesTheOtherRows) {
  Open();
  const auto write = [&](int64_t time_ns) {
    model::BatchBuilder builder;
    builder.Row("m", {{"host", "a"}}, {time_ns}).Field("v", 1.5);
    builder.Row("m", {{"host", "a"}}, {time_ns + 1}).Field("v", "text");
    builder.Row("m", {{"host", "a"}}, {time_ns + 2}).Field("w", 2.0);
    const auto report = store_->Write("", builder.batch());
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->rows_written, 2U);
    ASSERT_EQ(report->rejections.size(), 1U);
    EXPECT_THAT(report->rejections[0].error.message, HasSubstr("is type string, already exists as type float"));
  };
  EXPECT_EQ(Put(kNow, int64_t{1}), "");
  write(kNow + kSecond);
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow, int64_t{1}}, {kNow + kSecond, 1.5}}));
  DeleteAll();
  write(kNow + 2 * kSecond);
  EXPECT_EQ(Rows(), (std::map<int64_t, FieldValue>{{kNow + 2 * kSecond, 1.5}}));
}

TEST_F(FieldTypeTest, RowsOfAnOlderFieldKeepTheName) {
  Open();
  EXPECT_EQ(Put(kNow, int64_t{1}, "old"), "");
  EXPECT_EQ(Put(kNow + kSecond, 1.5, "new"), "");
  DeleteAll({}, "new");
  EXPECT_THAT(Put(kNow + kSecond, "text", "new"), HasSubstr("is type string, already exists as type float"));
  ASSERT_TRUE(store_->Checkpoint().ok());
  Compact();
  CloseAndOpen();
  EXPECT_THAT(Put(kNow + kSecond, "text", "new"), HasSubstr("is type string, already exists as type float"));
  EXPECT_EQ(Put(kNow + kSecond, 2.5, "new"), "");
  DeleteAll();
  EXPECT_EQ(Put(kNow + kSecond, "text", "new"), "");
}

TEST_F(FieldTypeTest, RowsOfOtherFieldsDoNotKeepAType) {
  Open();
  model::BatchBuilder builder;
  builder.Row("m", {{"host", "a"}}, {kNow}).Field("v", true).Field("w", 1.0);
  Write(builder.batch());
  DeleteAll({"v"});
  EXPECT_EQ(Put(kNow + kSecond, 2.0, "a", "w"), "");
  EXPECT_EQ(Put(kNow, "text"), "");
  EXPECT_EQ(Rows("m_w").size(), 2U);
}

TEST_F(FieldTypeTest, ARowThatIsWrittenAfterADeletionKeepsAType) {
  Open();
  EXPECT_EQ(Put(kNow, true), "");
  ASSERT_TRUE(store_->Checkpoint().ok());
  DeleteAll();
  EXPECT_EQ(Put(kNow + kSecond, false), "");
  EXPECT_THAT(Put(kNow, "text"), HasSubstr("field type conflict"));
  ASSERT_TRUE(store_->Checkpoint().ok());
  Compact();
  EXPECT_THAT(Put(kNow, "text"), HasSubstr("field type conflict"));
}

TEST_F(FieldTypeTest, ATypeGoesWithTheRowsThatRetentionTakes) {
  Open();
  EXPECT_EQ(Put(kNow, true), "");
  ASSERT_TRUE(store_->Checkpoint().ok());
  DatabaseOptions options;
  options.retention_ns = 10 * kNsPerDay;
  ASSERT_TRUE(store_->SetDatabaseOptions("", options).ok());
  EXPECT_THAT(Put(kNow, "text"), HasSubstr("field type conflict"));
  clock_.Set(kNow + 30 * kNsPerDay);
  ASSERT_TRUE(store_->AcceptClock().ok());
  ASSERT_TRUE(store_->ApplyRetention().ok());
  EXPECT_EQ(Put(kNow + 30 * kNsPerDay, "text"), "");
}

TEST_F(FieldTypeTest, ARefusedRowLeavesNoType) {
  Open();
  DatabaseOptions options;
  options.retention_ns = kNsPerDay;
  ASSERT_TRUE(store_->CreateDatabase("default", options).ok());
  EXPECT_THAT(Put(kNow - 2 * kNsPerDay, 1.5), HasSubstr("beyond retention"));
  EXPECT_THAT(Fields(), IsEmpty());
  EXPECT_EQ(Put(kNow, "text"), "");
  CloseAndOpen();
  EXPECT_THAT(Fields(), ElementsAre("m_v string 1"));
}

// Writers of integers meet one of floats: every row that was acknowledged is there with its value, whatever type it
// came as, also after a crash, and of one time the last one.
TEST_F(FieldTypeTest, WritersAtOnce) {
  Open();
  constexpr int kWriters = 4;
  constexpr int kRows = 200;
  std::atomic<int> started = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      ++started;
      while (started.load() < kWriters) std::this_thread::yield();
      const std::string host = "h" + std::to_string(w);
      for (int i = 0; i < kRows; ++i) {
        const std::string field = "v" + std::to_string(i / 20);
        // Each field is widened once, by whoever of the others is there first; each time is written twice.
        EXPECT_EQ(Put(kNow + i * kSecond, int64_t{i}, host, field), "");
        if (w == 0) {
          EXPECT_EQ(Put(kNow + i * kSecond, i + 0.5, host, field), "");
        }
        if (w == 1) {
          EXPECT_EQ(Put(kNow + i * kSecond, int64_t{i + 1}, host, field), "");
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const auto check = [&] {
    for (int w = 0; w < kWriters; ++w) {
      for (int f = 0; f < kRows / 20; ++f) {
        const auto rows = Rows("m_v" + std::to_string(f), "h" + std::to_string(w));
        EXPECT_EQ(rows.size(), 20U);
        for (const auto& [time_ns, value] : rows) {
          const auto i = static_cast<double>((time_ns - kNow) / kSecond);
          const double read = std::holds_alternative<int64_t>(value) ? static_cast<double>(std::get<int64_t>(value))
                                                                     : std::get<double>(value);
          EXPECT_EQ(read, w == 0 ? i + 0.5 : w == 1 ? i + 1 : i);
        }
      }
    }
  };
  check();
  Open();
  check();
  Compact();
  CloseAndOpen();
  check();
}

// A field without rows gets one of its own type and one of another at once: whoever is acknowledged first says the
// type, and rows of two types are never under one name.
TEST_F(FieldTypeTest, OfTwoTypesAtOnceOneTakesANameWithoutRows) {
  Open();
  constexpr int kRounds = 1000;
  for (int i = 0; i < kRounds; ++i) {
    const std::string field = "v" + std::to_string(i);
    EXPECT_EQ(Put(kNow, true, "a", field), "");
  }
  DeleteAll();
  std::atomic<int> arrived = 0;
  const auto meet = [&arrived](int round) {
    ++arrived;
    while (arrived.load() < 2 * (round + 1)) std::this_thread::yield();
  };
  std::vector<std::string> texts(kRounds);
  std::vector<std::string> truths(kRounds);
  std::thread other([&] {
    for (int i = 0; i < kRounds; ++i) {
      meet(i);
      texts[i] = Put(kNow + kSecond, "text", "a", "v" + std::to_string(i));
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    meet(i);
    truths[i] = Put(kNow + 2 * kSecond, true, "a", "v" + std::to_string(i));
  }
  other.join();
  int both = 0;
  for (int i = 0; i < kRounds; ++i) {
    both += texts[i].empty() && truths[i].empty() ? 1 : 0;
    // A refusal stands only where the other row is.
    EXPECT_EQ(Rows("m_v" + std::to_string(i)).size(), 1U) << i << ": " << texts[i] << "; " << truths[i];
  }
  EXPECT_EQ(both, 0);
}

}  // namespace
}  // namespace tidemark::storage
