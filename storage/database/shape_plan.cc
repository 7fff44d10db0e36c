#include "storage/database/shape_plan.h"

#include <algorithm>
#include <utility>

#include "storage/model/name_quota.h"

namespace tidemark::storage::database {

bool ShapePlan::Begin(const model::Batch& batch, const ResolveTarget& target) {
  batch_ = &batch;
  target_ = target;
  types_version_ = target.index->types_version();
  states_.assign(batch.shapes.size(), {});
  shapes_.resize(batch.shapes.size());
  types_.clear();
  ending_.clear();
  kept_.clear();
  new_fields_ = 0;
  any_converts_ = false;
  bool all = no_room_.empty();
  for (uint32_t s = 0; s < batch.shapes.size(); ++s) {
    const auto found = target.shapes->Find(batch.shapes[s], types_version_, &scratch_);
    if (found == nullptr) {
      shapes_[s] = {};
      all = false;
      continue;
    }
    states_[s].known = true;
    shapes_[s] = *found;
    Settle(s);
  }
  return all;
}

void ShapePlan::Plan(std::span<const uint32_t> order) {
  for (const uint32_t shape : order) {
    if (!states_[shape].known) PlanShape(shape);
    if (!states_[shape].refused()) Keep(shape);
  }
  for (const uint32_t shape : order) Settle(shape);
}

void ShapePlan::Keep(uint32_t s) {
  for (const model::ResolvedField& field : shapes_[s].fields) {
    const bool ends = std::find(ending_.begin(), ending_.end(), field.id) != ending_.end();
    if (model::Number(field.id) != 0 && !ends) kept_.insert(field.id);
  }
}

void ShapePlan::PlanShape(uint32_t s) {
  const model::Shape& shape = batch_->shapes[s];
  State& state = states_[s];
  state.planned = true;
  if (const auto refused = no_room_.find(s); refused != no_room_.end()) {
    state.error = refused->second;
    return;
  }
  shapes_[s] = target_.index->FindShape(shape);
  std::vector<std::pair<FieldName, model::FieldType>> types;
  std::vector<model::FieldId> ending;
  uint64_t added = 0;
  for (size_t place = 0; place < shape.fields.size(); ++place) {
    model::ResolvedField& field = shapes_[s].fields[place];
    auto type = TypeFor(shape, place, field);
    if (!type.ok()) {
      state.error = std::move(type).error();
      return;
    }
    if (model::Number(field.id) != 0 && *type != field.type) ending.push_back(field.id);
    if (model::Number(field.id) == 0 || *type != field.type) {
      const FieldName name(shape.measurement, shape.fields[place].name);
      // A name that gets another type is none more.
      if (model::Number(field.id) == 0 && !types_.contains(name)) ++added;
      types.emplace_back(name, *type);
    }
    field.type = *type;
  }
  if (added > 0) {
    // A measurement that is not there yet, and of which no other shape makes the first field.
    const auto others = types_.lower_bound({shape.measurement, {}});
    state.first = model::Number(shapes_[s].measurement) == 0 &&
                  (others == types_.end() || others->first.first != shape.measurement);
    if (auto may = MayAdd(added, added - (state.first ? 1 : 0)); !may.ok()) {
      state.error = std::move(may).error();
      return;
    }
  }
  new_fields_ += added;
  // Only now: a shape that is refused says nothing of fields.
  for (const auto& [name, type] : types) types_.insert_or_assign(name, type);
  ending_.insert(ending_.end(), ending.begin(), ending.end());
}

Status ShapePlan::MayAdd(uint64_t added, uint64_t counted) const {
  TM_RETURN_IF_ERROR(target_.index->CheckRoom(new_fields_ + added));
  if (counted == 0 || batch_->names == nullptr) return {};
  return batch_->names->AdmitFields();
}

Result<model::FieldType> ShapePlan::TypeFor(const model::Shape& shape, size_t place,
                                            const model::ResolvedField& found) {
  const model::ShapeField& field = shape.fields[place];
  const auto planned = types_.find({shape.measurement, field.name});
  const bool is_new = model::Number(found.id) == 0;
  if (is_new && planned == types_.end()) return field.type;
  const model::FieldType stored = planned != types_.end() ? planned->second : found.type;
  if (stored == field.type || model::IsIntegerToFloat(field.type, stored)) return stored;
  const bool may_widen = target_.conflicts == model::TypeConflicts::kWiden && (is_new || target_.changes != nullptr);
  if (may_widen && model::Widens(stored, field.type)) return field.type;
  const bool may_end =
      planned == types_.end() && target_.changes != nullptr && !kept_.contains(found.id) && !made_.contains(found.id);
  if (may_end && target_.changes->Ended(found.id)) return field.type;
  return model::TypeConflict(shape.measurement, field.name, field.type, stored);
}

void ShapePlan::Settle(uint32_t s) {
  State& state = states_[s];
  if (state.refused()) return;
  state.converts = false;
  state.exact.clear();
  const model::Shape& shape = batch_->shapes[s];
  for (size_t place = 0; place < shape.fields.size(); ++place) {
    model::ResolvedField& field = shapes_[s].fields[place];
    if (!types_.empty()) {
      const auto planned = types_.find({shape.measurement, shape.fields[place].name});
      if (planned != types_.end() && planned->second != field.type) {
        field.type = planned->second;
        state.known = false;
      }
    }
    const model::FieldType sent = shape.fields[place].type;
    if (sent == field.type) continue;
    if (!model::IsIntegerToFloat(sent, field.type)) {
      state.error = model::TypeConflict(shape.measurement, shape.fields[place].name, sent, field.type);
      return;
    }
    state.converts = true;
    state.exact.push_back(static_cast<uint32_t>(place));
  }
  any_converts_ |= state.converts;
}

Result<bool> ShapePlan::Define(std::span<const uint8_t> used) {
  bool as_planned = true;
  for (uint32_t s = 0; s < shapes_.size(); ++s) {
    if (states_[s].known) continue;
    if (used[s] == 0) {
      // No row has it, so what it would be goes nowhere.
      shapes_[s] = {};
      continue;
    }
    // The types that it is to have, so that what is new is made with them.
    model::Shape wanted = batch_->shapes[s];
    std::vector<model::FieldId> changing;
    for (size_t place = 0; place < wanted.fields.size(); ++place) {
      const model::ResolvedField& field = shapes_[s].fields[place];
      wanted.fields[place].type = field.type;
      if (std::find(ending_.begin(), ending_.end(), field.id) != ending_.end()) changing.push_back(field.id);
    }
    uint64_t made = 0;
    const auto resolve = [&] { return target_.index->ResolveShape(wanted, ending_, &made); };
    if (!changing.empty()) TM_RETURN_IF_ERROR(target_.changes->Prepare());
    auto resolved = changing.empty() ? resolve() : target_.changes->Change(changing, resolve);
    if (made > (states_[s].first ? 1U : 0U) && batch_->names != nullptr) {
      batch_->names->FieldsMade(made - (states_[s].first ? 1 : 0));
    }
    if (!resolved.ok()) {
      as_planned = false;
      // What contradicts was written by another meanwhile: it is planned anew. Nothing else goes away by itself.
      if (resolved.error().code != ErrorCode::kConflict) no_room_[s] = std::move(resolved).error();
      continue;
    }
    as_planned &=
        changing.empty() && std::equal(resolved->fields.begin(), resolved->fields.end(), shapes_[s].fields.begin(),
                                       [](const auto& a, const auto& b) { return a.type == b.type; });
    for (size_t place = 0; place < resolved->fields.size(); ++place) {
      const model::FieldId id = resolved->fields[place].id;
      if (id != shapes_[s].fields[place].id) made_.insert(id);
    }
    shapes_[s] = *resolved;
    target_.shapes->Put(batch_->shapes[s], types_version_, std::move(resolved).value(), &scratch_);
  }
  return as_planned;
}

}  // namespace tidemark::storage::database
