// StoreLedger: what a store has promised, kept apart from it: every row that was sent, and whether the store said that
// it is on disk.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>

#include "storage/storage.h"

namespace tidemark::fault {

// Thread-safe; each writer has a number of its own.
class StoreLedger {
 public:
  // Writes one random batch as `writer`: new rows, rows far back, and a counter whose one row is written over and
  // over. Remembers what was sent and what was acknowledged. Returns whether it was.
  bool WriteBatch(storage::Store& store, int writer, std::mt19937_64& random);

  // {} when the store holds every acknowledged row with its value and nothing that was never sent; otherwise what is
  // wrong.
  [[nodiscard]] std::string Check(const storage::Store& store) const;
  [[nodiscard]] uint64_t acknowledged() const;  // rows
  [[nodiscard]] uint64_t refused() const;       // batches

 private:
  struct Cell {
    // Values grow with every write of the same row.
    int64_t acknowledged = -1;
    int64_t sent = -1;
  };
  using RowName = std::pair<std::string, int64_t>;  // series, time
  mutable std::mutex mutex_;
  std::map<RowName, Cell> cells_;
  std::map<int, int64_t> next_;  // per writer
  uint64_t acknowledged_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace tidemark::fault
