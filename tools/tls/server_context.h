// ServerContext: what a listener shows to those who connect with TLS: its certificate, its key, and whose certificates
// it takes. The files can be read again while connections are open: those go on with what they began with.
//
//   TM_TRY_ASSIGN(std::shared_ptr<ServerContext> context, ServerContext::Load({.certificate = "c.pem", .key =
//   "k.pem"})); TM_TRY_ASSIGN(std::unique_ptr<Channel> channel, context->Open(descriptor));
//
// TLS 1.2 (RFC 5246) and 1.3 (RFC 8446), without renegotiation and compression. ALPN (RFC 7301) chooses http/1.1.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "tools/tls/channel.h"

namespace tidemark::tls {

enum class Version : uint8_t { k12, k13 };

// "1.2" or "1.3"; kInvalidArgument.
Result<Version> ParseVersion(std::string_view text);
std::string_view Name(Version version);

struct ServerFiles {
  std::string certificate;  // PEM: the server's own first, then those that lead to the authority
  std::string key;          // PEM, without a pass phrase
  // PEM: authorities whose certificates clients may show; "" asks for none.
  std::string client_authorities = {};
  Version oldest = Version::k12;

  friend bool operator==(const ServerFiles&, const ServerFiles&) = default;
};

// Thread-safe.
class ServerContext {
 public:
  // kInvalidArgument names the file that cannot be read or does not fit the others, and why.
  static Result<std::shared_ptr<ServerContext>> Load(const ServerFiles& files);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // What was read of files and fits together, to be taken over later. Errors as of Load.
  struct Loaded;
  using Prepared = std::shared_ptr<const Loaded>;
  static Result<Prepared> Prepare(const ServerFiles& files);
  // Later connections see it.
  void Adopt(Prepared prepared) TM_EXCLUDES(mutex_);

  // The server's side of a connection over `descriptor`, which does not block and outlives the channel.
  [[nodiscard]] Result<std::unique_ptr<Channel>> Open(int descriptor) const TM_EXCLUDES(mutex_);

  // When the certificate in force ends, in seconds since 1970.
  [[nodiscard]] int64_t ends_seconds() const TM_EXCLUDES(mutex_);

 private:
  explicit ServerContext(Prepared first);

  const std::shared_ptr<BufferKeepers> keepers_ = std::make_shared<BufferKeepers>();
  mutable Mutex mutex_;
  std::shared_ptr<const Loaded> loaded_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::tls
