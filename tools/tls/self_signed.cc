#include "tools/tls/self_signed.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "tools/tls/openssl_handles.h"

namespace tidemark::tls {
namespace {

constexpr int64_t kDaySeconds = 86'400;
constexpr int64_t kMaxDays = 3'650;
constexpr size_t kMaxNames = 100;
// RFC 1035, 2.3.4.
constexpr size_t kMaxHostBytes = 253;

bool IsAddress(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

bool IsHost(std::string_view name) {
  return !name.empty() && name.size() <= kMaxHostBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == '*';
  });
}

// "DNS:a,IP:192.0.2.1", as OpenSSL's configuration spells alternative names. The checks leave no comma in it.
Result<std::string> AlternativeNamesOf(const std::vector<std::string>& names) {
  if (names.empty() || names.size() > kMaxNames) {
    return InvalidArgument(fmt::format("a certificate has 1 to {} names", kMaxNames));
  }
  std::string text;
  for (const std::string& name : names) {
    const bool address = IsAddress(name);
    if (!address && !IsHost(name)) {
      return InvalidArgument(fmt::format("\"{}\" is neither a host name nor an IP address", name));
    }
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", address ? "IP" : "DNS", name);
  }
  return text;
}

Error Failed(std::string_view what) {
  return MakeError(ErrorCode::kInternal, fmt::format("{}: {}", what, TakeErrorText("OpenSSL does not say why")));
}

bool Add(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetSerial(X509* certificate) {
  // At most 20 bytes and positive (RFC 5280, 4.1.2.2).
  std::array<unsigned char, 16> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return false;
  random[0] &= 0x7F;
  BIGNUM* const number = BN_bin2bn(random.data(), static_cast<int>(random.size()), nullptr);
  const bool set = number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool SetSubject(X509* certificate, const std::string& name) {
  // A common name has at most 64 characters (RFC 5280, appendix A.1); nobody looks at it where there are alternatives.
  const std::string common = name.substr(0, 64);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common.data()),
                                    static_cast<int>(common.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1;
}

Result<std::string> Pem(int (*write)(BIO*, const void*), const void* object) {
  const MemoryBio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || write(bio.get(), object) != 1) return Failed("the certificate cannot be printed");
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return std::string(bytes, static_cast<size_t>(size));
}

}  // namespace

Result<CertificateAndKey> MakeSelfSigned(const SelfSignedOptions& options) {
  if (options.days < 1 || options.days > kMaxDays) {
    return InvalidArgument(fmt::format("a certificate is good for 1 to {} days", kMaxDays));
  }
  TM_TRY_ASSIGN(const std::string names, AlternativeNamesOf(options.names));
  ERR_clear_error();
  const PrivateKey key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  if (key == nullptr || certificate == nullptr) return Failed("no key could be made");
  X509* const x = certificate.get();
  const bool made =
      X509_set_version(x, X509_VERSION_3) == 1 && SetSerial(x) &&
      ASN1_TIME_set(X509_getm_notBefore(x), options.begins_seconds) != nullptr &&
      ASN1_TIME_set(X509_getm_notAfter(x), options.begins_seconds + options.days * kDaySeconds) != nullptr &&
      X509_set_pubkey(x, key.get()) == 1 && SetSubject(x, options.names.front()) &&
      Add(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      Add(x, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
      Add(x, NID_ext_key_usage, "serverAuth,clientAuth") && Add(x, NID_subject_key_identifier, "hash") &&
      Add(x, NID_subject_alt_name, names) && X509_sign(x, key.get(), EVP_sha256()) != 0;
  if (!made) return Failed("the certificate could not be made");
  CertificateAndKey out;
  TM_TRY_ASSIGN(
      out.certificate,
      Pem([](BIO* bio, const void* object) { return PEM_write_bio_X509(bio, static_cast<const X509*>(object)); }, x));
  TM_TRY_ASSIGN(out.key, Pem(
                             [](BIO* bio, const void* object) {
                               return PEM_write_bio_PKCS8PrivateKey(bio, static_cast<const EVP_PKEY*>(object), nullptr,
                                                                    nullptr, 0, nullptr, nullptr);
                             },
                             key.get()));
  return out;
}

}  // namespace tidemark::tls
