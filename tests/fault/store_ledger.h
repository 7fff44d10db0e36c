// StoreLedger: what a store has promised, kept apart from it: every row that was sent, whether the store said that it
// is on disk, and what it said is deleted. And the setting in which stores lose their power.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "forgetful_file_system.h"
#include "storage/base/clock.h"
#include "storage/storage.h"

namespace tidemark::fault {

// About when all rows are.
inline constexpr int64_t kLedgerNowNs = 1'700'000'000'000'000'000;

// Thread-safe; each writer has a number and series of its own, and its values grow with every write.
class StoreLedger {
 public:
  // kGrowing: a new series now and then, so that definitions are always under way. kFew: three for each writer, so that
  // deletions meet rows.
  enum class Series : uint8_t { kGrowing, kFew };
  explicit StoreLedger(Series series = Series::kGrowing) : series_(series) {}

  // Writes one random batch as `writer`: new rows, rows far back, and a counter whose one row is written over and
  // over. Remembers what was sent and what was acknowledged. Returns whether it was.
  bool WriteBatch(storage::Store& store, int writer, std::mt19937_64& random);
  // Deletes all or some of the rows of one series of `writer`, of which there are few.
  bool Delete(storage::Store& store, int writer, std::mt19937_64& random);

  // {} when the store holds every acknowledged row with its value, nothing that was never sent, and nothing that was
  // deleted; otherwise what is wrong.
  [[nodiscard]] std::string Check(const storage::Store& store) const;
  [[nodiscard]] uint64_t acknowledged() const;  // rows
  [[nodiscard]] uint64_t refused() const;       // batches
  [[nodiscard]] uint64_t deleted() const;       // deletions acknowledged

 private:
  static constexpr int64_t kNone = -1;
  struct Cell {
    int64_t acknowledged = kNone;  // at least this is seen; kNone: perhaps nothing
    int64_t sent = kNone;
    int64_t gone = kNone;  // this and what came before must not be seen
  };
  using RowName = std::pair<std::string, int64_t>;  // series, time
  [[nodiscard]] std::string HostOf(int writer, int64_t next, std::mt19937_64& random) const;

  const Series series_;
  mutable std::mutex mutex_;
  std::map<RowName, Cell> cells_;
  std::map<int, int64_t> next_;  // per writer
  uint64_t acknowledged_ = 0;
  uint64_t refused_ = 0;
  uint64_t deleted_ = 0;
};

// A store without background work in which segments come and go, maintenance always makes slabs, and half of the
// epochs are files. `files` null: the system's.
storage::StoreOptions LedgerOptions(const std::string& directory, Clock* clock,
                                    std::shared_ptr<ForgetfulFileSystem> files);

}  // namespace tidemark::fault
