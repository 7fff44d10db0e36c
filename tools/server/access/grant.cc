#include "tools/server/access/grant.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace tidemark::server::access {
namespace {

constexpr std::array kGiven = {Access::kRead, Access::kWrite, Access::kAdmin};
constexpr std::string_view kExamples = "read:metrics, write:team_* or admin:*";

bool Includes(Access given, Access wanted) {
  return wanted == Access::kOpen || wanted == Access::kAny || given == wanted || given == Access::kAdmin;
}

}  // namespace

Result<Grant> ParseGrant(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return InvalidArgument(fmt::format("\"{}\" is no right to a database, such as {}", text, kExamples));
  }
  const std::string_view word = text.substr(0, colon);
  const std::string_view databases = text.substr(colon + 1);
  const auto given = std::ranges::find_if(kGiven, [word](Access access) { return Name(access) == word; });
  if (given == kGiven.end()) {
    return InvalidArgument(fmt::format("\"{}\" of \"{}\" is neither read, write nor admin", word, text));
  }
  if (databases.empty() || databases.size() > kMaxPatternBytes) {
    return InvalidArgument(fmt::format("\"{}\" names no database (1 to {} bytes, * for any characters), as {} do", text,
                                       kMaxPatternBytes, kExamples));
  }
  return Grant{*given, std::string(databases)};
}

std::string PrintGrant(const Grant& grant) { return fmt::format("{}:{}", Name(grant.access), grant.databases); }

bool TakesName(std::string_view pattern, std::string_view name) {
  size_t at = 0;
  // Where to go on when what follows the last star does not fit: one character later.
  size_t star = std::string_view::npos;
  size_t resume = 0;
  size_t taken = 0;
  while (taken < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = taken;
    } else if (at < pattern.size() && pattern[at] == name[taken]) {
      ++at;
      ++taken;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      taken = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

bool May(std::span<const Grant> grants, Access access, std::string_view database) {
  return std::ranges::any_of(grants, [&](const Grant& grant) {
    return Includes(grant.access, access) && TakesName(grant.databases, database);
  });
}

bool MayEverywhere(std::span<const Grant> grants, Access access) {
  return std::ranges::any_of(
      grants, [&](const Grant& grant) { return Includes(grant.access, access) && grant.databases == "*"; });
}

bool MaySomewhere(std::span<const Grant> grants, Access access) {
  return std::ranges::any_of(grants, [&](const Grant& grant) { return Includes(grant.access, access); });
}

}  // namespace tidemark::server::access
