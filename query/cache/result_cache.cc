#include "query/cache/result_cache.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "query/cache/touched_steps.h"
#include "query/frame/frame_order.h"
#include "query/run/query_state.h"

namespace tidemark::query::cache {
namespace {

using frame::Frame;
using frame::KeyOf;
using frame::LabelArena;
using frame::LabelSet;
using frame::RowHead;
using frame::SortByLabels;
using run::HoldBytes;
using run::QueryContext;
using run::QueryResult;
using run::RangeSpec;

// A query that lacks steps here and there is evaluated in at most so many pieces.
constexpr size_t kMaxPieces = 4;

// Labels that live longer than the view which they were read from. Rows of several results may point to them.
struct KeptLabels {
  LabelArena arena;
  // Bytes that the store hands out are those of a dictionary: equal texts mostly have equal addresses.
  std::unordered_map<const char*, std::string_view> copies;

  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    const auto found = copies.find(text.data());
    if (found != copies.end() && found->second == text) return found->second;
    const std::string_view copy = arena.Copy(text);
    copies.insert_or_assign(text.data(), copy);
    return copy;
  }
  LabelSet Copy(const LabelSet& labels) {
    model::LabelViews copied;
    copied.reserve(labels.size());
    for (const model::LabelView& label : labels) copied.push_back({Copy(label.name), Copy(label.value)});
    return arena.Store(copied);
  }
};

// The steps [first, last) of a grid.
struct Run {
  size_t first = 0;
  size_t last = 0;
};

plan::StepGrid GridOf(const RangeSpec& range) {
  return {.start_ms = range.start_ms,
          .step_ms = range.step_ms,
          .count = static_cast<size_t>((range.end_ms - range.start_ms) / range.step_ms) + 1};
}

// The runs of steps that are not `usable`; close ones together, so that there are at most kMaxPieces.
std::vector<Run> MissingRuns(const std::vector<uint8_t>& usable) {
  std::vector<Run> runs;
  for (size_t step = 0; step < usable.size(); ++step) {
    if (usable[step] != 0) continue;
    if (runs.empty() || runs.back().last != step) runs.push_back({step, step});
    runs.back().last = step + 1;
  }
  while (runs.size() > kMaxPieces) {
    size_t best = 1;
    for (size_t i = 2; i < runs.size(); ++i) {
      if (runs[i].first - runs[i - 1].last < runs[best].first - runs[best - 1].last) best = i;
    }
    runs[best - 1].last = runs[best].last;
    runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return runs;
}

// Resolutions that answered, "1h" and "1h+raw" as "1h+raw".
std::string Together(const std::string& a, const std::string& b) {
  std::vector<std::string_view> parts;
  bool raw = false;
  for (const std::string_view text : {std::string_view(a), std::string_view(b)}) {
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('+', at), text.size());
      const std::string_view part = text.substr(at, end - at);
      at = end + 1;
      if (part == "raw") {
        raw = true;
      } else if (std::ranges::find(parts, part) == parts.end()) {
        parts.push_back(part);
      }
    }
  }
  std::string out;
  if (raw) parts.push_back("raw");
  for (const std::string_view part : parts) out.append(out.empty() ? "" : "+").append(part);
  return out;
}

}  // namespace

struct ResultCache::Entry {
  storage::ChangeMark mark;
  plan::StepGrid grid;
  std::shared_ptr<const Frame> frame;  // sorted by labels
  std::shared_ptr<const KeptLabels> labels;
  std::string resolution;
  uint64_t bytes = 0;
};

struct ResultCache::Reuse {
  plan::StepGrid grid;
  EntryPtr entry;
  std::ptrdiff_t shift = 0;  // step i of the grid is step i + shift of the entry
  std::vector<uint8_t> usable;
  std::vector<Run> missing;
};

ResultCache::EntryPtr ResultCache::Find(const std::string& name) {
  MutexLock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  slots_.splice(slots_.begin(), slots_, found->second);
  return found->second->entry;
}

void ResultCache::Keep(const std::string& name, EntryPtr entry) {
  if (entry->bytes > max_bytes_ / 4) return;
  MutexLock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    // A query over an older view has been slower.
    if (found->second->entry->mark.number > entry->mark.number) return;
    stats_.bytes += entry->bytes - found->second->entry->bytes;
    found->second->entry = std::move(entry);
    slots_.splice(slots_.begin(), slots_, found->second);
  } else {
    stats_.bytes += entry->bytes;
    ++stats_.entries;
    slots_.push_front({name, std::move(entry)});
    by_name_.emplace(name, slots_.begin());
  }
  while (stats_.bytes > max_bytes_ && !slots_.empty()) {
    stats_.bytes -= slots_.back().entry->bytes;
    --stats_.entries;
    ++stats_.evictions;
    by_name_.erase(slots_.back().name);
    slots_.pop_back();
  }
}

