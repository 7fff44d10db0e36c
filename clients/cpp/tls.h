// What a client needs for https: whom it believes, and what it shows of itself.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "clients/cpp/result.h"

namespace tidemark::client {

struct TlsOptions {
  std::string authorities{};  // PEM file; "": those of the system
  std::string certificate{};  // PEM file, the client's own first; "": none is shown
  std::string key{};          // PEM file of the certificate's key
};

// What the environment says: TIDEMARK_CA, TIDEMARK_CERTIFICATE, TIDEMARK_KEY.
TlsOptions TlsOptionsOfEnvironment();

// TLS 1.2 and 1.3; the server's certificate is always checked. kInvalidArgument names the file that cannot be read or
// does not fit the others.
Result<std::shared_ptr<boost::asio::ssl::context>> MakeTlsContext(const TlsOptions& options);

}  // namespace tidemark::client
