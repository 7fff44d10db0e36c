// label_replace(), label_join(), absent(): functions that look at labels, not at values.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <re2/re2.h>

#include "query/functions/kernels.h"
#include "query/promql/quote.h"
#include "query/scan/tier_choice.h"
#include "storage/base/utf8.h"

namespace tidemark::query::functions {
namespace {

using frame::CheckAtRow;
using frame::Frame;
using frame::LabelArena;
using frame::LabelSet;
using frame::MergeEqualLabels;
using frame::NameFate;
using frame::RowHead;
using frame::SetLabel;

Status CheckLabelName(std::string_view name, std::string_view what, std::string_view function) {
  if (!name.empty() && IsUtf8(name)) return {};
  return InvalidArgument(fmt::format("invalid {} label name in {}(): {}", what, function, name));
}

// Bytes of a label value that a function makes. Calls inside calls can double a value each time, so it needs a limit of
// its own before it reaches the budget.
constexpr size_t kLabelValueBytesMax = size_t{1} << 20;

Error LabelValueTooLarge() {
  return LimitExceeded(fmt::format("a label value grows over the limit of {} bytes", kLabelValueBytesMax));
}

bool IsWordCharacter(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A replacement text of label_replace, cut into literal parts and groups. The syntax is that of Go's Regexp.Expand:
// $1, ${1}, $name, ${name}; $$ is a dollar; the name is as long as possible; what is not a group is left as it is, and
// unknown groups are empty.
class Replacement {
 public:
  Replacement(std::string_view text, const RE2& pattern) {
    std::string literal;
    size_t i = 0;
    while (i < text.size()) {
      if (text[i] != '$') {
        literal.push_back(text[i++]);
        continue;
      }
      if (i + 1 < text.size() && text[i + 1] == '$') {
        literal.push_back('$');
        i += 2;
        continue;
      }
      const bool braces = i + 1 < text.size() && text[i + 1] == '{';
      const size_t begin = i + (braces ? 2 : 1);
      size_t end = begin;
      while (end < text.size() && IsWordCharacter(text[end])) ++end;
      if (end == begin || (braces && (end == text.size() || text[end] != '}'))) {
        literal.push_back('$');
        ++i;
        continue;
      }
      parts_.push_back({std::exchange(literal, {}), GroupOf(text.substr(begin, end - begin), pattern)});
      i = end + (braces ? 1 : 0);
    }
    parts_.push_back({std::move(literal), kNoGroup});
  }

  // kLimitExceeded when the text grows over kLabelValueBytesMax.
  [[nodiscard]] Result<std::string> Expand(std::span<const re2::StringPiece> groups) const {
    std::string out;
    for (const Part& part : parts_) {
      out += part.literal;
      if (part.group >= 0 && static_cast<size_t>(part.group) < groups.size()) {
        const re2::StringPiece& group = groups[static_cast<size_t>(part.group)];
        if (group.data() != nullptr) out.append(group.data(), group.size());
      }
      if (out.size() > kLabelValueBytesMax) return LabelValueTooLarge();
    }
    return out;
  }

 private:
  static constexpr int kNoGroup = -1;
  struct Part {
    std::string literal;
    int group;  // follows the literal
  };

  static int GroupOf(std::string_view name, const RE2& pattern) {
    const bool digits = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    if (digits && name.size() < 6) return std::stoi(std::string(name));
    const auto& named = pattern.NamedCapturingGroups();
    const auto at = named.find(std::string(name));
    return at == named.end() ? kNoGroup : at->second;
  }

  std::vector<Part> parts_;
};

// Gives every row the label `name` with the value that value(row) returns; nullopt leaves the row alone. A new metric
// name stays, whatever was to happen to the old one.
template <typename Function>
Status Relabel(const CallArguments& call, std::string_view name, Frame* frame, Function value) {
  auto arena = std::make_unique<LabelArena>();
  const std::string_view kept_name = arena->Copy(name);
  model::LabelViews labels;
  size_t seen_bytes = 0;
  for (size_t i = 0; i < frame->size(); ++i) {
    TM_RETURN_IF_ERROR(CheckAtRow(call.state, i));
    RowHead& row = frame->rows[i];
    TM_TRY_ASSIGN(const std::optional<std::string> replaced, value(row.labels));
    if (!replaced) continue;
    if (arena->allocated_bytes() != seen_bytes) {
      // A new block: asks whether all of them fit. What stays is charged by Keep.
      seen_bytes = arena->allocated_bytes();
      TM_RETURN_IF_ERROR(call.state->Charge(seen_bytes));
      call.state->Release(seen_bytes);
    }
    labels.assign(row.labels.begin(), row.labels.end());
    SetLabel(&labels, kept_name, arena->Copy(*replaced));
    row.labels = arena->Store(labels);
    if (name == model::kMetricNameLabel) row.name = NameFate::kKeep;
  }
  call.state->Keep(std::move(arena));
  return MergeEqualLabels(frame, call.state);
}

}  // namespace

Status FrameLabelReplace(const CallArguments& call, Frame* frame) {
  const std::string& destination = call.Text(1);
  const std::string& source = call.Text(3);
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 pattern("^(?s:" + call.Text(4) + ")$", options);
  if (!pattern.ok()) {
    return InvalidArgument(fmt::format("invalid regular expression in label_replace(): {}", call.Text(4)));
  }
  TM_RETURN_IF_ERROR(CheckLabelName(destination, "destination", "label_replace"));
  const Replacement replacement(call.Text(2), pattern);
  std::vector<re2::StringPiece> groups(static_cast<size_t>(pattern.NumberOfCapturingGroups()) + 1);
  return Relabel(call, destination, frame, [&](const LabelSet& labels) -> Result<std::optional<std::string>> {
    const std::string_view value = labels.Get(source);
    const re2::StringPiece text(value.data(), value.size());
    if (!pattern.Match(text, 0, text.size(), RE2::ANCHOR_BOTH, groups.data(), static_cast<int>(groups.size()))) {
      return std::optional<std::string>();
    }
    TM_TRY_ASSIGN(std::string expanded, replacement.Expand(groups));
    return std::optional<std::string>(std::move(expanded));
  });
}

Status FrameLabelJoin(const CallArguments& call, Frame* frame) {
  const std::string& destination = call.Text(1);
  const std::string& separator = call.Text(2);
  for (size_t i = 3; i < call.node.args.size(); ++i) {
    TM_RETURN_IF_ERROR(CheckLabelName(call.Text(i), "source", "label_join"));
  }
  TM_RETURN_IF_ERROR(CheckLabelName(destination, "destination", "label_join"));
  return Relabel(call, destination, frame, [&](const LabelSet& labels) -> Result<std::optional<std::string>> {
    std::string joined;
    for (size_t i = 3; i < call.node.args.size(); ++i) {
      if (i > 3) joined += separator;
      joined += labels.Get(call.Text(i));
      if (joined.size() > kLabelValueBytesMax) return LabelValueTooLarge();
    }
    return std::optional<std::string>(std::move(joined));
  });
}

LabelSet LabelsOfAbsence(const promql::VectorSelector& selector, LabelArena* arena) {
  model::LabelViews labels;
  std::vector<std::string_view> seen;
  for (const model::Matcher& matcher : selector.matchers) {
    if (matcher.name == model::kMetricNameLabel) continue;
    const bool first = std::ranges::find(seen, matcher.name) == seen.end();
    if (matcher.op == model::MatchOp::kEqual && first) {
      SetLabel(&labels, arena->Copy(matcher.name), arena->Copy(matcher.value));
      seen.push_back(matcher.name);
    } else {
      SetLabel(&labels, matcher.name, {});
    }
  }
  return arena->Store(labels);
}

Status FrameAbsent(const CallArguments& call, Frame* frame) {
  std::vector<uint8_t> found(frame->steps);
  for (size_t row = 0; row < frame->size(); ++row) {
    const auto present = frame->RowPresent(row);
    for (size_t step = 0; step < frame->steps; ++step) found[step] |= present[step];
  }
  auto arena = std::make_unique<LabelArena>();
  RowHead head;
  if (call.node.args[0]->kind == plan::NodeKind::kSelect) {
    const auto& select = plan::As<plan::SelectNode>(*call.node.args[0]);
    head.labels = LabelsOfAbsence(*select.selector, arena.get());
    scan::NoteUnknown(
        {.grid = call.grid, .reference = select.reference, .length_ms = call.state->context().lookback_ms}, *call.state,
        &found);
  }
  *frame = Frame(frame->steps);
  const size_t row = frame->AddRow(head);
  for (size_t step = 0; step < frame->steps; ++step) {
    frame->RowValues(row)[step] = 1;
    frame->RowPresent(row)[step] = found[step] ^ 1;
  }
  frame->DropEmptyRows();
  call.state->Keep(std::move(arena));
  return {};
}

}  // namespace tidemark::query::functions
