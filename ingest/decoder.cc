#include "ingest/decoder.h"

#include <algorithm>

namespace tidemark::ingest {
namespace {

// Different reasons that an answer names.
constexpr size_t kMaxReasons = 5;

}  // namespace

std::string Reasons(const std::vector<model::Rejection>& rejections) {
  std::vector<std::string_view> reasons;
  for (const model::Rejection& rejection : rejections) {
    if (std::find(reasons.begin(), reasons.end(), rejection.error.message) != reasons.end()) continue;
    if (reasons.size() == kMaxReasons) break;
    reasons.push_back(rejection.error.message);
  }
  std::string out;
  for (const std::string_view reason : reasons) {
    if (!out.empty()) out += '\n';
    out += reason;
  }
  return out;
}

}  // namespace tidemark::ingest
