// A query's text and its result over a FakeView, as the server gets from the one to the other.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/engine/engine.h"
#include "query/promql/durations.h"
#include "query/promql/parser.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::engine {

inline Result<run::QueryResult> Query(std::string_view text, const run::RangeSpec& range, run::QueryContext context) {
  TM_TRY_ASSIGN(promql::ExprPtr expr, promql::Parse(text, promql::ParseOptions::Experimental()));
  TM_RETURN_IF_ERROR(promql::ResolveDurations(*expr, range.step_ms, range.end_ms - range.start_ms));
  context.text = text;
  return Execute(*expr, range, context);
}

inline run::RangeSpec At(int64_t ms) { return {.start_ms = ms, .end_ms = ms, .step_ms = 0, .instant = true}; }

// `count` series m{n="i"} with a sample every 10 s for an hour, value i + row.
inline std::shared_ptr<const FakeView> ManySeries(int count) {
  FakeView::Builder builder;
  for (int i = 0; i < count; ++i) {
    std::vector<std::pair<int64_t, int64_t>> samples;
    for (int64_t row = 0; row < 360; ++row) samples.emplace_back(row * 10'000, i + row);
    builder.AddInts({{"__name__", "m"}, {"n", std::to_string(i)}, {"half", i % 2 == 0 ? "even" : "odd"}},
                    model::FieldType::kInt, samples);
  }
  return builder.Build();
}

}  // namespace tidemark::query::engine
