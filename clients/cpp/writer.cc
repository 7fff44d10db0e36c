#include "clients/cpp/writer.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "clients/cpp/batch.h"
#include "clients/cpp/delivery.h"
#include "clients/cpp/spool.h"

namespace tidemark::client {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kNsPerMs = 1'000'000;
// How long after a failed write to the spool the next is tried.
constexpr int64_t kSpoolRetryNs = int64_t{1'000} * kNsPerMs;

int64_t Later(int64_t now_ns, milliseconds wait) {
  const int64_t most = (Clock::kNever - std::max<int64_t>(now_ns, 0)) / kNsPerMs;
  return wait.count() >= most ? Clock::kNever : now_ns + wait.count() * kNsPerMs;
}

std::string Hex(uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(16, '0');
  for (size_t i = 0; i < 16; ++i) out[15 - i] = kDigits[value >> (4 * i) & 15U];
  return out;
}

Status CheckOptions(const WriterOptions& options) {
  const auto refuse = [](const char* why) { return Error{ErrorCode::kInvalidArgument, why}; };
  if (options.batch_points == 0 || options.batch_bytes == 0) return refuse("a batch needs room for a point");
  if (options.batch_points > UINT32_MAX) return refuse("batch_points is over 4294967295");
  if (options.memory_bytes < options.batch_bytes) return refuse("memory_bytes is less than batch_bytes");
  if (options.batch_age.count() <= 0) return refuse("batch_age must be positive");
  if (options.backoff.first.count() <= 0 || options.backoff.most < options.backoff.first) {
    return refuse("the back-off must be positive, and its most no less than its first");
  }
  if (options.request_timeout.count() <= 0) return refuse("request_timeout must be positive");
  if (options.database.size() > UINT16_MAX) return refuse("the name of the database is too long");
  if (options.spool_always && options.spool_directory.empty()) return refuse("spool_always needs a spool_directory");
  for (const auto& [name, value] : options.headers) {
    if (name.empty() || (name + value).find_first_of("\r\n") != std::string::npos) {
      return refuse("a header has no name, or a line break in it");
    }
  }
  return {};
}

}  // namespace

// Two threads: the keeper closes batches that are old enough and moves them to the spool, the sender speaks to the
// server. A closed batch is in `memory_` or in the spool; what is in the spool is older than what is in memory.
class Writer::Impl {
 public:
  Impl(const WriterOptions& options, Parts parts, std::unique_ptr<Spool> spool)
      : options_(options),
        transport_(std::move(parts.transport)),
        clock_(*parts.clock),
        spool_(std::move(spool)),
        backoff_(options.backoff, parts.seed) {
    std::mt19937_64 random(parts.seed);
    const std::string name = Hex(random()) + Hex(random());
    write_id_prefix_ = name + "-";
    const bool native = options.encoding == Encoding::kNative;
    delivery_ = std::make_unique<Delivery>(transport_.get(), options.headers, native ? name : std::string());
    if (spool_) {
      const SpoolStats found = spool_->stats();
      next_sequence_ = found.batches + 1;
      stats_.recovered = found.points;
    }
    keeper_ = std::thread([this] { Keep(); });
    sender_ = std::thread([this] { Send(); });
  }

  ~Impl() { static_cast<void>(Close(options_.close_wait)); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] const WriterOptions& options() const { return options_; }

  Status Write(const Point& point, std::string_view database) {
    const std::string wrong = point.error();
    std::unique_lock<std::mutex> lock(mutex_);
    if (!wrong.empty()) {
      ++stats_.invalid;
      return Error{ErrorCode::kInvalidArgument, wrong};
    }
    int64_t time_ns = point.time_ns();
    if (!point.has_time()) time_ns = last_given_ns_ = std::max(clock_.NowNs(), last_given_ns_ + 1);
    scratch_.clear();
    point.AppendTo(time_ns, &scratch_);
    // Waiting for room lets others use scratch_.
    if (memory_bytes_ + scratch_.size() <= options_.memory_bytes) return Take(scratch_, 1, database);
    if (scratch_.size() > options_.memory_bytes) {
      ++stats_.invalid;
      return Error{ErrorCode::kInvalidArgument, "the point needs more than the memory that the writer may use"};
    }
    const std::string line = scratch_;
    if (Status room = WaitForRoom(line.size(), 1, &lock); !room.ok()) return room;
    return Take(line, 1, database);
  }

