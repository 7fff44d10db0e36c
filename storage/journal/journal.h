// Journal: the log in which every acknowledged write stands before it is answered. An interface, so that a replicated
// log can take the place of the local one (local_journal.h).
//
// A record is bytes with a sequence number, numbered from 1 without gaps. Append puts a record in line; WaitDurable
// returns when it is on disk. Writers that wait at the same time share one write and one sync (group commit).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::journal {

struct JournalStats {
  uint64_t bytes_written = 0;  // record bytes with their headers
  uint64_t records = 0;
  uint64_t syncs = 0;
  uint64_t live_bytes = 0;  // in segments not yet trimmed
  uint64_t segments = 0;
  uint64_t first_sequence = 0;  // of the oldest record not yet trimmed; last + 1 when there is none
  uint64_t last_sequence = 0;   // 0 when nothing was ever written
  uint64_t durable_sequence = 0;
};

// Thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;

  // Puts a record in line and returns its sequence. `make` is called once, under the journal's lock, so that what it
  // appends is ordered exactly as the sequences are; it must be quick. A record is less than 4 GiB.
  virtual Result<uint64_t> Append(const std::function<void(uint64_t sequence, std::string* record)>& make) = 0;

  // Blocks until record `sequence` is on disk. An error means that this is not known: the segment is sealed and what
  // follows goes to a new one; after a crash the record may or may not be there, as after every failed sync.
  virtual Result<void> WaitDurable(uint64_t sequence) = 0;

  // Writes and syncs what is in line. Nothing in line is a success, whatever failed before.
  virtual Result<void> Sync() = 0;

  // Calls `apply` for every record from `first_sequence` on, in order. Before the first Append only.
  virtual Result<void> Replay(uint64_t first_sequence,
                              const std::function<Result<void>(uint64_t sequence, std::string_view record)>& apply) = 0;

  // Lets go of all records up to and including `sequence`.
  virtual Result<void> Trim(uint64_t sequence) = 0;

  [[nodiscard]] virtual JournalStats Stats() const = 0;
};

}  // namespace tidemark::journal
