#include "storage/database/batch_resolver.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "storage/model/name_quota.h"

namespace tidemark::storage::database {
namespace {

constexpr std::string_view kBeyondRetention = "points beyond retention policy";
constexpr int64_t kMantissaLimit = int64_t{1} << 53;
// A batch is resolved anew when others change types under it, and for each of its shapes for which there is no room.
// So often only because nobody changes types that often.
constexpr int kMaxAttempts = 64;

// Whether a double is equal to an integer.
bool IsExact(model::FieldType type, int64_t value) {
  // Above all integers of their kind, and doubles themselves.
  constexpr double kIntEnd = 9223372036854775808.0;
  constexpr double kUIntEnd = 18446744073709551616.0;
  if (type == model::FieldType::kInt) {
    const auto number = static_cast<double>(value);
    return number < kIntEnd && static_cast<int64_t>(number) == value;
  }
  const auto number = static_cast<double>(static_cast<uint64_t>(value));
  return number < kUIntEnd && static_cast<uint64_t>(number) == static_cast<uint64_t>(value);
}

std::string DigitsOf(model::FieldType type, int64_t value) {
  return type == model::FieldType::kInt ? fmt::format("{}", value) : fmt::format("{}", static_cast<uint64_t>(value));
}

// An integer as a kFloat value: as it is, with scale 0, while a mantissa holds it.
void WidenValue(model::FieldType from, int64_t* value, uint8_t* scale) {
  if (*value > -kMantissaLimit && *value < kMantissaLimit && (from == model::FieldType::kInt || *value >= 0)) {
    *scale = 0;
    return;
  }
  const double number =
      from == model::FieldType::kInt ? static_cast<double>(*value) : static_cast<double>(static_cast<uint64_t>(*value));
  *value = std::bit_cast<int64_t>(number);
  *scale = model::kBinaryScale;
}

}  // namespace

std::string_view BatchResolver::RefusedTime(const model::Row& row, const ResolveTarget& target) {
  if (row.time < model::kMinTime || row.time > model::kMaxTime) [[unlikely]] {
    return "time outside range -9223372036854775806 - 9223372036854775806";
  }
  return row.time.ns < target.oldest_ns ? kBeyondRetention : std::string_view();
}

void BatchResolver::PlanShapes(const model::Batch& batch, const ResolveTarget& target) {
  if (plan_.Begin(batch, target)) return;
  order_.clear();
  used_.assign(batch.shapes.size(), 0);
  for (const model::Row& row : batch.rows) {
    if (used_[row.shape] != 0 || !RefusedTime(row, target).empty()) continue;
    if (!keep_.Young(row.time.ns) && keep_.TooOld(row).size() == batch.shapes[row.shape].fields.size()) continue;
    used_[row.shape] = 1;
    order_.push_back(row.shape);
  }
  plan_.Plan(order_);
}

bool BatchResolver::RefuseInexact(const model::Batch& batch, const model::Row& row, model::WriteReport* report) const {
  const model::Shape& shape = batch.shapes[row.shape];
  for (const uint32_t place : plan_.state(row.shape).exact) {
    const model::ShapeField& sent = shape.fields[place];
    const int64_t value = batch.values[row.first_value + place];
    if (IsExact(sent.type, value)) continue;
    report->Reject(row.line, InvalidArgument(fmt::format(
                                 "input field \"{}\" on measurement \"{}\" is type float, and no float "
                                 "is equal to the {} {}; write it to a field of its own",
                                 sent.name, shape.measurement, model::Name(sent.type), DigitsOf(sent.type, value))));
    return true;
  }
  return false;
}

void BatchResolver::Widen(const model::Batch& batch) {
  const std::vector<model::ResolvedShape>& shapes = plan_.shapes();
  for (const model::ResolvedRow& row : rows_) {
    if (!plan_.state(row.shape).converts) continue;
    const std::vector<model::ShapeField>& sent = batch.shapes[row.shape].fields;
    for (size_t f = 0; f < sent.size(); ++f) {
      if (sent[f].type == shapes[row.shape].fields[f].type) continue;
      WidenValue(sent[f].type, &values_[row.first_value + f], &scales_[row.first_value + f]);
    }
  }
}

bool BatchResolver::KeepOthers(const model::Batch& batch, const model::Row& row, std::span<const uint32_t> too_old,
                               model::WriteReport* report) {
  const std::vector<model::ShapeField>& fields = batch.shapes[row.shape].fields;
  if (too_old.size() == fields.size()) {
    report->Reject(row.line, InvalidArgument(std::string(kBeyondRetention)));
    return false;
  }
  std::string names;
  for (const uint32_t place : too_old) names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", fields[place].name);
  report->Reject(row.line, InvalidArgument(fmt::format("{}: field {}", kBeyondRetention, names)));
  partial_.push_back({rows_.size(), {too_old.begin(), too_old.end()}});
  return true;
}

void BatchResolver::TakeOut() {
  std::vector<model::ResolvedShape>& all = plan_.shapes();
  std::map<std::pair<uint32_t, std::vector<uint32_t>>, uint32_t> shapes;
  for (Partial& partial : partial_) {
    model::ResolvedRow& row = rows_[partial.row];
    const size_t count = all[row.shape].fields.size();
    const uint32_t first_value = row.first_value;
    const auto refused = [&](uint32_t place) {
      return std::binary_search(partial.too_old.begin(), partial.too_old.end(), place);
    };
    row.first_value = static_cast<uint32_t>(values_.size());
    for (uint32_t place = 0; place < count; ++place) {
      if (refused(place)) continue;
      values_.push_back(values_[first_value + place]);
      scales_.push_back(scales_[first_value + place]);
    }
    const auto [shape, is_new] = shapes.try_emplace({row.shape, partial.too_old}, static_cast<uint32_t>(all.size()));
    if (is_new) {
      model::ResolvedShape left{all[row.shape].measurement, {}};
      for (uint32_t place = 0; place < count; ++place) {
        if (!refused(place)) left.fields.push_back(all[row.shape].fields[place]);
      }
      all.push_back(std::move(left));
    }
    row.shape = shape->second;
  }
}

bool BatchResolver::LookUp(const model::Batch& batch, const ResolveTarget& target) {
  ids_.resize(batch.rows.size());
  if (batch.known != nullptr && batch.known->Find(target.index->instance(), batch.rows, ids_.data())) return true;
  target.index->Lookup(batch.rows, ids_.data());
  return false;
}

void BatchResolver::TakeRows(const model::Batch& batch, const ResolveTarget& target, model::WriteReport* report) {
  const bool all_known = LookUp(batch, target);
  rows_.clear();
  rows_.reserve(batch.rows.size());
  partial_.clear();
  used_.assign(batch.shapes.size(), 0);
  index::NewSeries new_series{.made = report->series_created, .quota = batch.names, .database = target.database};
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    const model::Row& row = batch.rows[i];
    if (const std::string_view refused = RefusedTime(row, target); !refused.empty()) [[unlikely]] {
      report->Reject(row.line, InvalidArgument(std::string(refused)));
      continue;
    }
    std::span<const uint32_t> too_old;
    if (!keep_.Young(row.time.ns)) [[unlikely]]
      too_old = keep_.TooOld(row);
    const bool all_too_old = !too_old.empty() && too_old.size() == batch.shapes[row.shape].fields.size();
    const ShapePlan::State& state = plan_.state(row.shape);
    if (state.refused() && !all_too_old) [[unlikely]] {
      report->Reject(row.line, state.error);
      if (batch.names != nullptr) batch.names->RowRefused(state.error);
      continue;
    }
    if (!state.exact.empty() && !all_too_old && RefuseInexact(batch, row, report)) [[unlikely]]
      continue;
    if (!too_old.empty() && !KeepOthers(batch, row, too_old, report)) continue;
    model::SeriesId id = ids_[i];
    if (model::Number(id) == 0) [[unlikely]] {
      auto created = target.index->FindOrCreate(row.key, &new_series);
      if (!created.ok()) {
        if (!too_old.empty()) partial_.pop_back();
        report->Reject(row.line, std::move(created).error());
        continue;
      }
      ids_[i] = id = *created;
    }
    if (batch.names != nullptr) [[unlikely]] {
      if (auto admitted = batch.names->AdmitSeries(target.database, id); !admitted.ok()) {
        if (!too_old.empty()) partial_.pop_back();
        report->Reject(row.line, std::move(admitted).error());
        continue;
      }
    }
    used_[row.shape] = 1;
    // Filled where it lies, part by part: copied as a whole it would wait for its parts.
    model::ResolvedRow& taken = rows_.emplace_back();
    taken.series = id;
    taken.shape = row.shape;
    taken.time = row.time;
    taken.first_value = row.first_value;
    taken.line = row.line;
    report->points_written += batch.shapes[row.shape].fields.size() - too_old.size();
  }
  if (batch.known != nullptr && !all_known) batch.known->Learn(target.index->instance(), batch.rows, ids_.data());
  report->rows_written += rows_.size();
  report->series_created = new_series.made;
}

