// Definitions and saved entries: whatever mix of them is replayed, the index is the same, and damaged bytes are
// refused.
#include <gtest/gtest.h>

#include "tests/unit/storage/index/index_fixture.h"

namespace tidemark::index {
namespace {

void Restore(const std::vector<Entry>& entries, Index* index) {
  for (const Entry& entry : entries) ASSERT_TRUE(index->Load(entry.key, entry.value).ok());
  const auto finished = index->FinishLoad();
  ASSERT_TRUE(finished.ok()) << finished.error().message;
}

// Everything that can be asked of an index, as text; ids included.
std::string Picture(const Index& index) {
  std::string out;
  model::LabelViews labels;
  for (const FieldInfo& field : index.Fields()) {
    out += std::to_string(Number(field.id)) + " " + std::to_string(Number(field.measurement)) + " " +
           std::string(model::Name(field.type)) + " " + std::string(field.metric) + "\n";
  }
  const std::vector<model::SeriesRef> refs = index.Select({}, true, true, 0).value();
  for (const model::SeriesRef ref : refs) {
    index.LabelsOf(ref, &labels);
    out += std::to_string(Number(ref.field)) + "/" + std::to_string(Number(ref.series)) + " " +
           std::to_string(Number(index.MeasurementOf(ref.series))) + " " + model::ToString(model::ToLabels(labels)) +
           "\n";
  }
  const IndexStats stats = index.Stats();
  return out + std::to_string(stats.series) + " " + std::to_string(stats.measurements);
}

// What NoteFields was told, to be told again: recovery does so from the journal's rows.
struct Noted {
  model::SeriesId series;
  model::ResolvedShape shape;
};

struct History {
  std::vector<std::string> definitions;   // one per journal record
  std::vector<std::vector<Noted>> noted;  // the rows of that record
  std::vector<std::vector<Entry>> saves;  // taken after record i
  std::string picture;
};

History MakeHistory(uint64_t seed, int records, uint32_t series_per_record, uint32_t hosts) {
  RandomNames names(seed);
  const auto index = Index::Create({});
  History history;
  for (int record = 0; record < records; ++record) {
    std::vector<Noted>& noted = history.noted.emplace_back();
    for (uint32_t i = 0; i < series_per_record; ++i) {
      const NaiveSeries series = names.Series(hosts);
      const model::SeriesId id = WriteSeries(index.get(), series);
      noted.push_back(
          {id,
           index->ResolveShape({.measurement = series.measurement, .fields = {{series.field, series.type}}}).value()});
    }
    history.definitions.push_back(index->TakeDefinitions());
    history.saves.push_back(index->BeginSave());
    index->SaveSucceeded();
  }
  history.picture = Picture(*index);
  return history;
}

void Replay(const History& history, size_t first, size_t end, Index* index) {
  for (size_t record = first; record < end; ++record) {
    const auto applied = index->ApplyDefinitions(history.definitions[record]);
    ASSERT_TRUE(applied.ok()) << applied.error().message;
    for (const Noted& noted : history.noted[record]) {
      index->NoteFields(std::span(&noted.series, 1), noted.shape.fields);
    }
  }
}

std::string Hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

TEST(DurabilityTest, WritesTheExampleOfTheFormat) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"dc", "x"}, {"host", "a"}}, "user"});
  WriteSeries(index.get(), {"cpu", {{"dc", "x"}, {"host", "b"}}, "user"});
  EXPECT_EQ(Hex(index->TakeDefinitions()),
            "010103637075"
            "0201026463"
            "0301010178"
            "020204686f7374"
            "0302020161"
            "050101020102"
            "040101010475736572"
            "0303020162"
            "050201020103");
  std::string saved;
  for (const Entry& entry : index->BeginSave()) saved += Hex(entry.key) + " " + Hex(entry.value) + "\n";
  index->SaveSucceeded();
  EXPECT_EQ(saved,
            "0100000000 03637075\n"
            "0200000000 02646304686f7374\n"
            "0300000000 010178020161020162\n"
            "0400000000 01010475736572\n"
            "0500000000 0102020401020002\n"
            "06000000010000 010101\n");
}