ResultCacheStats ResultCache::Stats() const {
  MutexLock lock(mutex_);
  return stats_;
}

// The steps of the entry that hold, and the rest evaluated, as one result.
Result<QueryResult> ResultCache::Complete(const promql::Expr& expr, const Reuse& reuse, const QueryContext& context,
                                          const Evaluate& evaluate) {
  const Entry& entry = *reuse.entry;
  const size_t count = reuse.grid.count;
  QueryResult out;
  out.type = promql::ValueType::kMatrix;
  out.grid = reuse.grid;
  out.frame = Frame(count);
  out.kept = reuse.entry;
  out.view = context.view;
  out.stats.resolution = entry.resolution;
  const size_t rows = entry.frame->size();
  const size_t bytes_per_row = sizeof(RowHead) + count * (sizeof(double) + sizeof(uint8_t));
  TM_TRY_ASSIGN(out.memory, HoldBytes(context.memory, rows * bytes_per_row));
  out.frame.rows.reserve(rows);
  out.frame.values.reserve(rows * count);
  out.frame.present.reserve(rows * count);
  for (size_t row = 0; row < entry.frame->size(); ++row) {
    const auto values = entry.frame->RowValues(row);
    const auto present = entry.frame->RowPresent(row);
    std::optional<size_t> to;
    for (size_t step = 0; step < count; ++step) {
      if (reuse.usable[step] == 0) continue;
      const auto from = static_cast<size_t>(static_cast<std::ptrdiff_t>(step) + reuse.shift);
      if (present[from] == 0) continue;
      if (!to) to = out.frame.AddRow(entry.frame->rows[row]);
      out.frame.values[*to * count + step] = values[from];
      out.frame.present[*to * count + step] = 1;
    }
  }
  if (reuse.missing.empty()) return out;

  std::unordered_map<std::string, size_t> row_of;
  std::string key;
  for (size_t row = 0; row < out.frame.size(); ++row) {
    KeyOf(out.frame.rows[row].labels, &key);
    row_of.emplace(key, row);
  }
  std::set<std::string> warnings;
  std::set<std::string> infos;
  std::vector<std::shared_ptr<const void>> memory{std::move(out.memory)};
  for (const Run& run : reuse.missing) {
    const RangeSpec part{.start_ms = reuse.grid.TimeMs(run.first),
                         .end_ms = reuse.grid.TimeMs(run.last - 1),
                         .step_ms = reuse.grid.step_ms,
                         .instant = false};
    TM_TRY_ASSIGN(QueryResult piece, evaluate(expr, part, context));
    for (size_t row = 0; row < piece.frame.size(); ++row) {
      KeyOf(piece.frame.rows[row].labels, &key);
      const auto [at, added] = row_of.try_emplace(key, out.frame.size());
      if (added) out.frame.AddRow(piece.frame.rows[row]);
      std::ranges::copy(piece.frame.RowValues(row),
                        out.frame.RowValues(at->second).begin() + static_cast<std::ptrdiff_t>(run.first));
      std::ranges::copy(piece.frame.RowPresent(row),
                        out.frame.RowPresent(at->second).begin() + static_cast<std::ptrdiff_t>(run.first));
    }
    warnings.insert(piece.warnings.begin(), piece.warnings.end());
    infos.insert(piece.infos.begin(), piece.infos.end());
    for (auto& arena : piece.arenas) out.arenas.push_back(std::move(arena));
    memory.push_back(std::move(piece.memory));
    out.stats.samples += piece.stats.samples;
    out.stats.series = std::max(out.stats.series, piece.stats.series);
    out.stats.tier_buckets += piece.stats.tier_buckets;
    out.stats.peak_bytes = std::max(out.stats.peak_bytes, piece.stats.peak_bytes);
    out.stats.resolution = Together(out.stats.resolution, piece.stats.resolution);
    // Those of the last piece: pieces differ in their times only.
    out.stats.operators = std::move(piece.stats.operators);
  }
  out.warnings.assign(warnings.begin(), warnings.end());
  out.infos.assign(infos.begin(), infos.end());
  TM_RETURN_IF_ERROR(SortByLabels(&out.frame, nullptr));
  if (const size_t bytes = out.frame.bytes(); bytes > rows * bytes_per_row) {
    TM_TRY_ASSIGN(auto grown, HoldBytes(context.memory, bytes - rows * bytes_per_row));
    memory.push_back(std::move(grown));
  }
  out.memory = std::make_shared<const std::vector<std::shared_ptr<const void>>>(std::move(memory));
  return out;
}

