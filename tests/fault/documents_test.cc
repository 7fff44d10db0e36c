// Documents when the power goes or a call of the disk fails: what was acknowledged is there, a change that failed is
// there whole or not at all, and never in a process that went on without it; no version is given twice.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "forgetful_file_system.h"
#include "store_ledger.h"
#include "tests/temp_directory.h"
#include "tests/test_seed.h"

namespace tidemark::fault {
namespace {

using storage::DocumentChange;
using storage::DocumentInfo;
using storage::DocumentStore;

constexpr int64_t kSecond = 1'000'000'000;
constexpr std::array kNames = {"a", "b", "c", "d"};

storage::StoreOptions Options(const std::string& directory, Clock* clock, std::shared_ptr<ForgetfulFileSystem> files) {
  storage::StoreOptions options = LedgerOptions(directory, clock, std::move(files));
  // So that every change makes something spent.
  options.document_kinds = {{.word = "rule", .history = 2, .deleted = 1}};
  return options;
}

// What documents there should be, apart from the store. Every text is written once.
class DocumentLedger {
 public:
  // One random change, of one document or of several at once. Whether it was acknowledged.
  bool Change(DocumentStore& documents, std::mt19937_64& random) {
    std::vector<DocumentChange> changes;
    for (const char* name : kNames) {
      if (random() % 3 != 0) continue;
      const bool there = State(name).text.has_value();
      std::optional<std::string> text;
      if (!there || random() % 4 != 0) text = fmt::format("text {}{}", ++texts_, std::string(random() % 3000, '.'));
      changes.push_back({"rule", name, text, "ada", there ? State(name).version : 0});
    }
    if (changes.empty()) return true;
    auto done = documents.Apply(changes);
    if (!done.ok()) {
      doubtful_.clear();
      for (const DocumentChange& change : changes) doubtful_[change.name] = change.bytes;
      return false;
    }
    doubtful_.clear();
    for (size_t i = 0; i < changes.size(); ++i) {
      EXPECT_GT((*done)[i], State(changes[i].name).version) << changes[i].name << " got a version twice";
      Set(changes[i].name, (*done)[i], changes[i].bytes);
    }
    ++acknowledged_;
    return true;
  }

  // {} or what is wrong. `restarted`: the last change that failed may have been made, and counts from then on.
  std::string Check(const DocumentStore& documents, bool restarted) {
    if (restarted && !doubtful_.empty() && IsMade(documents)) {
      for (const auto& [name, text] : doubtful_) {
        const auto history = documents.History("rule", name, 1);
        const uint64_t version = history.ok() ? history->front().version : State(name).version + 1;
        if (version <= State(name).version) return fmt::format("{}: version {} came twice", name, version);
        Set(name, version, text);
      }
    }
    if (restarted) doubtful_.clear();
    for (const char* name : kNames) {
      if (std::string wrong = CheckOne(documents, name); !wrong.empty()) return wrong;
    }
    return {};
  }
  [[nodiscard]] int acknowledged() const { return acknowledged_; }

 private:
  struct Newest {
    uint64_t version = 0;
    std::optional<std::string> text;
  };
  Newest& State(const std::string& name) { return newest_[name]; }
  void Set(const std::string& name, uint64_t version, const std::optional<std::string>& text) {
    State(name) = {version, text};
    if (text.has_value()) texts_by_version_[{name, version}] = *text;
  }

  // Whether the first document of the change that failed is as it would make it; CheckOne looks at the others.
  bool IsMade(const DocumentStore& documents) {
    const auto& [name, text] = *doubtful_.begin();
    const auto found = documents.Get("rule", name);
    return text.has_value() ? found.ok() && found->bytes == *text
                            : !found.ok() && found.error().code == ErrorCode::kNotFound;
  }

  std::string CheckOne(const DocumentStore& documents, const std::string& name) {
    const Newest& wanted = State(name);
    const auto found = documents.Get("rule", name);
    if (!found.ok() && found.error().code != ErrorCode::kNotFound) return found.error().message;
    if (found.ok() != wanted.text.has_value()) return fmt::format("{} is {}there", name, found.ok() ? "" : "not ");
    if (found.ok() && (found->bytes != *wanted.text || found->info.version != wanted.version)) {
      return fmt::format("{} is at version {}, expected {}", name, found->info.version, wanted.version);
    }
    const auto history = documents.History("rule", name, 100);
    if (!history.ok()) return {};
    for (const DocumentInfo& info : *history) {
      if (info.version > wanted.version) return fmt::format("{} has version {}", name, info.version);
      if (info.deleted) continue;
      const auto old = documents.GetVersion("rule", name, info.version);
      if (!old.ok()) return old.error().message;
      if (old->bytes != texts_by_version_[{name, info.version}]) {
        return fmt::format("version {} of {} is another", info.version, name);
      }
    }
    return {};
  }

