// Why a query found nothing: asked of the server afterwards, for people who do not know whether it is the database, the
// name, the labels or the time that is not there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::cli {

// Asks the server at a path with these parameters; the body of its answer.
using AskServerFn = std::function<Result<std::string>(
    std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters)>;

struct EmptyQuestion {
  std::string_view expression;
  std::string_view database;  // "": the server's
  int64_t start_ms = 0;       // of an instant query the same as the end
  int64_t end_ms = 0;
};

struct EmptyReason {
  std::string text;
  bool absent = false;  // the question named something that is not there
};

// One sentence. What cannot be asked (the server does not answer, the caller may not) is left out.
EmptyReason WhyNoSeries(const AskServerFn& ask, const EmptyQuestion& question);

}  // namespace tidemark::cli
