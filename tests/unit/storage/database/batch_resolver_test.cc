// Which rows of a batch get which fields, and what is left of those that are refused: nothing.
#include "storage/database/batch_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/index/index.h"
#include "storage/model/batch.h"
#include "storage/model/name_quota.h"

namespace tidemark::storage::database {
namespace {

using model::FieldType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Says what it was told to say, and what it was asked.
class FakeChanges final : public TypeChanges {
 public:
  bool Ended(model::FieldId field) override {
    asked.push_back(model::Number(field));
    return ended.contains(model::Number(field));
  }
  Result<void> Prepare() override {
    ++prepared;
    if (fails) return IoError("the disk is gone");
    return {};
  }
  Result<model::ResolvedShape> Change(std::span<const model::FieldId> fields,
                                      const std::function<Result<model::ResolvedShape>()>& resolve) override {
    for (const model::FieldId field : fields) {
      if (ended.contains(model::Number(field)) && late.erase(model::Number(field)) != 0) {
        ended.erase(model::Number(field));
        return MakeError(ErrorCode::kConflict, "a row has come");
      }
    }
    return resolve();
  }

  std::set<uint32_t> ended;
  std::set<uint32_t> late;  // get a row between Ended and Change
  std::vector<uint32_t> asked;
  int prepared = 0;
  bool fails = false;
};

class BatchResolverTest : public testing::Test {
 protected:
  Result<model::ResolvedBatch> Resolve(model::BatchBuilder* builder) {
    report_ = {};
    return resolver_.Resolve({.database = model::DatabaseId{1},
                              .oldest_ns = oldest_ns_,
                              .index = index_.get(),
                              .shapes = shapes_.get(),
                              .conflicts = conflicts_,
                              .changes = &changes_},
                             builder->batch(), &report_);
  }
  // "field id:type=value" of each row.
  std::vector<std::string> Rows(model::BatchBuilder* builder) {
    const auto resolved = Resolve(builder);
    EXPECT_TRUE(resolved.ok()) << resolved.error().message;
    std::vector<std::string> out;
    for (const model::ResolvedRow& row : resolved->rows) {
      std::string& text = out.emplace_back();
      const std::vector<model::ResolvedField>& fields = resolved->shapes[row.shape].fields;
      for (size_t f = 0; f < fields.size(); ++f) {
        const int64_t value = resolved->values[row.first_value + f];
        if (!text.empty()) text += ' ';
        text += std::to_string(model::Number(fields[f].id)) + ":" + std::string(model::Name(fields[f].type)) + "=";
        text += fields[f].type == FieldType::kFloat
                    ? std::to_string(model::FloatOf(value, resolved->scales[row.first_value + f]))
                    : std::to_string(value);
      }
    }
    return out;
  }
  std::vector<std::string> Refusals() {
    std::vector<std::string> out;
    for (const model::Rejection& rejection : report_.rejections) out.push_back(rejection.error.message);
    return out;
  }
  template <typename Value>
  std::vector<std::string> Write(Value value, std::string_view measurement = "m", int64_t time_ns = 1) {
    model::BatchBuilder builder;
    builder.Row(measurement, {}, {time_ns}).Field("v", value);
    return Rows(&builder);
  }

