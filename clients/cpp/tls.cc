#include "clients/cpp/tls.h"

#include <cstdlib>

namespace tidemark::client {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

std::string OfEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Error Wrong(const std::string& what, const std::string& file, const error_code& error) {
  return Error{ErrorCode::kInvalidArgument, what + " " + file + ": " + error.message()};
}

}  // namespace

TlsOptions TlsOptionsOfEnvironment() {
  return {.authorities = OfEnvironment("TIDEMARK_CA"),
          .certificate = OfEnvironment("TIDEMARK_CERTIFICATE"),
          .key = OfEnvironment("TIDEMARK_KEY")};
}

Result<std::shared_ptr<ssl::context>> MakeTlsContext(const TlsOptions& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  error_code error;
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression, error);
  if (!error) context->set_verify_mode(ssl::verify_peer, error);
  if (error) return Error{ErrorCode::kIo, "TLS: " + error.message()};
  if (options.authorities.empty()) {
    static_cast<void>(context->set_default_verify_paths(error));
    if (error) return Error{ErrorCode::kIo, "the authorities of the system: " + error.message()};
  } else {
    context->load_verify_file(options.authorities, error);
    if (error) return Wrong("the authorities", options.authorities, error);
  }
  if (options.certificate.empty() != options.key.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a certificate is shown with its key: name both files, or neither"};
  }
  if (!options.certificate.empty()) {
    context->use_certificate_chain_file(options.certificate, error);
    if (error) return Wrong("the certificate", options.certificate, error);
    context->use_private_key_file(options.key, ssl::context::pem, error);
    if (error) return Wrong("the key", options.key, error);
  }
  return context;
}

}  // namespace tidemark::client
