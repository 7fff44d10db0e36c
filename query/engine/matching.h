// Operators between two vectors: arithmetic and comparison with vector matching, and the set operators.
#pragma once

#include "query/engine/frame.h"
#include "query/engine/query_state.h"
#include "query/promql/ast.h"
#include "storage/base/result.h"

namespace tidemark::query::engine {

// Both frames have the same steps and are used up. Labels of the result are made in arenas that the state keeps.
// Errors, in Prometheus' words: more than one match where one is allowed.
Result<Frame> MatchVectors(const promql::BinaryExpr& expr, Frame lhs, Frame rhs, QueryState* state);

// and, or, unless.
Result<Frame> CombineSets(const promql::BinaryExpr& expr, Frame lhs, Frame rhs, const QueryState* state);

// For each row of each side the number of its signature: the labels that matching compares.
struct Signatures {
  std::vector<uint32_t> lhs;
  std::vector<uint32_t> rhs;
  size_t count = 0;
};
Result<Signatures> SignRows(const promql::VectorMatching& matching, const Frame& lhs, const Frame& rhs,
                            const QueryState* state);

}  // namespace tidemark::query::engine
