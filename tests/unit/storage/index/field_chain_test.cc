// A name whose field has changed its type: its ids, their bytes in the journal and in RocksDB, and what of them can be
// lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/index/name_mender.h"
#include "tests/unit/storage/index/index_fixture.h"

namespace tidemark::index {
namespace {

using model::FieldId;
using model::FieldType;
using testing::ElementsAre;
using testing::HasSubstr;

// cpu{host="a"} has integers in field 1 and floats in field 3; field 2 is of another measurement.
class FieldChainTest : public testing::Test {
 protected:
  FieldChainTest() {
    Note({"cpu", {{"host", "a"}}, "user", FieldType::kInt}, {});
    definitions_.push_back(index_->TakeDefinitions());
    Note({"mem", {{"host", "a"}}, "free", FieldType::kInt}, {});
    Note({"cpu", {{"host", "a"}}, "user", FieldType::kFloat}, {FieldId{1}});
    definitions_.push_back(index_->TakeDefinitions());
  }

  void Note(const NaiveSeries& series, std::vector<FieldId> ending) {
    const auto shape = index_->ResolveShape({series.measurement, {{series.field, series.type}}}, ending);
    ASSERT_TRUE(shape.ok()) << shape.error().message;
    model::BatchBuilder builder;
    std::vector<model::LabelView> tags;
    for (const auto& [name, value] : series.tags) tags.push_back({name, value});
    builder.Row(series.measurement, tags, {0}).Field("x", 1.0);
    const model::SeriesId id = index_->FindOrCreate(builder.batch().rows[0].key).value();
    index_->NoteFields(std::span(&id, 1), shape->fields);
  }

  // What is right of any index that has the names.
  static void Check(const Index& index) {
    EXPECT_EQ(index.Field(FieldId{1}).type, FieldType::kInt);
    EXPECT_EQ(index.Field(FieldId{1}).newest, FieldId{3});
    EXPECT_EQ(index.Field(FieldId{3}).type, FieldType::kFloat);
    EXPECT_EQ(index.Field(FieldId{3}).newest, FieldId{3});
    EXPECT_EQ(index.Field(FieldId{3}).metric, "cpu_user");
    EXPECT_THAT(index.Field(FieldId{3}).older, ElementsAre(FieldId{1}));
    std::vector<FieldId> names;
    for (const FieldInfo& field : index.Fields()) names.push_back(field.id);
    EXPECT_THAT(names, ElementsAre(FieldId{2}, FieldId{3}));
    const model::ResolvedShape found = index.FindShape({"cpu", {{"user", FieldType::kInt}, {"new", FieldType::kBool}}});
    EXPECT_EQ(found.fields[0].id, FieldId{3});
    EXPECT_EQ(found.fields[0].type, FieldType::kFloat);
    EXPECT_EQ(found.fields[1].id, FieldId{0});
  }

