#include "storage/watermark/judge.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace tidemark::storage::watermark {
namespace {

using model::Finding;
using model::FindingArea;
using model::Loss;

constexpr std::string_view kRepair =
    "put back what is missing, or accept the loss with `tidemark admin repair`, which with `--dry-run` says what it "
    "would do; the server must be stopped for that";

std::string Record(uint64_t sequence) { return sequence == 0 ? "none" : fmt::format("record {}", sequence); }

// What of the journal is needed and not there, by the counts of the watermark.
class JournalVerdict {
 public:
  JournalVerdict(const Watermark& watermark, const Found& found, const journal::JournalCheck& check,
                 const JournalTally& tally)
      : watermark_(watermark),
        check_(check),
        tally_(tally),
        checkpoint_(found.checkpoint_sequence.value_or(
            std::max(watermark.checkpoint.sequence, watermark.next_checkpoint.sequence))) {
    if (watermark.durable.sequence <= checkpoint_) return;
    last_ = std::max(check.last_sequence, checkpoint_);
    short_ = last_ < watermark.durable.sequence;
    for (const Place* base : {&watermark.checkpoint, &watermark.next_checkpoint}) {
      if (!found.checkpoint_sequence || base->sequence != checkpoint_) continue;
      counted_ = true;
      // What had failed and is there all the same is not counted against what had not.
      records_ = Less(Less(watermark.durable.records, base->records), tally.known().records);
      rows_ = Less(Less(watermark.durable.rows, base->rows), tally.known().rows);
      break;
    }
  }

  // Whether something that was acknowledged is missing.
  [[nodiscard]] bool lost() const { return short_ || (counted_ && records_ > 0); }

  [[nodiscard]] Finding ToFinding(const std::string& directory, const std::vector<Moment>& moments) const {
    Finding finding{.area = FindingArea::kJournal, .place = directory + "/journal"};
    if (short_) {
      finding.what = "it is shorter than what was acknowledged";
      finding.expected = Record(watermark_.durable.sequence);
      finding.found = Record(last_);
    } else {
      finding.what = "records that were acknowledged are missing in it";
      finding.expected = fmt::format("{} records", records_ + tally_.known().records);
      finding.found = fmt::format("{}", tally_.known().records);
    }
    Loss loss{.proven = true};
    if (counted_) {
      loss.records = records_;
      loss.rows = rows_;
    }
    uint64_t first = last_ + 1;
    for (const journal::JournalDamage& damage : check_.damages) {
      if (!damage.length_only && damage.first > checkpoint_) first = std::min(first, damage.first);
    }
    for (const Moment& moment : moments) {
      if (moment.sequence < first && moment.ns <= watermark_.acknowledged_ns) loss.since = model::Timestamp{moment.ns};
    }
    loss.until = model::Timestamp{watermark_.acknowledged_ns};
    finding.loss = loss;
    finding.remedy = kRepair;
    return finding;
  }

 private:
  static uint64_t Less(uint64_t from, uint64_t what) { return from > what ? from - what : 0; }

  const Watermark& watermark_;
  const journal::JournalCheck& check_;
  const JournalTally& tally_;
  const uint64_t checkpoint_;
  uint64_t last_ = 0;
  uint64_t records_ = 0;
  uint64_t rows_ = 0;
  bool short_ = false;
  bool counted_ = false;
};

// A watermark that says nothing: damaged, missing, or of another store.
std::optional<Finding> WithoutProof(const WatermarkSight& sight, const Found& found,
                                    const journal::JournalCheck& check) {
  Finding finding{.area = FindingArea::kWatermark, .place = WatermarkPath(found.directory)};
  finding.stops_writes = false;
  const bool kept = std::any_of(check.headers.begin(), check.headers.end(), [](const auto& s) { return s.sized; });
  if (!sight.there) {
    // Programs before the first watermark left directories without one.
    if (!kept) return std::nullopt;
    finding.what = "it is missing";
  } else if (!sight.newest) {
    finding.what = fmt::format("it cannot be read: {}", sight.damage);
  } else if (!found.store_id.empty() && sight.newest->store_id != found.store_id) {
    finding.what = "it belongs to another store";
    finding.expected = found.store_id;
    finding.found = sight.newest->store_id;
  } else {
    return std::nullopt;
  }
  finding.what += "; whether the journal lacks acknowledged records at its end is not known";
  finding.remedy = "a new one is begun by the next start";
  return finding;
}

void JudgeMeta(const Watermark& watermark, const Found& found, std::vector<Finding>* findings) {
  if (!found.rocks_sequence) return;
  Finding finding{.area = FindingArea::kMeta, .place = found.directory + "/rocksdb"};
  finding.remedy = kRepair;
  if (*found.rocks_sequence < watermark.rocks_sequence) {
    finding.what =
        "changes of databases, epochs or documents that were committed are missing: its log, MANIFEST or "
        "CURRENT was cut, or is an old copy";
    finding.expected = fmt::format("sequence {}", watermark.rocks_sequence);
    finding.found = fmt::format("{}", *found.rocks_sequence);
  } else if (*found.rocks_sequence == watermark.rocks_sequence && found.epochs_hash && watermark.epochs_hash != 0 &&
             *found.epochs_hash != watermark.epochs_hash) {
    finding.what = "its live epochs are others than those that were committed";
    finding.expected = fmt::format("hash {:016x}", watermark.epochs_hash);
    finding.found = fmt::format("{:016x}", *found.epochs_hash);
  } else {
    return;
  }
  findings->push_back(std::move(finding));
}

void JudgeSegment(const Watermark& watermark, const Found& found, const journal::JournalCheck& check,
                  std::vector<Finding>* findings) {
  if (watermark.segment == 0 || watermark.durable.sequence <= found.checkpoint_sequence.value_or(0)) return;
  Finding finding{.area = FindingArea::kJournal, .place = found.directory + "/journal"};
  finding.remedy = kRepair;
  for (const auto& segment : check.headers) {
    if (segment.number != watermark.segment || segment.salt == watermark.salt) continue;
    finding.what = fmt::format("segment {} is another than the one that was written", segment.number);
    finding.expected = fmt::format("salt {:016x}", watermark.salt);
    finding.found = fmt::format("{:016x}", segment.salt);
    findings->push_back(finding);
    return;
  }
  if (check.watched_checksum && *check.watched_checksum != watermark.checksum) {
    finding.what = fmt::format("record {} is another than the one that was written", watermark.durable.sequence);
    finding.expected = fmt::format("checksum {:016x}", watermark.checksum);
    finding.found = fmt::format("{:016x}", *check.watched_checksum);
    findings->push_back(std::move(finding));
  }
}

}  // namespace

