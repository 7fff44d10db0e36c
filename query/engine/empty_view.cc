#include "query/engine/empty_view.h"

#include <string>
#include <utility>
#include <vector>

namespace tidemark::query::engine {
namespace {

class NoColumns final : public storage::ColumnCursor {
 public:
  Result<bool> Next(model::Column*) override { return false; }
  [[nodiscard]] const std::vector<std::string>& warnings() const override { return warnings_; }

 private:
  std::vector<std::string> warnings_;
};

class NoTiers final : public storage::TierCursor {
 public:
  Result<bool> Next(storage::TierColumn*) override { return false; }
};

class NoSeries final : public storage::View {
 public:
  explicit NoSeries(std::vector<std::string> warnings) : warnings_(std::move(warnings)) {}
  [[nodiscard]] Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher>, model::TimeRange,
                                                             const storage::SelectOptions&) const override {
    return std::vector<model::SeriesRef>();
  }
  void LabelsOf(model::SeriesRef, model::LabelViews* labels) const override { labels->clear(); }
  [[nodiscard]] model::FieldType TypeOf(model::FieldId) const override { return model::FieldType::kFloat; }
  [[nodiscard]] std::unique_ptr<storage::ColumnCursor> Scan(std::span<const model::SeriesRef>,
                                                            model::TimeRange) const override {
    return std::make_unique<NoColumns>();
  }
  [[nodiscard]] std::vector<int64_t> Tiers() const override { return {}; }
  [[nodiscard]] std::unique_ptr<storage::TierCursor> ScanTier(std::span<const model::SeriesRef>, model::TimeRange,
                                                              int64_t) const override {
    return std::make_unique<NoTiers>();
  }
  [[nodiscard]] Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher>,
                                                            model::TimeRange) const override {
    return std::vector<std::string>();
  }
  [[nodiscard]] Result<std::vector<std::string>> LabelValues(std::string_view, std::span<const model::Matcher>,
                                                             model::TimeRange) const override {
    return std::vector<std::string>();
  }
  [[nodiscard]] std::vector<storage::FieldDescription> Fields() const override { return {}; }
  [[nodiscard]] std::vector<std::string> Warnings() const override { return warnings_; }

 private:
  const std::vector<std::string> warnings_;
};

}  // namespace

std::shared_ptr<const storage::View> EmptyView(std::vector<std::string> warnings) {
  return std::make_shared<NoSeries>(std::move(warnings));
}

}  // namespace tidemark::query::engine
