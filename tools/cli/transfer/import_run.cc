#include "tools/cli/transfer/import_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "executor/agent/process/signal_stop.h"
#include "tools/cli/command.h"
#include "tools/cli/progress_line.h"
#include "tools/cli/say.h"
#include "tools/cli/transfer/import_state.h"
#include "tools/cli/transfer/oldest_types_first.h"

namespace tidemark::cli {
namespace {

using transfer::Piece;

constexpr int kCouldNotRun = 2;
// Points, and bytes about, of one write.
constexpr size_t kWritePoints = 50'000;
constexpr size_t kWriteBytes = size_t{8} << 20;
constexpr std::chrono::seconds kStateEvery{1};
// Points that are named of those that are different.
constexpr size_t kShownMax = 20;

size_t BytesOf(const Piece& piece) {
  size_t bytes = 200 + piece.size() * 24;
  for (const std::string& text : piece.strings) bytes += text.size();
  return bytes;
}

// What a target is known by, for the state.
std::string NameOf(const Place& place) {
  if (place.data.empty()) return place.server;
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(place.data, error);
  return error ? place.data : whole.string();
}

class Import {
 public:
  Import(const ImportJob& job, std::unique_ptr<Target> target, std::stop_token stop)
      : job_(job), target_(std::move(target)), stop_(std::move(stop)) {}

  // With whole_or_nothing: kAlreadyExists when the database is there.
  Status CheckNew() {
    if (!job_.whole_or_nothing) return {};
    TM_TRY_ASSIGN(const std::vector<std::string> all, target_->Databases());
    if (std::find(all.begin(), all.end(), job_.database) == all.end()) return {};
    return MakeError(ErrorCode::kAlreadyExists,
                     fmt::format("a database \"{}\" is there already: name another one with --as", job_.database));
  }

  // After a failure. The target may be one whose requests have been stopped: another one is asked.
  void TakeBack() {
    if (!job_.whole_or_nothing) return;
    // A directory belongs to one at a time.
    target_.reset();
    Status gone;
    if (const auto again = Target::Open(job_.place, {}); again.ok()) {
      const auto all = (*again)->Databases();
      // Nothing had come of it.
      if (all.ok() && std::find(all->begin(), all->end(), job_.database) == all->end()) return;
      gone = (*again)->Drop(job_.database);
    } else {
      gone = again.error();
    }
    if (!gone.ok() && gone.error().code != ErrorCode::kNotFound) {
      Say(stderr, "tidemark: a part of \"{}\" is left, which could not be taken back: {}\n", job_.database,
          gone.error().message);
    }
  }

  Status Write() {
    TM_TRY_ASSIGN(
        state_,
        ReadState(job_.state,
                  {.pieces = 0, .target = NameOf(job_.place), .database = job_.database, .source = job_.source}));
    pieces_before_ = state_.pieces;
    if (pieces_before_ > 0) Say(stderr, "going on behind piece {}\n", Grouped(pieces_before_));
    // Who may not see the list is told of what is missing by the comparison alone.
    Result<std::vector<std::string>> there = std::vector<std::string>();
    if (pieces_before_ > 0) there = target_->Databases();
    // Standard input comes as it comes.
    const bool ordered = job_.again && !job_.one_type;
    TM_TRY_ASSIGN(const std::unique_ptr<PieceReader> reader, ordered ? OpenOldestTypesFirst(job_.open) : job_.open());
    for (Piece piece;;) {
      TM_RETURN_IF_ERROR(CheckStop());
      TM_TRY_ASSIGN(const bool more, reader->Next(&piece));
      if (!more) break;
      const std::string database = reader->DatabaseFor(job_.database);
      if (database.empty()) return InvalidArgument("the source names no database: name one with --db");
      sums_[database].Add(piece);
      ++read_;
      points_read_ += piece.size();
      if (read_ <= pieces_before_) {
        TM_RETURN_IF_ERROR(CheckStill(database, there));
        points_before_ += piece.size();
      } else {
        TM_RETURN_IF_ERROR(Take(database, reader->apart(), std::move(piece)));
      }
      const PieceReader::Progress progress = reader->progress();
      line_.Show(points_read_, progress.done, progress.all);
    }
    TM_RETURN_IF_ERROR(Flush());
    TM_RETURN_IF_ERROR(SaveState(true));
    line_.Finish();
    skipped_ = reader->skipped();
    conflicts_ = reader->conflicts();
    remarks_ = reader->remarks();
    return {};
  }