  Status WriteLines(std::string_view lines, uint64_t points, std::string_view database) {
    if (lines.empty() || points == 0) return {};
    std::unique_lock<std::mutex> lock(mutex_);
    if (lines.size() >= options_.memory_bytes || points > UINT32_MAX) {
      stats_.invalid += points;
      return Error{ErrorCode::kInvalidArgument, "the lines need more than the memory that the writer may use"};
    }
    if (Status room = WaitForRoom(lines.size() + 1, points, &lock); !room.ok()) return room;
    return Take(lines, points, database);
  }

  Status WaitUntilDone(milliseconds wait, bool spool_is_enough) {
    std::unique_lock<std::mutex> lock(mutex_);
    const int64_t until = Later(clock_.SteadyNs(), wait);
    SealAll();
    const uint64_t last = next_sequence_ - 1;
    if (spool_is_enough) spill_until_ = std::max(spill_until_, last);
    WakeAll();
    while (OldestLeft(spool_is_enough) <= last) {
      if (clock_.SteadyNs() >= until) {
        return Error{ErrorCode::kTimeout, "points are still waiting to be " +
                                              std::string(spool_is_enough ? "kept" : "delivered") + LastErrorText()};
      }
      clock_.Wait(progress_, lock, until);
    }
    return {};
  }

