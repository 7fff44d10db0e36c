// Secrets: what a client shows to be let in. Only their SHA-256 is kept: they are made of 256 random bits, so that a
// hash without salt and without slowness gives nothing away.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::server::access {

// The beginning of every secret of a token, by which scanners of repositories find them.
inline constexpr std::string_view kTokenPrefix = "tidemark_";

using SecretHash = std::array<uint8_t, 32>;

// `prefix` and 43 characters of base64url (RFC 4648, 5), 256 bits of the kernel's randomness. kInternal without any.
Result<std::string> MakeSecret(std::string_view prefix);

SecretHash HashOf(std::string_view secret);

// Whether both are equal, in a time that does not depend on where they differ.
bool SameSecret(std::string_view a, std::string_view b);

// 64 lower-case hexadecimal digits, and back; an Error for any other text.
std::string PrintHash(const SecretHash& hash);
Result<SecretHash> ParseHash(std::string_view text);

}  // namespace tidemark::server::access
