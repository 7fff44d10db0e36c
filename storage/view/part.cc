// What of a selection is wanted, part by part: series of the index in pieces, of which those that are present are
// taken.
#include <algorithm>
#include <utility>

#include "storage/view/presence.h"
#include "storage/view/view.h"

namespace tidemark::storage::view {
namespace {

// Series that the index is asked for at once: few at first, since mostly the first are there.
constexpr size_t kFirstPiece = 1024;
constexpr size_t kLargestPiece = 65'536;
// Series that one part looks at before its caller can look at his deadline.
constexpr size_t kLooksMax = 262'144;

}  // namespace

Result<model::SeriesPart> ViewImpl::SelectPart(std::span<const model::Matcher> matchers, model::TimeRange range,
                                               const model::PartWanted& wanted) const {
  model::SeriesPart part;
  const index::Index& index = pinned_->database->index();
  // Labels of all time are those that there ever were.
  if (wanted.once && AllCount(range)) return index.SelectPart(matchers, wanted);
  if (!AnySourceIn(*pinned_, Seen(range))) return part;
  model::PartWanted next = wanted;
  next.once = false;
  next.at_most = std::min(std::max(wanted.enough, kFirstPiece), std::max(wanted.at_most, kFirstPiece));
  // Of series that are in the index not all have rows in a part of the time.
  const bool known = wanted.count && AllCount(range) && Seen(range) == range;
  size_t looks = 0;
  for (;;) {
    TM_TRY_ASSIGN(model::SeriesPart piece, index.SelectPart(matchers, next));
    looks += piece.refs.size();
    for (const model::SeriesRef ref : Present(std::move(piece.refs), range)) {
      if (part.refs.size() == wanted.at_most) {
        part.next = ref;
        part.more = known ? piece.more : 0;
        return part;
      }
      part.refs.push_back(ref);
    }
    part.next = piece.next;
    part.more = known ? piece.more : 0;
    if (!part.next || part.refs.size() >= wanted.enough || looks >= kLooksMax) return part;
    next.from = *part.next;
    next.at_most = std::min(next.at_most * 4, kLargestPiece);
  }
}

std::vector<std::string> ViewImpl::ValuesOf(std::string_view label, std::span<const model::SeriesRef> refs) const {
  return pinned_->database->index().LabelValuesOf(label, refs);
}

std::vector<std::string> ViewImpl::NamesOf(std::span<const model::SeriesRef> refs) const {
  return pinned_->database->index().LabelNamesOf(refs);
}

std::vector<std::string> ViewImpl::KnownNames() const {
  const auto names = pinned_->database->index().LabelNames({});
  return names.ok() ? *names : std::vector<std::string>();  // without an expression there is none that is bad
}

}  // namespace tidemark::storage::view