  Status Close(milliseconds wait) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const int64_t until = Later(clock_.SteadyNs(), wait);
      accepting_ = false;
      SealAll();
      WakeAll();
      while (OldestLeft(false) != kNone && !stopping_ && clock_.SteadyNs() < until) {
        clock_.Wait(progress_, lock, until);
      }
      stopping_ = true;
      WakeAll();
    }
    transport_->Cancel();
    const std::lock_guard<std::mutex> one_closer(close_mutex_);
    if (keeper_.joinable()) keeper_.join();
    if (sender_.joinable()) sender_.join();
    return Settle();
  }

  [[nodiscard]] WriterStats stats() const {
    // Before the lock is taken: the spool may be waiting for the disk.
    const SpoolStats spool = spool_ ? spool_->stats() : SpoolStats();
    const std::lock_guard<std::mutex> lock(mutex_);
    WriterStats stats = stats_;
    stats.failures = backoff_.failures();
    stats.memory_bytes = memory_bytes_;
    if (spool_) {
      stats.spool_bytes = spool.bytes;
      stats.spool_points = spool.points;
      stats.damaged_bytes = spool.damaged_bytes;
    }
    return stats;
  }

 private:
  static constexpr uint64_t kNone = UINT64_MAX;

  struct OpenBatch {
    uint64_t points = 0;
    std::string lines;
    int64_t opened_ns = 0;  // steady
  };

  // --- everything from here to the threads' own functions: with the lock held ---

  Status WaitForRoom(uint64_t bytes, uint64_t points, std::unique_lock<std::mutex>* lock) {
    const int64_t until = Later(clock_.SteadyNs(), options_.full_wait);
    while (accepting_ && memory_bytes_ + bytes > options_.memory_bytes) {
      // An open batch of another database would wait for its age.
      SealAll();
      if (clock_.SteadyNs() >= until) {
        stats_.no_room += points;
        return Error{ErrorCode::kQueueFull, "no room in memory: " + std::to_string(memory_bytes_) +
                                                " bytes wait to be sent" + LastErrorText()};
      }
      clock_.Wait(progress_, *lock, until);
    }
    return {};
  }

  Status Take(std::string_view lines, uint64_t points, std::string_view database) {
    if (!accepting_) return Error{ErrorCode::kClosed, "the writer has been closed"};
    auto it = open_.find(database);
    if (it == open_.end()) it = open_.emplace(std::string(database), OpenBatch()).first;
    OpenBatch& batch = it->second;
    if (batch.points > 0 && batch.lines.size() + lines.size() > options_.batch_bytes) Seal(it->first, &batch);
    if (batch.points == 0) {
      batch.opened_ns = clock_.SteadyNs();
      keeper_wake_.notify_one();
    }
    batch.lines += lines;
    memory_bytes_ += lines.size();
    if (lines.back() != '\n') {
      batch.lines += '\n';
      ++memory_bytes_;
    }
    batch.points += points;
    stats_.accepted += points;
    if (batch.points >= options_.batch_points || batch.lines.size() >= options_.batch_bytes) Seal(it->first, &batch);
    return {};
  }

  void Seal(const std::string& database, OpenBatch* open) {
    if (open->points == 0) return;
    auto batch = std::make_shared<Batch>();
    batch->sequence = next_sequence_++;
    batch->write_id = write_id_prefix_ + std::to_string(batch->sequence);
    batch->database = database;
    batch->points = std::exchange(open->points, 0);
    batch->lines = std::move(open->lines);
    open->lines = std::string();
    open->lines.reserve(std::min<size_t>(batch->lines.size(), options_.batch_bytes));
    memory_.push_back(std::move(batch));
    keeper_wake_.notify_one();
    sender_wake_.notify_one();
  }

  void SealAll() {
    for (auto& [database, batch] : open_) Seal(database, &batch);
  }

  void WakeAll() {
    keeper_wake_.notify_all();
    sender_wake_.notify_all();
    progress_.notify_all();
  }

  // The sequence of the oldest batch that is not done; kNone when all are.
  [[nodiscard]] uint64_t OldestLeft(bool spool_is_enough) const {
    if (spool_ && !spool_is_enough) {
      if (const uint64_t sequence = spool_->FrontSequence(); sequence != 0) return sequence;
    }
    return memory_.empty() ? kNone : memory_.front()->sequence;
  }

  [[nodiscard]] std::string LastErrorText() const {
    return stats_.last_error.empty() ? "" : "; the last error: " + stats_.last_error;
  }

  [[nodiscard]] bool MustSpill() const {
    if (!spool_ || memory_.empty() || clock_.SteadyNs() < spool_retry_ns_) return false;
    return options_.spool_always || backoff_.failures() > 0 || memory_bytes_ > options_.memory_bytes / 2 ||
           memory_.front()->sequence <= spill_until_ || spool_->FrontSequence() != 0;
  }

  // --- the keeper ---

  void Keep() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_) {
      const int64_t now_ns = clock_.SteadyNs();
      int64_t next_ns = Clock::kNever;
      for (auto& [database, batch] : open_) {
        if (batch.points == 0) continue;
        const int64_t due_ns = Later(batch.opened_ns, options_.batch_age);
        if (due_ns <= now_ns) {
          Seal(database, &batch);
        } else {
          next_ns = std::min(next_ns, due_ns);
        }
      }
      if (MustSpill()) {
        SpillFront(&lock);
        continue;
      }
      if (spool_retry_ns_ > now_ns) next_ns = std::min(next_ns, spool_retry_ns_);
      clock_.Wait(keeper_wake_, lock, next_ns);
    }
  }

  // Moves the oldest batch of memory to the spool. The lock is let go while the disk works; the batch stays in memory
  // until it is on disk, and the sender takes nothing from memory meanwhile.
  void SpillFront(std::unique_lock<std::mutex>* lock) {
    const std::shared_ptr<const Batch> batch = memory_.front();
    spilling_ = true;
    lock->unlock();
    const Result<Spool::Dropped> appended = spool_->Append(*batch);
    lock->lock();
    spilling_ = false;
    if (!appended.ok()) {
      stats_.last_error = appended.error().message;
      spool_retry_ns_ = clock_.SteadyNs() + kSpoolRetryNs;
    } else {
      memory_bytes_ -= batch->lines.size();
      memory_.pop_front();
      if (appended->points > 0) {
        Lose(appended->points, "the spool is full: its oldest points were dropped", lock);
      }
    }
    sender_wake_.notify_all();
    progress_.notify_all();
  }

  // Lets the lock go for the callback.
  void Lose(uint64_t points, const std::string& reason, std::unique_lock<std::mutex>* lock) {
    stats_.lost += points;
    if (!options_.on_lost) return;
    lock->unlock();
    {
      const std::lock_guard<std::mutex> one_call(callback_mutex_);
      options_.on_lost({points, reason});
    }
    lock->lock();
  }

  // --- the sender ---

  // The next batch to send; null when there is none.
  std::shared_ptr<const Batch> Next(std::unique_lock<std::mutex>* lock) {
    const uint64_t spooled = spool_ ? spool_->FrontSequence() : 0;
    if (spooled != 0) {
      if (current_ && current_->sequence == spooled) return current_;
      lock->unlock();
      std::shared_ptr<const Batch> batch = spool_->Front();
      lock->lock();
      progress_.notify_all();  // damaged batches may have been passed over
      return batch;
    }
    // While the spool cannot be written, memory goes out by itself.
    const bool through_spool = options_.spool_always && clock_.SteadyNs() >= spool_retry_ns_;
    if (spilling_ || memory_.empty() || through_spool) return nullptr;
    return memory_.front();
  }

  void Send() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_) {
      if (clock_.SteadyNs() < next_attempt_ns_) {
        clock_.Wait(sender_wake_, lock, next_attempt_ns_);
        continue;
      }
      std::shared_ptr<const Batch> batch = Next(&lock);
      if (!batch) {
        const bool skipped_damage = spool_ && spool_->FrontSequence() != 0;
        if (!skipped_damage && !stopping_) clock_.Wait(sender_wake_, lock, Clock::kNever);
        continue;
      }
      if (stopping_) break;
      if (current_ == batch) ++stats_.repeats;
      current_ = std::move(batch);
      ++stats_.requests;
      lock.unlock();
      const Result<Reply> reply = delivery_->Send(*current_);
      lock.lock();
      Digest(reply, &lock);
    }
  }

  void Digest(const Result<Reply>& reply, std::unique_lock<std::mutex>* lock) {
    const Verdict verdict = reply.ok() ? Judge(reply->status) : Verdict::kTryAgain;
    if (verdict == Verdict::kTryAgain) {
      if (stopping_) return;
      std::optional<milliseconds> asked;
      if (reply.ok()) {
        asked = ParseRetryAfter(reply->retry_after, clock_.NowNs());
        stats_.last_error =
            "the server answered " + std::to_string(reply->status) + ": " + ParseRefusal(reply->body).text;
      } else {
        stats_.last_error = reply.error().message;
      }
      next_attempt_ns_ = Later(clock_.SteadyNs(), backoff_.Next(asked));
      keeper_wake_.notify_all();  // to spill
      return;
    }
    const std::shared_ptr<const Batch> batch = std::move(current_);
    current_ = nullptr;
    backoff_.Reset();
    next_attempt_ns_ = 0;
    if (verdict == Verdict::kDelivered) {
      stats_.delivered += batch->points;
    } else {
      Reject(*batch, *reply, lock);
    }
    Finish(*batch, lock);
    WakeAll();
  }

  void Reject(const Batch& batch, const Reply& reply, std::unique_lock<std::mutex>* lock) {
    Rejection rejection;
    rejection.write_id = batch.write_id;
    rejection.database = batch.database;
    rejection.http_status = reply.status;
    rejection.refusal = delivery_->RefusalOf(batch, reply);
    rejection.points = batch.points;
    if (rejection.refusal.partial) rejection.points = std::min(rejection.refusal.dropped, batch.points);
    stats_.rejected += rejection.points;
    stats_.delivered += batch.points - rejection.points;
    stats_.last_error = "the server answered " + std::to_string(reply.status) + ": " + rejection.refusal.text;
    if (!options_.on_rejected) return;
    lock->unlock();
    {
      const std::lock_guard<std::mutex> one_call(callback_mutex_);
      options_.on_rejected(rejection);
    }
    lock->lock();
  }

  // Takes a batch away from where it is now: it may have moved to the spool while it travelled.
  void Finish(const Batch& batch, std::unique_lock<std::mutex>* lock) {
    while (spilling_) clock_.Wait(sender_wake_, *lock, Clock::kNever);
    if (spool_ && spool_->FrontSequence() == batch.sequence) spool_->Pop(batch.sequence);
    if (!memory_.empty() && memory_.front()->sequence == batch.sequence) {
      memory_bytes_ -= batch.lines.size();
      memory_.pop_front();
    }
  }

  // --- after both threads ended ---

  Status Settle() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (settled_) return final_;
    settled_ = true;
    uint64_t dropped = 0;
    std::string why = "memory held them when the writer was closed";
    while (!memory_.empty()) {
      const std::shared_ptr<const Batch> batch = memory_.front();
      if (spool_) {
        const Result<Spool::Dropped> appended = spool_->Append(*batch);
        if (appended.ok()) {
          dropped += appended->points;
        } else {
          why = stats_.last_error = appended.error().message;
          dropped += batch->points;
        }
      } else {
        dropped += batch->points;
      }
      memory_bytes_ -= batch->lines.size();
      memory_.pop_front();
    }
    const uint64_t kept = spool_ ? spool_->stats().points : 0;
    const std::string last = LastErrorText();
    if (dropped > 0) Lose(dropped, why, &lock);
    if (dropped > 0 || kept > 0) {
      std::string text = "the writer was closed before all points were delivered: ";
      if (kept > 0) text += std::to_string(kept) + " are in the spool " + options_.spool_directory;
      if (kept > 0 && dropped > 0) text += ", ";
      if (dropped > 0) text += std::to_string(dropped) + " are lost";
      final_ = Error{ErrorCode::kTimeout, text + last};
    }
    return final_;
  }

  const WriterOptions options_;
  const std::unique_ptr<Transport> transport_;
  Clock& clock_;
  const std::unique_ptr<Spool> spool_;  // null for none
  std::string write_id_prefix_;
  std::unique_ptr<Delivery> delivery_;  // the sender's alone

  mutable std::mutex mutex_;
  std::condition_variable keeper_wake_;
  std::condition_variable sender_wake_;
  std::condition_variable progress_;  // for callers that wait
  std::map<std::string, OpenBatch, std::less<>> open_;
  std::deque<std::shared_ptr<const Batch>> memory_;  // closed, oldest first
  std::shared_ptr<const Batch> current_;             // travelling, or about to be repeated; only the sender changes it
  Backoff backoff_;
  WriterStats stats_;
  std::string scratch_;
  uint64_t memory_bytes_ = 0;  // of open_ and memory_
  uint64_t next_sequence_ = 1;
  uint64_t spill_until_ = 0;  // somebody waits until batches up to this one are on disk
  int64_t last_given_ns_ = 0;
  int64_t next_attempt_ns_ = 0;
  int64_t spool_retry_ns_ = 0;
  bool spilling_ = false;
  bool accepting_ = true;
  bool stopping_ = false;
  bool settled_ = false;
  Status final_;

  std::mutex callback_mutex_;
  std::mutex close_mutex_;
  std::thread keeper_;
  std::thread sender_;
};

