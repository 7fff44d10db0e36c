// Finding: something of a store that is not as it was written, and what that costs. An open collects all that it finds
// instead of stopping at the first; a running store adds what happens to its files; `tidemark admin verify` prints the
// same. Whoever shows one to a person uses Describe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/model/timestamp.h"

namespace tidemark::model {

// Which part of a store it is about. The names (NameOf) are labels of metrics and stay.
enum class FindingArea : uint8_t {
  kFiles,      // identity, lock, the directory itself
  kJournal,    // segments and their records, or that there are too few
  kWatermark,  // the file that says how far the journal must go
  kMeta,       // RocksDB's own files, and the records of `meta`
  kIndex,      // names
  kPages,      // rows on disk
  kDocuments,
  kMedium,  // the disk takes no writes
  kClock,   // the machine's clock has jumped
};
std::string_view NameOf(FindingArea area);

// What was written and is not there any more, as far as that can be told.
struct Loss {
  // Records of the journal (a request makes one for each database that it writes to), and their rows; nullopt: it
  // cannot be told.
  std::optional<uint64_t> records = {};
  std::optional<uint64_t> rows = {};
  // When they were acknowledged, by the server's clock: not before `since`, not after `until`. nullopt: not known.
  std::optional<Timestamp> since = {};
  std::optional<Timestamp> until = {};
  // true: they were acknowledged, for certain. false: they may have been.
  bool proven = false;
  friend bool operator==(const Loss&, const Loss&) = default;
};

struct Finding {
  FindingArea area = FindingArea::kFiles;
  std::string place = {};     // a file, or a record with the names that its key stands for
  std::string what = {};      // a clause without a full stop
  std::string expected = {};  // "" where there is nothing to compare
  std::string found = {};
  // nullopt: no row is missing.
  std::optional<Loss> loss = {};
  // Whether the store must not be written to until somebody has decided: what is there is served.
  bool stops_writes = true;
  std::string remedy = {};  // what a person does next; "": nothing need be done
  // When a repair accepted it; from then on it is history, stops nothing, and stays to be seen.
  std::optional<Timestamp> accepted = {};
  friend bool operator==(const Finding&, const Finding&) = default;
};

// "45 rows (9 records) that were acknowledged between 2026-01-31T12:00:03Z and 2026-01-31T12:00:04Z are missing".
std::string Describe(const Loss& loss);
// One line: place, what, expected and found, what is missing, when it was accepted. Without the remedy.
std::string Describe(const Finding& finding);

}  // namespace tidemark::model
