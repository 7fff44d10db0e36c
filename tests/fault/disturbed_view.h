// DisturbedView: a view in the midst of whose scans something else happens: at the n-th column or tier that is read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/storage.h"

namespace tidemark::fault {

// For one thread.
class DisturbedView final : public storage::View {
 public:
  // `disturb` is called once, before the column number `column` (from 0) is read.
  DisturbedView(std::shared_ptr<const storage::View> view, uint64_t column, std::function<void()> disturb)
      : view_(std::move(view)), state_(std::make_shared<State>(State{column, std::move(disturb)})) {}

  [[nodiscard]] bool disturbed() const { return state_->disturb == nullptr; }

  [[nodiscard]] Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher> matchers,
                                                             model::TimeRange range,
                                                             const storage::SelectOptions& options) const override {
    return view_->Select(matchers, range, options);
  }
  void LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const override { view_->LabelsOf(ref, labels); }
  [[nodiscard]] model::FieldType TypeOf(model::FieldId field) const override { return view_->TypeOf(field); }
  [[nodiscard]] std::unique_ptr<storage::ColumnCursor> Scan(std::span<const model::SeriesRef> refs,
                                                            model::TimeRange range) const override {
    return std::make_unique<Columns>(view_->Scan(refs, range), state_);
  }
  [[nodiscard]] std::vector<int64_t> Tiers() const override { return view_->Tiers(); }
  [[nodiscard]] std::unique_ptr<storage::TierCursor> ScanTier(std::span<const model::SeriesRef> refs,
                                                              model::TimeRange range, int64_t width_ns) const override {
    return std::make_unique<TierColumns>(view_->ScanTier(refs, range, width_ns), state_);
  }
  [[nodiscard]] Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers,
                                                            model::TimeRange range) const override {
    return view_->LabelNames(matchers, range);
  }
  [[nodiscard]] Result<std::vector<std::string>> LabelValues(std::string_view name,
                                                             std::span<const model::Matcher> matchers,
                                                             model::TimeRange range) const override {
    return view_->LabelValues(name, matchers, range);
  }
  [[nodiscard]] std::vector<storage::FieldDescription> Fields() const override { return view_->Fields(); }

 private:
  struct State {
    uint64_t left = 0;
    std::function<void()> disturb;
    void Count() {
      if (disturb != nullptr && left-- == 0) std::exchange(disturb, nullptr)();
    }
  };
  class Columns final : public storage::ColumnCursor {
   public:
    Columns(std::unique_ptr<storage::ColumnCursor> cursor, std::shared_ptr<State> state)
        : cursor_(std::move(cursor)), state_(std::move(state)) {}
    Result<bool> Next(model::Column* column) override {
      state_->Count();
      return cursor_->Next(column);
    }
    [[nodiscard]] const std::vector<std::string>& warnings() const override { return cursor_->warnings(); }

   private:
    const std::unique_ptr<storage::ColumnCursor> cursor_;
    const std::shared_ptr<State> state_;
  };
  class TierColumns final : public storage::TierCursor {
   public:
    TierColumns(std::unique_ptr<storage::TierCursor> cursor, std::shared_ptr<State> state)
        : cursor_(std::move(cursor)), state_(std::move(state)) {}
    Result<bool> Next(storage::TierColumn* column) override {
      state_->Count();
      return cursor_->Next(column);
    }

   private:
    const std::unique_ptr<storage::TierCursor> cursor_;
    const std::shared_ptr<State> state_;
  };

  const std::shared_ptr<const storage::View> view_;
  const std::shared_ptr<State> state_;
};

}  // namespace tidemark::fault
