#include "query/api/held_answer.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <vector>

#include "query/api/json.h"
#include "query/cache/touched_steps.h"
#include "storage/base/hash.h"

namespace tidemark::query::api {
namespace {

// Steps of a held answer, at most: more than any range query may have.
constexpr uint64_t kStepsMax = 1'000'000;

// The history and number of a mark count anew in each run of the server; this tells the runs apart.
uint64_t SeedOfThisRun() {
  static const uint64_t seed = [] {
    std::random_device random;
    return uint64_t{random()} << 32U | random();
  }();
  return seed;
}

// Takes a number and the dot behind it off `text`.
template <typename Number>
bool TakeNumber(std::string_view* text, int base, Number* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number, base);
  if (error != std::errc{}) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  if (text->empty()) return true;
  if (text->front() != '.') return false;
  text->remove_prefix(1);
  return true;
}

// The first step of `grid` that is not held as it is now.
size_t FirstToSend(const HeldAnswer& held, const plan::StepGrid& grid, const cache::ReuseRule& rule,
                   const storage::View& view) {
  const bool aligned = held.grid.step_ms == grid.step_ms && held.grid.start_ms <= grid.start_ms &&
                       (grid.start_ms - held.grid.start_ms) % grid.step_ms == 0;
  if (!aligned || held.grid.end_ms() < grid.start_ms) return 0;
  const size_t known =
      std::min<size_t>(grid.count, static_cast<size_t>((held.grid.end_ms() - grid.start_ms) / grid.step_ms) + 1);
  const std::vector<uint8_t> touched = cache::TouchedSteps(grid, rule, view.ChangedSince(held.mark));
  return static_cast<size_t>(
      std::find(touched.begin(), touched.begin() + static_cast<std::ptrdiff_t>(known), uint8_t{1}) - touched.begin());
}

// Names what was asked, and what of the database was seen.
uint64_t QuestionOf(std::string_view name, const storage::View& view) {
  const std::string_view filter = view.FilterText();
  return Hash64(fmt::format("{} {} {}", filter.size(), filter, name), SeedOfThisRun());
}

}  // namespace

std::string PrintHeldAnswer(const HeldAnswer& held) {
  return fmt::format("{}.{}.{}.{}.{}.{:x}", held.mark.history, held.mark.number, held.grid.start_ms, held.grid.step_ms,
                     held.grid.count, held.question);
}

std::optional<HeldAnswer> ParseHeldAnswer(std::string_view text) {
  HeldAnswer held;
  uint64_t count = 0;
  const bool read = TakeNumber(&text, 10, &held.mark.history) && TakeNumber(&text, 10, &held.mark.number) &&
                    TakeNumber(&text, 10, &held.grid.start_ms) && TakeNumber(&text, 10, &held.grid.step_ms) &&
                    TakeNumber(&text, 10, &count) && TakeNumber(&text, 16, &held.question) && text.empty();
  if (!read || held.grid.step_ms <= 0 || count == 0 || count > kStepsMax) return std::nullopt;
  held.grid.count = static_cast<size_t>(count);
  // Its end must be a time.
  int64_t length = 0;
  int64_t end = 0;
  if (__builtin_mul_overflow(static_cast<int64_t>(count), held.grid.step_ms, &length) ||
      __builtin_add_overflow(held.grid.start_ms, length, &end)) {
    return std::nullopt;
  }
  return held;
}

Continuation Continue(std::string_view since, const std::optional<cache::ReuseRule>& rule,
                      const run::QueryResult& result) {
  Continuation out;
  if (!rule || result.view == nullptr) return out;
  const storage::ChangeMark mark = result.view->Changes();
  if (mark.history == 0) return out;
  const HeldAnswer now{.mark = mark, .grid = result.grid, .question = QuestionOf(rule->name, *result.view)};
  out.json = R"(,"since":")" + PrintHeldAnswer(now) + '"';
  const std::optional<HeldAnswer> held = ParseHeldAnswer(since);
  // A history is that of one database in one run of the server; a younger mark than this view's comes from nobody.
  if (!held || held->mark.history != mark.history || held->mark.number > mark.number ||
      held->question != now.question) {
    return out;
  }
  out.first_step = FirstToSend(*held, result.grid, *rule, *result.view);
  if (out.first_step == 0) return out;
  out.json += R"(,"changedFrom":)";
  AppendTimestampMs(&out.json, result.grid.TimeMs(out.first_step));
  return out;
}

}  // namespace tidemark::query::api
