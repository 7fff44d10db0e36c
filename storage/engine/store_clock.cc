// The time by which rows grow old, over restarts.
#include <fmt/core.h>

#include <optional>
#include <utility>

#include "storage/base/log.h"
#include "storage/base/set_clock.h"
#include "storage/base/text/instant.h"
#include "storage/engine/store_impl.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kLookIntervalNs = 1'000'000'000;
// A start after a power cut is behind by this at most, and by the time that the power was off.
constexpr int64_t kKeepIntervalNs = 600'000'000'000;
constexpr std::string_view kName = "retention";

}  // namespace

void StoreImpl::BeginClock() {
  std::optional<retention::KeptClock> kept;
  if (const Result<Document> document = documents_->Get(kClockKind, kName); document.ok()) {
    Result<retention::KeptClock> read = retention::DecodeKeptClock(document->bytes);
    if (read.ok()) {
      // A restored store has what was known when the backup was made, which may be long ago.
      if (read->store_id == parts_.store_id) kept = std::move(read).value();
    } else {
      TM_LOG(kWarn, "{}: the machine's clock is trusted", read.error().message);
    }
  } else if (document.error().code != ErrorCode::kNotFound) {
    TM_LOG(kWarn, "{}: the machine's clock is trusted", document.error().message);
  }
  parts_.retention_clock.Begin(kept, BootId());
  const int64_t steady_ns = parts_.clock.SteadyNs();
  clock_kept_at_ns_.store(kept ? steady_ns : steady_ns - kKeepIntervalNs);
}

void StoreImpl::KeepClock() {
  const int64_t steady_ns = parts_.clock.SteadyNs();
  if (steady_ns - clock_looked_at_ns_.load() < kLookIntervalNs) return;
  clock_looked_at_ns_.store(steady_ns);
  const bool jumped = parts_.retention_clock.Look();
  if (jumped) NoteOtherRowsSeen();
  const bool due = jumped || steady_ns - clock_kept_at_ns_.load() >= kKeepIntervalNs;
  if (!due || parts_.health.Refusal().has_value()) return;
  clock_kept_at_ns_.store(steady_ns);
  // Without the note a start knows less; nothing else depends on it.
  if (const auto kept = WriteClock(); !kept.ok()) TM_LOG(kWarn, "noting the time: {}", kept.error().message);
}

Result<void> StoreImpl::WriteClock() {
  retention::KeptClock kept = parts_.retention_clock.Keep();
  kept.store_id = parts_.store_id;
  auto written = documents_->Put(kClockKind, kName, retention::EncodeKeptClock(kept), "tidemark");
  if (!written.ok()) return std::move(written).error();
  return {};
}

void StoreImpl::NoteOtherRowsSeen() const {
  for (const DatabasePtr& database : parts_.databases.All()) {
    const database::ChangeLog::Change noted = database->changes().Begin(model::TimeRange{});
  }
}

Result<void> StoreImpl::AcceptClock() {
  ReaderLock open(parts_.open_mutex);
  if (parts_.closed) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  TM_RETURN_IF_ERROR(parts_.CheckMayWrite());
  if (parts_.clock.NowNs() < kClockIsSetNs) {
    return InvalidArgument(
        fmt::format("the machine's clock shows {}: it has not been set", text::PrintSecond(parts_.clock.NowNs())));
  }
  parts_.retention_clock.Accept();
  NoteOtherRowsSeen();
  if (auto kept = WriteClock(); !kept.ok()) {
    return std::move(kept).error().Within("the clock is believed until the next start, which will not know of it");
  }
  return {};
}

std::vector<model::Finding> StoreImpl::Findings() const {
  std::vector<model::Finding> all = parts_.findings.All();
  for (model::Finding& finding : DamagedPages()) all.push_back(std::move(finding));
  const RetentionTime time = parts_.retention_clock.Read();
  if (time.jumped) {
    all.push_back({.area = model::FindingArea::kClock,
                   .place = "the machine's clock",
                   .what = fmt::format("it shows {} and should show about {}; rows grow old by the earlier of both",
                                       text::PrintSecond(time.machine.ns), text::PrintSecond(time.trusted.ns)),
                   .stops_writes = false,
                   .remedy = "set it right, or say with `tidemark admin clock accept` that it is; after 24 h without "
                             "going back it is followed"});
  }
  return all;
}

}  // namespace tidemark::storage