  std::unique_ptr<index::Index> index_ = index::Index::Create({.max_series = 4, .max_fields = 4});
  std::unique_ptr<ShapeCache> shapes_ = std::make_unique<ShapeCache>();
  FakeChanges changes_;
  BatchResolver resolver_;
  model::WriteReport report_;
  model::TypeConflicts conflicts_ = model::TypeConflicts::kWiden;
  int64_t oldest_ns_ = std::numeric_limits<int64_t>::min();
};

TEST_F(BatchResolverTest, AnIntegerFieldThatGetsAFloatIsWidened) {
  EXPECT_THAT(Write(int64_t{1}), ElementsAre("1:integer=1"));
  EXPECT_THAT(Write(1.5), ElementsAre("2:float=1.500000"));
  EXPECT_EQ(changes_.prepared, 1);
  // What the cache had of integers is of the past.
  EXPECT_THAT(Write(int64_t{3}), ElementsAre("2:float=3.000000"));
  EXPECT_THAT(Write(uint64_t{4}), ElementsAre("2:float=4.000000"));
  EXPECT_EQ(changes_.prepared, 1);
  EXPECT_EQ(index_->Field(model::FieldId{1}).newest, model::FieldId{2});
}

TEST_F(BatchResolverTest, UnsignedFieldsToo) {
  EXPECT_THAT(Write(uint64_t{1}), ElementsAre("1:unsigned=1"));
  EXPECT_THAT(Write(0.5), ElementsAre("2:float=0.500000"));
}

TEST_F(BatchResolverTest, AnIntegerThatNoFloatIsEqualToIsRefusedByAFieldThatHasHadIntegers) {
  Write(std::numeric_limits<int64_t>::max(), "floats");
  EXPECT_THAT(Write(1.5, "floats"), ElementsAre("2:float=1.500000"));
  Write(int64_t{1});
  Write(1.5);
  constexpr int64_t kOdd = (int64_t{1} << 53) + 1;
  EXPECT_THAT(Write(kOdd), IsEmpty());
  EXPECT_THAT(Refusals(), ElementsAre(HasSubstr("9007199254740993")));
  EXPECT_THAT(Write(kOdd + 1), ElementsAre("4:float=9007199254740994.000000"));
  EXPECT_THAT(Write(std::numeric_limits<int64_t>::min()), ElementsAre("4:float=-9223372036854775808.000000"));
  EXPECT_THAT(Write(std::numeric_limits<int64_t>::max()), IsEmpty());
  EXPECT_THAT(Write(std::numeric_limits<uint64_t>::max()), IsEmpty());
  EXPECT_THAT(Refusals(), ElementsAre(HasSubstr("18446744073709551615")));
  EXPECT_THAT(Write(uint64_t{1} << 63), ElementsAre("4:float=9223372036854775808.000000"));
}

TEST_F(BatchResolverTest, AFieldThatWasAlwaysAFloatRefusesThemToo) {
  Write(1.5);
  EXPECT_THAT(Write((int64_t{1} << 53) + 1), IsEmpty());
  EXPECT_THAT(Refusals(), ElementsAre(HasSubstr("9007199254740993")));
  EXPECT_THAT(Write(std::numeric_limits<uint64_t>::max()), IsEmpty());
  EXPECT_THAT(Write(int64_t{1} << 53), ElementsAre("1:float=9007199254740992.000000"));
}

TEST_F(BatchResolverTest, TwoRowsOfOneBatchAreOneField) {
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("v", int64_t{1});
  builder.Row("m", {}, {2}).Field("v", 1.5);
  builder.Row("m", {}, {3}).Field("v", int64_t{2});
  EXPECT_THAT(Rows(&builder), ElementsAre("1:float=1.000000", "1:float=1.500000", "1:float=2.000000"));
  EXPECT_EQ(changes_.prepared, 0);
  EXPECT_EQ(index_->Stats().fields, 1U);
}

TEST_F(BatchResolverTest, TwoRowsOfOneBatchBehindIntegers) {
  Write(int64_t{7});
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("v", int64_t{1});
  builder.Row("m", {}, {2}).Field("v", 1.5);
  EXPECT_THAT(Rows(&builder), ElementsAre("2:float=1.000000", "2:float=1.500000"));
  EXPECT_GE(changes_.prepared, 1);
  EXPECT_EQ(index_->Stats().fields, 2U);
}

TEST_F(BatchResolverTest, TheFirstOfTwoRowsSaysTheTypeOfANewField) {
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("v", "text");
  builder.Row("m", {}, {2}).Field("v", 1.5);
  EXPECT_THAT(Rows(&builder), testing::SizeIs(1));
  EXPECT_THAT(Refusals(),
              ElementsAre("field type conflict: input field \"v\" on measurement \"m\" is type float, already "
                          "exists as type string"));
}

TEST_F(BatchResolverTest, APolicyThatRefusesRefuses) {
  conflicts_ = model::TypeConflicts::kRefuse;
  Write(int64_t{1});
  EXPECT_THAT(Write(1.5), IsEmpty());
  EXPECT_THAT(Refusals(),
              ElementsAre("field type conflict: input field \"v\" on measurement \"m\" is type float, already "
                          "exists as type integer"));
  EXPECT_EQ(index_->Stats().fields, 1U);
  EXPECT_EQ(changes_.prepared, 0);
  conflicts_ = model::TypeConflicts::kWiden;
  EXPECT_THAT(Write(1.5), ElementsAre("2:float=1.500000"));
}

TEST_F(BatchResolverTest, ATypeGoesWithTheLastRow) {
  Write("text");
  EXPECT_THAT(Write(1.5), IsEmpty());
  EXPECT_THAT(changes_.asked, ElementsAre(1U));
  changes_.ended = {1};
  EXPECT_THAT(Write(1.5), ElementsAre("2:float=1.500000"));
  EXPECT_EQ(changes_.prepared, 1);
  EXPECT_THAT(Write("text"), IsEmpty());
}

// The field that the widening makes has no row yet when the batch is planned anew: the third type must not take it.
TEST_F(BatchResolverTest, AThirdTypeBesideAWideningIsRefused) {
  for (const bool text_first : {false, true}) {
    SCOPED_TRACE(text_first);
    index_ = index::Index::Create({});
    shapes_ = std::make_unique<ShapeCache>();
    Write(int64_t{1});
    changes_.ended = {2, 3, 4};
    model::BatchBuilder builder;
    if (text_first) builder.Row("m", {}, {3}).Field("v", "text");
    builder.Row("m", {}, {2}).Field("v", 1.5);
    if (!text_first) builder.Row("m", {}, {3}).Field("v", "text");
    builder.Row("other", {}, {4}).Field("w", int64_t{4});
    EXPECT_THAT(Rows(&builder), ElementsAre("2:float=1.500000", testing::EndsWith(":integer=4")));
    EXPECT_THAT(Refusals(),
                ElementsAre(HasSubstr("\"v\" on measurement \"m\" is type string, already exists as type")));
    EXPECT_EQ(index_->FindShape({"m", {{"v", FieldType::kBool}}}).fields[0].type, FieldType::kFloat);
    EXPECT_EQ(index_->Stats().fields, 3U);
  }
}

TEST_F(BatchResolverTest, OfTypesThatContradictTheFirstTakesANameWithoutRows) {
  Write("text");
  changes_.ended = {1, 2, 3, 4, 5};
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("v", true);
  builder.Row("m", {}, {2}).Field("v", 1.5);
  builder.Row("m", {}, {3}).Field("v", "text");
  EXPECT_THAT(Rows(&builder), ElementsAre("2:boolean=1"));
  EXPECT_THAT(Refusals(), ElementsAre(HasSubstr("is type float, already exists as type boolean"),
                                      HasSubstr("is type string, already exists as type boolean")));
  EXPECT_EQ(index_->Stats().fields, 2U);
  // The type that it has may be the first one's, whether the cache has that shape or not.
  model::BatchBuilder again;
  again.Row("m", {}, {1}).Field("v", false);
  again.Row("m", {}, {2}).Field("v", 1.5);
  EXPECT_THAT(Rows(&again), ElementsAre("2:boolean=0"));
  shapes_ = std::make_unique<ShapeCache>();
  EXPECT_THAT(Rows(&again), ElementsAre("2:boolean=0"));
  EXPECT_EQ(index_->Stats().fields, 2U);
}

TEST_F(BatchResolverTest, ARowThatComesBeforeTheChangeKeepsTheType) {
  Write("text");
  changes_.ended = {1};
  changes_.late = {1};
  EXPECT_THAT(Write(1.5), IsEmpty());
  EXPECT_THAT(Refusals(), ElementsAre(HasSubstr("is type float, already exists as type string")));
  EXPECT_EQ(index_->Stats().fields, 1U);
}

TEST_F(BatchResolverTest, WhatCannotBeWrittenDownIsNotChanged) {
  Write(int64_t{1});
  changes_.fails = true;
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("v", 1.5);
  EXPECT_EQ(Resolve(&builder).error().code, ErrorCode::kIo);
  EXPECT_THAT(Write(int64_t{2}), ElementsAre("1:integer=2"));
}

TEST_F(BatchResolverTest, ARefusedRowLeavesNoName) {
  oldest_ns_ = 10;
  EXPECT_THAT(Write(1.5, "late", 9), IsEmpty());
  EXPECT_EQ(index_->Stats().measurements, 0U);
  EXPECT_EQ(index_->Stats().fields, 0U);
  EXPECT_EQ(index_->Stats().series, 0U);
  // So a row of another type is the first one.
  EXPECT_THAT(Write("text", "late", 10), testing::SizeIs(1));

  // One that contradicts, with a field that is new.
  model::BatchBuilder conflict;
  conflict.Row("late", {{"host", "a"}}, {10}).Field("new", 1.0).Field("v", true);
  EXPECT_THAT(Rows(&conflict), IsEmpty());
  EXPECT_EQ(index_->Stats().fields, 1U);
  EXPECT_EQ(index_->Stats().series, 1U);

  // One that no float is equal to.
  Write(int64_t{1}, "f", 10);
  Write(1.5, "f", 10);
  model::BatchBuilder inexact;
  inexact.Row("f", {{"host", "a"}}, {10}).Field("new", 1.0).Field("v", std::numeric_limits<int64_t>::max());
  EXPECT_THAT(Rows(&inexact), IsEmpty());
  EXPECT_EQ(index_->Stats().fields, 3U);
  EXPECT_EQ(index_->Stats().series, 2U);
  EXPECT_EQ(index_->TakeDefinitions().find("new"), std::string::npos);
}

TEST_F(BatchResolverTest, ARefusedFloatWidensNothing) {
  oldest_ns_ = 10;
  Write(int64_t{1}, "m", 10);
  EXPECT_THAT(Write(1.5, "m", 9), IsEmpty());
  EXPECT_EQ(index_->Stats().fields, 1U);
  EXPECT_THAT(Write(int64_t{2}, "m", 10), ElementsAre("1:integer=2"));
}

TEST_F(BatchResolverTest, AKnownNameIsWidenedWhereNoNewOneHasRoom) {
  model::BatchBuilder full;
  full.Row("m", {}, {1}).Field("v", int64_t{1}).Field("b", int64_t{1}).Field("c", int64_t{1}).Field("d", int64_t{1});
  EXPECT_THAT(Rows(&full), testing::SizeIs(1));
  EXPECT_THAT(Write(1.5), ElementsAre("5:float=1.500000"));
  model::BatchBuilder builder;
  builder.Row("m", {}, {2}).Field("b", 1.5);
  builder.Row("m", {}, {3}).Field("c", 1.5).Field("new", 1.5);
  builder.Row("m", {}, {4}).Field("c", int64_t{4});
  EXPECT_THAT(Rows(&builder), ElementsAre("6:float=1.500000", "3:integer=4"));
  EXPECT_THAT(Refusals(), ElementsAre("max-fields-per-database limit exceeded: (4)"));
  EXPECT_THAT(Write("text", "other"), IsEmpty());
}

TEST_F(BatchResolverTest, RowsForWhichThereIsNoRoomLeaveTheOthers) {
  // Four fields.
  model::BatchBuilder builder;
  builder.Row("m", {}, {1}).Field("a", 1.0).Field("b", 1.0).Field("c", 1.0);
  builder.Row("m", {}, {2}).Field("d", 1.0).Field("e", 1.0);
  builder.Row("m", {}, {3}).Field("d", int64_t{1});
  EXPECT_THAT(Rows(&builder), testing::SizeIs(2));
  EXPECT_THAT(Refusals(), ElementsAre("max-fields-per-database limit exceeded: (4)"));
  EXPECT_EQ(index_->Stats().fields, 4U);
  // A series that is one too many leaves no measurement.
  for (const char* name : {"s2", "s3", "s4"}) {
    model::BatchBuilder more;
    more.Row("m", {{"host", name}}, {1}).Field("a", 1.0);
    Rows(&more);
  }
  EXPECT_THAT(Write(1.0, "other"), IsEmpty());
  EXPECT_EQ(index_->Stats().measurements, 1U);
}

// Admits so many, and says what it was asked.
class FakeNames final : public model::NameQuota {
 public:
  void Restart() override { admitted.clear(); }
  Status AdmitNewSeries() override {
    if (new_series_left == 0) return MakeError(ErrorCode::kResourceExhausted, "new series");
    --new_series_left;
    return {};
  }
  void Made(model::DatabaseId /*database*/, model::SeriesId /*series*/) override { ++made; }
  Status AdmitSeries(model::DatabaseId database, model::SeriesId series) override {
    EXPECT_EQ(database, model::DatabaseId{1});
    if (refused.contains(model::Number(series))) return MakeError(ErrorCode::kResourceExhausted, "series");
    admitted.push_back(model::Number(series));
    return {};
  }
  Status AdmitFields() override {
    if (!fields) return MakeError(ErrorCode::kResourceExhausted, "fields");
    return {};
  }
  void RowRefused(const Error& error) override { rows_refused.push_back(error.message); }
  void FieldsMade(uint64_t count) override { fields_made += count; }

