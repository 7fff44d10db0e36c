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

// Where a journal stands when a group of records is on disk.
struct JournalMark {
  uint64_t sequence = 0;  // of the last record that is on disk
  uint64_t segment = 0;   // in which it ends
  uint64_t salt = 0;      // of that segment
  uint64_t end = 0;       // offset behind it
  uint64_t checksum = 0;  // that it carries
  uint64_t records = 0;   // that have got to the disk since the journal was opened, and the rows in them
  uint64_t rows = 0;
};

// Records that did not get to the disk, or of which that is not known.
struct JournalFailures {
  uint64_t records = 0;
  uint64_t rows = 0;
};

// Puts record `sequence` at the end of `record` and returns how many rows it has.
using MakeRecord = std::function<uint64_t(uint64_t sequence, std::string* record)>;

// Thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;

  // Puts a record in line and returns its sequence. `make` is called once, under the journal's lock, so that what it
  // appends is ordered exactly as the sequences are; it must be quick. A record is less than 4 GiB.
  virtual Result<uint64_t> Append(const MakeRecord& make) = 0;

  // Blocks until record `sequence` is on disk. An error means that this is not known: the segment is sealed and what
  // follows goes to a new one; after a crash the record may or may not be there, as after every failed sync.
  virtual Result<void> WaitDurable(uint64_t sequence) = 0;

  // Writes and syncs what is in line. Nothing in line is a success, whatever failed before.
  virtual Result<void> Sync() = 0;

  // Calls `apply` for every record from `first_sequence` on, in order. Before the first Append only.
  virtual Result<void> Replay(uint64_t first_sequence,
                              const std::function<Result<void>(uint64_t sequence, std::string_view record)>& apply) = 0;

  // Lets go of all records up to and including `sequence`. A file that could not be deleted is tried again by the next
  // call.
  virtual Result<void> Trim(uint64_t sequence) = 0;

  // Of records up to `sequence`, all of which have been waited for, since the journal was opened.
  [[nodiscard]] virtual JournalFailures FailuresUpTo(uint64_t sequence) const = 0;

  // A file of records that are needed and that is not there any more, or is another; "" when all are.
  [[nodiscard]] virtual std::string MissingFile() const = 0;

  [[nodiscard]] virtual JournalStats Stats() const = 0;
};

}  // namespace tidemark::journal
