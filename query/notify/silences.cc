#include "query/notify/silences.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "query/notify/alert.h"

namespace tidemark::query::notify {
namespace {

int64_t SecondOf(int64_t ns) { return ns / 1'000'000'000; }

bool MatchesEmptyLabel(const Matcher& matcher) {
  switch (matcher.op()) {
    case model::MatchOp::kEqual: return matcher.value().empty();
    case model::MatchOp::kRegex: return RE2::PartialMatch("", matcher.value());
    case model::MatchOp::kNotEqual:
    case model::MatchOp::kNotRegex: return false;
  }
  return false;
}

Status Check(const Silence& silence, const SilenceOptions& options) {
  if (silence.matchers.empty()) return InvalidArgument("at least one matcher required");
  for (size_t i = 0; i < silence.matchers.size(); ++i) {
    const std::string& name = silence.matchers[i].name();
    if (!IsLabelName(name))
      return InvalidArgument(fmt::format("invalid label matcher {}: invalid label name \"{}\"", i, name));
  }
  if (std::all_of(silence.matchers.begin(), silence.matchers.end(), MatchesEmptyLabel)) {
    return InvalidArgument("at least one matcher must not match the empty string");
  }
  if (silence.ends_at_ns < silence.starts_at_ns) return InvalidArgument("end time must not be before start time");
  if (options.length_max_ns > 0 && silence.ends_at_ns - silence.starts_at_ns > options.length_max_ns) {
    return InvalidArgument(fmt::format("a silence lasts at most {} hours: let it end sooner",
                                       static_cast<double>(options.length_max_ns) / 3.6e12));
  }
  return {};
}

bool KeepsId(const Silence& old, const Silence& news, int64_t now_ns) {
  if (old.matchers != news.matchers) return false;
  switch (StateOf(old, now_ns)) {
    case SilenceState::kActive:
      return SecondOf(old.starts_at_ns) == SecondOf(news.starts_at_ns) && news.ends_at_ns >= now_ns;
    case SilenceState::kPending: return news.starts_at_ns >= now_ns;
    case SilenceState::kExpired: return false;
  }
  return false;
}

}  // namespace

std::string_view Name(SilenceState state) {
  switch (state) {
    case SilenceState::kActive: return "active";
    case SilenceState::kPending: return "pending";
    case SilenceState::kExpired: return "expired";
  }
  return "expired";
}

SilenceState StateOf(const Silence& silence, int64_t now_ns) {
  if (now_ns < silence.starts_at_ns) return SilenceState::kPending;
  return now_ns < silence.ends_at_ns ? SilenceState::kActive : SilenceState::kExpired;
}

Result<std::string> Silences::Set(Silence silence, int64_t now_ns) {
  const auto old = silence.id.empty() ? silences_.end() : silences_.find(silence.id);
  if (!silence.id.empty() && old == silences_.end()) return NotFound("silence not found");
  if (old != silences_.end() && KeepsId(old->second, silence, now_ns)) {
    TM_RETURN_IF_ERROR(Check(silence, options_));
    std::string id = silence.id;
    Store(std::move(silence), now_ns);
    return id;
  }
  // What is refused must leave the old one as it is.
  silence.starts_at_ns = std::max(silence.starts_at_ns, now_ns);
  TM_RETURN_IF_ERROR(Check(silence, options_));
  if (silences_.size() >= options_.count_max) {
    return LimitExceeded(
        fmt::format("there are {} silences, and more are not kept: let some expire", silences_.size()));
  }
  if (old != silences_.end() && StateOf(old->second, now_ns) != SilenceState::kExpired) {
    TM_RETURN_IF_ERROR(Expire(old->first, now_ns));
  }
  silence.id = options_.new_id();
  std::string id = silence.id;
  Store(std::move(silence), now_ns);
  return id;
}

Status Silences::Expire(std::string_view id, int64_t now_ns) {
  const auto at = silences_.find(id);
  if (at == silences_.end()) return NotFound("silence not found");
  Silence ended = at->second;
  switch (StateOf(ended, now_ns)) {
    case SilenceState::kExpired: return {};
    case SilenceState::kPending: ended.starts_at_ns = now_ns; break;
    case SilenceState::kActive: break;
  }
  ended.ends_at_ns = now_ns;
  Store(std::move(ended), now_ns);
  return {};
}

void Silences::Store(Silence silence, int64_t now_ns) {
  silence.updated_at_ns = now_ns;
  changed_.insert(silence.id);
  Restore(std::move(silence));
}

void Silences::Restore(Silence silence) {
  std::string id = silence.id;
  silences_.insert_or_assign(std::move(id), std::move(silence));
}

const Silence* Silences::Find(std::string_view id) const {
  const auto at = silences_.find(id);
  return at == silences_.end() ? nullptr : &at->second;
}

std::vector<Silence> Silences::List(int64_t now_ns) const {
  std::vector<Silence> list;
  list.reserve(silences_.size());
  for (const auto& [id, silence] : silences_) list.push_back(silence);
  const auto key = [&](const Silence& silence) {
    const SilenceState state = StateOf(silence, now_ns);
    const int64_t at = state == SilenceState::kActive    ? silence.ends_at_ns
                       : state == SilenceState::kPending ? silence.starts_at_ns
                                                         : -silence.ends_at_ns;
    return std::tuple(state, at, std::string_view(silence.id));
  };
  std::sort(list.begin(), list.end(), [&](const Silence& a, const Silence& b) { return key(a) < key(b); });
  return list;
}

std::vector<std::string> Silences::Silencing(const model::Labels& labels, int64_t now_ns) const {
  std::vector<std::string> ids;
  for (const auto& [id, silence] : silences_) {
    if (StateOf(silence, now_ns) == SilenceState::kActive && AllMatch(silence.matchers, labels)) ids.push_back(id);
  }
  return ids;
}

void Silences::Collect(int64_t now_ns) {
  std::erase_if(silences_, [&](const auto& entry) {
    const bool old = entry.second.ends_at_ns + options_.retention_ns < now_ns;
    if (old) changed_.insert(entry.first);
    return old;
  });
}

}  // namespace tidemark::query::notify
