// info(): adds labels of info metrics, as target_info, to the series that they describe: those with the same `instance`
// and `job`. Source: Prometheus, promql/info.go, and
// https://prometheus.io/docs/prometheus/latest/querying/functions/#info
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <fmt/core.h>
#include <re2/re2.h>

#include "query/functions/kernels.h"

namespace tidemark::query::functions {
namespace {

using frame::Frame;
using frame::LabelArena;
using frame::LabelSet;
using frame::MergeEqualLabels;
using frame::RowHead;
using frame::SetLabel;

constexpr std::array<std::string_view, 2> kIdentifying{"instance", "job"};
constexpr uint32_t kNone = UINT32_MAX;

// A condition of the second argument, ready to be asked.
class Condition {
 public:
  explicit Condition(const model::Matcher& matcher) : op_(matcher.op), name_(matcher.name), value_(matcher.value) {
    if (op_ != model::MatchOp::kRegex && op_ != model::MatchOp::kNotRegex) return;
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    pattern_ = std::make_unique<RE2>(value_, options);
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool Holds(std::string_view value) const {
    switch (op_) {
      case model::MatchOp::kEqual: return value == value_;
      case model::MatchOp::kNotEqual: return value != value_;
      case model::MatchOp::kRegex: return Matches(value);
      case model::MatchOp::kNotRegex: return !Matches(value);
    }
    return false;
  }

 private:
  [[nodiscard]] bool Matches(std::string_view value) const {
    return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *pattern_);
  }

  model::MatchOp op_;
  std::string name_;
  std::string value_;
  std::unique_ptr<RE2> pattern_;
};

class InfoJoin {
 public:
  InfoJoin(const CallArguments& call, const Frame& info, Frame* base)
      : call_(call), info_(info), base_(*base), out_(base->steps), arena_(std::make_unique<LabelArena>()) {
    for (const model::Matcher& matcher : *call.node.info_matchers) {
      const bool name = matcher.name == model::kMetricNameLabel;
      (name ? names_ : data_).emplace_back(matcher);
    }
  }

  Result<Frame> Run() {
    IndexInfo();
    TM_RETURN_IF_ERROR(CheckConflicts());
    for (uint32_t row = 0; row < base_.size(); ++row) {
      TM_RETURN_IF_ERROR(IsInfo(base_.rows[row].labels) ? Pass(row) : Enrich(row));
      if (row % 1024 == 0) TM_RETURN_IF_ERROR(call_.state->CheckInterrupt());
    }
    call_.state->Keep(std::move(arena_));
    out_.DropEmptyRows();
    if (out_.steps > 1) TM_RETURN_IF_ERROR(MergeEqualLabels(&out_, call_.state));
    return std::move(out_);
  }

 private:
  // Info rows of one metric that describe the same target; of those at one step the newest sample counts.
  using Group = std::vector<uint32_t>;

  [[nodiscard]] bool IsInfo(const LabelSet& labels) const {
    return std::ranges::all_of(names_, [&](const Condition& name) { return name.Holds(labels.metric_name()); });
  }

  static std::string SignatureOf(const LabelSet& labels) {
    std::string out(labels.Get(kIdentifying[0]));
    out += '\xff';
    out += labels.Get(kIdentifying[1]);
    return out;
  }

  void IndexInfo() {
    std::array<std::unordered_set<std::string_view>, 2> wanted;
    for (const RowHead& row : base_.rows) {
      if (IsInfo(row.labels)) continue;
      for (size_t i = 0; i < kIdentifying.size(); ++i) {
        if (const std::string_view value = row.labels.Get(kIdentifying[i]); !value.empty()) wanted[i].insert(value);
      }
    }
    if (wanted[0].empty() && wanted[1].empty()) return;
    for (uint32_t row = 0; row < info_.size(); ++row) {
      const LabelSet& labels = info_.rows[row].labels;
      bool known = true;
      for (size_t i = 0; i < kIdentifying.size(); ++i) {
        known = known && (wanted[i].empty() || wanted[i].contains(labels.Get(kIdentifying[i])));
      }
      if (known) groups_[SignatureOf(labels)][labels.metric_name()].push_back(row);
    }
  }

