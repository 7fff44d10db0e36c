#include "crash_scenarios.h"

#include <utility>

namespace tidemark::fault {
namespace {

using storage::kNsPerHour;
using storage::Store;

constexpr int64_t kOneSecondNs = 1'000'000'000;
constexpr int64_t kStart = kScenarioStartNs;
constexpr int64_t kLate = kScenarioLateNs;

CrashStep Write(RowRun run) {
  return {[run](Store& store, ManualClock&) { return WriteRun(store, run); },
          [run](RowModel* model) { AddRun(run, model); }};
}

CrashStep Checkpoint() {
  return {[](Store& store, ManualClock&) { return store.Checkpoint(); }};
}

CrashStep Maintain(int64_t advance_ns) {
  return {[advance_ns](Store& store, ManualClock& clock) {
    clock.Advance(advance_ns);
    return store.RunMaintenance();
  }};
}

CrashStep Compact() {
  return {[](Store& store, ManualClock&) -> Result<void> {
    auto done = store.Compact("default", {}, nullptr);
    if (!done.ok()) return std::move(done).error();
    return {};
  }};
}

CrashStep Delete(const std::string& host, int64_t first_ns, int64_t last_ns) {
  return {[=](Store& store, ManualClock&) -> Result<void> {
            storage::DeleteRequest request;
            request.selectors.push_back({{model::MatchOp::kEqual, "host", host}});
            request.range = {{first_ns}, {last_ns}};
            auto done = store.Delete("", request);
            if (!done.ok()) return std::move(done).error();
            return {};
          },
          [=](RowModel* model) { Erase(model, "default", host, first_ns, last_ns); }};
}

// Rows before `hidden_before_ns` are seen no more from then on.
CrashStep SetOptions(const std::function<void(storage::DatabaseOptions*)>& change,
                     int64_t hidden_before_ns = INT64_MIN) {
  CrashStep step{[change](Store& store, ManualClock&) -> Result<void> {
    for (const storage::DatabaseInfo& database : store.Databases()) {
      if (database.name != "default") continue;
      storage::DatabaseOptions options = database.options;
      change(&options);
      return store.SetDatabaseOptions("default", options);
    }
    return NotFound("there is no default database");
  }};
  if (hidden_before_ns != INT64_MIN) {
    step.effect = [=](RowModel* model) { Erase(model, "default", "", INT64_MIN, hidden_before_ns - 1); };
  }
  return step;
}

// Rows before `gone_before_ns` go.
CrashStep Retain(int64_t gone_before_ns) {
  return {[](Store& store, ManualClock&) -> Result<void> {
            auto dropped = store.ApplyRetention();
            if (!dropped.ok()) return std::move(dropped).error();
            return {};
          },
          [=](RowModel* model) { Erase(model, "default", "", INT64_MIN, gone_before_ns - 1); }};
}

// Two hosts in three hours, each hour in an epoch of its own. No row is near the beginning of its hour, which is where
// readers of a database with a retention begin to see, to a second or two of the clocks of these tests.
std::vector<CrashStep> ThreeHours() {
  std::vector<CrashStep> steps;
  for (int hour = -3; hour < 0; ++hour) {
    const int64_t first_ns = kStart + hour * kNsPerHour + 10 * kOneSecondNs;
    steps.push_back(Write({.host = "a", .first_ns = first_ns, .count = 400}));
    steps.push_back(Write({.host = "b", .first_ns = first_ns + kOneSecondNs / 2, .count = 300}));
    steps.push_back(Checkpoint());
  }
  return steps;
}

std::vector<CrashStep> Joined(std::vector<CrashStep> first, const std::vector<CrashStep>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

CrashScenario CreateScenario() { return {"Create", {}, {}, {Write({.first_ns = kStart, .count = 100})}}; }

CrashScenario CheckpointScenario() {
  return {"Checkpoint",
          {Write({.first_ns = kStart, .count = 300}), Checkpoint(), Write({.host = "b", .first_ns = kStart})},
          {},
          {
              // Overwrites, a new series, a second partition; several journal segments.
              Write({.first_ns = kStart + 200 * kOneSecondNs, .count = 200, .value = 5}),
              Write({.host = "new", .first_ns = kStart - kNsPerHour, .count = 300}),
              Checkpoint(),
              Write({.first_ns = kStart, .count = 300, .value = 9}),
              Checkpoint(),
          }};
}

CrashScenario FoldScenario() {
  std::vector<CrashStep> prepare;
  for (int i = 0; i < 4; ++i) {
    prepare.push_back(Write({.first_ns = kStart + i * 50 * kOneSecondNs, .count = 200, .value = 100 * i}));
    prepare.push_back(Checkpoint());
  }
  // What comes while it is folded wins.
  prepare.push_back(Write({.first_ns = kStart + 10 * kOneSecondNs, .count = 20, .value = 7}));
  return {"Fold", prepare, {}, {Maintain(kOneSecondNs)}};
}

CrashScenario SealScenario() {
  const CrashStep seal{[](Store& store, ManualClock& clock) -> Result<void> {
    // Seen to be past, then quiet for long enough, then one partition at a time.
    for (int look = 0; look < 4; ++look) {
      TM_RETURN_IF_ERROR(store.RunMaintenance());
      clock.Advance(700 * kOneSecondNs);
    }
    return {};
  }};
  return {"Seal", ThreeHours(), {}, {seal}};
}

CrashScenario CompactScenario() {
  return {"Compact",
          Joined(ThreeHours(), {Write({.host = "c", .first_ns = kStart - kNsPerHour, .count = 200}), Checkpoint(),
                                Delete("a", kStart - kNsPerHour, kStart),
                                Write({.host = "a", .first_ns = kStart - 100 * kOneSecondNs})}),
          {},
          {Compact()}};
}

// Hours become eight of them: by a compaction, with rows that come meanwhile and a deletion between; and by the
// background, after it has sealed them.
CrashScenario MergeScenario() {
  return {"Merge",
          Joined(ThreeHours(), {Delete("a", kStart - 2 * kNsPerHour, kStart - kNsPerHour),
                                Write({.host = "a", .first_ns = kStart - 90 * 60 * kOneSecondNs, .count = 50})}),
          {},
          {
              Compact(),
              Write({.host = "late", .first_ns = kStart - 3 * kNsPerHour + 1000 * kOneSecondNs, .count = 200}),
              Compact(),
          }};
}

CrashScenario BackgroundMergeScenario() {
  const CrashStep merge{[](Store& store, ManualClock& clock) -> Result<void> {
    // Three are sealed, one at a time; then all have been quiet for long enough.
    for (int look = 0; look < 9; ++look) {
      TM_RETURN_IF_ERROR(store.RunMaintenance());
      clock.Advance(700 * kOneSecondNs);
    }
    if (store.Stats().merges == 0 && store.Stats().partitions > 1)
      return MakeError(ErrorCode::kInternal, "nothing was merged");
    return {};
  }};
  return {"BackgroundMerge", ThreeHours(), {}, {merge}};
}

// Hours that were merged, of which the retention takes the oldest: they are split first. There is a second epoch by
// then. They are merged once the eight hours that they become are past.
CrashScenario SplitScenario() {
  const CrashStep merge{[](Store& store, ManualClock& clock) -> Result<void> {
    clock.Advance(kLate);
    TM_RETURN_IF_ERROR(Compact().run(store, clock));
    if (store.Stats().partitions != 1) return MakeError(ErrorCode::kInternal, "nothing was merged");
    return {};
  }};
  CrashStep retain = Retain(kStart - 2 * kNsPerHour);
  retain.run = [run = retain.run](Store& store, ManualClock& clock) -> Result<void> {
    TM_RETURN_IF_ERROR(run(store, clock));
    const auto view = store.OpenView("default");
    if (!view.ok()) return std::move(view).error();
    for (const storage::PartitionInfo& partition : (*view)->Partitions()) {
      if (partition.bounds.first.ns < kStart - 2 * kNsPerHour ||
          partition.bounds.last.ns - partition.bounds.first.ns >= kNsPerHour) {
        return MakeError(ErrorCode::kInternal, "nothing was split");
      }
    }
    return {};
  };
  return {"Split",
          Joined(ThreeHours(), {merge}),
          {},
          {
              Write({.host = "late", .first_ns = kStart - kNsPerHour + 1000 * kOneSecondNs, .count = 50}),
              Checkpoint(),
              SetOptions(
                  [](storage::DatabaseOptions* options) {
                    options->retention_ns = kLate + 2 * kNsPerHour;
                    options->tiers[0].keep_ns = options->retention_ns;
                  },
                  kStart - 2 * kNsPerHour),
              retain,
              Write({.host = "a", .first_ns = kStart - 2 * kNsPerHour + 200 * kOneSecondNs, .count = 20, .value = 7}),
              Checkpoint(),
          }};
}

CrashScenario RetentionScenario() {
  return {"Retention",
          ThreeHours(),
          {},
          {
              // The oldest partition has rows in the journal too, in slabs and in heads.
              Write({.host = "late", .first_ns = kStart - 3 * kNsPerHour + 1000 * kOneSecondNs, .count = 200}),
              Maintain(kOneSecondNs),
              Write({.host = "later", .first_ns = kStart - 3 * kNsPerHour + 2000 * kOneSecondNs}),
              SetOptions(
                  [](storage::DatabaseOptions* options) {
                    options->retention_ns = kLate + 2 * kNsPerHour;
                    options->tiers[0].keep_ns = options->retention_ns;
                  },
                  kStart - 2 * kNsPerHour),
              Retain(kStart - 2 * kNsPerHour),
              // What is kept again is kept, also where there was something that went.
              SetOptions([](storage::DatabaseOptions* options) { options->retention_ns = 0; }),
              Write({.host = "again", .first_ns = kStart - 3 * kNsPerHour + 500 * kOneSecondNs}),
              Checkpoint(),
          }};
}

// Raw rows go and a tier of them stays, which is rewritten for a deletion.
CrashScenario ReduceScenario() {
  return {"Reduce",
          ThreeHours(),
          {},
          {
              Write({.host = "late", .first_ns = kStart - 3 * kNsPerHour + 1000 * kOneSecondNs, .count = 200}),
              Maintain(kOneSecondNs),
              SetOptions([](storage::DatabaseOptions* options) {
                options->tiers = {{600 * kOneSecondNs, 0}};
                options->retention_ns = kLate + 2 * kNsPerHour;
              }),
              Retain(kStart - 2 * kNsPerHour),
              Delete("a", kStart - 3 * kNsPerHour, kStart - 2 * kNsPerHour - 1),
              Compact(),
              // Nothing of it is kept.
              SetOptions([](storage::DatabaseOptions* options) { options->tiers = {}; }),
              Retain(kStart - 2 * kNsPerHour),
          }};
}

CrashScenario MaxBytesScenario() {
  return {"MaxBytes",
          ThreeHours(),
          {},
          {SetOptions([](storage::DatabaseOptions* options) {
             options->max_bytes = 1;
             options->tiers = {};
           }),
           Retain(kStart - kNsPerHour)}};
}

CrashScenario DeleteScenario() {
  return {
      "Delete",
      Joined(ThreeHours(), {Write({.first_ns = kStart - 600 * kOneSecondNs, .count = 100}), Maintain(kOneSecondNs)}),
      {},
      {
          // In an epoch, in a slab and in a head.
          Write({.first_ns = kStart - 500 * kOneSecondNs, .count = 200}),
          Delete("a", kStart - kNsPerHour, kStart - 450 * kOneSecondNs),
          Write({.first_ns = kStart - 480 * kOneSecondNs, .count = 10, .value = 77}),
          Checkpoint(),
          Delete("b", kStart - 3 * kNsPerHour, kStart),
          Delete("a", kStart - 3 * kNsPerHour, kStart - 2 * kNsPerHour),
          // Partitions of which much is hidden are rewritten, and the deletions forgotten.
          Maintain(61 * kOneSecondNs),
          Checkpoint(),
          Maintain(61 * kOneSecondNs),
      }};
}

CrashScenario SelectorScenario() {
  const CrashStep keep = SetOptions([](storage::DatabaseOptions* options) {
    options->selectors.push_back({{{model::MatchOp::kEqual, "host", "b"}}, kLate});
  });
  const CrashStep hide{keep.run, [](RowModel* model) { Erase(model, "default", "b", INT64_MIN, kStart - 1); }};
  return {"SelectorRetention", ThreeHours(), {}, {hide, Maintain(61 * kOneSecondNs)}};
}

CrashScenario DatabasesScenario() {
  const CrashStep create{[](Store& store, ManualClock&) -> Result<void> {
    // Done again after a crash, it may be there.
    if (store.HasDatabase("other")) return {};
    return store.CreateDatabase("other", {.partition_ns = kNsPerHour});
  }};
  const CrashStep drop{[](Store& store, ManualClock&) -> Result<void> {
                         if (!store.HasDatabase("other")) return {};
                         return store.DropDatabase("other");
                       },
                       [](RowModel* model) { Erase(model, "other", "", INT64_MIN, INT64_MAX); }};
  const CrashStep rename{[](Store& store, ManualClock&) -> Result<void> {
                           // What belongs to it goes with it, whenever the crash comes.
                           if (store.HasDatabase("after")) {
                             auto document = store.Documents()->Get("belongs", "after");
                             if (!document.ok()) return std::move(document).error();
                             return {};
                           }
                           if (store.Documents()->Get("belongs", "after").ok())
                             return MakeError(ErrorCode::kInternal, "the document was renamed without its database");
                           if (!store.HasDatabase("before")) TM_RETURN_IF_ERROR(store.CreateDatabase("before", {}));
                           const storage::DocumentChange moved{
                               .kind = "belongs", .name = "after", .bytes = "x", .author = "", .expected = {}};
                           return store.RenameDatabase("before", "after", {&moved, 1});
                         },
                         [](RowModel* model) { AddDocument(model, "documents/belongs/after", 1, "x"); }};
  return {"Databases",
          {Write({.first_ns = kStart}), Checkpoint()},
          {},
          {
              create,
              rename,
              Write({.database = "other", .first_ns = kStart, .count = 200}),
              Checkpoint(),
              Write({.database = "other", .host = "b", .first_ns = kStart}),
              drop,
              create,
              Write({.database = "other", .host = "c", .first_ns = kStart}),
              Checkpoint(),
          }};
}

// Changes of documents at once; the text of each, none for a deletion, and the version that it was made from.
CrashStep ChangeDocuments(const std::vector<storage::DocumentChange>& changes,
                          const std::function<void(RowModel*)>& effect) {
  return {[changes](Store& store, ManualClock&) -> Result<void> {
            // Done again after a crash it may have been done.
            const storage::DocumentChange& first = changes.front();
            const auto there = store.Documents()->Get(first.kind, first.name);
            if (there.ok() && there->bytes == first.bytes) return {};
            if (!there.ok() && there.error().code == ErrorCode::kNotFound && !first.bytes.has_value()) return {};
            auto done = store.Documents()->Apply(changes);
            if (!done.ok()) return std::move(done).error();
            return {};
          },
          effect};
}

// The kind keeps two versions, and remembers one deleted document.
CrashScenario DocumentsScenario() {
  const std::string a = "documents/rule/a";
  const std::string b = "documents/rule/b";
  const std::string c = "documents/rule/c";
  const auto put = [](const std::string& name, const std::string& text, uint64_t expected) {
    return storage::DocumentChange{"rule", name, text, "ada", expected};
  };
  const auto remove = [](const std::string& name, uint64_t expected) {
    return storage::DocumentChange{"rule", name, std::nullopt, "ada", expected};
  };
  return {"Documents",
          {Write({.first_ns = kStart}), ChangeDocuments({put("a", "a1", 0), put("b", "b1", 0)},
                                                        [=](RowModel* model) {
                                                          AddDocument(model, a, 1, "a1");
                                                          AddDocument(model, b, 1, "b1");
                                                        })},
          {},
          {
              ChangeDocuments({put("a", "a2", 1)}, [=](RowModel* model) { AddDocument(model, a, 2, "a2"); }),
              // Versions are spent from here on.
              ChangeDocuments({put("a", "a3", 2)},
                              [=](RowModel* model) {
                                AddDocument(model, a, 3, "a3");
                                model->at(a).erase(1);
                              }),
              ChangeDocuments({put("a", "a4", 3), put("c", "c1", 0), remove("b", 1)},
                              [=](RowModel* model) {
                                AddDocument(model, a, 4, "a4");
                                model->at(a).erase(2);
                                AddDocument(model, b, 2, std::string(kDeletedDocument));
                                AddDocument(model, c, 1, "c1");
                              }),
              Checkpoint(),
              // The other that was deleted is forgotten, and its numbers are not given again.
              ChangeDocuments({remove("c", 1)},
                              [=](RowModel* model) {
                                AddDocument(model, c, 2, std::string(kDeletedDocument));
                                model->erase(b);
                              }),
              ChangeDocuments({put("b", "b3", 0)}, [=](RowModel* model) { AddDocument(model, b, 3, "b3"); }),
              Checkpoint(),
              ChangeDocuments({put("a", "a5", 4)},
                              [=](RowModel* model) {
                                AddDocument(model, a, 5, "a5");
                                model->at(a).erase(3);
                              }),
          }};
}

// A start after a crash that left files which nothing names, and a journal.
CrashScenario OpenScenario() {
  return {"Open",
          {Write({.first_ns = kStart, .count = 300}), Checkpoint(), Write({.host = "b", .first_ns = kStart}),
           Delete("a", kStart, kStart + 50 * kOneSecondNs), Checkpoint()},
          "checkpoint.ingested",
          {Write({.host = "c", .first_ns = kStart}), Checkpoint()}};
}

CrashScenario CloseScenario() {
  const CrashStep close{[](Store& store, ManualClock&) { return store.Close(); }};
  return {"Close", {Write({.first_ns = kStart, .count = 300})}, {}, {Write({.host = "b", .first_ns = kStart}), close}};
}

// The same with epochs that lie in `meta`.
CrashScenario Small(CrashScenario scenario) {
  scenario.name += "Small";
  scenario.small_epoch_bytes = 64 << 10;
  return scenario;
}

}  // namespace

storage::StoreOptions ScenarioOptions(const CrashScenario& scenario, const std::string& directory, Clock* clock) {
  storage::StoreOptions options;
  options.directory = directory;
  options.clock = clock;
  options.background = false;
  options.new_database.partition_ns = kNsPerHour;
  options.new_database.tiers = {{.width_ns = 60 * kOneSecondNs}};
  options.journal_segment_bytes = 4 << 10;
  options.cache_bytes = 1 << 20;
  options.max_epochs = 2;
  options.small_epoch_bytes = scenario.small_epoch_bytes;
  options.staged_bytes = 1;  // maintenance always makes slabs
  options.document_kinds = {{.word = "rule", .history = 2, .deleted = 1}};
  options.seal_grace_ns = kNsPerHour;
  options.seal_quiet_ns = 600 * kOneSecondNs;
  return options;
}

const std::vector<CrashScenario>& CrashScenarios() {
  static const std::vector<CrashScenario> scenarios = {
      CreateScenario(),
      CheckpointScenario(),
      Small(CheckpointScenario()),
      FoldScenario(),
      SealScenario(),
      Small(CompactScenario()),
      RetentionScenario(),
      ReduceScenario(),
      Small(MaxBytesScenario()),
      MergeScenario(),
      Small(MergeScenario()),
      BackgroundMergeScenario(),
      SplitScenario(),
      Small(SplitScenario()),
      DeleteScenario(),
      Small(DeleteScenario()),
      Small(SelectorScenario()),
      DatabasesScenario(),
      DocumentsScenario(),
      OpenScenario(),
      Small(OpenScenario()),
      CloseScenario(),
  };
  return scenarios;
}

}  // namespace tidemark::fault
