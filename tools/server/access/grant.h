// Grant: a right to some databases. `read:metrics`, `write:team_*`, `admin:*`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "tools/server/http/caller.h"

namespace tidemark::server::access {

using http::Access;

// Grants of one token.
inline constexpr size_t kMaxGrants = 100;
inline constexpr size_t kMaxPatternBytes = 256;

struct Grant {
  // kRead, kWrite or kAdmin. Admin includes the other two; write does not include read.
  Access access = Access::kRead;
  // The name of a database, in which each `*` stands for any run of characters, none included.
  std::string databases;
  friend bool operator==(const Grant&, const Grant&) = default;
};

// Reads "read:metrics". kInvalidArgument says what is wrong with it and shows what is right.
Result<Grant> ParseGrant(std::string_view text);
std::string PrintGrant(const Grant& grant);

// Whether `pattern`, with `*`, takes the whole of `name`. Takes time in proportion to the product of both at most.
bool TakesName(std::string_view pattern, std::string_view name);

// Whether one of `grants` gives a right to a database, to all of them, to any.
bool May(std::span<const Grant> grants, Access access, std::string_view database);
bool MayEverywhere(std::span<const Grant> grants, Access access);
bool MaySomewhere(std::span<const Grant> grants, Access access);

}  // namespace tidemark::server::access
