#include "query/filter/filter_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "query/promql/parser.h"

namespace tidemark::query::filter {
namespace {

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    out.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

}  // namespace

Result<storage::SeriesFilter> FilterOfSelectors(std::span<const std::string> selectors) {
  std::vector<std::vector<model::Matcher>> any_of;
  std::string text;
  for (const std::string& selector : selectors) {
    if (selector.size() > kMaxSelectorBytes) {
      return InvalidArgument(fmt::format("a selector of a filter has at most {} bytes", kMaxSelectorBytes));
    }
    if (std::ranges::any_of(selector, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      return InvalidArgument("a selector of a filter has no control characters");
    }
    Result<std::vector<model::Matcher>> matchers = promql::ParseFilter(selector);
    if (!matchers.ok()) return matchers.error().Within(fmt::format("filter {}", selector));
    any_of.push_back(std::move(matchers).value());
    text += text.empty() ? selector : '\n' + selector;
  }
  return storage::SeriesFilter::Make(std::move(any_of), std::move(text));
}

Result<storage::SeriesFilter> ParseFilterText(std::string_view text) { return FilterOfSelectors(Split(text)); }

std::vector<std::string> SelectorsOf(const storage::SeriesFilter& filter) { return Split(filter.text()); }

}  // namespace tidemark::query::filter
