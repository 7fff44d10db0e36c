#include "query/engine/query_runner.h"

#include <utility>

#include "query/engine/empty_view.h"
#include "storage/model/finding_warnings.h"

namespace tidemark::query::engine {

Result<std::shared_ptr<const storage::View>> QueryRunner::OpenView(std::string_view database,
                                                                   const storage::SeriesFilter& filter) const {
  Result<std::shared_ptr<const storage::View>> view = settings_.store->OpenView(database, filter);
  if (view.ok() || view.error().code != ErrorCode::kNotFound) return view;
  // A database comes into being with its first write; whoever asks before that is told what is there: nothing. Of a
  // damaged store it may be one that was lost.
  return EmptyView(model::WarningsOf(settings_.store->Findings()));
}

Result<run::QueryResult> QueryRunner::Run(const QueryRequest& request) const {
  run::QueryContext context;
  TM_TRY_ASSIGN(context.view, OpenView(request.database, request.filter));
  context.scheduler = settings_.scheduler;
  context.clock = &clock();
  const int64_t timeout_ms = request.timeout_ms.value_or(limits().timeout_ms);
  context.deadline_ns = request.began_ns.value_or(clock().SteadyNs()) + timeout_ms * 1'000'000;
  context.stop = request.stop;
  context.client = request.client;
  context.budget = limits().budget;
  context.lookback_ms = request.lookback_ms.value_or(settings_.lookback_ms);
  context.default_subquery_step_ms = settings_.default_subquery_step_ms;
  context.closed_windows = settings_.closed_windows;
  context.resolution = request.resolution;
  context.turns = settings_.turns;
  context.memory = request.memory != nullptr ? request.memory : settings_.memory;
  context.text = request.text;
  const bool cached = settings_.cache != nullptr && request.use_cache && !request.range.instant;
  auto result = cached ? settings_.cache->Execute(request.expr, request.range, context, settings_.execute)
                       : settings_.execute(request.expr, request.range, context);
  if (result.ok()) {
    for (std::string& warning : context.view->Warnings()) result->warnings.push_back(std::move(warning));
  }
  return result;
}

}  // namespace tidemark::query::engine
