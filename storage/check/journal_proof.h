// JournalProof: the journal of a store that nobody has open, held against its watermark, as a start does it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/journal/journal_scan.h"
#include "storage/model/finding.h"
#include "storage/rocks/rocks_store.h"
#include "storage/watermark/judge.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::check {

// What meta says, as far as it can be read.
struct MetaMark {
  std::optional<uint64_t> checkpoint_sequence;
  std::optional<uint64_t> rocks_sequence;
  std::optional<uint64_t> epochs_hash;
  uint32_t next_database = 0;  // with the checkpoint
};
// Errors: kCorruption when there is no store record that can be read; kIo.
Result<MetaMark> ReadMetaMark(const rocks::RocksStore& rocks);

struct JournalProof {
  watermark::WatermarkSight sight;
  watermark::Found found;
  journal::JournalCheck check;
  watermark::Place journal;              // what it has behind the checkpoint
  std::vector<model::Finding> findings;  // of the watermark and the journal
};

// `check_record` sees every record that is needed. Errors: kIo, kUnsupported, and those of `check_record` other than
// kCorruption.
Result<JournalProof> ProveJournal(rocksdb::FileSystem* files, const std::string& directory, const MetaMark& meta,
                                  const journal::RecordFn& check_record);

// Accepts that what is missing is missing: writes it down for good, and begins a watermark of what is there. `proof` is
// of before the journal was mended. Errors: kIo, kResourceExhausted.
Result<void> AcceptLosses(rocksdb::FileSystem* files, const JournalProof& proof, const MetaMark& meta,
                          const journal::RecordFn& check_record);

}  // namespace tidemark::storage::check
