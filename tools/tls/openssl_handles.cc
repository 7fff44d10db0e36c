#include "tools/tls/openssl_handles.h"

#include <openssl/err.h>

namespace tidemark::tls {

std::string TakeErrorText(std::string otherwise) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return otherwise;
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : otherwise;
}

}  // namespace tidemark::tls