  int new_series_left = 100;
  std::set<uint32_t> refused;
  bool fields = true;
  int made = 0;
  uint64_t fields_made = 0;
  std::vector<uint32_t> admitted;
  std::vector<std::string> rows_refused;
};

class BatchResolverQuotaTest : public BatchResolverTest {
 protected:
  // A row of the series `n` with these fields, which are floats.
  void Add(std::string_view n, std::vector<std::string_view> fields) {
    builder_.Row("m", {{"n", n}}, {1});
    for (const std::string_view field : fields) builder_.Field(field, 1.5);
  }
  std::vector<std::string> Take() {
    builder_.batch().names = &names_;
    auto rows = Rows(&builder_);
    builder_.Clear();
    return rows;
  }

  model::BatchBuilder builder_;
  FakeNames names_;
};

TEST_F(BatchResolverQuotaTest, RowsThatAreRefusedOtherwiseTakeUpNothing) {
  Add("a", {"v"});
  Take();
  names_.admitted.clear();
  oldest_ns_ = 1;
  builder_.Row("m", {{"n", "b"}}, {1}).Field("v", "text");
  builder_.Row("m", {{"n", "a"}}, {1}).Field("v", "text");
  builder_.Row("m", {{"n", "c"}}, {0}).Field("v", 1.5);
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(report_.rows_rejected, 3U);
  EXPECT_THAT(names_.admitted, IsEmpty());
  EXPECT_EQ(names_.made, 1);
}

TEST_F(BatchResolverQuotaTest, ASeriesIsOneInAllItsSpellings) {
  names_.new_series_left = 1;
  Add("a", {"v"});
  Add("b", {"v"});
  EXPECT_THAT(Take(), ElementsAre("1:float=1.500000"));
  EXPECT_THAT(Refusals(), ElementsAre("new series"));
  EXPECT_EQ(report_.series_created, 1U);
  model::Batch batch;
  batch.shapes.push_back({"m", {{"v", FieldType::kFloat}}});
  constexpr std::string_view kLine = "m,n=a";
  batch.rows.push_back({.key = {kLine, model::HashSeriesKey(model::KeyFormat::kLineProtocol, kLine)}, .time = {1}});
  batch.values = {3};
  batch.scales = {0};
  batch.names = &names_;
  report_ = {};
  const auto resolved = resolver_.Resolve(
      {.database = model::DatabaseId{1}, .oldest_ns = oldest_ns_, .index = index_.get(), .shapes = shapes_.get()},
      batch, &report_);
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(report_.rows_written, 1U) << "it is known, and no new one";
  EXPECT_THAT(names_.admitted, ElementsAre(1U));
}

TEST_F(BatchResolverQuotaTest, ASeriesBeyondTheQuotaIsRefusedAndOthersAreWritten) {
  Add("a", {"v"});
  Add("b", {"v"});
  EXPECT_EQ(Take().size(), 2U);
  names_.refused = {1};
  Add("a", {"v"});
  Add("b", {"v"});
  Add("a", {"v"});
  EXPECT_EQ(Take().size(), 1U);
  EXPECT_THAT(Refusals(), ElementsAre("series", "series"));
}

TEST_F(BatchResolverQuotaTest, FieldsAreNamesExceptAMeasurementsFirst) {
  Add("a", {"v"});
  EXPECT_EQ(Take().size(), 1U);
  EXPECT_EQ(names_.fields_made, 0U);
  Add("a", {"v", "w", "x"});
  EXPECT_EQ(Take().size(), 1U);
  EXPECT_EQ(names_.fields_made, 2U);
  names_.fields = false;
  Add("a", {"v", "y"});
  Add("b", {"y"});
  Add("a", {"w"});
  EXPECT_EQ(Take().size(), 1U);
  EXPECT_THAT(Refusals(), ElementsAre("fields", "fields"));
  EXPECT_THAT(names_.rows_refused, ElementsAre("fields", "fields"));
  EXPECT_EQ(names_.made, 1) << "a row that is refused makes no series";
  EXPECT_EQ(index_->Stats().fields, 3U);
  // An integer field that gets a float has the same name.
  names_.fields = true;
  builder_.Row("n", {}, {1}).Field("v", int64_t{1});
  Take();
  names_.fields_made = 0;
  builder_.Row("n", {}, {1}).Field("v", 1.5);
  EXPECT_EQ(Take().size(), 1U);
  EXPECT_EQ(names_.fields_made, 0U);
}

}  // namespace
}  // namespace tidemark::storage::database