  // The newest of a group at one step, or kNone.
  [[nodiscard]] uint32_t NewestOf(const Group& group, size_t step) const {
    uint32_t newest = kNone;
    for (const uint32_t row : group) {
      if (info_.RowPresent(row)[step] == 0) continue;
      if (newest == kNone || info_.RowValues(row)[step] > info_.RowValues(newest)[step]) newest = row;
    }
    return newest;
  }

  Status CheckConflicts() const {
    for (const auto& [_, metrics] : groups_) {
      for (const auto& [name, group] : metrics) {
        for (size_t step = 0; group.size() > 1 && step < info_.steps; ++step) {
          const uint32_t newest = NewestOf(group, step);
          for (const uint32_t row : group) {
            if (newest == kNone || row == newest || info_.RowPresent(row)[step] == 0) continue;
            const double time = info_.RowValues(newest)[step];
            if (info_.RowValues(row)[step] != time) continue;
            return InvalidArgument(fmt::format("found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                                               ToString(info_.rows[newest].labels), time * 1000,
                                               ToString(info_.rows[row].labels), time * 1000));
          }
        }
      }
    }
    return {};
  }

  Status Pass(uint32_t row) {
    out_.AddRowOf(base_, row);
    return {};
  }

  Status Enrich(uint32_t row) {
    const LabelSet& labels = base_.rows[row].labels;
    const auto metrics = groups_.find(SignatureOf(labels));
    std::map<std::vector<uint32_t>, uint32_t> row_of_choice;
    std::vector<uint32_t> choice;
    for (size_t step = 0; step < base_.steps; ++step) {
      if (base_.RowPresent(row)[step] == 0) continue;
      choice.clear();
      if (metrics != groups_.end()) {
        for (const auto& [_, group] : metrics->second) {
          if (const uint32_t newest = NewestOf(group, step); newest != kNone) choice.push_back(newest);
        }
      }
      auto known = row_of_choice.find(choice);
      if (known == row_of_choice.end()) {
        TM_TRY_ASSIGN(const uint32_t added, AddRow(base_.rows[row], choice));
        known = row_of_choice.emplace(choice, added).first;
      }
      if (known->second == kNone) continue;
      out_.RowValues(known->second)[step] = base_.RowValues(row)[step];
      out_.RowPresent(known->second)[step] = 1;
    }
    return {};
  }

  // A row for the labels of `head` with those of the info rows; kNone where no info series says what was asked for.
  Result<uint32_t> AddRow(const RowHead& head, const std::vector<uint32_t>& choice) {
    const auto allows_absence = [](const Condition& condition) { return condition.Holds(""); };
    if (choice.empty() && !std::ranges::all_of(data_, allows_absence)) return kNone;
    std::map<std::string_view, std::string_view> added;
    for (const uint32_t info : choice) {
      for (const model::LabelView& label : info_.rows[info].labels) {
        if (label.name == model::kMetricNameLabel) continue;
        if (!data_.empty() && std::ranges::find(data_, label.name, &Condition::name) == data_.end()) continue;
        if (!head.labels.Get(label.name).empty()) {
          continue;
        }
        const auto [at, fresh] = added.emplace(label.name, label.value);
        if (!fresh && at->second != label.value) {
          return InvalidArgument(fmt::format("conflicting label: {}", label.name));
        }
      }
    }
    model::LabelViews labels(head.labels.begin(), head.labels.end());
    for (const auto& [name, value] : added) SetLabel(&labels, name, value);
    return static_cast<uint32_t>(out_.AddRow({.labels = arena_->Store(labels), .name = head.name}));
  }

  const CallArguments& call_;
  const Frame& info_;
  const Frame& base_;
  Frame out_;
  std::unique_ptr<LabelArena> arena_;
  std::vector<Condition> names_;
  std::vector<Condition> data_;
  std::unordered_map<std::string, std::map<std::string_view, Group>> groups_;
};

}  // namespace

Status JoinInfo(const CallArguments& call, const Frame& times, Frame* frame) {
  TM_TRY_ASSIGN(Frame out, InfoJoin(call, times, frame).Run());
  *frame = std::move(out);
  return {};
}

Status FrameInfo(const CallArguments& call, Frame* frame) { return JoinInfo(call, Frame(frame->steps), frame); }

}  // namespace tidemark::query::functions
