#include "tools/server/scrub/scrubber.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/base/log.h"
#include "storage/documents.h"

namespace tidemark::server {
namespace {

constexpr std::string_view kKind = "scrub";
constexpr std::string_view kName = "state";
constexpr std::string_view kAuthor = "the server";
// How long it reads at once, and so how long it waits in between.
constexpr std::chrono::milliseconds kPace(250);
// With nothing to do, until it looks again.
constexpr std::chrono::seconds kLook(10);
// Where it stands is stored so often: a restart reads so much again.
constexpr int64_t kSaveNs = 60'000'000'000;
// Places that are remembered: with more of them another disk is what helps.
constexpr size_t kDamagedMax = 1'000;

std::string PlaceText(const storage::ScrubPlace& place) {
  return fmt::format("[{},{},{}]", place.database, place.epoch, place.page);
}

bool ReadPlace(simdjson::dom::element value, storage::ScrubPlace* place) {
  simdjson::dom::array parts;
  uint64_t database = 0;
  if (value.get(parts) != simdjson::SUCCESS || parts.size() != 3) return false;
  const bool good = parts.at(0).get(database) == simdjson::SUCCESS &&
                    parts.at(1).get(place->epoch) == simdjson::SUCCESS &&
                    parts.at(2).get(place->page) == simdjson::SUCCESS && database <= UINT32_MAX;
  place->database = static_cast<uint32_t>(database);
  return good;
}

}  // namespace

std::string PrintScrubState(const ScrubState& state) {
  std::string out = fmt::format(
      R"({{"place":{},"roundBegunNs":{},"lastBegunNs":{},"lastEndedNs":{},"roundPages":{},"roundBytes":{},"rounds":{},"paused":{},"damaged":[)",
      PlaceText(state.place), state.round_begun_ns, state.last_begun_ns, state.last_ended_ns, state.round_pages,
      state.round_bytes, state.rounds, state.paused);
  for (const storage::ScrubPlace& place : state.damaged) {
    if (out.back() != '[') out += ',';
    out += PlaceText(place);
  }
  return out + "]}";
}

Result<ScrubState> ReadScrubState(std::string_view text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string bytes(text);
  simdjson::dom::element root;
  if (parser.parse(bytes).get(root) != simdjson::SUCCESS) return Corruption("the stored place of the scrub is no JSON");
  ScrubState state;
  simdjson::dom::element place;
  simdjson::dom::array damaged;
  bool good = root["place"].get(place) == simdjson::SUCCESS && ReadPlace(place, &state.place);
  const auto read = [&](std::string_view key, auto* out) { good = root[key].get(*out) == simdjson::SUCCESS && good; };
  read("roundBegunNs", &state.round_begun_ns);
  read("lastBegunNs", &state.last_begun_ns);
  read("lastEndedNs", &state.last_ended_ns);
  read("roundPages", &state.round_pages);
  read("roundBytes", &state.round_bytes);
  read("rounds", &state.rounds);
  read("paused", &state.paused);
  read("damaged", &damaged);
  if (!good) return Corruption("the stored place of the scrub is not what is written here");
  for (const simdjson::dom::element one : damaged) {
    storage::ScrubPlace at;
    if (!ReadPlace(one, &at)) return Corruption("the stored place of the scrub is not what is written here");
    state.damaged.insert(at);
  }
  return state;
}

Scrubber::Scrubber(storage::Store* store, const Clock* clock, ScrubConfig config)
    : store_(store), clock_(clock), config_(config) {
  storage::DocumentStore* const documents = store_->Documents();
  if (documents == nullptr) return;
  const auto document = documents->Get(kKind, kName);
  if (!document.ok()) return;
  MutexLock lock(mutex_);
  if (auto read = ReadScrubState(document->bytes); read.ok()) {
    state_ = std::move(read).value();
  } else {
    TM_LOG(kWarn, "{}: it begins anew", read.error().message);
  }
}

Status Scrubber::Save(std::string_view who) {
  saved_at_ns_ = clock_->SteadyNs();
  storage::DocumentStore* const documents = store_->Documents();
  if (documents == nullptr || store_->Stats().read_only) return {};
  TM_TRY_ASSIGN([[maybe_unused]] const uint64_t version, documents->Put(kKind, kName, PrintScrubState(state_), who));
  return {};
}

void Scrubber::SaveOrTell() {
  if (const Status saved = Save(kAuthor); !saved.ok()) {
    TM_LOG(kWarn, "where the scrub stands is not stored: {}", saved.error().message);
  }
}

ScrubState Scrubber::state() const {
  MutexLock lock(mutex_);
  return state_;
}

Status Scrubber::SetPaused(bool paused, std::string_view who) {
  MutexLock lock(mutex_);
  const bool before = std::exchange(state_.paused, paused);
  const Status saved = Save(who);
  if (!saved.ok()) state_.paused = before;
  wake_.NotifyAll();
  return saved;
}

void Scrubber::Take(const storage::ScrubPlace& from, const storage::ScrubStep& step) {
  // What was read and is whole is damaged no more; of what is gone nobody knows.
  for (auto at = state_.damaged.lower_bound(from); at != state_.damaged.end();) {
    if (!step.round_done && *at >= step.next) break;
    at = state_.damaged.erase(at);
  }
  for (const storage::ScrubPlace& place : step.damaged) {
    if (state_.damaged.size() < kDamagedMax) state_.damaged.insert(place);
  }
}

uint64_t Scrubber::Step(double seconds) {
  ScrubState now = state();
  const int64_t now_ns = clock_->NowNs();
  if (config_.bytes_per_second == 0 || now.paused) return 0;
  // The clock was set back: that must not put the next round off for years.
  if (now.last_begun_ns > now_ns) now.last_begun_ns = 0;
  const bool begins = now.round_begun_ns == 0;
  if (begins && now.last_begun_ns != 0 && now_ns < now.last_begun_ns + config_.interval_ms * 1'000'000) return 0;
  const auto bytes = static_cast<uint64_t>(static_cast<double>(config_.bytes_per_second) * seconds);
  const auto step = store_->Scrub(begins ? storage::ScrubPlace() : now.place, std::max<uint64_t>(bytes, 1));
  if (!step.ok()) return 0;
  MutexLock lock(mutex_);
  if (begins) {
    state_.round_begun_ns = now_ns;
    state_.round_pages = state_.round_bytes = 0;
    state_.place = {};
  }
  Take(state_.place, *step);
  state_.place = step->next;
  state_.round_pages += step->pages;
  state_.round_bytes += step->bytes;
  for (const storage::ScrubPlace& place : step->damaged) {
    TM_LOG(kError, "the scrub has met a damaged page ({}): /health has its name", PlaceText(place));
  }
  if (step->round_done && state_.round_pages == 0) {
    // Of a store that has no pages yet nothing was read: the first of them are not to wait for the next round.
    state_.round_begun_ns = 0;
    return 0;
  }
  if (step->round_done) {
    state_.last_begun_ns = std::exchange(state_.round_begun_ns, 0);
    state_.last_ended_ns = clock_->NowNs();
    ++state_.rounds;
    TM_LOG(kInfo, "a scrub has read {} pages of {} bytes; {} of them were not as they were written", state_.round_pages,
           state_.round_bytes, state_.damaged.size());
  }
  if (begins || step->round_done || !step->damaged.empty() || clock_->SteadyNs() - saved_at_ns_ >= kSaveNs)
    SaveOrTell();
  return std::max<uint64_t>(step->bytes, 1);
}

void Scrubber::LookAtDamaged() {
  for (const storage::ScrubPlace& place : state().damaged) {
    const auto step = store_->Scrub(place, 1);
    if (!step.ok()) return;
    if (std::ranges::find(step->damaged, place) != step->damaged.end()) continue;
    MutexLock lock(mutex_);
    state_.damaged.erase(place);
  }
}

void Scrubber::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Scrubber::Stop() {
  thread_.request_stop();
  {
    MutexLock lock(mutex_);
    wake_.NotifyAll();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  MutexLock lock(mutex_);
  SaveOrTell();
}

void Scrubber::Run(const std::stop_token& stop) {
  LookAtDamaged();
  while (!stop.stop_requested()) {
    const uint64_t bytes = Step(std::chrono::duration<double>(kPace).count());
    std::chrono::milliseconds wait = kLook;
    // A page is read whole: what that was too much is waited for.
    if (bytes > 0) wait = std::chrono::milliseconds(bytes * 1'000 / config_.bytes_per_second + 1);
    MutexLock lock(mutex_);
    if (!stop.stop_requested()) wake_.WaitFor(mutex_, wait);
  }
}

}  // namespace tidemark::server
