// Principal: the caller that a secret shows: a token's name and grants, as long as they are good.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/series_filter.h"
#include "tools/server/access/grant.h"
#include "tools/server/http/caller.h"

namespace tidemark::server::access {

// Thread-safe.
class Principal final : public http::Caller {
 public:
  // Good before `end_ns`. `clock` outlives it.
  Principal(std::string name, std::vector<Grant> grants, int64_t end_ns, const Clock* clock,
            std::optional<storage::SeriesFilter> filter = {}, quota::Account* account = nullptr)
      : name_(std::move(name)),
        grants_(std::move(grants)),
        filter_(std::move(filter)),
        account_(account),
        end_ns_(end_ns),
        clock_(clock) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] bool May(Access access, std::string_view database) const override {
    return access::May(grants_, access, database);
  }
  [[nodiscard]] bool MayEverywhere(Access access) const override { return access::MayEverywhere(grants_, access); }
  [[nodiscard]] bool MaySomewhere(Access access) const override { return access::MaySomewhere(grants_, access); }
  [[nodiscard]] const storage::SeriesFilter* filter() const override { return filter_ ? &*filter_ : nullptr; }
  [[nodiscard]] quota::Account* account() const override { return account_; }
  [[nodiscard]] bool revoked() const override {
    return revoked_.load(std::memory_order_relaxed) || clock_->NowNs() >= end_ns_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] const std::vector<Grant>& grants() const { return grants_; }
  [[nodiscard]] int64_t end_ns() const { return end_ns_.load(std::memory_order_relaxed); }
  // Ends it earlier or later, or now: replies that are being sent to it see this.
  void set_end_ns(int64_t end_ns) { end_ns_.store(end_ns, std::memory_order_relaxed); }
  void Revoke() { revoked_.store(true, std::memory_order_relaxed); }

  // When it was last used, in nanoseconds since 1970; 0: not since the server started.
  [[nodiscard]] int64_t used_ns() const { return used_ns_.load(std::memory_order_relaxed); }
  void NoteUse() const { used_ns_.store(clock_->NowNs(), std::memory_order_relaxed); }

 private:
  const std::string name_;
  const std::vector<Grant> grants_;
  const std::optional<storage::SeriesFilter> filter_;
  quota::Account* const account_;
  std::atomic<int64_t> end_ns_;
  const Clock* const clock_;
  std::atomic<bool> revoked_{false};
  mutable std::atomic<int64_t> used_ns_{0};
};

}  // namespace tidemark::server::access
