// Silences: what people have said that nobody shall be told of for a while.
//
// Source: prometheus/alertmanager 0.25, silence/silence.go: which changes keep the id of a silence and which end it
// and make another.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/notify/matcher.h"
#include "storage/base/result.h"

namespace tidemark::query::notify {

enum class SilenceState : uint8_t { kActive, kPending, kExpired };
// "active", "pending", "expired".
std::string_view Name(SilenceState state);

struct Silence {
  std::string id = {};
  Matchers matchers = {};
  int64_t starts_at_ns = 0;
  int64_t ends_at_ns = 0;  // exclusive
  int64_t updated_at_ns = 0;
  std::string created_by = {};
  std::string comment = {};
  friend bool operator==(const Silence&, const Silence&) = default;
};

SilenceState StateOf(const Silence& silence, int64_t now_ns);

struct SilenceOptions {
  int64_t retention_ns = 432'000'000'000'000;  // how long an expired one is shown: 120 h
  size_t count_max = 10'000;                   // expired ones included
  int64_t length_max_ns = 0;                   // 0: any
  std::function<std::string()> new_id = {};    // of each new one; never the same twice
};

// Not thread-safe.
class Silences {
 public:
  explicit Silences(SilenceOptions options) : options_(std::move(options)) {}

  // Makes a silence, or changes the one with its id; returns the id that it has now. An active one keeps its id as long
  // as matchers and start (to the second) stay, a waiting one as long as matchers stay and it begins later; else it
  // ends now, and a new one begins. Errors: kNotFound (no such id), kInvalidArgument, kLimitExceeded (too many).
  Result<std::string> Set(Silence silence, int64_t now_ns);
  // Ends it now, if it has not ended already. Errors: kNotFound.
  Status Expire(std::string_view id, int64_t now_ns);
  [[nodiscard]] const Silence* Find(std::string_view id) const;
  // The active ones first, by their ends; then those to come, by their starts; then expired ones, the latest first.
  [[nodiscard]] std::vector<Silence> List(int64_t now_ns) const;
  // The ids of those that silence an alert with these labels now, sorted.
  [[nodiscard]] std::vector<std::string> Silencing(const model::Labels& labels, int64_t now_ns) const;
  // Forgets what expired longer ago than the retention.
  void Collect(int64_t now_ns);

  // As it was stored; replaces one with its id.
  void Restore(Silence silence);
  // The ids that were made, changed or forgotten since the last call.
  std::set<std::string> TakeChanged() { return std::exchange(changed_, {}); }

 private:
  void Store(Silence silence, int64_t now_ns);

  const SilenceOptions options_;
  std::map<std::string, Silence, std::less<>> silences_;
  std::set<std::string> changed_;
};

}  // namespace tidemark::query::notify
