#include "query/operators/matching.h"

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "query/frame/key_numbers.h"
#include "query/plan/arithmetic.h"
#include "storage/base/hash.h"

namespace tidemark::query::operators {
namespace {

using frame::CheckAtRow;
using frame::Frame;
using frame::IsMetadataLabel;
using frame::KeyNumbers;
using frame::KeyOf;
using frame::KeyOfAllBut;
using frame::KeyOfOnly;
using frame::LabelArena;
using frame::LabelSet;
using frame::MergeEqualLabels;
using frame::NameFate;
using frame::RowHead;
using frame::SetLabel;
using promql::BinaryExpr;
using promql::MatchCardinality;
using promql::VectorMatching;
using run::QueryState;
using run::Reservation;

std::vector<std::string> SortedNames(const VectorMatching& matching) {
  std::vector<std::string> names = matching.labels;
  if (!matching.on) names.emplace_back(model::kMetricNameLabel);
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

// 1 at the steps where some row is present.
std::vector<uint8_t> AnyPresent(const Frame& frame) {
  std::vector<uint8_t> any(frame.steps);
  for (size_t row = 0; row < frame.size(); ++row) {
    const auto present = frame.RowPresent(row);
    for (size_t step = 0; step < frame.steps; ++step) any[step] |= present[step];
  }
  return any;
}

// Joins the "many" side (in one-to-one matching the left one) with the "one" side.
class Join {
 public:
  Join(const BinaryExpr& expr, Frame lhs, Frame rhs, QueryState* state)
      : expr_(expr),
        matching_(*expr.matching),
        swapped_(matching_.card == MatchCardinality::kOneToMany),
        many_(swapped_ ? std::move(rhs) : std::move(lhs)),
        one_(swapped_ ? std::move(lhs) : std::move(rhs)),
        names_(SortedNames(matching_)),
        state_(state),
        arena_(std::make_unique<LabelArena>()),
        out_(many_.steps),
        memory_(state) {}

  Result<Frame> Run() {
    if (matching_.fill_left || matching_.fill_right) TM_RETURN_IF_ERROR(FillIn());
    TM_TRY_ASSIGN(const Signatures signatures, SignRows(matching_, many_, one_, state_));
    const std::vector<std::vector<uint32_t>> many_of = RowsOf(signatures.lhs, signatures.count);
    const std::vector<std::vector<uint32_t>> one_of = RowsOf(signatures.rhs, signatures.count);
    std::vector<uint8_t> any_many = AnyPresent(many_);
    if (matching_.fill_left) std::ranges::fill(any_many, uint8_t{1});
    for (size_t s = 0; s < signatures.count; ++s) {
      TM_RETURN_IF_ERROR(CheckAtRow(state_, s));
      TM_RETURN_IF_ERROR(CheckOneSide(one_of[s], any_many));
      if (many_of[s].empty() || one_of[s].empty()) continue;
      TM_RETURN_IF_ERROR(CheckManySide(many_of[s], one_of[s]));
      for (const uint32_t many : many_of[s]) {
        for (const uint32_t one : one_of[s]) TM_RETURN_IF_ERROR(Combine(many, one));
      }
    }
    out_.DropEmptyRows();
    state_->Keep(std::move(arena_));
    // At a single step the check waits until names have been dropped, as it does in Prometheus.
    if (out_.steps > 1) TM_RETURN_IF_ERROR(MergeEqualLabels(&out_, state_));
    return std::move(out_);
  }

 private:
  // Gives each side a row for every signature that only the other one has, at the steps at which that is so. Upstream
  // does not swap the values with the sides under group_right: fill_left is always for the "many" side.
  Status FillIn() {
    TM_TRY_ASSIGN(const Signatures signatures, SignRows(matching_, many_, one_, state_));
    const std::vector<uint8_t> many_has = Presence(many_, signatures.lhs, signatures.count);
    const std::vector<uint8_t> one_has = Presence(one_, signatures.rhs, signatures.count);
    TM_RETURN_IF_ERROR(memory_.Set(2 * signatures.count * out_.steps * (sizeof(double) + 3 * sizeof(uint8_t))));
    const size_t many_rows = many_.size();
    const size_t one_rows = one_.size();
    if (matching_.fill_right)
      FillSide(many_, many_rows, signatures.lhs, many_has, one_has, *matching_.fill_right, &one_);
    if (matching_.fill_left) FillSide(one_, one_rows, signatures.rhs, one_has, many_has, *matching_.fill_left, &many_);
    return state_->CheckInterrupt();
  }

  // For each signature the steps at which some row has it.
  static std::vector<uint8_t> Presence(const Frame& frame, const std::vector<uint32_t>& signatures, size_t count) {
    std::vector<uint8_t> out(count * frame.steps);
    for (size_t row = 0; row < signatures.size(); ++row) {
      const auto present = frame.RowPresent(row);
      uint8_t* const marks = out.data() + signatures[row] * frame.steps;
      for (size_t step = 0; step < frame.steps; ++step) marks[step] |= present[step];
    }
    return out;
  }

  void FillSide(const Frame& from, size_t rows, const std::vector<uint32_t>& signatures,
                const std::vector<uint8_t>& has, const std::vector<uint8_t>& lacks, double value, Frame* to) {
    std::unordered_set<uint32_t> seen;
    for (size_t row = 0; row < rows; ++row) {
      if (!seen.insert(signatures[row]).second) continue;
      const LabelSet& labels = from.rows[row].labels;
      const size_t added = to->AddRow(
          {.labels = matching_.on ? Keep(labels, names_, arena_.get()) : Drop(labels, names_, arena_.get())});
      const size_t first = signatures[row] * to->steps;
      for (size_t step = 0; step < to->steps; ++step) {
        to->RowValues(added)[step] = value;
        to->RowPresent(added)[step] = static_cast<uint8_t>(has[first + step] & (lacks[first + step] ^ 1));
      }
    }
    to->DropEmptyRows();
  }

  static std::vector<std::vector<uint32_t>> RowsOf(const std::vector<uint32_t>& signatures, size_t count) {
    std::vector<std::vector<uint32_t>> rows(count);
    for (size_t row = 0; row < signatures.size(); ++row) rows[signatures[row]].push_back(static_cast<uint32_t>(row));
    return rows;
  }

  // At no step may two rows of the "one" side share a signature, where the other side has anything at all.
  Status CheckOneSide(const std::vector<uint32_t>& rows, const std::vector<uint8_t>& any_many) {
    if (rows.size() < 2) return {};
    constexpr uint32_t kNone = UINT32_MAX;
    std::vector<uint32_t> holder(one_.steps, kNone);
    for (const uint32_t row : rows) {
      const auto present = one_.RowPresent(row);
      for (size_t step = 0; step < one_.steps; ++step) {
        if (present[step] == 0 || any_many[step] == 0) continue;
        if (holder[step] != kNone) return Duplicate(row, holder[step]);
        holder[step] = row;
      }
    }
    return {};
  }

  Error Duplicate(uint32_t row, uint32_t earlier) {
    const LabelSet& labels = one_.rows[row].labels;
    // In the order of their labels, so that a query fails with the same words every time.
    const LabelSet& other = one_.rows[earlier].labels;
    const bool in_order = (other <=> labels) < 0;
    const LabelSet group = matching_.on ? Keep(labels, names_, arena_.get()) : Drop(labels, names_, arena_.get());
    return InvalidArgument(fmt::format(
        "found duplicate series for the match group {} on the {} hand-side of the operation: [{}, {}];many-to-many "
        "matching not allowed: matching labels must be unique on one side",
        ToString(group), swapped_ ? "left" : "right", ToString(in_order ? other : labels),
        ToString(in_order ? labels : other)));
  }

  // One-to-one: at no step may two rows of the left side match. Many-to-one: they may, with different results.
  Status CheckManySide(const std::vector<uint32_t>& many, const std::vector<uint32_t>& one) {
    if (many.size() < 2) return {};
    std::vector<uint8_t> one_present(one_.steps);
    for (const uint32_t row : one) {
      const auto present = one_.RowPresent(row);
      for (size_t step = 0; step < one_.steps; ++step) one_present[step] |= present[step];
    }
    if (matching_.card == MatchCardinality::kOneToOne) {
      std::vector<uint8_t> taken(many_.steps);
      for (const uint32_t row : many) {
        if (!Take(many_.RowPresent(row), one_present, &taken)) {
          return InvalidArgument(
              "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
        }
      }
      return {};
    }
    std::unordered_map<std::string, std::vector<uint8_t>> taken_by_result;
    std::string key;
    for (const uint32_t row : many) {
      // Included labels come from one and the same row at each step, so the first one tells equal results apart.
      KeyOf(ResultLabels(many_.rows[row].labels, one_.rows[one.front()].labels), &key);
      std::vector<uint8_t>& taken = taken_by_result[key];
      taken.resize(many_.steps);
      if (!Take(many_.RowPresent(row), one_present, &taken)) {
        return InvalidArgument("multiple matches for labels: grouping labels must ensure unique matches");
      }
    }
    return {};
  }

  // Marks the steps at which both are present; false when one is marked already.
  static bool Take(std::span<const uint8_t> many, const std::vector<uint8_t>& one, std::vector<uint8_t>* taken) {
    uint8_t twice = 0;
    for (size_t step = 0; step < many.size(); ++step) {
      const auto both = static_cast<uint8_t>(many[step] & one[step]);
      twice = static_cast<uint8_t>(twice | (both & (*taken)[step]));
      (*taken)[step] = static_cast<uint8_t>((*taken)[step] | both);
    }
    return twice == 0;
  }

  LabelSet ResultLabels(const LabelSet& many, const LabelSet& one) {
    labels_.assign(many.begin(), many.end());
    if (!promql::IsComparison(expr_.op)) {
      std::erase_if(labels_, [](const model::LabelView& label) { return IsMetadataLabel(label.name); });
    }
    if (matching_.card == MatchCardinality::kOneToOne) {
      std::erase_if(labels_, [&](const model::LabelView& label) {
        const bool named = std::ranges::find(matching_.labels, label.name) != matching_.labels.end();
        return named != matching_.on;
      });
    }
    for (const std::string& name : matching_.include) {
      const std::string_view value = one.Get(name);
      SetLabel(&labels_, value.empty() ? std::string_view(name) : arena_->Copy(name), value);
    }
    return arena_->Store(labels_);
  }

  Status Combine(uint32_t many, uint32_t one) {
    const auto many_present = many_.RowPresent(many);
    const auto one_present = one_.RowPresent(one);
    cells_ += out_.steps;
    if (cells_ >= kCellsPerCheck) {
      cells_ = 0;
      TM_RETURN_IF_ERROR(state_->CheckInterrupt());
      TM_RETURN_IF_ERROR(memory_.Set(out_.bytes()));
    }
    // Rows that take turns meet at no step.
    uint8_t meet = 0;
    for (size_t step = 0; step < out_.steps; ++step) {
      meet = static_cast<uint8_t>(meet | (many_present[step] & one_present[step]));
    }
    if (meet == 0) return {};
    const auto a = swapped_ ? one_.RowValues(one) : many_.RowValues(many);
    const auto b = swapped_ ? many_.RowValues(many) : one_.RowValues(one);
    const RowHead& head = many_.rows[many];
    const size_t row = out_.AddRow({.labels = ResultLabels(head.labels, one_.rows[one].labels),
                                    .name = expr_.return_bool ? NameFate::kDrop : head.name});
    const auto values = out_.RowValues(row);
    const auto present = out_.RowPresent(row);
    const bool comparison = promql::IsComparison(expr_.op);
    for (size_t step = 0; step < out_.steps; ++step) {
      if ((many_present[step] & one_present[step]) == 0) continue;
      if (!comparison) {
        values[step] = plan::Calculate(expr_.op, a[step], b[step]);
        present[step] = 1;
        continue;
      }
      const bool holds = plan::Compare(expr_.op, a[step], b[step]);
      values[step] = expr_.return_bool ? (holds ? 1.0 : 0.0) : a[step];
      present[step] = holds || expr_.return_bool ? 1 : 0;
    }
    return {};
  }

  static constexpr size_t kCellsPerCheck = 1 << 18;

  const BinaryExpr& expr_;
  const VectorMatching& matching_;
  bool swapped_;
  Frame many_;
  Frame one_;
  std::vector<std::string> names_;
  QueryState* state_;
  std::unique_ptr<LabelArena> arena_;
  model::LabelViews labels_;
  Frame out_;
  Reservation memory_;
  size_t cells_ = 0;  // since the last look at clock and budget
};

}  // namespace

Result<Signatures> SignRows(const VectorMatching& matching, const Frame& lhs, const Frame& rhs,
                            const QueryState* state) {
  std::vector<std::string> names = SortedNames(matching);
  if (!matching.on) {
    // What kind of metric it is does not keep series apart, any more than its name does.
    names.insert(names.end(), {"__type__", "__unit__"});
    std::ranges::sort(names);
  }
  const auto key_of = [&](const LabelSet& labels, std::string* key) {
    if (matching.on) {
      KeyOfOnly(labels, names, key);
    } else {
      KeyOfAllBut(labels, names, key);
    }
  };
  KeyNumbers numbers(lhs.size());
  std::vector<const LabelSet*> first_of_number;
  first_of_number.reserve(lhs.size());
  std::string key;
  std::string other_key;
  const auto sign = [&](const Frame& frame) -> Result<std::vector<uint32_t>> {
    std::vector<uint32_t> out(frame.size());
    for (size_t row = 0; row < frame.size(); ++row) {
      TM_RETURN_IF_ERROR(CheckAtRow(state, row));
      key_of(frame.rows[row].labels, &key);
      const auto [number, added] = numbers.NumberOf(Hash64(key, 0), [&](uint32_t other) {
        key_of(*first_of_number[other], &other_key);
        return other_key == key;
      });
      if (added) first_of_number.push_back(&frame.rows[row].labels);
      out[row] = number;
    }
    return out;
  };
  Signatures out;
  TM_TRY_ASSIGN(out.lhs, sign(lhs));
  TM_TRY_ASSIGN(out.rhs, sign(rhs));
  out.count = numbers.size();
  return out;
}

Result<Frame> MatchVectors(const BinaryExpr& expr, Frame lhs, Frame rhs, QueryState* state) {
  return Join(expr, std::move(lhs), std::move(rhs), state).Run();
}

Result<Frame> CombineSets(const BinaryExpr& expr, Frame lhs, Frame rhs, const QueryState* state) {
  TM_TRY_ASSIGN(const Signatures signatures, SignRows(*expr.matching, lhs, rhs, state));
  const bool keeps_right = expr.op == promql::BinaryOp::kOr;
  const Frame& decides = keeps_right ? lhs : rhs;
  const std::vector<uint32_t>& deciding = keeps_right ? signatures.lhs : signatures.rhs;
  // For each signature the steps at which the deciding side has it.
  std::vector<uint8_t> has(signatures.count * lhs.steps);
  for (size_t row = 0; row < decides.size(); ++row) {
    TM_RETURN_IF_ERROR(CheckAtRow(state, row));
    const auto present = decides.RowPresent(row);
    uint8_t* const marks = has.data() + deciding[row] * lhs.steps;
    for (size_t step = 0; step < lhs.steps; ++step) marks[step] |= present[step];
  }
  Frame& filtered = keeps_right ? rhs : lhs;
  const std::vector<uint32_t>& filtering = keeps_right ? signatures.rhs : signatures.lhs;
  const uint8_t flip = expr.op == promql::BinaryOp::kAnd ? 0 : 1;
  for (size_t row = 0; row < filtered.size(); ++row) {
    TM_RETURN_IF_ERROR(CheckAtRow(state, row));
    const auto present = filtered.RowPresent(row);
    const uint8_t* const marks = has.data() + filtering[row] * lhs.steps;
    for (size_t step = 0; step < lhs.steps; ++step) {
      present[step] = static_cast<uint8_t>(present[step] & (marks[step] ^ flip));
    }
  }
  filtered.DropEmptyRows();
  if (!keeps_right) return lhs;
  for (size_t row = 0; row < rhs.size(); ++row) {
    TM_RETURN_IF_ERROR(CheckAtRow(state, row));
    lhs.AddRowOf(rhs, row);
  }
  if (lhs.steps > 1) TM_RETURN_IF_ERROR(MergeEqualLabels(&lhs, state));
  return lhs;
}

}  // namespace tidemark::query::operators
