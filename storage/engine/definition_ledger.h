// DefinitionLedger: sees to it that no write of a database is acknowledged before the names that it uses are on disk.
//
// Names that a write creates go into its own journal record, and later writes use them at once. Should that record
// not reach the disk, later ones must not be acknowledged either, although they may have: the ledger makes them wait,
// takes back the names of the failed record and of all that followed it, and tells the later writers to append anew.
// So the journal, read in order, defines every name before the first acknowledged record that uses it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "storage/base/mutex.h"
#include "storage/index/index.h"

namespace tidemark::storage {

// Thread-safe. One per database.
class DefinitionLedger {
 public:
  enum class Verdict : uint8_t {
    kAcknowledge,
    kAppendAgain,  // an earlier record failed; this one may name what the journal does not define
    kFailed,       // this record failed
  };

  explicit DefinitionLedger(index::Index* index) : index_(index) {}

  // The definitions to put into record `sequence`. Called in the order of the sequences (under the journal's lock).
  std::string Begin(uint64_t sequence);
  // What is to become of record `sequence`, once it is known whether it is on disk. Each sequence that began is
  // settled exactly once. Blocks while earlier records with definitions are not settled.
  Verdict Settle(uint64_t sequence, bool durable);

 private:
  struct Pending {
    uint64_t sequence;
    std::string definitions;
  };
  [[nodiscard]] bool EarlierPending(uint64_t sequence) const TM_REQUIRES(mutex_) {
    return !pending_.empty() && pending_.front().sequence < sequence;
  }

  index::Index* const index_;
  Mutex mutex_;
  CondVar settled_;
  std::deque<Pending> pending_ TM_GUARDED_BY(mutex_);  // ascending
  uint64_t last_sequence_ TM_GUARDED_BY(mutex_) = 0;
  // Records up to here that are not settled yet must be appended again.
  uint64_t void_until_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::storage
