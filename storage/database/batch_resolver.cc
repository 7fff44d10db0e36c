#include "storage/database/batch_resolver.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace tidemark::storage::database {
namespace {

constexpr std::string_view kBeyondRetention = "points beyond retention policy";
constexpr int64_t kMantissaLimit = int64_t{1} << 53;

// An integer as a kFloat value: as it is, with scale 0, while a double holds it exactly.
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

void BatchResolver::ResolveShapes(const model::Batch& batch, index::Index* index, ShapeCache* shapes) {
  states_.assign(batch.shapes.size(), {});
  shapes_.resize(batch.shapes.size());
  any_widens_ = false;
  for (size_t s = 0; s < batch.shapes.size(); ++s) {
    const model::Shape& shape = batch.shapes[s];
    auto resolved = shapes->Resolve(shape, index, &scratch_);
    if (!resolved.ok()) {
      states_[s].error = std::move(resolved).error();
      shapes_[s].fields.clear();
      continue;
    }
    states_[s].usable = true;
    shapes_[s] = **resolved;
    for (size_t f = 0; f < shape.fields.size(); ++f) {
      states_[s].widens |= shape.fields[f].type != shapes_[s].fields[f].type;
    }
    any_widens_ |= states_[s].widens;
  }
}

void BatchResolver::Widen(const model::Batch& batch) {
  values_ = batch.values;
  scales_ = batch.scales;
  for (const model::ResolvedRow& row : rows_) {
    if (!states_[row.shape].widens) continue;
    const std::vector<model::ShapeField>& sent = batch.shapes[row.shape].fields;
    for (size_t f = 0; f < sent.size(); ++f) {
      if (sent[f].type == shapes_[row.shape].fields[f].type) continue;
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
  std::map<std::pair<uint32_t, std::vector<uint32_t>>, uint32_t> shapes;
  for (Partial& partial : partial_) {
    model::ResolvedRow& row = rows_[partial.row];
    const size_t count = shapes_[row.shape].fields.size();
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
    const auto [shape, is_new] =
        shapes.try_emplace({row.shape, partial.too_old}, static_cast<uint32_t>(shapes_.size()));
    if (is_new) {
      model::ResolvedShape left{shapes_[row.shape].measurement, {}};
      for (uint32_t place = 0; place < count; ++place) {
        if (!refused(place)) left.fields.push_back(shapes_[row.shape].fields[place]);
      }
      shapes_.push_back(std::move(left));
    }
    row.shape = shape->second;
  }
}

model::ResolvedBatch BatchResolver::Resolve(model::DatabaseId database, const model::Batch& batch, int64_t oldest_ns,
                                            index::Index* index, ShapeCache* shapes, model::WriteReport* report) {
  ResolveShapes(batch, index, shapes);
  ids_.resize(batch.rows.size());
  index->Lookup(batch.rows, ids_.data());
  rows_.clear();
  rows_.reserve(batch.rows.size());
  partial_.clear();
  keep_.Begin(rules_, now_ns_, index, shapes_);
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    const model::Row& row = batch.rows[i];
    if (row.time.ns < oldest_ns || row.time < model::kMinTime || row.time > model::kMaxTime) [[unlikely]] {
      const bool no_time = row.time < model::kMinTime || row.time > model::kMaxTime;
      report->Reject(
          row.line,
          InvalidArgument(no_time ? std::string("time outside range -9223372036854775806 - 9223372036854775806")
                                  : std::string(kBeyondRetention)));
      continue;
    }
    if (!states_[row.shape].usable) [[unlikely]] {
      report->Reject(row.line, states_[row.shape].error);
      continue;
    }
    std::span<const uint32_t> too_old;
    if (!keep_.Young(row.time.ns)) [[unlikely]] {
      too_old = keep_.TooOld(row);
      if (!too_old.empty() && !KeepOthers(batch, row, too_old, report)) continue;
    }
    model::SeriesId id = ids_[i];
    if (model::Number(id) == 0) [[unlikely]] {
      auto created = index->FindOrCreate(row.key);
      if (!created.ok()) {
        if (!too_old.empty()) partial_.pop_back();
        report->Reject(row.line, std::move(created).error());
        continue;
      }
      id = *created;
    }
    rows_.push_back({id, row.shape, row.time, row.first_value, row.line});
    report->points_written += shapes_[row.shape].fields.size() - too_old.size();
  }
  report->rows_written += rows_.size();
  model::ResolvedBatch out{database, shapes_, rows_, batch.values, batch.scales, batch.strings};
  if (any_widens_) Widen(batch);
  if (!partial_.empty()) {
    if (!any_widens_) {
      values_ = batch.values;
      scales_ = batch.scales;
    }
    TakeOut();
    out.shapes = shapes_;
  }
  if (any_widens_ || !partial_.empty()) {
    out.values = values_;
    out.scales = scales_;
  }
  return out;
}

}  // namespace tidemark::storage::database
