// ShapePlan: which types the fields of one batch will have, worked out before anything of it is created, so that what
// is refused leaves no name and no type behind.
//
// Shapes are taken in the order of their first rows. A field that the database has keeps its type, unless it is widened
// or ended (see TypeChanges); one that it does not have gets the type of the first shape that names it, or is a float
// where one shape says integer and another says float. A field that a shape of this batch keeps as it is, or that
// was made for it in an earlier attempt, has not ended for the others: its rows are about to be there.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "storage/database/shape_cache.h"
#include "storage/database/type_changes.h"
#include "storage/index/index.h"
#include "storage/model/batch.h"
#include "storage/model/resolved_batch.h"
#include "storage/model/type_conflicts.h"

namespace tidemark::storage::database {

// Where the rows of a batch go. All outlive the call that gets it; `changes` null: no field changes its type.
struct ResolveTarget {
  model::DatabaseId database{};
  // Rows older than this are beyond retention.
  int64_t oldest_ns = 0;
  index::Index* index = nullptr;
  ShapeCache* shapes = nullptr;
  model::TypeConflicts conflicts = model::TypeConflicts::kWiden;
  TypeChanges* changes = nullptr;
};

// Not thread-safe; keeps its memory from batch to batch.
class ShapePlan {
 public:
  struct State {
    bool known = false;     // resolved, nothing is to be created
    bool planned = false;   // its types are worked out, or it is refused
    bool converts = false;  // has integers that the database keeps as floats
    bool first = false;     // the first field of its measurement is among those that are to be created
    // Places of integers for floats: each must be equal to one.
    std::vector<uint32_t> exact;
    Error error;  // not empty: its rows are refused
    [[nodiscard]] bool refused() const { return !error.message.empty(); }
  };

  // Finds the shapes that were seen before. Returns whether that is all of them; else Plan follows.
  bool Begin(const model::Batch& batch, const ResolveTarget& target);
  // Plans the shapes in `order`, those that have rows that may be taken.
  void Plan(std::span<const uint32_t> order);
  // Creates what is new in the shapes of `used` (by shape: whether a row of it is taken). Returns whether all came out
  // as it was planned; if not, others have changed types meanwhile, or this has, and Begin follows. Errors: those of
  // TypeChanges::Prepare; a shape for which there is no room is refused from then on.
  Result<bool> Define(std::span<const uint8_t> used);
  // Before the first Begin of a batch.
  void Forget() {
    no_room_.clear();
    made_.clear();
  }

  [[nodiscard]] const State& state(uint32_t shape) const { return states_[shape]; }
  // As resolved; ids of what is not created yet are 0.
  [[nodiscard]] std::vector<model::ResolvedShape>& shapes() { return shapes_; }
  [[nodiscard]] const std::vector<model::ResolvedShape>& shapes() const { return shapes_; }
  [[nodiscard]] bool any_converts() const { return any_converts_; }
  // Index::types_version before anything was resolved.
  [[nodiscard]] uint64_t types_version() const { return types_version_; }

 private:
  using FieldName = std::pair<std::string_view, std::string_view>;  // measurement, field

  void PlanShape(uint32_t shape);
  // Whether there is room for `added` more fields, of which the sender's quota counts `counted`.
  [[nodiscard]] Status MayAdd(uint64_t added, uint64_t counted) const;
  // Notes the fields of a shape that stay as they are.
  void Keep(uint32_t shape);
  // The type that a field gets. Errors: kConflict.
  Result<model::FieldType> TypeFor(const model::Shape& shape, size_t place, const model::ResolvedField& found);
  // What later shapes say of fields holds for earlier ones too.
  void Settle(uint32_t shape);

  const model::Batch* batch_ = nullptr;
  ResolveTarget target_;
  uint64_t types_version_ = 0;
  std::vector<State> states_;
  std::vector<model::ResolvedShape> shapes_;
  std::map<FieldName, model::FieldType> types_;  // of fields that are new, or change
  std::vector<model::FieldId> ending_;           // whose names get another field
  std::set<model::FieldId> kept_;                // that shapes planned so far use with the type that they have
  std::set<model::FieldId> made_;                // by this batch, in this attempt and those before it
  uint64_t new_fields_ = 0;
  std::map<uint32_t, Error> no_room_;  // by shape
  bool any_converts_ = false;
  std::string scratch_;
};

}  // namespace tidemark::storage::database
