#include "ingest/write_path/rejection_log.h"

#include <algorithm>
#include <utility>

namespace tidemark::write_path {
namespace {

// At most `max_bytes` of `text`, not cut inside a UTF-8 sequence.
std::string_view Cut(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && (static_cast<uint8_t>(text[max_bytes]) & 0xC0) == 0x80) --max_bytes;
  return text.substr(0, max_bytes);
}

}  // namespace

RejectionLog::RejectionLog(size_t capacity) : capacity_(std::max<size_t>(1, capacity)) {}

void RejectionLog::Add(model::Timestamp at, const Place& place, const Error& error) {
  LoggedRejection entry{.at = at,
                        .database = std::string(place.database),
                        .source = std::string(place.source),
                        .sender = std::string(Cut(place.sender, kMaxSenderBytes)),
                        .line = place.line,
                        .error = {error.code, std::string(Cut(error.message, kMaxMessageBytes))}};
  MutexLock lock(mutex_);
  entry.number = ++added_;
  if (ring_.size() < capacity_) {
    ring_.push_back(std::move(entry));
  } else {
    ring_[(added_ - 1) % capacity_] = std::move(entry);
  }
}

std::vector<LoggedRejection> RejectionLog::Newest(size_t limit) const {
  std::vector<LoggedRejection> out;
  MutexLock lock(mutex_);
  for (size_t i = 0; i < std::min(limit, ring_.size()); ++i) out.push_back(ring_[(added_ - 1 - i) % capacity_]);
  return out;
}

}  // namespace tidemark::write_path
