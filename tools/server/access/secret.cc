#include "tools/server/access/secret.h"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

#include "storage/base/check.h"

namespace tidemark::server::access {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Without padding (RFC 4648, 3.2).
void AppendBase64Url(std::string* out, const std::array<uint8_t, kSecretBytes>& bytes) {
  uint32_t bits = 0;
  int held = 0;
  for (const uint8_t byte : bytes) {
    bits = (bits << 8U) | byte;
    held += 8;
    while (held >= 6) {
      held -= 6;
      *out += kBase64Url[(bits >> static_cast<unsigned>(held)) & 63U];
    }
  }
  if (held > 0) *out += kBase64Url[(bits << static_cast<unsigned>(6 - held)) & 63U];
}

// SHA-256, looked up once: OpenSSL 3 finds an algorithm anew for each digest that does not name one it has fetched,
// which takes several times what the digest of a secret does. Lives as long as the process.
const EVP_MD* Sha256() {
  static const EVP_MD* const found = [] {
    const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    TM_CHECK(fetched != nullptr);
    return fetched;
  }();
  return found;
}

// The state of a digest, which each thread uses again.
EVP_MD_CTX* DigestOfThread() {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context = [] {
    std::unique_ptr<EVP_MD_CTX, Free> made(EVP_MD_CTX_new());
    TM_CHECK(made != nullptr);
    TM_CHECK(EVP_DigestInit_ex2(made.get(), Sha256(), nullptr) == 1);
    return made;
  }();
  return context.get();
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Result<std::string> MakeSecret(std::string_view prefix) {
  std::array<uint8_t, kSecretBytes> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return MakeError(ErrorCode::kInternal, "the system gives no random bytes for a secret");
  }
  std::string secret(prefix);
  AppendBase64Url(&secret, bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

SecretHash HashOf(std::string_view secret) {
  SecretHash hash;
  unsigned size = 0;
  EVP_MD_CTX* const digest = DigestOfThread();
  // With the algorithm that it has, null, the state is begun anew and nothing is looked up.
  TM_CHECK(EVP_DigestInit_ex2(digest, nullptr, nullptr) == 1);
  TM_CHECK(EVP_DigestUpdate(digest, secret.data(), secret.size()) == 1);
  TM_CHECK(EVP_DigestFinal_ex(digest, hash.data(), &size) == 1);
  TM_CHECK(size == hash.size());
  return hash;
}

bool SameSecret(std::string_view a, std::string_view b) {
  const SecretHash first = HashOf(a);
  const SecretHash second = HashOf(b);
  return CRYPTO_memcmp(first.data(), second.data(), first.size()) == 0;
}

std::string PrintHash(const SecretHash& hash) {
  std::string out;
  for (const uint8_t byte : hash) out += fmt::format("{:02x}", byte);
  return out;
}

Result<SecretHash> ParseHash(std::string_view text) {
  SecretHash hash;
  if (text.size() != 2 * hash.size()) return InvalidArgument("a SHA-256 has 64 hexadecimal digits");
  for (size_t i = 0; i < hash.size(); ++i) {
    const int high = DigitOf(text[2 * i]);
    const int low = DigitOf(text[2 * i + 1]);
    if (high < 0 || low < 0) return InvalidArgument("a SHA-256 has lower-case hexadecimal digits only");
    hash[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return hash;
}

}  // namespace tidemark::server::access
