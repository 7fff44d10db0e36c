// Line: the order of everything that changes rows. A record's sequence in the journal, the live set that its rows go
// into and the ticket that it gets there are taken under one lock, so that the order of the journal is the order of the
// heads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "storage/base/mutex.h"
#include "storage/engine/database_table.h"

namespace tidemark::storage {

// A place in the line, and how many records have places up to it since the store was opened, with how many rows.
struct LinePlace {
  uint64_t sequence = 0;
  uint64_t records = 0;
  uint64_t rows = 0;
};

// Thread-safe. Its lock is taken inside the journal's (Journal::Append calls `make` under it); nothing but locks of
// single objects is taken under it.
class Line {
 public:
  // Notes that record `sequence` has its place, and calls `take` there, which says how many rows the record has.
  template <typename Function>
  uint64_t Take(uint64_t sequence, const Function& take) {
    MutexLock lock(mutex_);
    const uint64_t rows = take();
    last_ = {sequence, last_.records + 1, last_.rows + rows};
    return rows;
  }
  // Calls `run` while nobody takes a place.
  template <typename Function>
  void Hold(const Function& run) {
    MutexLock lock(mutex_);
    run();
  }
  // Notes that records up to `sequence` have their places.
  void Note(uint64_t sequence) {
    MutexLock lock(mutex_);
    last_.sequence = std::max(last_.sequence, sequence);
  }

  // Freezes the live sets that have something in them. Returns the place of the last record in line before.
  LinePlace Freeze(std::span<const DatabasePtr> databases) {
    MutexLock lock(mutex_);
    for (const DatabasePtr& database : databases) FreezeLocked(database.get());
    return last_;
  }
  // Freezes that of one database, also at the place of record `sequence`. Returns the number of the set that is live
  // afterwards: what is frozen has smaller ones.
  uint64_t Freeze(database::Database* database) {
    MutexLock lock(mutex_);
    FreezeLocked(database);
    return database->live()->number();
  }
  uint64_t FreezeAt(uint64_t sequence, database::Database* database) {
    MutexLock lock(mutex_);
    last_ = {sequence, last_.records + 1, last_.rows};
    FreezeLocked(database);
    return database->live()->number();
  }

 private:
  void FreezeLocked(database::Database* database) TM_REQUIRES(mutex_) {
    if (database->Freeze(next_set_) != nullptr) ++next_set_;
  }

  Mutex mutex_;
  LinePlace last_ TM_GUARDED_BY(mutex_);
  uint64_t next_set_ TM_GUARDED_BY(mutex_) = 1;
};

}  // namespace tidemark::storage
