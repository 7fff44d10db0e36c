// Judge: holds what was found in a directory against its watermark. One reading of the rules for the start of a store,
// and for those who only look.
//
//   JournalTally tally(sight, checkpoint_sequence);             // counts while the journal is read
//   TM_TRY_ASSIGN(const journal::JournalCheck check, journal::CheckJournal(..., tally.watched(), apply));
//   for (Finding& finding : Judge(sight, found, check, tally)) ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/journal/journal_scan.h"
#include "storage/model/finding.h"
#include "storage/watermark/watermark_file.h"

namespace tidemark::storage::watermark {

// How many records and rows of those that the watermark speaks of are in the journal. Of one thread.
class JournalTally {
 public:
  // Records up to `checkpoint_sequence` are not needed.
  JournalTally(const WatermarkSight& sight, uint64_t checkpoint_sequence);
  // A record of the journal with so many rows.
  void Count(uint64_t sequence, uint64_t rows);
  // The record whose checksum is to be told (journal::CheckJournal); 0: none.
  [[nodiscard]] uint64_t watched() const { return limit_; }
  // Behind the checkpoint: all of them, and those up to the watermark.
  [[nodiscard]] const Place& all() const { return all_; }
  [[nodiscard]] const Place& known() const { return known_; }

 private:
  const uint64_t checkpoint_sequence_;
  const uint64_t limit_;
  Place all_;
  Place known_;
};

struct Found {
  std::string directory;
  std::string store_id;  // "": not known
  std::string boot_id;   // of now
  // nullopt: meta could not be read.
  std::optional<uint64_t> checkpoint_sequence;
  std::optional<uint64_t> rocks_sequence;
  std::optional<uint64_t> epochs_hash;
};

// Whether the watermark says exactly what had been acknowledged: only the process ended since, or everything was
// synced.
[[nodiscard]] bool IsExact(const WatermarkSight& sight, const Found& found);

// The watermark that follows what was looked at: of what is there, `journal` behind the checkpoint with its last record
// `last_sequence`.
[[nodiscard]] Watermark WatermarkOf(const WatermarkSight& sight, const Found& found, uint64_t last_sequence,
                                    const Place& journal, int64_t now_ns);

// What is not as the watermark says, and the damages of the journal with what they cost by it.
[[nodiscard]] std::vector<model::Finding> Judge(const WatermarkSight& sight, const Found& found,
                                                const journal::JournalCheck& check, const JournalTally& tally);

}  // namespace tidemark::storage::watermark