  std::unique_ptr<Index> index_ = Index::Create({});
  std::vector<std::string> definitions_;
};

TEST_F(FieldChainTest, TheNameStandsForTheNewest) {
  Check(*index_);
  EXPECT_EQ(index_->SeriesCountOfName(FieldId{3}), 1U);
  Note({"cpu", {{"host", "b"}}, "user", FieldType::kFloat}, {});
  EXPECT_EQ(index_->SeriesCountOf(FieldId{1}), 1U);
  EXPECT_EQ(index_->SeriesCountOfName(FieldId{3}), 2U);
  EXPECT_THAT(index_->SeriesOf(FieldId{1}), testing::SizeIs(1));
  EXPECT_EQ(index_->LabelValues("__name__", {}).value(), (std::vector<std::string>{"cpu_user", "mem_free"}));
  // Both ids of host a, one of host b.
  const std::vector<model::Matcher> matchers{{model::MatchOp::kEqual, "__name__", "cpu_user"}};
  EXPECT_THAT(index_->Select(matchers, true, false, 0).value(), testing::SizeIs(3));
}

TEST_F(FieldChainTest, OnlyWhatEndsGetsANewField) {
  const uint64_t version = index_->types_version();
  EXPECT_EQ(index_->ResolveShape({"mem", {{"free", FieldType::kFloat}}}, std::vector{FieldId{1}}).error().code,
            ErrorCode::kConflict);
  EXPECT_EQ(index_->types_version(), version);
  // One that has ended before does not end again.
  EXPECT_EQ(index_->ResolveShape({"cpu", {{"user", FieldType::kString}}}, std::vector{FieldId{1}}).error().code,
            ErrorCode::kConflict);
  EXPECT_TRUE(index_->ResolveShape({"cpu", {{"user", FieldType::kString}}}, std::vector{FieldId{3}}).ok());
  EXPECT_NE(index_->types_version(), version);
  EXPECT_THAT(index_->Field(FieldId{4}).older, ElementsAre(FieldId{3}, FieldId{1}));
}

TEST_F(FieldChainTest, DefinitionsAreAsTheFormatSays) {
  EXPECT_THAT(definitions_[1], HasSubstr(std::string("\x06\x03\x01\x01\x01\x04user", 10)));
  const auto replayed = Index::Create({});
  for (int again = 0; again < 2; ++again) {
    for (const std::string& definitions : definitions_) {
      const auto applied = replayed->ApplyDefinitions(definitions);
      ASSERT_TRUE(applied.ok()) << applied.error().message;
    }
  }
  Check(*replayed);
}

TEST_F(FieldChainTest, SavedAndLoadedItIsTheSame) {
  const std::vector<Entry> entries = index_->BeginSave();
  index_->SaveSucceeded();
  bool seen = false;
  for (const Entry& entry : entries)
    seen |= entry.value.find(std::string("\x01\x81\x01\x04user", 8)) != std::string::npos;
  EXPECT_TRUE(seen);
  const auto loaded = Index::Create({});
  for (const Entry& entry : entries) ASSERT_TRUE(loaded->Load(entry.key, entry.value).ok());
  ASSERT_TRUE(loaded->FinishLoad().ok());
  Check(*loaded);
  // The journal behind it says the same again.
  for (const std::string& definitions : definitions_) ASSERT_TRUE(loaded->ApplyDefinitions(definitions).ok());
  Check(*loaded);
}

TEST_F(FieldChainTest, DamageIsTold) {
  const auto apply = [&](std::string definition) {
    const auto fresh = Index::Create({});
    EXPECT_TRUE(fresh->ApplyDefinitions(definitions_[0]).ok());
    return fresh->ApplyDefinitions(definition).error().message;
  };
  EXPECT_THAT(apply(std::string("\x06\x02\x01\x01\x02\x04user", 10)), HasSubstr("follows field 2"));
  EXPECT_THAT(apply(std::string("\x06\x02\x01\x01\x00\x04user", 10)), HasSubstr("follows no field"));
  EXPECT_THAT(apply(std::string("\x06\x02\x01\x01\x01\x04none", 10)), HasSubstr("does not exist"));
  EXPECT_THAT(apply(std::string("\x06\x02\x01\x09\x01\x04user", 10)), HasSubstr("unknown type"));
  EXPECT_THAT(apply(std::string("\x06\x02\x01\x01", 4)), HasSubstr("cut off"));
}

TEST_F(FieldChainTest, AMenderKeepsIt) {
  NameMender mender;
  for (const std::string& definitions : definitions_) mender.AddDefinitions(definitions);
  mender.NoteField(model::MeasurementId{1}, FieldId{1});
  mender.NoteField(model::MeasurementId{1}, FieldId{3});
  const MendedNames mended = mender.Finish();
  EXPECT_EQ(mended.fields, 0U);
  const auto loaded = Index::Create({});
  for (const auto& [key, value] : mended.entries) ASSERT_TRUE(loaded->Load(key, value).ok());
  ASSERT_TRUE(loaded->FinishLoad().ok());
  Check(*loaded);
}

TEST_F(FieldChainTest, TheNextFieldTellsTheNameOfTheOneBeforeIt) {
  NameMender mender;
  mender.AddDefinitions(definitions_[1]);
  mender.NoteField(model::MeasurementId{1}, FieldId{1});
  mender.NoteType(FieldId{1}, FieldType::kInt);
  const MendedNames mended = mender.Finish();
  EXPECT_EQ(mended.fields, 0U);
  const auto loaded = Index::Create({});
  for (const auto& [key, value] : mended.entries) ASSERT_TRUE(loaded->Load(key, value).ok());
  ASSERT_TRUE(loaded->FinishLoad().ok());
  EXPECT_EQ(loaded->Field(FieldId{1}).name, "user");
  EXPECT_EQ(loaded->Field(FieldId{1}).type, FieldType::kInt);
  EXPECT_EQ(loaded->Field(FieldId{1}).newest, FieldId{3});
}

// Readers see either the older field under its version or the newer one, never a newer field under an older version
// that lasts.
TEST_F(FieldChainTest, WhoeverFindsANewFieldSeesANewVersion) {
  const auto index = Index::Create({});
  constexpr int kChanges = 2000;
  ASSERT_TRUE(index->ResolveShape({"m", {{"v", FieldType::kInt}}}).ok());
  std::thread writer([&] {
    for (int i = 0; i < kChanges; ++i) {
      const FieldId now = index->FindShape({"m", {{"v", FieldType::kFloat}}}).fields[0].id;
      const FieldType wanted = i % 2 == 0 ? FieldType::kFloat : FieldType::kString;
      EXPECT_TRUE(index->ResolveShape({"m", {{"v", wanted}}}, std::vector{now}).ok());
    }
  });
  for (uint32_t last = 0; last < kChanges;) {
    const uint64_t before = index->types_version();
    const uint32_t id = model::Number(index->FindShape({"m", {{"v", FieldType::kFloat}}}).fields[0].id);
    // Each change is one version and one id; the version comes first.
    EXPECT_LE(id, index->types_version());
    EXPECT_GE(id + 1, before);
    last = id;
  }
  writer.join();
}

}  // namespace
}  // namespace tidemark::index
