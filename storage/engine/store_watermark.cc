// What a store knows of how far it had come, and who else has its files: read at the look, kept from then on.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/log.h"
#include "storage/engine/store_impl.h"
#include "storage/rocks/private_files.h"
#include "storage/watermark/accepted_losses.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kKeepIntervalNs = 1'000'000'000;

}  // namespace

std::string StoreImpl::BootId() const {
  return parts_.options.boot_id.empty() ? watermark::SystemBootId() : parts_.options.boot_id;
}

Result<watermark::JournalTally> StoreImpl::ReadWatermark(const std::string& store_id) {
  const std::string& directory = parts_.options.directory;
  TM_TRY_ASSIGN(const std::vector<model::Finding> accepted,
                watermark::ReadAcceptedLosses(parts_.files.get(), directory));
  for (const model::Finding& finding : accepted) parts_.findings.Add(finding);
  TM_TRY_ASSIGN(proof_.sight, watermark::ReadWatermark(parts_.files.get(), directory));
  watermark::Found& found = proof_.found;
  found.directory = directory;
  found.store_id = store_id;
  found.boot_id = BootId();
  found.checkpoint_sequence = parts_.meta->checkpoint_sequence();
  // Of a meta that is put together from what is left, what is missing has been said.
  found.rocks_sequence = salvaged_ ? salvage_sequence_ : parts_.rocks->LatestSequence();
  found.epochs_hash = parts_.meta->epochs_hash();
  return watermark::JournalTally(proof_.sight, *found.checkpoint_sequence);
}

void StoreImpl::LookAtMedium() {
  const std::string why = rocks::WhyUnwritable(parts_.options.directory);
  if (why.empty()) return;
  parts_.findings.Add({.area = model::FindingArea::kMedium,
                       .place = parts_.options.directory,
                       .what = why,
                       .remedy = "to write to it, let this process write there and start it again"});
}

void StoreImpl::JudgeWatermark(const journal::JournalCheck& check, const watermark::JournalTally& tally) {
  proof_.last_sequence = std::max(check.last_sequence, *proof_.found.checkpoint_sequence);
  proof_.journal = tally.all();
  proof_.exact = watermark::IsExact(proof_.sight, proof_.found);
  for (model::Finding& finding : watermark::Judge(proof_.sight, proof_.found, check, tally)) {
    if (!finding.stops_writes) TM_LOG(kWarn, "{}; {}", model::Describe(finding), finding.remedy);
    parts_.findings.Add(std::move(finding));
  }
}

Result<void> StoreImpl::BeginWatermark() {
  const int64_t now_ns = parts_.clock.NowNs();
  const std::optional<watermark::Watermark>& last = proof_.sight.newest;
  // What is true now, of a store that has just been made too.
  watermark::Found now = proof_.found;
  now.store_id = parts_.store_id;
  now.boot_id = BootId();
  now.checkpoint_sequence = parts_.meta->checkpoint_sequence();
  now.rocks_sequence = parts_.rocks->LatestSequence();
  now.epochs_hash = parts_.meta->epochs_hash();
  watermark::Watermark first = watermark::WatermarkOf(proof_.sight, now, proof_.last_sequence, proof_.journal, now_ns);
  std::vector<watermark::Moment> moments = {{now_ns, first.durable.sequence}};
  if (last && last->store_id == first.store_id && last->durable.sequence <= first.durable.sequence) {
    // What it said of the past still holds.
    if (!proof_.sight.moments.empty()) moments = proof_.sight.moments;
    first.acknowledged_ns = last->acknowledged_ns;
    if (last->durable.sequence == first.durable.sequence) {
      first.segment = last->segment;
      first.salt = last->salt;
      first.end = last->end;
      first.checksum = last->checksum;
    }
  }
  TM_RETURN_IF_ERROR(lock_->Announce(""));
  TM_TRY_ASSIGN(parts_.watermark, watermark::WatermarkFile::Begin(parts_.files.get(), parts_.options.directory, first,
                                                                  std::move(moments)));
  parts_.meta->OnCommitted([this](uint64_t rocks_sequence, uint64_t epochs_hash, uint64_t checkpoint_sequence) {
    // The change itself is on disk: that it is not noted makes the watermark say less, not something else.
    auto noted = parts_.watermark->NoteMeta(rocks_sequence, epochs_hash, checkpoint_sequence);
    if (!noted.ok()) parts_.health.Report(noted.error());
  });
  parts_.own_files = rocks::OwnFiles::Of(parts_.options.directory);
  return {};
}

void StoreImpl::Announce(std::string_view address) {
  WriterLock lock(parts_.open_mutex);
  // A store that is served read-only changes no file.
  if (parts_.closed || lock_ == nullptr || parts_.watermark == nullptr) return;
  if (auto said = lock_->Announce(std::string(address)); !said.ok()) TM_LOG(kWarn, "{}", said.error().message);
}

Result<void> StoreImpl::KeepWatermark() {
  const int64_t now_ns = parts_.clock.SteadyNs();
  if (parts_.watermark == nullptr || now_ns - watermark_kept_at_ns_.load() < kKeepIntervalNs) return {};
  watermark_kept_at_ns_.store(now_ns);
  TM_RETURN_IF_ERROR(parts_.CheckOwnFiles());
  auto synced = parts_.watermark->Sync(parts_.clock.NowNs());
  if (!synced.ok()) parts_.health.Report(synced.error());
  return synced;
}

}  // namespace tidemark::storage
