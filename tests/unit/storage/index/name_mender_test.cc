// Names of which some are lost: every id that rows are kept under has one again, what was known is as it was, and what
// was made up says so.
#include "storage/index/name_mender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/test_seed.h"
#include "tests/unit/storage/index/index_fixture.h"

namespace tidemark::index {
namespace {

using model::Number;

std::unique_ptr<Index> Load(const MendedNames& mended) {
  auto index = Index::Create({});
  for (const auto& [key, value] : mended.entries) EXPECT_TRUE(index->Load(key, value).ok());
  const auto finished = index->FinishLoad();
  EXPECT_TRUE(finished.ok()) << finished.error().message;
  return index;
}

// Tells the mender what epochs tell of all rows that `index` knows of.
void NoteRows(const Index& index, NameMender* mender) {
  const std::vector<model::SeriesRef> refs = index.Select({}, true, true, 0).value();
  for (const model::SeriesRef ref : refs) {
    const FieldInfo field = index.Field(ref.field);
    if (!mender->NoteField(field.measurement, field.id)) mender->NoteType(field.id, field.type);
    mender->NoteSeries(ref.field, ref.series, ref.series);
  }
}

std::string LabelsText(const Index& index, model::SeriesRef ref) {
  model::LabelViews labels;
  index.LabelsOf(ref, &labels);
  return model::ToString(model::ToLabels(labels));
}

TEST(NameMenderTest, WithoutAnythingButRowsEverythingIsUnknownByItsNumber) {
  NameMender mender;
  EXPECT_FALSE(mender.NoteField(model::MeasurementId{1}, model::FieldId{1}));
  mender.NoteType(model::FieldId{1}, model::FieldType::kInt);
  EXPECT_TRUE(mender.NoteField(model::MeasurementId{1}, model::FieldId{1}));
  mender.NoteField(model::MeasurementId{1}, model::FieldId{2});
  mender.NoteSeries(model::FieldId{1}, model::SeriesId{2}, model::SeriesId{3});
  mender.NoteSeries(model::FieldId{2}, model::SeriesId{3}, model::SeriesId{3});
  const MendedNames mended = mender.Finish();
  EXPECT_EQ(mended.measurements, 1U);
  EXPECT_EQ(mended.fields, 2U);
  EXPECT_EQ(mended.series, 3U);
  const auto index = Load(mended);
  EXPECT_EQ(index->Field(model::FieldId{1}).type, model::FieldType::kInt);
  std::vector<std::string> found;
  const std::vector<model::SeriesRef> refs = index->Select({}, true, true, 0).value();
  for (const model::SeriesRef ref : refs) found.push_back(LabelsText(*index, ref));
  EXPECT_THAT(found, ::testing::ElementsAre(R"(unknown{id="2"})", R"(unknown{id="3"})", R"(unknown_field_2{id="3"})"));
}

// What a record of the journal says of a series that lost its labels changes nothing, and what is new after it is
// taken.
TEST(NameMenderTest, ARecordThatSpeaksOfLostPairsIsReplayed) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"host", "a"}}, "user"});
  index->TakeDefinitions();  // checkpointed, and lost
  WriteSeries(index.get(), {"cpu", {{"dc", "x"}, {"host", "a"}}, "user"});
  const std::string definitions = index->TakeDefinitions();
  NameMender mender;
  mender.AddDefinitions(definitions);
  NoteRows(*index, &mender);
  const auto mended = Load(mender.Finish());
  EXPECT_EQ(LabelsText(*mended, {model::FieldId{1}, model::SeriesId{1}}), R"(unknown{id="1"})");
  EXPECT_EQ(LabelsText(*mended, {model::FieldId{1}, model::SeriesId{2}}), R"(unknown{dc="x", id="2"})");
  const auto applied = mended->ApplyDefinitions(definitions);
  EXPECT_TRUE(applied.ok()) << applied.error().message;
  EXPECT_EQ(Number(WriteSeries(mended.get(), {"cpu", {{"dc", "x"}, {"host", "a"}}, "user"})), 3U);
}

