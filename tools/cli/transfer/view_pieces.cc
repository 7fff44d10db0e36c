#include "tools/cli/transfer/view_pieces.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/text/instant.h"

namespace tidemark::cli {

Result<std::unique_ptr<ViewPieces>> ViewPieces::Open(std::shared_ptr<const storage::View> view,
                                                     const std::vector<std::vector<model::Matcher>>& selectors,
                                                     model::TimeRange range) {
  const std::vector<std::vector<model::Matcher>> all{{}};
  std::vector<model::SeriesRef> refs;
  for (const std::vector<model::Matcher>& matchers : selectors.empty() ? all : selectors) {
    TM_TRY_ASSIGN(const std::vector<model::SeriesRef> some,
                  view->Select(matchers, range, {.numeric = true, .strings = true, .max_series = 0}));
    refs.insert(refs.end(), some.begin(), some.end());
    std::sort(refs.begin(), refs.end());
    refs.erase(std::unique(refs.begin(), refs.end()), refs.end());
  }
  refs = view->Present(std::move(refs), range);
  return std::unique_ptr<ViewPieces>(new ViewPieces(std::move(view), std::move(refs), range));
}

ViewPieces::ViewPieces(std::shared_ptr<const storage::View> view, std::vector<model::SeriesRef> refs,
                       model::TimeRange range)
    : view_(std::move(view)), refs_(std::move(refs)), range_(range), cursor_(view_, refs_, range) {
  for (storage::FieldDescription& field : view_->Fields()) {
    names_.emplace(model::Number(field.id), Names{std::move(field.measurement), std::move(field.field)});
  }
}

Result<bool> ViewPieces::Next(transfer::Piece* piece) {
  while (at_ == column_.size()) {
    TM_TRY_ASSIGN(const bool more, cursor_.Next(&column_));
    if (!more) return false;
    at_ = 0;
    ++done_;
  }
  model::LabelViews labels;
  view_->LabelsOf(column_.ref, &labels);
  std::erase_if(labels, [](const model::LabelView& label) { return label.name == model::kMetricNameLabel; });
  piece->tags = model::ToLabels(labels);
  const auto names = names_.find(model::Number(column_.ref.field));
  if (names == names_.end()) return MakeError(ErrorCode::kInternal, "a series has a field that is not known");
  piece->measurement = names->second.measurement;
  piece->field = names->second.field;
  piece->type = column_.type;
  piece->ClearValues();
  const size_t end = std::min(column_.size(), at_ + transfer::kPieceRows);
  transfer::AppendRows(column_, at_, end, piece);
  at_ = end;
  return true;
}

std::vector<std::string> ViewPieces::Warnings() const {
  std::vector<std::string> out = view_->Warnings();
  const std::vector<std::string>& more = cursor_.warnings();
  out.insert(out.end(), more.begin(), more.end());
  if (const auto gone = view_->RawGoneIn(range_)) {
    out.push_back(fmt::format("rows from {} to {} are gone; rollup tiers of them are left, which are not rows",
                              text::PrintSecond(gone->range.first.ns), text::PrintSecond(gone->range.last.ns)));
  }
  return out;
}

}  // namespace tidemark::cli
