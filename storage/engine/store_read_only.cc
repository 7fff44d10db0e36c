// A store whose look found damage: what can be read is served, and no byte on disk changes.
#include <fmt/core.h>

#include <map>
#include <utility>

#include "storage/base/log.h"
#include "storage/engine/store_impl.h"
#include "storage/journal/journal_scan.h"

namespace tidemark::storage {

Error StoreImpl::ReadOnlyRefusal() const {
  std::vector<model::Finding> stopping = parts_.findings.All();
  std::erase_if(stopping, [](const model::Finding& finding) { return !finding.stops_writes; });
  const std::string more =
      stopping.size() > 1 ? fmt::format(" (and {} more places are damaged, see /health)", stopping.size() - 1) : "";
  return MakeError(ErrorCode::kUnavailable,
                   fmt::format("the store is read-only: {}{}; nothing on disk is changed: {}",
                               model::Describe(stopping.front()), more, stopping.front().remedy));
}

Result<void> StoreImpl::ServeReadOnly() {
  const Error refusal = ReadOnlyRefusal();
  // A medium that takes no writes is not damaged.
  bool damaged = false;
  for (const model::Finding& finding : parts_.findings.All()) {
    if (!finding.stops_writes || finding.area == model::FindingArea::kMedium) continue;
    damaged = true;
    TM_LOG(kError, "damage: {}", model::Describe(finding));
  }
  log::Print(damaged ? log::Level::kError : log::Level::kWarn, "reads are served, writes are refused: {}",
             refusal.message);
  parts_.read_only = true;
  parts_.health.RefuseForGood(refusal);
  parts_.meta->RefuseChanges(refusal);
  Replayed replayed = BeginReplay();
  // What stands behind a gap is shown too; rows that only a lost record gives a name are not.
  TM_TRY_ASSIGN(const journal::JournalCheck journal,
                journal::CheckJournal(parts_.files.get(), parts_.options.directory + "/journal",
                                      parts_.meta->checkpoint_sequence() + 1,
                                      [&](uint64_t sequence, std::string_view bytes) -> Result<void> {
                                        return ReplayRecord(sequence, bytes, &replayed);
                                      }));
  parts_.line.Note(std::max(journal.last_sequence, parts_.meta->checkpoint_sequence()));
  return {};
}

Result<void> StoreImpl::ServeFullDisk(Error error) {
  parts_.journal.reset();
  parts_.watermark.reset();
  parts_.findings.Add({.area = model::FindingArea::kMedium,
                       .place = parts_.options.directory,
                       .what = "the disk is full: " + error.message,
                       .remedy = "make room on it, and start it again"});
  return ServeReadOnly();
}

Result<void> StoreImpl::CloseReadOnly() {
  Result<void> result;
  // Damage that was met at work leaves rows in memory that only the journal has besides.
  if (parts_.journal != nullptr) result = parts_.journal->Sync();
  parts_.closed = true;
  parts_.journal.reset();
  parts_.rocks->Close();
  if (parts_.watermark != nullptr) {
    if (auto kept = parts_.watermark->Close(); result.ok() && !kept.ok()) result = std::move(kept);
  }
  lock_.reset();
  return result;
}

}  // namespace tidemark::storage