TEST(DurabilityTest, DefinitionsAloneRebuildTheIndex) {
  const History history = MakeHistory(1, 5, 200, 500);
  const auto index = Index::Create({});
  Replay(history, 0, 5, index.get());
  EXPECT_EQ(Picture(*index), history.picture);
  EXPECT_EQ(index->TakeDefinitions(), "");
}

TEST(DurabilityTest, SavesAloneRebuildTheIndexInAnyOrderOfKeys) {
  // More than one chunk of 1,024 of series and pairs.
  const History history = MakeHistory(2, 4, 1'500, 4'000);
  std::map<std::string, std::string> merged;
  for (const auto& save : history.saves) {
    for (const Entry& entry : save) merged[entry.key] = entry.value;
  }
  std::vector<Entry> entries;
  for (const auto& [key, value] : merged) entries.push_back({key, value});
  std::mt19937_64 random(2);
  for (int i = 0; i < 3; ++i) {
    const auto index = Index::Create({});
    Restore(entries, index.get());
    EXPECT_EQ(Picture(*index), history.picture);
    EXPECT_EQ(index->TakeDefinitions(), "");
    EXPECT_TRUE(index->BeginSave().empty());
    index->SaveSucceeded();
    std::shuffle(entries.begin(), entries.end(), random);
  }
}

TEST(DurabilityTest, EveryCutBetweenSavesAndJournalGivesTheSameIndex) {
  const History history = MakeHistory(3, 6, 60, 100);
  std::map<std::string, std::string> merged;
  for (size_t saved = 0; saved <= 6; ++saved) {
    if (saved > 0) {
      for (const Entry& entry : history.saves[saved - 1]) merged[entry.key] = entry.value;
    }
    std::vector<Entry> entries;
    for (const auto& [key, value] : merged) entries.push_back({key, value});
    // The journal may reach back further than the save, and may be replayed twice.
    for (size_t from = 0; from <= saved; ++from) {
      const auto index = Index::Create({});
      Restore(entries, index.get());
      Replay(history, from, 6, index.get());
      Replay(history, from, 6, index.get());
      EXPECT_EQ(Picture(*index), history.picture) << "saved " << saved << " from " << from;
    }
  }
}

TEST(DurabilityTest, ALostRecordIsNoticed) {
  const History history = MakeHistory(4, 3, 50, 1'000);
  const auto index = Index::Create({});
  Replay(history, 0, 1, index.get());
  const auto applied = index->ApplyDefinitions(history.definitions[2]);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, ErrorCode::kCorruption);
}

TEST(DurabilityTest, ReturnedDefinitionsComeAgainInFront) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"host", "a"}}, "user"});
  const std::string first = index->TakeDefinitions();
  EXPECT_FALSE(first.empty());
  WriteSeries(index.get(), {"cpu", {{"host", "b"}}, "user"});
  index->ReturnDefinitions(first);
  const std::string both = index->TakeDefinitions();
  EXPECT_TRUE(both.starts_with(first));
  EXPECT_GT(both.size(), first.size());
  const auto again = Index::Create({});
  ASSERT_TRUE(again->ApplyDefinitions(both).ok());
  EXPECT_EQ(again->Stats().series, 2U);
}

TEST(DurabilityTest, ANewRowOfAKnownSeriesDefinesNothing) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"host", "a"}}, "user"});
  EXPECT_FALSE(index->TakeDefinitions().empty());
  WriteSeries(index.get(), {"cpu", {{"host", "a"}}, "user"});
  EXPECT_TRUE(index->TakeDefinitions().empty());
}

TEST(DurabilityTest, OnlyWhatChangedIsSaved) {
  const auto index = Index::Create({});
  for (int i = 0; i < 3'000; ++i) WriteSeries(index.get(), {"cpu", {{"host", std::to_string(i)}}, "user"});
  const size_t all = index->BeginSave().size();
  index->SaveSucceeded();
  EXPECT_GE(all, 8U);
  EXPECT_TRUE(index->BeginSave().empty());
  index->SaveSucceeded();
  WriteSeries(index.get(), {"cpu", {{"host", "new"}}, "user"});
  // The last chunk of pairs, the last of series, the block of the field's series.
  EXPECT_EQ(index->BeginSave().size(), 3U);
  index->SaveSucceeded();
}

TEST(DurabilityTest, AFailedSaveIsTakenAgainWithWhatCameMeanwhile) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"host", "a"}}, "user"});
  const std::vector<Entry> lost = index->BeginSave();
  WriteSeries(index.get(), {"cpu", {{"host", "b"}}, "user"});
  index->SaveFailed();
  const std::vector<Entry> taken = index->BeginSave();
  index->SaveSucceeded();
  const auto again = Index::Create({});
  Restore(taken, again.get());
  EXPECT_EQ(Picture(*again), Picture(*index));
  // What was lost would have been a consistent picture of its moment.
  const auto earlier = Index::Create({});
  Restore(lost, earlier.get());
  EXPECT_EQ(earlier->Stats().series, 1U);
}

