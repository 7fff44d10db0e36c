// Operators between two vectors: arithmetic and comparison with vector matching, and the set operators.
#pragma once

#include "query/frame/frame.h"
#include "query/promql/ast.h"
#include "query/run/query_state.h"
#include "storage/base/result.h"

namespace tidemark::query::operators {

// Both frames have the same steps and are used up. Labels of the result are made in arenas that the state keeps.
// Errors, in Prometheus' words: more than one match where one is allowed.
Result<frame::Frame> MatchVectors(const promql::BinaryExpr& expr, frame::Frame lhs, frame::Frame rhs,
                                  run::QueryState* state);

// and, or, unless.
Result<frame::Frame> CombineSets(const promql::BinaryExpr& expr, frame::Frame lhs, frame::Frame rhs,
                                 const run::QueryState* state);

// For each row of each side the number of its signature: the labels that matching compares.
struct Signatures {
  std::vector<uint32_t> lhs;
  std::vector<uint32_t> rhs;
  size_t count = 0;
};
Result<Signatures> SignRows(const promql::VectorMatching& matching, const frame::Frame& lhs, const frame::Frame& rhs,
                            const run::QueryState* state);

}  // namespace tidemark::query::operators
