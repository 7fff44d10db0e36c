#include "query/api/warning_headers.h"

#include <cstdint>

namespace tidemark::query::api {

void AddWarningHeaders(Reply* reply, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    std::string value = "199 tidemark \"";
    for (const char c : warning) {
      const auto byte = static_cast<uint8_t>(c);
      value += byte < 0x20 || byte > 0x7e || c == '"' || c == '\\' ? '?' : c;
    }
    reply->headers.emplace_back("Warning", value + '"');
  }
}

}  // namespace tidemark::query::api
