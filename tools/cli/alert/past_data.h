// PastData: what a server has stored, as rules would have seen it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/ruletest/replay.h"
#include "storage/base/result.h"
#include "tools/cli/http_client.h"

namespace tidemark::cli {

class PastData {
 public:
  static Result<std::unique_ptr<PastData>> Connect(const std::string& server);

  // For ruletest::AskRange. Asks in pieces that the server's limit on the steps of a query allows.
  Result<std::vector<query::ruletest::ReplaySeries>> Ask(const std::string& database, const std::string& text,
                                                         int64_t start_ms, int64_t end_ms, int64_t step_ms);

  // What the expression gives now.
  Result<std::vector<query::ruletest::ReplaySeries>> AskNow(const std::string& database, const std::string& text);

 private:
  explicit PastData(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {}
  Result<std::vector<query::ruletest::ReplaySeries>> Send(const std::string& path,
                                                          const std::vector<std::pair<std::string, std::string>>& form);

  std::unique_ptr<HttpClient> client_;
};

// Prints each time that an alert would have fired, when and for how long, and what it comes to. Returns how often.
// Errors: those of Replay.
Result<int> PrintReplay(const std::vector<query::rules::Group>& groups, const query::ruletest::ReplayOptions& options,
                        PastData& past);

}  // namespace tidemark::cli
