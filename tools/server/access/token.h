// Token: a name under which an agent or a person is known, what it may do, and the hashes of the secrets that show it.
// Kept as a document of kind "token", in JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/series_filter.h"
#include "tools/server/access/grant.h"
#include "tools/server/access/secret.h"
#include "tools/server/quota/quota_limits.h"

namespace tidemark::server::access {

inline constexpr std::string_view kTokenKind = "token";
inline constexpr size_t kMaxTokenNameBytes = 64;
inline constexpr size_t kMaxNoteBytes = 1'000;
inline constexpr size_t kMaxCertificateNames = 16;
// Secrets of a token that are good at one time: the newest, and the one that it is taking over from.
inline constexpr size_t kMaxSecrets = 2;

struct TokenSecret {
  SecretHash sha256 = {};
  int64_t created_ns = 0;  // since 1970, as all times here
  int64_t expires_ns = 0;  // good before it; 0: as long as the token
  friend bool operator==(const TokenSecret&, const TokenSecret&) = default;
};

struct Token {
  std::string name;
  std::string note;
  std::vector<Grant> grants;
  // Names of certificates that show this token; see ReadCertificateName.
  std::vector<std::string> certificate_names = {};
  // Selectors such as {team="a"}: series that satisfy one of them are all that it sees and writes. None: all series.
  std::vector<std::string> filters = {};
  quota::QuotaLimits quotas = {};
  int64_t created_ns = 0;
  int64_t expires_ns = 0;  // good before it; 0: until it is revoked
  // The oldest first; at least one, at most kMaxSecrets.
  std::vector<TokenSecret> secrets;
  friend bool operator==(const Token&, const Token&) = default;
};

// 1 to kMaxTokenNameBytes letters, digits, `.`, `_` or `-`. kInvalidArgument.
Status CheckTokenName(std::string_view name);

// The filter of selectors as people write them; nullopt for none. kInvalidArgument names the one that is wrong.
Result<std::optional<storage::SeriesFilter>> FilterOf(std::span<const std::string> selectors);

std::string PrintToken(const Token& token);
// kCorruption: `text` is not what PrintToken writes.
Result<Token> ReadToken(std::string_view text);

// When a secret of a token is no longer good; INT64_MAX: never.
int64_t EndOf(const Token& token, const TokenSecret& secret);

}  // namespace tidemark::server::access
