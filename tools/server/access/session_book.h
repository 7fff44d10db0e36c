// SessionBook: who has signed in to the page. A session stands for the token that it was opened with, and ends with it.
// Kept as documents of kind "session", so that a restart signs nobody out.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/documents.h"
#include "tools/server/access/principal.h"
#include "tools/server/access/token_book.h"

namespace tidemark::server::access {

inline constexpr std::string_view kSessionKind = "session";
// The session that was opened first goes when there are more.
inline constexpr size_t kMaxSessions = 1'000;
inline constexpr size_t kMaxAgentBytes = 200;

struct SessionOptions {
  int64_t lifetime_ns = 12 * 3'600 * int64_t{1'000'000'000};
  // Of a screen on a wall, which nobody signs in again: tokens that may only read.
  int64_t kiosk_lifetime_ns = 365 * 86'400 * int64_t{1'000'000'000};
};

// What is known of a session; its secret is not.
struct SessionInfo {
  std::string id;  // by which it is listed and revoked
  std::string token;
  std::string peer;   // address and port of who signed in
  std::string agent;  // what his browser calls itself
  int64_t created_ns = 0;
  int64_t expires_ns = 0;
  bool kiosk = false;
};

// The caller of a session: as the token's, until either ends.
class SessionCaller final : public http::Caller {
 public:
  SessionCaller(std::shared_ptr<const Principal> principal, SessionInfo info, std::string forgery_value,
                const Clock* clock)
      : principal_(std::move(principal)),
        info_(std::move(info)),
        forgery_value_(std::move(forgery_value)),
        clock_(clock) {}

  [[nodiscard]] std::string_view name() const override { return principal_->name(); }
  [[nodiscard]] bool May(Access access, std::string_view database) const override {
    return principal_->May(access, database);
  }
  [[nodiscard]] bool MayEverywhere(Access access) const override { return principal_->MayEverywhere(access); }
  [[nodiscard]] bool MaySomewhere(Access access) const override { return principal_->MaySomewhere(access); }
  [[nodiscard]] const storage::SeriesFilter* filter() const override { return principal_->filter(); }
  [[nodiscard]] quota::Account* account() const override { return principal_->account(); }
  [[nodiscard]] bool revoked() const override {
    return revoked_.load(std::memory_order_relaxed) || clock_->NowNs() >= info_.expires_ns || principal_->revoked();
  }
  void Revoke() { revoked_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] const SessionInfo& info() const { return info_; }
  [[nodiscard]] const std::string& forgery_value() const { return forgery_value_; }
  [[nodiscard]] const Principal& principal() const { return *principal_; }

 private:
  const std::shared_ptr<const Principal> principal_;
  const SessionInfo info_;
  const std::string forgery_value_;
  const Clock* const clock_;
  std::atomic<bool> revoked_{false};
};

// Thread-safe. Find never waits for the disk.
class SessionBook {
 public:
  // All outlive it.
  SessionBook(storage::DocumentStore* documents, const TokenBook* tokens, const Clock* clock, SessionOptions options)
      : documents_(documents),
        tokens_(tokens),
        clock_(clock),
        lifetime_ns_(options.lifetime_ns),
        kiosk_lifetime_ns_(options.kiosk_lifetime_ns) {}

  // Reads the sessions that have not ended. One that cannot be read, or whose token is gone, is ended.
  Status Load() TM_EXCLUDES(mutex_);

  struct Opened {
    std::string secret;  // the cookie's value
    std::shared_ptr<const SessionCaller> caller;
  };
  // Opens one for who shows `token_secret`. kNotFound: that is no good token; kInvalidArgument: a kiosk whose token may
  // do more than read.
  Result<Opened> Open(std::string_view token_secret, bool kiosk, std::string_view peer, std::string_view agent)
      TM_EXCLUDES(mutex_);
  // Ends one by its id. kNotFound.
  Status Revoke(std::string_view id, std::string_view author) TM_EXCLUDES(mutex_);

  [[nodiscard]] std::shared_ptr<const SessionCaller> Find(std::string_view secret) const TM_EXCLUDES(mutex_);
  // Of sessions that are opened from now on, kiosks apart.
  void SetLifetime(int64_t lifetime_ns) { lifetime_ns_.store(lifetime_ns, std::memory_order_relaxed); }
  // The newest first; those that have ended are left out.
  [[nodiscard]] std::vector<SessionInfo> List() const TM_EXCLUDES(mutex_);

 private:
  // Ends what has expired, and the oldest where there would be more than kMaxSessions with one more.
  void MakeRoom() TM_REQUIRES(change_mutex_) TM_EXCLUDES(mutex_);

  storage::DocumentStore* const documents_;
  const TokenBook* const tokens_;
  const Clock* const clock_;
  std::atomic<int64_t> lifetime_ns_;
  const int64_t kiosk_lifetime_ns_;
  Mutex change_mutex_;
  mutable Mutex mutex_;
  std::map<SecretHash, std::shared_ptr<SessionCaller>> by_hash_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::server::access
