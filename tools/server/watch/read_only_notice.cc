#include "tools/server/watch/read_only_notice.h"

#include <algorithm>
#include <utility>

namespace tidemark::server {
namespace {

constexpr int64_t kMsNs = 1'000'000;

}  // namespace

void ReadOnlyNotice::Restore(query::notify::Alert alert, int64_t now_ms) {
  fires_ = std::move(alert);
  refused_ms_ = now_ms;
}

std::vector<query::notify::Alert> ReadOnlyNotice::At(const std::string& reason, int64_t now_ms) {
  if (reason.empty()) {
    if (!fires_ || now_ms < refused_ms_ + kQuietMs) return {};
    query::notify::Alert ended = std::move(*fires_);
    fires_.reset();
    ended.ends_at_ns = std::max(now_ms * kMsNs, ended.starts_at_ns);
    return {std::move(ended)};
  }
  refused_ms_ = now_ms;
  if (fires_ && now_ms < told_ms_ + kAgainMs) return {};
  if (!fires_) {
    fires_.emplace();
    fires_->labels = {{"alertname", std::string(kAlert)}, {"severity", "critical"}};
    fires_->rule = kAlert;
    fires_->starts_at_ns = now_ms * kMsNs;
  }
  fires_->annotations = {{"summary", "The store takes no writes: " + reason}};
  fires_->ends_at_ns = (now_ms + kKnownMs) * kMsNs;
  told_ms_ = now_ms;
  return {*fires_};
}

}  // namespace tidemark::server