Result<model::ResolvedBatch> BatchResolver::Resolve(const ResolveTarget& target, const model::Batch& batch,
                                                    model::WriteReport* report) {
  const model::WriteReport before = *report;
  plan_.Forget();
  keep_.Begin(rules_, now_ns_, batch.shapes);
  for (int attempt = 0;; ++attempt) {
    if (attempt == kMaxAttempts) {
      return MakeError(ErrorCode::kUnavailable,
                       "the types of the fields changed again and again under this write; try again");
    }
    const uint64_t made = report->series_created;  // by the attempts before
    *report = before;
    report->series_created = made;
    if (batch.names != nullptr) batch.names->Restart();
    PlanShapes(batch, target);
    TakeRows(batch, target, report);
    TM_TRY_ASSIGN(const bool as_planned, plan_.Define(used_));
    if (as_planned) break;
  }
  const bool converts = plan_.any_converts();
  if (converts || !partial_.empty()) {
    values_ = batch.values;
    scales_ = batch.scales;
  }
  if (converts) Widen(batch);
  if (!partial_.empty()) TakeOut();
  model::ResolvedBatch out{target.database, plan_.shapes(), rows_, batch.values, batch.scales, batch.strings};
  if (converts || !partial_.empty()) {
    out.values = values_;
    out.scales = scales_;
  }
  return out;
}

}  // namespace tidemark::storage::database
