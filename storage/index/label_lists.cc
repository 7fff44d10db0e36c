#include "storage/index/label_lists.h"

#include <algorithm>

#include "storage/model/labels.h"

namespace tidemark::index {
namespace {

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// `ids`: of pairs, or of metrics.
std::vector<std::string> TextsOf(const Dictionary& texts, std::vector<uint32_t> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<std::string> out;
  out.reserve(ids.size());
  for (const uint32_t id : ids) out.emplace_back(texts.Text(id));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::vector<std::string> AllLabelNames(const Catalog& catalog) {
  std::vector<std::string> out;
  for (uint32_t label = 1; label <= catalog.labels.size(); ++label) {
    if (catalog.label(label).series.size() > 0) out.emplace_back(catalog.labels.Text(label));
  }
  if (catalog.fields.size() > 0) out.emplace_back(model::kMetricNameLabel);
  return Sorted(std::move(out));
}

std::vector<std::string> AllLabelValues(const Catalog& catalog, std::string_view name) {
  std::vector<uint32_t> values;
  if (name == model::kMetricNameLabel) {
    for (uint32_t field = 1; field <= catalog.fields.size(); ++field) {
      if (catalog.field(field).series.size() > 0) values.push_back(catalog.field(field).metric);
    }
    return TextsOf(catalog.metrics, std::move(values));
  }
  if (const uint32_t label = catalog.labels.Find(0, name); label != 0) {
    for (const uint32_t pair : catalog.label(label).pairs) {
      if (catalog.postings(pair).size() > 0) values.push_back(pair);
    }
  }
  return TextsOf(catalog.pairs, std::move(values));
}

std::vector<std::string> LabelNamesOf(const Catalog& catalog, std::span<const uint32_t> ids) {
  std::vector<std::string> out;
  if (ids.empty()) return out;
  std::vector<bool> seen(size_t{catalog.labels.size()} + 1);
  for (const uint32_t id : ids) {
    for (const uint32_t pair : catalog.series.pairs(id)) seen[catalog.pairs.Scope(pair)] = true;
  }
  for (uint32_t label = 1; label < seen.size(); ++label) {
    if (seen[label]) out.emplace_back(catalog.labels.Text(label));
  }
  out.emplace_back(model::kMetricNameLabel);
  return Sorted(std::move(out));
}

std::vector<std::string> LabelValuesOf(const Catalog& catalog, std::string_view name,
                                       std::span<const model::SeriesRef> refs, std::span<const uint32_t> ids) {
  std::vector<uint32_t> values;
  if (name == model::kMetricNameLabel) {
    for (const model::SeriesRef& ref : refs) {
      const uint32_t metric = catalog.field(Number(ref.field)).metric;
      if (values.empty() || values.back() != metric) values.push_back(metric);
    }
    return TextsOf(catalog.metrics, std::move(values));
  }
  if (const uint32_t label = catalog.labels.Find(0, name); label != 0) {
    for (const uint32_t id : ids) {
      if (const uint32_t pair = catalog.PairOf(id, label); pair != 0) values.push_back(pair);
    }
  }
  return TextsOf(catalog.pairs, std::move(values));
}

}  // namespace tidemark::index