TEST(DurabilityTest, ASaveDoesNotNameWhatCameAfterItBegan) {
  const auto index = Index::Create({});
  WriteSeries(index.get(), {"cpu", {{"host", "a"}}, "user"});
  const std::vector<Entry> first = index->BeginSave();
  WriteSeries(index.get(), {"cpu", {{"host", "b"}}, "system"});
  index->SaveSucceeded();
  const std::vector<Entry> second = index->BeginSave();
  index->SaveSucceeded();
  std::map<std::string, std::string> merged;
  for (const Entry& entry : first) merged[entry.key] = entry.value;
  for (const Entry& entry : second) merged[entry.key] = entry.value;
  std::vector<Entry> entries;
  for (const auto& [key, value] : merged) entries.push_back({key, value});
  const auto again = Index::Create({});
  Restore(entries, again.get());
  EXPECT_EQ(Picture(*again), Picture(*index));
}

TEST(DurabilityTest, DenseAndSparseFieldsComeBack) {
  const auto index = Index::Create({});
  std::mt19937_64 random(9);
  for (int i = 0; i < 70'000; ++i) {
    const NaiveSeries all{"cpu", {{"host", std::to_string(i)}}, "all"};
    WriteSeries(index.get(), all);
    if (random() % 2 == 0) WriteSeries(index.get(), {"cpu", all.tags, "half"});
    if (i % 1'000 == 0) WriteSeries(index.get(), {"cpu", all.tags, "rare"});
  }
  const std::vector<Entry> entries = index->BeginSave();
  index->SaveSucceeded();
  const auto again = Index::Create({});
  Restore(entries, again.get());
  EXPECT_EQ(again->Select({}, true, true, 0).value(), index->Select({}, true, true, 0).value());
}

TEST(DurabilityTest, HostileDefinitionsAreRefused) {
  const History history = MakeHistory(5, 1, 40, 30);
  const std::string& good = history.definitions[0];
  for (size_t cut = 0; cut < good.size(); ++cut) {
    const auto index = Index::Create({});
    const auto applied = index->ApplyDefinitions(std::string_view(good).substr(0, cut));
    if (!applied.ok()) {
      EXPECT_EQ(applied.error().code, ErrorCode::kCorruption);
    }
  }
  std::mt19937_64 random(5);
  int refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string bad = good;
    for (int flips = 0; flips < 3; ++flips) bad[random() % bad.size()] = static_cast<char>(random());
    const auto index = Index::Create({});
    const auto applied = index->ApplyDefinitions(bad);
    if (!applied.ok()) ++refused;
    // Whatever was taken can be read.
    Picture(*index);
  }
  EXPECT_GT(refused, 1'000);
  const auto index = Index::Create({});
  EXPECT_EQ(index->ApplyDefinitions("\x07\x01").error().message, "index: unknown kind of definition 7");
}

TEST(DurabilityTest, HostileEntriesAreRefused) {
  const History history = MakeHistory(6, 1, 200, 300);
  std::mt19937_64 random(6);
  int refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::vector<Entry> entries = history.saves[0];
    std::string& bad =
        random() % 4 == 0 ? entries[random() % entries.size()].key : entries[random() % entries.size()].value;
    if (random() % 3 == 0) {
      bad.resize(random() % (bad.size() + 1));
    } else if (!bad.empty()) {
      bad[random() % bad.size()] = static_cast<char>(random());
    }
    const auto index = Index::Create({});
    bool ok = true;
    for (const Entry& entry : entries) ok = ok && index->Load(entry.key, entry.value).ok();
    if (ok && index->FinishLoad().ok()) {
      Picture(*index);
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace tidemark::index
