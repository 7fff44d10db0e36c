// Verify and Repair: what can be done to a store that no server has open. Both take the store's lock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::storage {

// One thing that is not as it was written.
struct Damage {
  std::string place;  // a file, or a page with the names that its key stands for
  std::string what;   // with expected and found checksum where there is one
};

struct VerifyOptions {
  std::string directory;
  std::function<void(const Damage&)> on_damage;  // for each, as it is found
  // For each loss that an earlier repair accepted: no damage any more, and not to be forgotten.
  std::function<void(std::string_view)> on_accepted = {};
  std::function<void(std::string_view)> on_progress;  // now and then: what has been read so far
};

struct VerifyReport {
  uint64_t databases = 0;
  uint64_t epochs = 0;
  uint64_t pages = 0;  // of live epochs, directories apart
  uint64_t page_bytes = 0;
  uint64_t files = 0;  // of RocksDB
  uint64_t segments = 0;
  uint64_t records = 0;  // of the journal
  uint64_t damages = 0;
};

// Reads meta, the indexes, every page of every live epoch, every block of RocksDB's files and every journal record
// that a start would need, and changes nothing. Damage is no error. Errors: kNotFound (no store there), kUnavailable
// (another process has it), kUnsupported (format version), kIo.
Result<VerifyReport> Verify(const VerifyOptions& options);

struct RepairOptions {
  std::string directory;
  std::string aside;  // a folder that does not exist: what is given up goes there. Its parent is made too.
  bool dry_run = false;
  std::function<void(std::string_view)> on_step;           // for each, before it is done: what it gives up
  std::function<void(std::string_view)> on_progress = {};  // now and then: what has been read so far
};

struct RepairReport {
  uint64_t steps = 0;
  bool lost = false;  // something that was acknowledged, or may have been, was given up
};

// Makes a damaged store whole again for Store::Open. All pages are read. Where RocksDB, the records, the names or pages
// in it are damaged, it is made anew from what can be read (storage/rescue), and the old one is moved to `aside`; what
// is lost of pages is named by series and times. A segment of the journal, or
// the rest of one from the first damaged record on, is moved there too, and the gap that this leaves is noted in the
// journal; records behind the gap stay. Nothing is deleted. What is missing is accepted: it is written down for good,
// and a watermark of what is there begins. Errors: as Verify, and kCorruption when meta cannot be read and not be made
// anew either.
Result<RepairReport> Repair(const RepairOptions& options);

}  // namespace tidemark::storage