TEST(NameMenderTest, WhateverIsLostIsMadeUpAndTheRestStays) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    RandomNames names(random());
    const auto index = Index::Create({});
    // Beyond a chunk now and then, which must be whole but for the last.
    const uint32_t count = round % 10 == 0 ? 3000 : 1 + names.Below(60);
    for (uint32_t i = 0; i < count; ++i) WriteSeries(index.get(), names.Series(count));
    // A label of the name that lost series get.
    if (round % 3 == 0) WriteSeries(index.get(), {"cpu", {{"id", "1"}}, "user"});
    const std::vector<Entry> saved = index->BeginSave();
    index->SaveSucceeded();
    NameMender mender;
    const uint32_t kept_of_ten = names.Below(11);
    bool all = true;
    for (const Entry& entry : saved) {
      const bool kept = names.Below(10) < kept_of_ten;
      all &= kept;
      if (kept)
        mender.AddEntry(entry.key, names.Below(4) != 0 ? entry.value : entry.value.substr(0, entry.value.size() / 2));
    }
    if (all) continue;
    NoteRows(*index, &mender);
    const MendedNames made = mender.Finish();
    const auto mended = Load(made);
    const std::vector<model::SeriesRef> wanted = index->Select({}, true, true, 0).value();
    ASSERT_EQ(mended->Select({}, true, true, 0).value(), wanted);
    for (const model::SeriesRef ref : wanted) {
      EXPECT_EQ(mended->Field(ref.field).type, index->Field(ref.field).type);
      model::LabelViews before;
      model::LabelViews after;
      index->LabelsOf(ref, &before);
      mended->LabelsOf(ref, &after);
      EXPECT_TRUE(std::is_sorted(after.begin(), after.end()));
      for (const model::LabelView& label : after) {
        const bool known = std::find(before.begin(), before.end(), label) != before.end();
        const bool number = label.name.starts_with("id") && label.value == std::to_string(Number(ref.series));
        const bool metric = label.name == model::kMetricNameLabel && made.fields + made.measurements > 0;
        EXPECT_TRUE(known || number || metric) << label.name << "=" << label.value;
      }
      // A label less, and nothing that says so, would be another series' name.
      if (made.series == 0) {
        EXPECT_EQ(after.size(), before.size());
      }
    }
  }
}

TEST(NameMenderTest, WhatIsWholeStaysAsItIs) {
  RandomNames names(TestSeed());
  const auto index = Index::Create({});
  for (int i = 0; i < 2000; ++i) WriteSeries(index.get(), names.Series(500));
  std::vector<Entry> saved = index->BeginSave();
  index->SaveSucceeded();
  NameMender mender;
  for (const Entry& entry : saved) mender.AddEntry(entry.key, entry.value);
  NoteRows(*index, &mender);
  MendedNames mended = mender.Finish();
  EXPECT_FALSE(mended.any());
  std::vector<std::pair<std::string, std::string>> before;
  for (const Entry& entry : saved) before.emplace_back(entry.key, entry.value);
  EXPECT_THAT(mended.entries, ::testing::UnorderedElementsAreArray(before));
}

TEST(NameMenderTest, DamagedBytesAreLeftOut) {
  RandomNames names(TestSeed());
  const auto index = Index::Create({});
  for (int i = 0; i < 40; ++i) WriteSeries(index.get(), names.Series(10));
  const std::vector<Entry> saved = index->BeginSave();
  index->SaveSucceeded();
  for (int round = 0; round < 200; ++round) {
    NameMender mender;
    for (const Entry& entry : saved) {
      std::string value = entry.value;
      // Shorter ids only: a number of four bytes would rightly make room for as many names.
      if (names.Below(2) == 0) value.resize(names.Below(static_cast<uint32_t>(value.size()) + 1));
      mender.AddEntry(entry.key, value);
    }
    mender.AddEntry("no key", "no value");
    mender.AddDefinitions("no definitions");
    Load(mender.Finish());
  }
}

}  // namespace
}  // namespace tidemark::index
