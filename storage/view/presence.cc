#include "storage/view/presence.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

namespace tidemark::storage::view {
namespace {

// Calls `visit` with each part of `range` that no mask in `masks` from `from` on hides of `ref`, until it returns true.
// Returns whether it did.
template <typename Visit>
bool AnyVisible(std::span<const retention::Mask* const> masks, model::SeriesRef ref, model::TimeRange range,
                const Visit& visit) {
  if (range.empty()) return false;
  for (size_t i = 0; i < masks.size(); ++i) {
    const model::TimeRange hidden = masks[i]->range();
    if (!hidden.Overlaps(range) || !masks[i]->refs().Contains(ref)) continue;
    const auto rest = masks.subspan(i + 1);
    if (hidden.first > range.first && AnyVisible(rest, ref, {range.first, {hidden.first.ns - 1}}, visit)) return true;
    return hidden.last < range.last && AnyVisible(rest, ref, {{hidden.last.ns + 1}, range.last}, visit);
  }
  return visit(range);
}

class Finder {
 public:
  Finder(const Pinned& pinned, const std::vector<model::SeriesRef>& refs, model::TimeRange range)
      : pinned_(pinned), refs_(refs), range_(range), found_(refs.size(), 0), open_(refs.size()) {
    std::iota(open_.begin(), open_.end(), 0U);
  }

  void Run() {
    for (auto marked = pinned_.heads.rbegin(); marked != pinned_.heads.rend(); ++marked) AskHeads(*marked);
    const auto& slabs = pinned_.state->slabs;
    for (auto slab = slabs.rbegin(); slab != slabs.rend(); ++slab) {
      AskPages(**slab, retention::SourceMasks::OfSet(pinned_.masks, (*slab)->number()));
    }
    const auto& epochs = pinned_.state->epochs;
    for (auto epoch = epochs.rbegin(); epoch != epochs.rend(); ++epoch) {
      AskPages(**epoch, retention::SourceMasks::OfEpoch(pinned_.masks, (*epoch)->record()));
    }
  }

  [[nodiscard]] bool found(size_t index) const { return found_[index] != 0; }

 private:
  void AskHeads(const MarkedSet& marked) {
    const head::HeadSet& heads = marked.set->heads();
    if (open_.empty() || !heads.Range().Overlaps(range_)) return;
    const retention::SourceMasks masks = retention::SourceMasks::OfSet(pinned_.masks, marked.set->number());
    model::FieldId field{};
    bool may_be_there = false;
    Keep([&](model::SeriesRef ref) {
      if (ref.field != field) {
        field = ref.field;
        // Series have rows of the field that has its name now; of the older ones only what is here since before that.
        may_be_there = pinned_.database->index().Field(field).newest == field || heads.HasField(field);
      }
      return may_be_there && AnyVisible(masks.masks(), ref, range_, [&](model::TimeRange visible) {
               return heads.Touches(ref.series, marked.mark, visible);
             });
    });
  }

  void AskPages(const partition::PageSet& pages, const retention::SourceMasks& masks) {
    if (open_.empty() || !pages.range().Overlaps(range_)) return;
    const model::TimeRange rows{std::max(range_.first, pages.range().first), std::min(range_.last, pages.range().last)};
    const auto visible = [&](model::SeriesRef ref) {
      return AnyVisible(masks.masks(), ref, rows, [](model::TimeRange) { return true; });
    };
    const auto list = pages.Series();
    if (!list.ok() || *list == nullptr) {
      const auto directory = pages.Directory();
      // Of pages that cannot be read nobody knows whose they were; whoever reads them says that they are damaged.
      Keep([&](model::SeriesRef ref) { return (!directory.ok() || MayHold(**directory, ref)) && visible(ref); });
      return;
    }
    model::FieldId field{};
    std::span<const partition::SeriesRun> runs;
    Keep([&](model::SeriesRef ref) {
      if (ref.field != field) {
        field = ref.field;
        runs = (*list)->RunsOf(field);
      }
      const uint32_t id = model::Number(ref.series);
      // Asked for in ascending order: what lies behind is not wanted again.
      while (!runs.empty() && runs.front().last < id) runs = runs.subspan(1);
      return !runs.empty() && runs.front().first <= id && visible(ref);
    });
  }

  // By the first and last series of each page: some in between may not be in it.
  [[nodiscard]] bool MayHold(const partition::PageDirectory& directory, model::SeriesRef ref) const {
    const model::MeasurementId measurement = pinned_.database->index().Field(ref.field).measurement;
    for (size_t tier = rocks::kRawTier; tier <= directory.tier_widths_ns().size(); ++tier) {
      const partition::PageRange field = directory.OfField(static_cast<uint8_t>(tier), measurement, ref.field);
      const partition::PageRange found = directory.OfSeries(field, ref.series);
      for (size_t page = found.begin; page < found.end; ++page) {
        if (tier != rocks::kRawTier || directory.pages()[page].range.Overlaps(range_)) return true;
      }
    }
    return false;
  }

  // Marks the open ones for which `present` is true as found.
  template <typename Test>
  void Keep(const Test& present) {
    std::erase_if(open_, [&](uint32_t index) {
      if (!present(refs_[index])) return false;
      found_[index] = 1;
      return true;
    });
  }

  const Pinned& pinned_;
  const std::vector<model::SeriesRef>& refs_;
  const model::TimeRange range_;
  std::vector<uint8_t> found_;
  std::vector<uint32_t> open_;  // indices into refs_, ascending
};

}  // namespace

bool AnySourceIn(const Pinned& pinned, model::TimeRange range) {
  if (range.empty()) return false;
  const auto in_pages = [&](const auto& pages) { return pages->range().Overlaps(range); };
  return std::ranges::any_of(pinned.heads,
                             [&](const MarkedSet& marked) { return marked.set->heads().Range().Overlaps(range); }) ||
         std::ranges::any_of(pinned.state->slabs, in_pages) || std::ranges::any_of(pinned.state->epochs, in_pages);
}

std::vector<model::SeriesRef> PresentIn(const Pinned& pinned, std::vector<model::SeriesRef> refs,
                                        model::TimeRange range) {
  if (range.empty() || refs.empty()) return {};
  Finder finder(pinned, refs, range);
  finder.Run();
  size_t kept = 0;
  for (size_t i = 0; i < refs.size(); ++i) {
    if (finder.found(i)) refs[kept++] = refs[i];
  }
  refs.resize(kept);
  return refs;
}

}  // namespace tidemark::storage::view
