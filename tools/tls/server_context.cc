#include "tools/tls/server_context.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <ctime>

#include "storage/base/clock.h"
#include "storage/base/log.h"
#include "storage/base/text/instant.h"
#include "tools/tls/openssl_handles.h"

namespace tidemark::tls {
namespace {

// With a certificate of the client a session is only resumed where it began: this names the place.
constexpr std::string_view kSessionContext = "tidemark";
constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int ChooseProtocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                   unsigned in_length, void* /*context*/) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kHttp11, sizeof kHttp11, in, in_length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Error Wrong(std::string_view what, const std::string& file, std::string otherwise) {
  return InvalidArgument(fmt::format("{} {}: {}", what, file, TakeErrorText(std::move(otherwise))));
}

// A key with a pass phrase: OpenSSL would ask for it on the terminal, and the start, or a reload, would stand still.
int GiveNoPassPhrase(char* /*into*/, int /*size*/, int /*writes*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Status LoadKey(SSL_CTX* context, const ServerFiles& files) {
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(context, &GiveNoPassPhrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
  const bool read = SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (!read && asked) {
    ERR_clear_error();
    return InvalidArgument(
        fmt::format("the key {} has a pass phrase, which nobody is there to type: write it without one, as `openssl "
                    "pkey -in {} -out FILE` does, readable by the server alone",
                    files.key, files.key));
  }
  if (!read) return Wrong("the key", files.key, "it cannot be read");
  if (SSL_CTX_check_private_key(context) == 1) return {};
  return Wrong("the key", files.key, fmt::format("it is not that of the certificate {}", files.certificate));
}

Status LoadClientAuthorities(SSL_CTX* context, const std::string& file) {
  if (file.empty()) return {};
  if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1) {
    return Wrong("the authorities of clients", file, "no certificate in it");
  }
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr) return Wrong("the authorities of clients", file, "no certificate in it");
  SSL_CTX_set_client_CA_list(context, names);
  // A client without a certificate may have a token. One whose certificate is of somebody else is refused here.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return {};
}

// OpenSSL's own choice of ciphers, with AES of 128 bits in front, which is the cheapest to encrypt with.
Status PreferCheapCiphers(SSL_CTX* context) {
  constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
  constexpr const char* kList12 = "ECDHE+AESGCM+AES128:ALL:!COMPLEMENTOFDEFAULT:!eNULL";
  if (SSL_CTX_set_ciphersuites(context, kSuites13) == 1 && SSL_CTX_set_cipher_list(context, kList12) == 1) return {};
  return MakeError(ErrorCode::kInternal, TakeErrorText("OpenSSL knows none of the ciphers"));
}

// As long before its end as the alert of that name begins (tools/server/watch/self_alerts.cc).
constexpr int64_t kSoonSeconds = int64_t{14} * 86'400;

std::string UtcText(int64_t seconds) {
  std::string printed;
  text::AppendRfc3339(&printed, seconds * 1'000'000'000);
  return printed;
}

int64_t SecondsOf(const ASN1_TIME* time) {
  std::tm utc = {};
  return ASN1_TIME_to_tm(time, &utc) == 1 ? static_cast<int64_t>(timegm(&utc)) : 0;
}

}  // namespace

Result<Version> ParseVersion(std::string_view text) {
  if (text == "1.2") return Version::k12;
  if (text == "1.3") return Version::k13;
  return InvalidArgument(fmt::format("\"{}\" is none of 1.2, 1.3", text));
}

std::string_view Name(Version version) { return version == Version::k12 ? "1.2" : "1.3"; }

struct ServerContext::Loaded {
  SslContext context;
  std::string certificate;  // its file
  int64_t begins_seconds = 0;
  int64_t ends_seconds = 0;

  // A certificate out of its time is taken all the same, since a machine's clock may be wrong, and clients may be told
  // to believe it. Most of them do not, and who looks for the reason looks here.
  void WarnOfItsTime() const {
    const int64_t now = SystemClock::Get().NowNs() / 1'000'000'000;
    if (ends_seconds <= now) {
      TM_LOG(kWarn,
             "TLS: the certificate {} ended at {}, and clients refuse it: put a new one in its place, and its key, and "
             "reload",
             certificate, UtcText(ends_seconds));
    } else if (begins_seconds > now) {
      TM_LOG(kWarn, "TLS: the certificate {} begins at {} only, and clients refuse it before: is the clock right?",
             certificate, UtcText(begins_seconds));
    } else if (ends_seconds < now + kSoonSeconds) {
      TM_LOG(kWarn, "TLS: the certificate {} ends at {}", certificate, UtcText(ends_seconds));
    }
  }

  static Result<std::shared_ptr<const Loaded>> From(const ServerFiles& files) {
    auto loaded = std::make_shared<Loaded>();
    ERR_clear_error();
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    if (context == nullptr) return MakeError(ErrorCode::kInternal, TakeErrorText("OpenSSL gives no context"));
    loaded->context.reset(context);
    SSL_CTX_set_min_proto_version(context, files.oldest == Version::k13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // An idle connection holds no buffers; a write may be taken in part, and again from where it lies then.
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Tickets keep a session at the client; a cache here would be memory that clients decide on.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // One ticket is made for each connection in place of two: no client needs another before it has used the first.
    SSL_CTX_set_num_tickets(context, 1);
    // A record's head and its rest are received in one call, and what follows with them.
    SSL_CTX_set_read_ahead(context, 1);
    TM_RETURN_IF_ERROR(PreferCheapCiphers(context));
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                   kSessionContext.size());
    SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, nullptr);
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
      return Wrong("the certificate", files.certificate, "it cannot be read");
    }
    TM_RETURN_IF_ERROR(LoadKey(context, files));
    TM_RETURN_IF_ERROR(LoadClientAuthorities(context, files.client_authorities));
    loaded->certificate = files.certificate;
    loaded->begins_seconds = SecondsOf(X509_get0_notBefore(SSL_CTX_get0_certificate(context)));
    loaded->ends_seconds = SecondsOf(X509_get0_notAfter(SSL_CTX_get0_certificate(context)));
    return loaded;
  }
};

ServerContext::ServerContext(Prepared first) : loaded_(std::move(first)) {}
ServerContext::~ServerContext() = default;

Result<std::shared_ptr<ServerContext>> ServerContext::Load(const ServerFiles& files) {
  TM_TRY_ASSIGN(Prepared first, Prepare(files));
  first->WarnOfItsTime();
  return std::shared_ptr<ServerContext>(new ServerContext(std::move(first)));
}

Result<ServerContext::Prepared> ServerContext::Prepare(const ServerFiles& files) { return Loaded::From(files); }

void ServerContext::Adopt(Prepared prepared) {
  prepared->WarnOfItsTime();
  MutexLock lock(mutex_);
  loaded_ = std::move(prepared);
}

Result<std::unique_ptr<Channel>> ServerContext::Open(int descriptor) const {
  std::shared_ptr<const Loaded> loaded;
  {
    MutexLock lock(mutex_);
    loaded = loaded_;
  }
  ERR_clear_error();
  SslHandle ssl(SSL_new(loaded->context.get()));  // keeps the context
  auto wire = std::make_unique<Wire>(descriptor);
  if (ssl == nullptr || !wire->Attach(ssl.get())) {
    return MakeError(ErrorCode::kInternal, TakeErrorText("OpenSSL gives no connection"));
  }
  SSL_set_accept_state(ssl.get());
  return std::make_unique<Channel>(std::move(wire), std::move(ssl), keepers_);
}

int64_t ServerContext::ends_seconds() const {
  MutexLock lock(mutex_);
  return loaded_->ends_seconds;
}

}  // namespace tidemark::tls