  // Prints what came of it; the exit code.
  Result<int> Report() {
    Say("{}\n", line_.Summary(points_written_));
    if (points_before_ > 0) {
      Say("{} of the source's {} points had been sent by an earlier run of this import\n", Grouped(points_before_),
          Grouped(points_read_));
    }
    bool good = rejected_ == 0;
    if (rejected_ > 0) Say("{} points were refused\n", Grouped(rejected_));
    for (const std::string& why : why_) Say("refused: {}\n", why);
    for (const Skipped& one : skipped_) {
      Say("{}: {} {}\n", one.harmless ? "passed over" : "not taken", Grouped(one.count), one.what);
      good = good && one.harmless;
    }
    for (const std::string& conflict : conflicts_) Say("{}\n", conflict);
    for (const std::string& remark : remarks_) Say("{}\n", remark);
    if (points_read_ == 0) {
      Say("nothing has come: the source holds no point\n");
      good = false;
    }
    if (job_.compare) TM_RETURN_IF_ERROR(CompareAll(&good));
    TM_RETURN_IF_ERROR(target_->Close());
    if (good) RemoveState(job_.state);
    return good ? 0 : 1;
  }

 private:
  // What an earlier run wrote is gone when its database is: the server has another store now, or it was dropped.
  Status CheckStill(const std::string& database, const Result<std::vector<std::string>>& there) {
    if (!there.ok() || std::find(there->begin(), there->end(), database) != there->end()) return {};
    return MakeError(ErrorCode::kConflict,
                     fmt::format("{}: an earlier run wrote into the database \"{}\", which is not there: remove the "
                                 "file to begin again",
                                 job_.state, database));
  }

  Status CheckStop() {
    if (!stop_.stop_requested()) return {};
    // What is acknowledged need not be sent again.
    TM_RETURN_IF_ERROR(SaveState(true));
    TM_RETURN_IF_ERROR(target_->Close());
    if (job_.whole_or_nothing) return MakeError(ErrorCode::kCancelled, "stopped; nothing of it is left");
    const std::string how = job_.state.empty()
                                ? "with --state it could be gone on with; again, it changes nothing twice"
                                : "the same command goes on behind it";
    return MakeError(ErrorCode::kCancelled, fmt::format("stopped behind piece {}: {}", state_.pieces, how));
  }

  Status Take(const std::string& database, bool apart, Piece piece) {
    if (database != pending_database_ || apart != pending_apart_) TM_RETURN_IF_ERROR(Flush());
    pending_database_ = database;
    pending_apart_ = apart;
    pending_points_ += piece.size();
    pending_bytes_ += BytesOf(piece);
    pending_.push_back(std::move(piece));
    return pending_points_ < kWritePoints && pending_bytes_ < kWriteBytes ? Status() : Flush();
  }

  Status Flush() {
    if (pending_.empty()) return {};
    Result<Written> written = target_->Write(pending_database_, pending_);
    if (!written.ok()) {
      if (stop_.stop_requested()) return CheckStop();
      return written.error();
    }
    points_written_ += written->points;
    rejected_ += written->rejected;
    for (std::string& why : written->why) {
      if (why_.size() < kNamedMax) why_.push_back(std::move(why));
    }
    state_.pieces += pending_.size();
    pending_.clear();
    pending_points_ = 0;
    pending_bytes_ = 0;
    return SaveState(false);
  }

  Status SaveState(bool now) {
    const auto at = std::chrono::steady_clock::now();
    if (!now && at - saved_ < kStateEvery) return {};
    saved_ = at;
    return WriteState(job_.state, state_);
  }