JournalTally::JournalTally(const WatermarkSight& sight, uint64_t checkpoint_sequence)
    : checkpoint_sequence_(checkpoint_sequence), limit_(sight.newest ? sight.newest->durable.sequence : 0) {}

void JournalTally::Count(uint64_t sequence, uint64_t rows) {
  if (sequence <= checkpoint_sequence_) return;
  all_ = {sequence, all_.records + 1, all_.rows + rows};
  if (sequence <= limit_) known_ = all_;
}

bool IsExact(const WatermarkSight& sight, const Found& found) {
  if (!sight.newest || !sight.damage.empty() || sight.newest->store_id != found.store_id) return false;
  return sight.newest->clean || (!found.boot_id.empty() && sight.newest->boot_id == found.boot_id);
}

Watermark WatermarkOf(const WatermarkSight& sight, const Found& found, uint64_t last_sequence, const Place& journal,
                      int64_t now_ns) {
  const uint64_t checkpoint = found.checkpoint_sequence.value_or(0);
  Watermark first;
  first.store_id = found.store_id;
  first.boot_id = found.boot_id;
  first.counter = sight.newest ? sight.newest->counter + 1 : 0;
  first.durable = {std::max(last_sequence, checkpoint), journal.records, journal.rows};
  first.acknowledged_ns = now_ns;
  first.checkpoint = {checkpoint, 0, 0};
  first.next_checkpoint = first.checkpoint;
  first.rocks_sequence = found.rocks_sequence.value_or(0);
  first.epochs_hash = found.epochs_hash.value_or(0);
  return first;
}

std::vector<Finding> Judge(const WatermarkSight& sight, const Found& found, const journal::JournalCheck& check,
                           const JournalTally& tally) {
  std::vector<Finding> findings;
  std::optional<Finding> without = WithoutProof(sight, found, check);
  const bool proof = sight.newest && !without;
  if (without) findings.push_back(std::move(*without));
  std::optional<JournalVerdict> verdict;
  if (proof) verdict.emplace(*sight.newest, found, check, tally);
  const bool exact = proof && IsExact(sight, found);
  for (const journal::JournalDamage& damage : check.damages) {
    Finding finding = damage.ToFinding();
    // How much is missing in all is said once, below; or nothing that was acknowledged is.
    if (verdict && (verdict->lost() || exact)) finding.loss.reset();
    if (damage.length_only && exact && !verdict->lost()) {
      finding.what += "; nothing that was acknowledged is missing";
      finding.stops_writes = false;
    }
    findings.push_back(std::move(finding));
  }
  if (!proof) return findings;
  if (verdict->lost()) findings.push_back(verdict->ToFinding(found.directory, sight.moments));
  JudgeSegment(*sight.newest, found, check, &findings);
  JudgeMeta(*sight.newest, found, &findings);
  if (!sight.damage.empty()) {
    findings.push_back({.area = FindingArea::kWatermark,
                        .place = WatermarkPath(found.directory),
                        .what = sight.damage + "; the other slot is whole, and the next start writes both anew",
                        .stops_writes = false});
  }
  return findings;
}

}  // namespace tidemark::storage::watermark
