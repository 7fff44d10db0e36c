// A certificate that a server signs for itself: enough to begin with, for clients that are given the same file as their
// authority (`--ca`).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::tls {

struct SelfSignedOptions {
  // By what the server is asked: host names and IP addresses; at least one.
  std::vector<std::string> names;
  // In seconds since 1970: from here on...
  int64_t begins_seconds = 0;
  // ...for so many days, 1 to 3,650.
  int64_t days = 365;
};

struct CertificateAndKey {
  std::string certificate;  // PEM
  std::string key;          // PEM, PKCS #8
};

// A key on the curve P-256, and its certificate (X.509 version 3, RFC 5280) as both an authority and a server.
// kInvalidArgument: no names, one that is none, or too many days.
Result<CertificateAndKey> MakeSelfSigned(const SelfSignedOptions& options);

}  // namespace tidemark::tls
