// ApiSource: answers of Prometheus' API, from a server or from a store in this process.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::cli {

using ApiParameters = std::vector<std::pair<std::string, std::string>>;

struct ApiAnswer {
  int status = 0;
  std::string body;
};

class ApiSource {
 public:
  virtual ~ApiSource() = default;
  // `path`: /api/v1/query or /api/v1/events. Errors: those of the way there; what the API itself refuses is in the
  // answer.
  virtual Result<ApiAnswer> Ask(std::string_view path, const ApiParameters& parameters) = 0;
};

// Asks the server there. Errors: kInvalidArgument for an address that is none.
Result<std::unique_ptr<ApiSource>> AskServer(const std::string& url);

}  // namespace tidemark::cli
