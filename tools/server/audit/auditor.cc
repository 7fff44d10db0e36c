#include "tools/server/audit/auditor.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/base/log.h"
#include "tools/server/http/router.h"

namespace tidemark::server::audit {
namespace {

// Parameters whose values are secrets, or stand for a person who shows one.
constexpr std::string_view kSecrets[] = {"p", "u", "token"};
constexpr std::string_view kNotTold = "(not told)";

// A statement may set a password (`CREATE USER ada WITH PASSWORD 'x'`), however it is put, quoted or broken off:
// nothing behind the word is kept.
std::string WithoutPassword(std::string_view text) {
  constexpr std::string_view kWord = "password";
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  const auto at = std::ranges::search(text, kWord, same);
  if (at.empty()) return std::string(text);
  return fmt::format("{} {}", text.substr(0, static_cast<size_t>(at.end() - text.begin())), kNotTold);
}

std::string AddressOf(const http::Request& request) { return request.peer.substr(0, request.peer.rfind(':')); }

std::string ActOf(const http::Request& request) {
  return request.act.empty() ? fmt::format("{} {}", request.method_name, request.path) : request.act;
}

void Cut(std::string* text) {
  if (text->size() <= kMaxTargetBytes) return;
  text->resize(kMaxTargetBytes);
  *text += "...";
}

// "db=metrics&match[]=cpu", without secrets. The values are quoted where they are printed.
std::string TargetOf(const http::Request& request) {
  std::string out;
  if (!request.database.empty()) out = "db=" + request.database;
  for (const auto& [name, value] : request.params.pairs()) {
    if (out.size() > kMaxTargetBytes) break;
    if (!out.empty()) out += '&';
    const bool secret = std::ranges::find(kSecrets, name) != std::end(kSecrets);
    out += fmt::format("{}={}", name, secret ? std::string(kNotTold) : WithoutPassword(value));
  }
  Cut(&out);
  return out;
}

Record RecordOf(const http::Request& request, int status, int64_t now_ns) {
  Record record{.time_ns = now_ns,
                .who = std::string(request.caller->name()),
                .from = request.peer,
                .act = ActOf(request),
                .target = TargetOf(request),
                .status = status};
  Cut(&record.act);
  return record;
}

}  // namespace

Result<std::unique_ptr<Auditor>> Auditor::Start(std::string directory, storage::DocumentStore* documents,
                                                const Clock* clock) {
  Head head;
  if (const Result<storage::Document> kept = documents->Get(kHeadKind, kHeadName); kept.ok()) {
    TM_TRY_ASSIGN(head, ReadHead(kept->bytes));
  } else if (kept.error().code != ErrorCode::kNotFound) {
    return kept.error();
  }
  TM_TRY_ASSIGN(LogFiles files, LogFiles::Open(directory, head));
  if (files.lost() && files.absent()) {
    TM_LOG(kWarn,
           "the audit log {} is not there, and had {} lines: a store made of a backup has none; else somebody has "
           "removed it",
           directory, head.sequence);
  } else if (files.lost()) {
    TM_LOG(kError, "the audit log {} does not hold line {} as it was written: lines were removed or changed", directory,
           head.sequence);
  }
  return std::unique_ptr<Auditor>(new Auditor(std::move(files), std::move(directory), documents, clock));
}

Auditor::Auditor(LogFiles files, std::string directory, storage::DocumentStore* documents, const Clock* clock)
    : directory_(std::move(directory)),
      documents_(documents),
      clock_(clock),
      files_(std::move(files)),
      on_disk_(files_.head()),
      begun_(on_disk_.sequence),
      thread_([this] { Run(); }) {}

Auditor::~Auditor() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    work_.NotifyAll();
  }
  thread_.join();
}

void Auditor::Refused(const http::Request& head, int status, std::string_view why) {
  Record record = RecordOf(head, status, clock_->NowNs());
  record.from = AddressOf(head);
  record.act = fmt::format("{} {}", head.method_name, head.path);
  Cut(&record.act);
  record.target.clear();
  record.why = why;
  Cut(&record.why);
  MutexLock lock(mutex_);
  const std::string key = fmt::format("{}\n{}\n{}\n{}\n{}", record.who, record.from, record.act, status, record.why);
  const auto known = refusals_.find(key);
  if (known != refusals_.end()) {
    ++known->second.count;
    known->second.time_ns = record.time_ns;
    return;
  }
  if (refusals_.size() >= kQueueMax) {
    ++counters_.lost;
    return;
  }
  if (refusals_.empty()) refusals_since_ns_ = clock_->SteadyNs();
  refusals_.emplace(key, std::move(record));
  work_.NotifyAll();
}