  std::map<std::string, Newest> newest_;
  std::map<std::pair<std::string, uint64_t>, std::string> texts_by_version_;
  std::map<std::string, std::optional<std::string>> doubtful_;
  uint64_t texts_ = 0;
  int acknowledged_ = 0;
};

// Changes of documents among rows and checkpoints, until the power is off or the work is done.
void Work(storage::Store& store, const ForgetfulFileSystem& files, DocumentLedger* documents, StoreLedger* rows,
          std::mt19937_64& random) {
  for (int i = 0; i < 25 && !files.off(); ++i) {
    switch (random() % 6) {
      case 0: (void)store.Checkpoint().ok(); break;
      case 1: rows->WriteBatch(store, 0, random); break;
      default: documents->Change(*store.Documents(), random); break;
    }
  }
}

TEST(DocumentsFaultTest, APowerCutLosesNothingAcknowledged) {
  std::mt19937_64 random(TestSeed());
  int acknowledged = 0;
  for (int directories = 0; directories < 4; ++directories) {
    const TempDirectory directory;
    const std::string data = directory.Below("data");
    ManualClock clock(kLedgerNowNs);
    DocumentLedger documents;
    StoreLedger rows;
    for (int cut = 0; cut < 15; ++cut) {
      SCOPED_TRACE(cut);
      auto files = std::make_shared<ForgetfulFileSystem>(data);
      files->PowerOffAfter(1 + random() % 200);
      {
        auto store = storage::Store::Open(Options(data, &clock, files));
        if (store.ok()) Work(**store, *files, &documents, &rows, random);
        if (!store.ok()) {
          ASSERT_TRUE(files->off()) << store.error().message;
        }
        files->PowerOffAfter(1);
      }
      files->RestoreDurable(random());
      auto store = storage::Store::Open(Options(data, &clock, nullptr));
      ASSERT_TRUE(store.ok()) << store.error().message;
      ASSERT_EQ(documents.Check(*(*store)->Documents(), /*restarted=*/true), "");
      ASSERT_EQ(rows.Check(**store), "");
    }
    acknowledged += documents.acknowledged();
  }
  EXPECT_GT(acknowledged, 100);
}

// The disk fails one call. The change that meets it may lie in RocksDB's log all the same; a process that has said it
// failed, and has gone on, has it undone by whatever is committed next.
TEST(DocumentsFaultTest, AChangeThatFailedDoesNotComeBackBehindTheNext) {
  std::mt19937_64 random(TestSeed());
  int failures = 0;
  for (uint64_t call = 1; call <= 150; call += 1 + call / 20) {
    for (const bool checkpoint_next : {false, true}) {
      SCOPED_TRACE(fmt::format("call {}, {}", call, checkpoint_next ? "a checkpoint next" : "a change next"));
      const TempDirectory directory;
      const std::string data = directory.Below("data");
      ManualClock clock(kLedgerNowNs);
      DocumentLedger documents;
      StoreLedger rows;
      auto files = std::make_shared<ForgetfulFileSystem>(data);
      {
        auto store = storage::Store::Open(Options(data, &clock, files));
        ASSERT_TRUE(store.ok()) << store.error().message;
        for (int i = 0; i < 5; ++i) ASSERT_TRUE(documents.Change(*(*store)->Documents(), random));
        files->FailCalls(files->calls() + call, 1);
        bool failed = false;
        for (int i = 0; i < 40 && !failed; ++i) {
          if (i % 10 == 9) rows.WriteBatch(**store, 0, random);
          failed = !documents.Change(*(*store)->Documents(), random);
        }
        files->FailCalls(0, 0);
        failures += failed ? 1 : 0;
        // This process has not made it.
        ASSERT_EQ(documents.Check(*(*store)->Documents(), /*restarted=*/false), "");
        bool resumed = false;
        for (int attempt = 0; attempt < 5 && !resumed; ++attempt) {
          clock.Advance(2 * kSecond);
          resumed = (*store)->RunMaintenance().ok() && !(*store)->Stats().read_only &&
                    (checkpoint_next ? (*store)->Checkpoint().ok() : documents.Change(*(*store)->Documents(), random));
        }
        ASSERT_TRUE(resumed) << (*store)->Stats().read_only_reason;
        ASSERT_EQ(documents.Check(*(*store)->Documents(), /*restarted=*/false), "");
        files->PowerOffAfter(1);
      }
      files->RestoreDurable(call);
      auto store = storage::Store::Open(Options(data, &clock, nullptr));
      ASSERT_TRUE(store.ok()) << store.error().message;
      // What was in doubt has been settled: the process went on without it.
      ASSERT_EQ(documents.Check(*(*store)->Documents(), /*restarted=*/false), "");
    }
  }
  EXPECT_GT(failures, 5);
}

}  // namespace
}  // namespace tidemark::fault
