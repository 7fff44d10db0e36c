// SeriesWalk: the series of a selection that are present, part by part.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "query/names/names_watch.h"
#include "storage/base/result.h"
#include "storage/model/series_part.h"
#include "storage/storage.h"

namespace tidemark::query::names {

// Series of the first part: so many cost a millisecond or so. Each next part has more, up to the largest.
inline constexpr size_t kFirstPart = 4096;
inline constexpr size_t kLargestPart = size_t{1} << 18;

// What a request is told whose matchers select more than `max` series.
inline Error TooManySeries(size_t max) {
  return LimitExceeded("the matchers select more than " + std::to_string(max) +
                       " series; narrow them or raise the limit");
}

// For one thread. `view` and `matchers` outlive it.
class SeriesWalk {
 public:
  // `wanted` says how many each part has, and may be changed between two parts.
  SeriesWalk(const storage::View& view, std::span<const model::Matcher> matchers, model::TimeRange range,
             model::PartWanted wanted)
      : view_(view), matchers_(matchers), range_(range), wanted_(wanted) {}

  // Replaces `refs` by the next part, which may be empty. false: there is none any more.
  Result<bool> Next(std::vector<model::SeriesRef>* refs) {
    refs->clear();
    if (ended_) return false;
    TM_TRY_ASSIGN(model::SeriesPart part, view_.SelectPart(matchers_, range_, wanted_));
    *refs = std::move(part.refs);
    ended_ = !part.next;
    more_ = part.more;
    if (part.next) wanted_.from = *part.next;
    return true;
  }

  // Whether that was the last part.
  [[nodiscard]] bool ended() const { return ended_; }
  // SeriesPart::more of the last part.
  [[nodiscard]] uint64_t more() const { return more_; }
  [[nodiscard]] model::PartWanted& wanted() { return wanted_; }

 private:
  const storage::View& view_;
  const std::span<const model::Matcher> matchers_;
  const model::TimeRange range_;
  model::PartWanted wanted_;
  bool ended_ = false;
  uint64_t more_ = 0;
};

// Replaces `refs` by all series that satisfy the matchers of any of `sets` and are present, sorted, each once. `wanted`
// says which fields count. `look` is asked between parts with the bytes that are held, as NamesWatch is; its errors end
// it. `expect` is told, after the first part of each set, what has been found and about how many there will be at
// least: so that what is too much is refused before it is there. Errors besides: more than `max` (0: any number) for
// one set is kLimitExceeded; those of SelectPart.
template <typename LookAt, typename Expect>
Status SelectAll(const storage::View& view, std::span<const std::vector<model::Matcher>> sets, model::TimeRange range,
                 model::PartWanted wanted, size_t max, const LookAt& look, const Expect& expect,
                 std::vector<model::SeriesRef>* refs) {
  refs->clear();
  std::vector<model::SeriesRef> part;
  wanted.count = true;
  for (const std::vector<model::Matcher>& matchers : sets) {
    const size_t before = refs->size();
    wanted.at_most = wanted.enough = kFirstPart;
    SeriesWalk walk(view, matchers, range, wanted);
    for (;;) {
      // What a part takes while it is made is a few times its size.
      TM_RETURN_IF_ERROR(look((refs->capacity() + 4 * part.capacity()) * sizeof(model::SeriesRef)));
      TM_TRY_ASSIGN(const bool more, walk.Next(&part));
      if (!more) break;
      refs->insert(refs->end(), part.begin(), part.end());
      if (max != 0 && refs->size() - before > max) return TooManySeries(max);
      if (std::exchange(walk.wanted().count, false) && walk.more() > 0) {
        // Half, since what has no rows any more is counted too.
        const uint64_t expected = refs->size() + walk.more() / 2;
        if (max != 0 && expected - before > max) return TooManySeries(max);
        TM_RETURN_IF_ERROR(look(expected * sizeof(model::SeriesRef)));
        TM_RETURN_IF_ERROR(expect(std::span<const model::SeriesRef>(*refs), expected));
      }
      walk.wanted().at_most = walk.wanted().enough = std::min(4 * walk.wanted().at_most, kLargestPart);
    }
    // After each set, so that many that find the same hold no more than one.
    std::inplace_merge(refs->begin(), refs->begin() + static_cast<std::ptrdiff_t>(before), refs->end());
    refs->erase(std::unique(refs->begin(), refs->end()), refs->end());
  }
  return look(refs->capacity() * sizeof(model::SeriesRef));
}

// The same for who holds nothing of a series beside the reference to it.
template <typename LookAt>
Status SelectAll(const storage::View& view, std::span<const std::vector<model::Matcher>> sets, model::TimeRange range,
                 const model::PartWanted& wanted, size_t max, const LookAt& look, std::vector<model::SeriesRef>* refs) {
  const auto nothing = [](std::span<const model::SeriesRef>, uint64_t) -> Status { return {}; };
  return SelectAll(view, sets, range, wanted, max, look, nothing, refs);
}

}  // namespace tidemark::query::names