void Auditor::Changed(const http::Request& request, int status) { Add(RecordOf(request, status, clock_->NowNs())); }

void Auditor::Did(std::string who, std::string from, std::string_view act) {
  Add({.time_ns = clock_->NowNs(), .who = std::move(who), .from = std::move(from), .act = std::string(act)});
}

void Auditor::Add(Record record) {
  MutexLock lock(mutex_);
  if (ending_) return;
  waiting_.push_back(std::move(record));
  const uint64_t mine = ++taken_;
  work_.NotifyAll();
  while (done_ < mine) written_.Wait(mutex_);
}

std::vector<Record> Auditor::Take() {
  std::vector<Record> batch(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  const bool due = ending_ || clock_->SteadyNs() - refusals_since_ns_ >= kRefusalsWithinNs;
  if (!refusals_.empty() && due) {
    for (auto& [key, record] : refusals_) batch.push_back(std::move(record));
    refusals_.clear();
  }
  return batch;
}

void Auditor::Run() {
  for (;;) {
    std::vector<Record> batch;
    uint64_t upto = 0;
    {
      MutexLock lock(mutex_);
      for (;;) {
        batch = Take();
        upto = taken_;
        if (!batch.empty()) break;
        if (ending_) return;
        if (refusals_.empty()) {
          work_.Wait(mutex_);
        } else {
          work_.WaitFor(mutex_, std::chrono::nanoseconds(kRefusalsWithinNs));
        }
      }
    }
    Write(std::move(batch));
    MutexLock lock(mutex_);
    done_ = upto;
    written_.NotifyAll();
  }
}

void Auditor::Write(std::vector<Record> batch) {
  const uint64_t count = batch.size();
  {
    MutexLock lock(mutex_);
    begun_ = files_.head().sequence + count;
  }
  Status written = files_.Append(batch);
  {
    MutexLock lock(mutex_);
    on_disk_ = files_.head();
    begun_ = on_disk_.sequence;
  }
  if (written.ok()) {
    const Result<uint64_t> kept =
        documents_->Put(kHeadKind, kHeadName, PrintHead(files_.head()), "audit", std::nullopt);
    if (!kept.ok()) written = kept.error();
  }
  MutexLock lock(mutex_);
  if (written.ok()) {
    counters_.written += count;
    return;
  }
  // What was done is done: that it could not be written down is told where an operator looks.
  counters_.lost += count;
  TM_LOG(kError, "{} lines are missing in the audit log: {}", count, written.error().message);
}

Result<std::vector<Record>> Auditor::List(std::string_view who, size_t limit) const {
  std::deque<Record> kept;
  const auto keep = [&](const Record& record) {
    if (!who.empty() && record.who != who) return;
    kept.push_back(record);
    if (kept.size() > limit) kept.pop_front();
  };
  const Result<Found> found = ReadLog(directory_, {}, keep);
  if (!found.ok()) return found.error();
  return std::vector<Record>(kept.rbegin(), kept.rend());
}

Result<std::string> Auditor::Verify() const {
  Head head;
  {
    MutexLock lock(mutex_);
    head = on_disk_;
  }
  TM_TRY_ASSIGN(const Found found, ReadLog(directory_, head, [](const Record&) {}));
  if (!found.broken.empty()) return found.broken;
  if (found.head.sequence < head.sequence) {
    return fmt::format("it ends at line {}, and had {}: lines were removed", found.head.sequence, head.sequence);
  }
  if (!found.met) return fmt::format("line {} is not the one that was written", head.sequence);
  MutexLock lock(mutex_);
  if (found.head.sequence > begun_) {
    return fmt::format("it ends at line {}, and this server has written {}: lines were added", found.head.sequence,
                       begun_);
  }
  return std::string();
}

Auditor::Counters Auditor::counters() const {
  MutexLock lock(mutex_);
  return counters_;
}

}  // namespace tidemark::server::audit
