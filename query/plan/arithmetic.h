// The binary operators of PromQL on two numbers, for constant folding and for the engine's loops alike.
#pragma once

#include <cmath>

#include "query/promql/ast.h"

namespace tidemark::query::plan {

// The value of an arithmetic operator.
inline double Calculate(promql::BinaryOp op, double a, double b) {
  using enum promql::BinaryOp;
  switch (op) {
    case kAdd: return a + b;
    case kSub: return a - b;
    case kMul: return a * b;
    case kDiv: return a / b;
    case kMod: return std::fmod(a, b);
    case kPow: return std::pow(a, b);
    case kAtan2: return std::atan2(a, b);
    default: return 0;
  }
}

// The verdict of a comparison operator.
inline bool Compare(promql::BinaryOp op, double a, double b) {
  using enum promql::BinaryOp;
  switch (op) {
    case kEqual: return a == b;
    case kNotEqual: return a != b;
    case kLess: return a < b;
    case kLessEqual: return a <= b;
    case kGreater: return a > b;
    case kGreaterEqual: return a >= b;
    default: return false;
  }
}

}  // namespace tidemark::query::plan
