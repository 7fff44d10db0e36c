// The Nth allocation fails, in the middle of each job of a store: the process ends with its own exit code and by
// nothing else, no lock is left held, and whoever opens the directory finds all that was acknowledged. See
// storage/base/FAILURE.md.
//
// This executable's operator new is its own, so that it can fail in a child.
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "child_process.h"
#include "forgetful_file_system.h"
#include "row_model.h"
#include "storage/base/allocation_failure.h"
#include "storage/base/clock.h"
#include "tests/temp_directory.h"
#include "tests/test_seed.h"

namespace {

// Allocations until one fails; not positive: none does.
std::atomic<int64_t> allocations_left{0};

bool FailsNow() {
  if (allocations_left.load(std::memory_order_relaxed) <= 0) return false;
  return allocations_left.fetch_sub(1, std::memory_order_relaxed) == 1;
}

// As the C++ library does it, [new.delete.single].
template <typename GetMemory>
void* Allocate(GetMemory get) {
  const bool fails = FailsNow();
  for (;;) {
    if (void* const memory = fails ? nullptr : get(); memory != nullptr) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

}  // namespace

void* operator new(size_t size) {
  return Allocate([size] { return std::malloc(size == 0 ? 1 : size); });
}
void* operator new(size_t size, std::align_val_t alignment) {
  const auto bytes = static_cast<size_t>(alignment);
  return Allocate([=] { return std::aligned_alloc(bytes, (size + bytes - 1) / bytes * bytes); });
}
// Not inline: where only one of a pair is, g++ takes the other for one that does not belong to it.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace tidemark::fault {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr int64_t kStart = 1'699'999'200'000'000'000;  // an hour begins
constexpr int kRuns = 4;

// What a child has got to; shared with the parent.
struct Progress {
  int64_t allocations = 0;  // of the job, when none failed
  int runs = 0;             // acknowledged
  int documents = 0;
};

RowRun NthRun(int number) {
  return {.host = fmt::format("run{}", number), .first_ns = kStart + number * 60'000'000'000, .count = 200};
}
std::string DocumentText(int number) { return std::string(static_cast<size_t>(number) * 100, 'd'); }

storage::StoreOptions Options(const std::string& directory, Clock* clock) {
  storage::StoreOptions options;
  options.directory = directory;
  options.clock = clock;
  options.background = false;
  options.new_database.partition_ns = storage::kNsPerHour;
  options.new_database.tiers = {{.width_ns = 60'000'000'000}};
  options.journal_segment_bytes = 16 << 10;
  options.cache_bytes = 1 << 20;
  options.file_system = std::make_shared<ForgetfulFileSystem>(directory);
  return options;
}

using Job = std::function<Result<void>(storage::Store&, Progress*)>;

struct JobCase {
  const char* name;
  bool opens;  // the open is a part of the job
  Job run;
};

Result<void> WriteRuns(storage::Store& store, Progress* progress) {
  for (int i = 0; i < kRuns; ++i) {
    TM_RETURN_IF_ERROR(WriteRun(store, NthRun(i)));
    progress->runs = i + 1;
  }
  return {};
}

Result<void> ChangeDocuments(storage::Store& store, Progress* progress) {
  for (int i = 0; i < kRuns; ++i) {
    auto put = store.Documents()->Put("rule", "a", DocumentText(i), "ada", static_cast<uint64_t>(i));
    if (!put.ok()) return std::move(put).error();
    progress->documents = i + 1;
  }
  return {};
}

Result<void> Checkpoint(storage::Store& store, Progress* progress) {
  TM_RETURN_IF_ERROR(WriteRuns(store, progress));
  return store.Checkpoint();
}

Result<void> Compact(storage::Store& store, Progress* progress) {
  TM_RETURN_IF_ERROR(Checkpoint(store, progress));
  auto done = store.Compact("default", {}, nullptr);
  if (!done.ok()) return std::move(done).error();
  return {};
}

Result<void> Scan(storage::Store& store, Progress*) {
  auto rows = ReadAll(store);
  if (!rows.ok()) return std::move(rows).error();
  return {};
}

const std::vector<JobCase>& Jobs() {
  static const std::vector<JobCase> jobs = {
      {"Write", false, WriteRuns},
      {"Documents", false, ChangeDocuments},
      {"Checkpoint", false, Checkpoint},
      {"Compact", false, Compact},
      {"Scan", false, Scan},
      {"Open", true, Scan},
  };
  return jobs;
}

void PrintTo(const JobCase& job, std::ostream* out) { *out << job.name; }

class AllocationTest : public ::testing::TestWithParam<JobCase> {
 protected:
  AllocationTest() {
    void* const shared =
        mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, /*fd=*/-1, 0);
    progress_ = new (shared) Progress();
  }
  ~AllocationTest() override { munmap(progress_, sizeof(Progress)); }

  [[nodiscard]] std::string prepared() const { return directory_.Below("prepared"); }
  [[nodiscard]] std::string work() const { return directory_.Below("work"); }

  // Rows on disk, in the journal and hidden by a deletion.
  void Prepare() {
    std::filesystem::create_directories(prepared());
    const ChildResult done = RunInChild([&]() -> std::string {
      ManualClock clock(kStart);
      auto store = storage::Store::Open(Options(prepared(), &clock));
      if (!store.ok()) return store.error().message;
      for (const char* host : {"disk", "journal"}) {
        if (auto written = WriteRun(**store, PreparedRun(host)); !written.ok()) return written.error().message;
        if (std::string_view(host) == "journal") break;
        if (auto taken = (*store)->Checkpoint(); !taken.ok()) return taken.error().message;
      }
      return {};
    });
    ASSERT_EQ(done.text, "");
    ASSERT_EQ(done.exit_code, 0);
  }
  static RowRun PreparedRun(const std::string& host) { return {.host = host, .first_ns = kStart, .count = 300}; }

  // Does the job in a child whose allocation number `nth` fails (kNever: none).
  ChildResult DoJob(int64_t nth) {
    std::filesystem::remove_all(work());
    std::filesystem::copy(prepared(), work(), std::filesystem::copy_options::recursive);
    *progress_ = Progress();
    return RunInChild([&]() -> std::string {
      // A line for each of many deaths helps nobody.
      dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
      EndOnAllocationFailure();
      ManualClock clock(kStart);
      const auto arm = [nth] { allocations_left.store(nth); };
      if (GetParam().opens) arm();
      auto store = storage::Store::Open(Options(work(), &clock));
      if (!store.ok()) return "opening: " + store.error().message;
      if (!GetParam().opens) arm();
      auto done = GetParam().run(**store, progress_);
      progress_->allocations = nth - allocations_left.load();
      allocations_left.store(0);
      return done.ok() ? std::string() : done.error().message;
    });
  }

  // What the directory must hold, with what came after the last acknowledgement or without.
  [[nodiscard]] RowModel Wanted(int runs, int documents) const {
    RowModel model;
    for (const char* host : {"disk", "journal"}) AddRun(PreparedRun(host), &model);
    for (int i = 0; i < runs; ++i) AddRun(NthRun(i), &model);
    for (int i = 0; i < documents; ++i) AddDocument(&model, "documents/rule/a", i + 1, DocumentText(i));
    return model;
  }

  void CheckDirectory() {
    const ChildResult checked = RunInChild([&]() -> std::string {
      ManualClock clock(kStart);
      auto store = storage::Store::Open(Options(work(), &clock));
      if (!store.ok()) return "opening afterwards: " + store.error().message;
      auto found = ReadAll(**store);
      if (!found.ok()) return found.error().message;
      const std::string from_old = Difference(Wanted(progress_->runs, progress_->documents), *found);
      if (from_old.empty()) return {};
      const std::string with_rows = Difference(Wanted(progress_->runs + 1, progress_->documents), *found);
      const std::string with_document = Difference(Wanted(progress_->runs, progress_->documents + 1), *found);
      return with_rows.empty() || with_document.empty() ? std::string() : from_old;
    });
    EXPECT_EQ(checked.text, "");
    EXPECT_EQ(checked.exit_code, 0);
  }

  TempDirectory directory_;
  Progress* progress_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Jobs, AllocationTest, ::testing::ValuesIn(Jobs()),
                         [](const auto& job) { return std::string(job.param.name); });

TEST_P(AllocationTest, TheProcessEndsCleanlyAndNothingAcknowledgedIsLost) {
  std::mt19937_64 random(TestSeed());
  ASSERT_NO_FATAL_FAILURE(Prepare());
  // RocksDB's threads and the journal's allocate too, more or less of it: the least is what the job does by itself.
  int64_t allocations = kNever;
  for (int i = 0; i < 3; ++i) {
    const ChildResult undisturbed = DoJob(kNever);
    ASSERT_EQ(undisturbed.text, "");
    ASSERT_EQ(undisturbed.exit_code, 0);
    allocations = std::min(allocations, progress_->allocations);
  }
  ASSERT_GT(allocations, 10);
  ASSERT_NO_FATAL_FAILURE(CheckDirectory());

  // Of all jobs together a hundred in the ordinary run.
  const int rounds = std::getenv("TIDEMARK_FULL") != nullptr ? 500 : 17;
  int deaths = 0;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    const auto nth = static_cast<int64_t>(1 + random() % static_cast<uint64_t>(allocations));
    SCOPED_TRACE(fmt::format("allocation {} of {}", nth, allocations));
    const ChildResult ended = DoJob(nth);
    // With less from other threads than there was the job may be done before the Nth.
    if (ended.exit_code == 0) {
      EXPECT_EQ(ended.text, "");
    } else {
      EXPECT_EQ(ended.exit_code, kAllocationFailureExit) << ended.text;
      ++deaths;
    }
    CheckDirectory();
  }
  std::cout << deaths << " deaths, " << allocations << " allocations\n";
  EXPECT_GE(deaths, rounds / 2);
}

}  // namespace
}  // namespace tidemark::fault
