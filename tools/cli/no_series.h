// Why a query found nothing: asked of the server afterwards, for people who do not know whether it is the database, the
// name, the labels or the time that is not there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/cli/exec/api_source.h"

namespace tidemark::cli {

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
EmptyReason WhyNoSeries(ApiSource& api, const EmptyQuestion& question);

}  // namespace tidemark::cli