Result<QueryResult> ResultCache::Execute(const promql::Expr& expr, const RangeSpec& range, const QueryContext& context,
                                         const Evaluate& evaluate) {
  const storage::ChangeMark mark = context.view->Changes();
  std::optional<ReuseRule> rule;
  if (mark.history != 0) rule = FindReuseRule(expr, range, context);
  if (!rule) {
    {
      MutexLock lock(mutex_);
      ++stats_.bypassed;
    }
    return evaluate(expr, range, context);
  }
  // What one caller may see is not for another: the filter is part of the name, its length in front.
  const std::string_view filter = context.view->FilterText();
  const std::string name =
      std::to_string(mark.history) + ' ' + std::to_string(filter.size()) + ' ' + std::string(filter) + ' ' + rule->name;
  Reuse reuse{.grid = GridOf(range), .entry = Find(name), .shift = 0, .usable = {}, .missing = {}};
  const plan::StepGrid& grid = reuse.grid;
  // What a younger view has seen says nothing about this one.
  if (reuse.entry != nullptr && reuse.entry->mark.number > mark.number) reuse.entry = nullptr;
  size_t steps_reused = 0;
  size_t steps_changed = 0;
  if (reuse.entry != nullptr) {
    const plan::StepGrid& held = reuse.entry->grid;
    const std::vector<uint8_t> touched = TouchedSteps(grid, *rule, context.view->ChangedSince(reuse.entry->mark));
    reuse.shift = static_cast<std::ptrdiff_t>((grid.start_ms - held.start_ms) / grid.step_ms);
    reuse.usable.resize(grid.count);
    for (size_t step = 0; step < grid.count; ++step) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(step) + reuse.shift;
      if (at < 0 || static_cast<size_t>(at) >= held.count) continue;
      reuse.usable[step] = touched[step] ^ 1;
      steps_changed += touched[step];
    }
    reuse.missing = MissingRuns(reuse.usable);
    // Steps between two close runs are evaluated with them.
    for (const Run& run : reuse.missing) {
      std::fill(reuse.usable.begin() + static_cast<std::ptrdiff_t>(run.first),
                reuse.usable.begin() + static_cast<std::ptrdiff_t>(run.last), uint8_t{0});
    }
    steps_reused = static_cast<size_t>(std::ranges::count(reuse.usable, uint8_t{1}));
    const uint64_t bytes = static_cast<uint64_t>(reuse.entry->frame->size()) * grid.count * (sizeof(double) + 1);
    if (context.budget.max_bytes != 0 && bytes > context.budget.max_bytes / 2) steps_reused = 0;
  }
  const bool whole = steps_reused == 0;
  const bool hit = !whole && reuse.missing.empty();
  {
    MutexLock lock(mutex_);
    ++(whole ? stats_.misses : hit ? stats_.hits : stats_.partial_hits);
    stats_.steps_reused += steps_reused;
    stats_.steps_changed += steps_changed;
  }
  TM_TRY_ASSIGN(QueryResult result, whole ? evaluate(expr, range, context) : Complete(expr, reuse, context, evaluate));
  result.stats.cache = whole ? "miss" : hit ? "hit" : "partial";
  result.stats.steps_reused = steps_reused;
  // A message may be about any of the steps, so that it is not known when it would go.
  if (!result.warnings.empty() || !result.infos.empty()) return result;
  if (hit && reuse.entry->grid.count > grid.count) return result;

  auto entry = std::make_shared<Entry>();
  entry->mark = mark;
  entry->grid = grid;
  entry->resolution = result.stats.resolution;
  if (max_bytes_ / 4 < result.frame.bytes()) return result;
  if (hit) {
    // The same steps, known to hold up to this view.
    entry->frame = reuse.entry->frame;
    entry->labels = reuse.entry->labels;
    entry->bytes = reuse.entry->bytes;
  } else {
    auto frame = std::make_shared<Frame>(result.frame);
    auto labels = std::make_shared<KeptLabels>();
    for (RowHead& row : frame->rows) row.labels = labels->Copy(row.labels);
    labels->copies.clear();
    entry->bytes = sizeof(Entry) + 2 * name.size() + frame->bytes() + labels->arena.allocated_bytes();
    entry->frame = std::move(frame);
    entry->labels = std::move(labels);
  }
  Keep(name, std::move(entry));
  return result;
}

}  // namespace tidemark::query::cache
