// Writers, readers and a checkpoint at once. Says most under the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/unit/storage/index/index_fixture.h"

namespace tidemark::index {
namespace {

TEST(ConcurrencyTest, WritersReadersAndACheckpoint) {
  constexpr uint32_t kWriters = 3;
  constexpr uint32_t kHosts = 400;
  const auto index = Index::Create({});
  std::atomic<uint32_t> writing{kWriters};
  std::map<std::string, std::string> saved;
  {
    std::vector<std::jthread> threads;
    for (uint32_t writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&, writer] {
        RandomNames names(writer);
        for (uint32_t i = 0; i < kHosts; ++i) {
          // All writers create the same series, in different orders and spellings of their own.
          const uint32_t host = writer % 2 == 0 ? i : kHosts - 1 - i;
          const NaiveSeries series{
              "cpu", {{"host", "host_" + std::to_string(host)}, {"dc", std::to_string(host % 7)}}, "user"};
          const model::SeriesId id = WriteSeries(index.get(), series);
          ASSERT_EQ(WriteSeries(index.get(), series), id);
          index->TakeDefinitions();
        }
        --writing;
      });
    }
    for (uint64_t reader = 0; reader < 2; ++reader) {
      threads.emplace_back([&, reader] {
        RandomNames names(100 + reader);
        do {
          const auto refs = index->Select({{{names.Pick({model::MatchOp::kRegex, model::MatchOp::kNotRegex}), "host",
                                             names.Pick<std::string>({"host_1.*", ".*[0-4]", "host_3|host_4"})}}},
                                          true, true, 0);
          ASSERT_TRUE(refs.ok());
          model::LabelViews labels;
          for (const model::SeriesRef ref : *refs) {
            index->LabelsOf(ref, &labels);
            ASSERT_EQ(labels.size(), 3U);
            ASSERT_EQ(index->MeasurementOf(ref.series), model::MeasurementId{1});
          }
          ASSERT_TRUE(index->LabelValues("dc", {}).ok());
          static_cast<void>(index->Stats());
        } while (writing > 0);
      });
    }
    threads.emplace_back([&] {
      for (uint32_t round = 0; writing > 0; ++round) {
        const std::vector<Entry> entries = index->BeginSave();
        if (round % 3 == 2) {
          index->SaveFailed();
          continue;
        }
        for (const Entry& entry : entries) saved[entry.key] = entry.value;
        index->SaveSucceeded();
      }
    });
  }
  EXPECT_EQ(index->Stats().series, kHosts);
  for (const Entry& entry : index->BeginSave()) saved[entry.key] = entry.value;
  index->SaveSucceeded();
  const auto loaded = Index::Create({});
  for (const auto& [key, value] : saved) ASSERT_TRUE(loaded->Load(key, value).ok());
  ASSERT_TRUE(loaded->FinishLoad().ok());
  EXPECT_EQ(loaded->Select({}, true, true, 0).value(), index->Select({}, true, true, 0).value());
}

TEST(ConcurrencyTest, DefinitionsTakenByAnyThreadMakeAWholeStream) {
  const auto index = Index::Create({});
  Mutex journal_mutex;
  std::string journal;
  {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < 4; ++writer) {
      threads.emplace_back([&, writer] {
        for (int i = 0; i < 300; ++i) {
          WriteSeries(index.get(),
                      {"m" + std::to_string(i % 5), {{"host", std::to_string((i * (writer + 1)) % 500)}}, "f"});
          MutexLock lock(journal_mutex);
          journal += index->TakeDefinitions();
        }
      });
    }
  }
  const auto replayed = Index::Create({});
  const auto applied = replayed->ApplyDefinitions(journal);
  ASSERT_TRUE(applied.ok()) << applied.error().message;
  EXPECT_EQ(replayed->Stats().series, index->Stats().series);
  EXPECT_EQ(replayed->Stats().fields, index->Stats().fields);
}

}  // namespace
}  // namespace tidemark::index
