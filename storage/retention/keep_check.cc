#include "storage/retention/keep_check.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "storage/model/labels.h"
#include "storage/model/series_key.h"

namespace tidemark::storage::retention {

void KeepCheck::Begin(std::shared_ptr<const KeepRules> rules, int64_t now_ns, std::span<const model::Shape> shapes) {
  rules_ = std::move(rules);
  shapes_ = shapes;
  youngest_ns_ = std::numeric_limits<int64_t>::min();
  oldest_ns_.clear();
  key_known_ = false;
  if (rules_ == nullptr) return;
  for (size_t rule = 0; rule < rules_->size(); ++rule) {
    oldest_ns_.push_back(rules_->OldestNs(rule, now_ns));
    youngest_ns_ = std::max(youngest_ns_, oldest_ns_.back());
  }
  fields_.assign(shapes.size() * rules_->size(), {});
}

std::span<const uint32_t> KeepCheck::TooOld(const model::Row& row) {
  too_old_.clear();
  for (size_t rule = 0; rule < oldest_ns_.size(); ++rule) {
    if (row.time.ns >= oldest_ns_[rule]) continue;
    const std::vector<uint32_t>& places = FieldsOf(row.shape, rule);
    if (places.empty() || !Names(rule, row.key)) continue;
    too_old_.insert(too_old_.end(), places.begin(), places.end());
  }
  std::sort(too_old_.begin(), too_old_.end());
  too_old_.erase(std::unique(too_old_.begin(), too_old_.end()), too_old_.end());
  return too_old_;
}

const std::vector<uint32_t>& KeepCheck::FieldsOf(uint32_t shape, size_t rule) {
  Fields& fields = fields_[shape * rules_->size() + rule];
  if (!fields.known) {
    fields.known = true;
    // By names: the fields may not exist yet.
    const std::vector<model::ShapeField>& all = shapes_[shape].fields;
    for (size_t i = 0; i < all.size(); ++i) {
      const std::string metric = model::MetricName(shapes_[shape].measurement, all[i].name);
      if (rules_->NamesMetric(rule, metric)) fields.places.push_back(static_cast<uint32_t>(i));
    }
  }
  return fields.places;
}

bool KeepCheck::Names(size_t rule, const model::SeriesKey& key) {
  if (!key_known_ || key_ != key.hash) {
    key_known_ = true;
    key_ = key.hash;
    arena_.Clear();
    // A key that cannot be read is refused for that.
    const auto parsed = model::ParseSeriesKey(key.format, key.bytes, &arena_);
    named_.assign(rules_->size(), 0);
    for (size_t i = 0; parsed.ok() && i < named_.size(); ++i) named_[i] = rules_->NamesTags(i, parsed->tags) ? 1 : 0;
  }
  return named_[rule] != 0;
}

}  // namespace tidemark::storage::retention