Result<std::unique_ptr<Writer>> Writer::Open(const WriterOptions& options) {
  auto transport = MakeHttpTransport(options.url, options.request_timeout, options.token);
  if (!transport.ok()) return transport.error();
  Parts parts;
  parts.transport = std::move(*transport);
  parts.clock = &SystemClock();
  std::random_device device;
  parts.seed = uint64_t{device()} << 32U | device();
  return Open(options, std::move(parts));
}

Result<std::unique_ptr<Writer>> Writer::Open(const WriterOptions& options, Parts parts) {
  if (Status checked = CheckOptions(options); !checked.ok()) return checked.error();
  std::unique_ptr<Spool> spool;
  if (!options.spool_directory.empty()) {
    SpoolOptions spool_options;
    spool_options.directory = options.spool_directory;
    spool_options.max_bytes = options.spool_bytes;
    spool_options.sync = options.spool_sync;
    auto opened = Spool::Open(spool_options);
    if (!opened.ok()) return opened.error();
    spool = std::move(*opened);
  }
  return std::unique_ptr<Writer>(new Writer(std::make_unique<Impl>(options, std::move(parts), std::move(spool))));
}

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::~Writer() = default;

std::string_view Writer::default_database() const { return impl_->options().database; }

Status Writer::Write(const Point& point, std::string_view database) { return impl_->Write(point, database); }

Status Writer::WriteLines(std::string_view lines, uint64_t points, std::string_view database) {
  return impl_->WriteLines(lines, points, database);
}

Status Writer::Flush(milliseconds wait) { return impl_->WaitUntilDone(wait, false); }
Status Writer::Persist(milliseconds wait) { return impl_->WaitUntilDone(wait, true); }
Status Writer::Close(milliseconds wait) { return impl_->Close(wait); }
WriterStats Writer::stats() const { return impl_->stats(); }

}  // namespace tidemark::client
