// DefinitionLedger: sees to it that no write of a database is acknowledged before the names that it uses are on disk.
//
// Names that a write creates go into its own journal record, and later writes use them at once. Should that record
// not reach the disk, later ones must not be acknowledged either, although they may have: the ledger makes them wait,
// takes back the names of the failed record and of all that followed it, and tells the later writers to append anew.
// So the journal, read in order, defines every name before the first acknowledged record that uses it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "storage/base/mutex.h"
#include "storage/index/index.h"

namespace tidemark::storage::database {

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
  // A record that is in line and not settled yet.
  struct Record {
    std::string definitions;
    bool append_again = false;
  };
  [[nodiscard]] bool WaitsForEarlier(uint64_t sequence) const TM_REQUIRES(mutex_);

  index::Index* const index_;
  Mutex mutex_;
  CondVar settled_;
  std::map<uint64_t, Record> records_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::database