  // Of a source that gives each point once, and all of whose points are there.
  static std::string HashText(const SourceSums& source, const Compared& out) {
    if (out.missing + out.different + out.retyped + out.unseen + out.ambiguous + out.repeated > 0) return {};
    return ", logical hash " + transfer::ToText(source.sums().all().sum);
  }

  Status CompareAll(bool* good) {
    for (const auto& [database, source] : sums_) {
      std::vector<std::string> names;
      const auto name = [&names](const std::string& text) { names.push_back(text); };
      TM_TRY_ASSIGN(const Compared out, Compare(source, {.wanted = job_.database, .name = database}, target_.get(),
                                                job_.again ? job_.open : Reopen(), name));
      const uint64_t there = out.points - out.missing - out.different - out.retyped;
      Say("compared with \"{}\": {} of {} points in {} series are there as they were given{}\n", database,
          Grouped(there), Grouped(out.points + out.unseen), Grouped(source.sums().series().size()),
          HashText(source, out));
      const std::pair<uint64_t, const char*> counts[] = {
          {out.missing, "are missing"},
          {out.different, "are there with another value"},
          {out.retyped,
           "are there with the same value as another type, which their field had in the database before: nothing is "
           "lost, but their hash is another one"},
          {out.unseen, "are of series that are not alike and were too many to be looked at closely"},
          {out.ambiguous, "come again in the source with another value: the last one counts"},
          {out.repeated, "come again in the source with the same value"},
          {out.others, "more are in the database, between these times, that the source does not have"},
      };
      for (const auto& [count, what] : counts) {
        if (count > 0) Say("{} {}\n", Grouped(count), what);
      }
      for (size_t i = 0; i < std::min(names.size(), kShownMax); ++i) Say("{}\n", names[i]);
      const uint64_t all = std::max<uint64_t>(out.missing + out.different + out.retyped + out.ambiguous, names.size());
      if (all > kShownMax) Say("and {} more\n", Grouped(all - kShownMax));
      *good = *good && out.missing + out.different + out.retyped + out.unseen == 0;
    }
    return {};
  }

  const ImportJob& job_;
  std::unique_ptr<Target> target_;
  const std::stop_token stop_;
  ImportState state_;
  std::chrono::steady_clock::time_point saved_;
  std::map<std::string, SourceSums> sums_;  // by database
  uint64_t read_ = 0;
  uint64_t points_read_ = 0;
  uint64_t pieces_before_ = 0;  // acknowledged to an earlier run
  uint64_t points_before_ = 0;  // in them
  uint64_t points_written_ = 0;
  std::string pending_database_;
  bool pending_apart_ = false;
  std::vector<Piece> pending_;
  size_t pending_points_ = 0;
  size_t pending_bytes_ = 0;
  uint64_t rejected_ = 0;
  std::vector<std::string> why_;
  std::vector<Skipped> skipped_;
  std::vector<std::string> conflicts_;
  std::vector<std::string> remarks_;
  ProgressLine line_{"imported"};
};

}  // namespace

int RunImport(const ImportJob& job) {
  const auto signals = executor::SignalStop::Make();
  if (!signals.ok()) return Fail(signals.error().message);
  auto target = Target::Open(job.place, (*signals)->token());
  if (!target.ok()) {
    Fail(target.error().message);
    return kCouldNotRun;
  }
  Import import(job, std::move(target).value(), (*signals)->token());
  if (const Status fresh = import.CheckNew(); !fresh.ok()) {
    Fail(fresh.error().message);
    return kCouldNotRun;
  }
  if (const Status written = import.Write(); !written.ok()) {
    import.TakeBack();
    Fail(written.error().message);
    return kCouldNotRun;
  }
  const Result<int> code = import.Report();
  if (!code.ok() || *code != 0) import.TakeBack();
  if (code.ok()) return *code;
  Fail(code.error().message);
  return kCouldNotRun;
}

}  // namespace tidemark::cli
