// Mask: rows that must not be seen any more, though they still lie in heads, slabs and epochs: those of some series and
// fields, in a range of time, that were written before the deletion. Its place in the order of writes is kept twice:
//   before_set  rows of staged sets, and of the slabs made of them, with lower numbers came before it (the deletion
//               freezes the live set, so that it lies between two sets)
//   number      rows of epochs with a lower precedence came before it (numbers of masks and of epochs come out of one
//               counter, and neither is taken while a checkpoint is under way)
// A fold leaves masked rows out and notes in the epoch that it writes how far masks have been applied.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "storage/index/index.h"
#include "storage/meta/mask_spec.h"
#include "storage/meta/meta_records.h"
#include "storage/model/column.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"

namespace tidemark::storage::retention {

// Series by field. Immutable once made.
class RefSet {
 public:
  RefSet() = default;
  // What `spec` selects now. `open_end`: series that get a field later are not in, even if all that have it now are; a
  // deletion, which never meets rows of those, needs less memory without. Errors: kInvalidArgument for a bad regular
  // expression.
  static Result<RefSet> Select(const meta::MaskSpec& spec, const index::Index& index, bool open_end);

  [[nodiscard]] bool Contains(model::SeriesRef ref) const;
  [[nodiscard]] bool HasField(model::FieldId field) const { return Find(field) != nullptr; }
  [[nodiscard]] size_t size() const { return size_; }
  // For a set that was selected with an open end.
  void AppendTo(std::vector<model::SeriesRef>* refs) const;

 private:
  struct Group {
    model::FieldId field{};
    bool whole = false;                   // then `series` is empty
    std::vector<model::SeriesId> series;  // ascending
  };
  [[nodiscard]] const Group* Find(model::FieldId field) const;

  std::vector<Group> groups_;  // ascending by field
  size_t size_ = 0;
};

// Immutable.
class Mask {
 public:
  // As number and before_set: it hides rows whenever they were written.
  static constexpr uint64_t kRetention = std::numeric_limits<uint64_t>::max();

  Mask(uint64_t number, uint64_t before_set, model::TimeRange range, std::shared_ptr<const RefSet> refs)
      : number_(number), before_set_(before_set), range_(range), refs_(std::move(refs)) {}
  // One of a deletion.
  static Result<std::shared_ptr<const Mask>> Make(uint64_t number, uint64_t before_set, const meta::MaskSpec& spec,
                                                  const index::Index& index);

  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] model::TimeRange range() const { return range_; }
  [[nodiscard]] const RefSet& refs() const { return *refs_; }
  [[nodiscard]] const std::string& spec() const { return spec_; }  // EncodeMaskSpec

  // Whether some rows of an epoch, or of a set and its slabs, may be hidden by it.
  [[nodiscard]] bool AppliesTo(const meta::EpochRecord& epoch) const {
    return number_ > epoch.precedence && number_ > epoch.masked_through && range_.Overlaps(epoch.range);
  }
  [[nodiscard]] bool AppliesToSet(uint64_t set_number) const { return set_number < before_set_; }

 private:
  const uint64_t number_;
  const uint64_t before_set_;
  const model::TimeRange range_;
  const std::shared_ptr<const RefSet> refs_;
  std::string spec_;
};

using MaskList = std::vector<std::shared_ptr<const Mask>>;

// The masks that apply to one source of rows. The masks must outlive it.
class SourceMasks {
 public:
  SourceMasks() = default;
  static SourceMasks OfEpoch(const MaskList& masks, const meta::EpochRecord& epoch);
  static SourceMasks OfSet(const MaskList& masks, uint64_t set_number);

  [[nodiscard]] bool empty() const { return masks_.empty(); }
  [[nodiscard]] std::span<const Mask* const> masks() const { return masks_; }
  // Takes the masked rows out of the pieces of `ref` from index `from` on; none is empty afterwards, and they stay
  // ascending and disjoint in time.
  void Cut(model::SeriesRef ref, size_t from, std::vector<model::Column>* pieces) const;

 private:
  std::vector<const Mask*> masks_;
};

// The highest number of a deletion in `masks`; 0 when there is none.
uint64_t HighestNumber(const MaskList& masks);

}  // namespace tidemark::storage::retention
