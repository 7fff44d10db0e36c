#include "tools/tls/channel.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tidemark::tls {
namespace {

std::string_view TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

// "" for a kind of name that nobody is known by here, and for a text with a zero byte, by which one name passes for
// another where texts end at it.
std::string NameOf(const GENERAL_NAME& name) {
  const auto text = [](std::string_view kind, const ASN1_STRING* value) {
    const std::string_view content = TextOf(value);
    return content.find('\0') == std::string_view::npos ? std::string(kind).append(content) : std::string();
  };
  switch (name.type) {
    case GEN_DNS: return text("dns:", name.d.dNSName);
    case GEN_EMAIL: return text("email:", name.d.rfc822Name);
    case GEN_URI: return text("uri:", name.d.uniformResourceIdentifier);
    case GEN_IPADD: {
      const std::string_view bytes = TextOf(name.d.iPAddress);
      std::array<char, INET6_ADDRSTRLEN> printed{};
      const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
      if (bytes.size() != 4 && bytes.size() != 16) return {};
      if (inet_ntop(family, bytes.data(), printed.data(), printed.size()) == nullptr) return {};
      return std::string("ip:") + printed.data();
    }
    default: return {};
  }
}

// What one call moves at most: some 100 us of work.
constexpr size_t kMostBytes = size_t{256} << 10;
// Received at once, in place of a record's head and its rest one after the other.
constexpr size_t kReadBufferBytes = size_t{64} << 10;
// Who asks for so much at once reads a body.
constexpr size_t kBulkBytes = size_t{16} << 10;

// A connection of so many small reads without a rest is a busy one.
constexpr int kKeepsFrom = 8;

// OpenSSL judges a call by what is in the thread's queue of errors behind it.
void BeginCall() {
  if (ERR_peek_error() != 0) ERR_clear_error();
  errno = 0;
}

}  // namespace

Channel::Outcome Channel::Judge(int code) {
  const int saved = errno;
  switch (SSL_get_error(ssl_.get(), code)) {
    case SSL_ERROR_WANT_READ: return Outcome::kWantsRead;
    case SSL_ERROR_WANT_WRITE: return Outcome::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN: return Outcome::kEnded;
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      error_ = saved == 0 ? "the connection ended without a word" : std::strerror(saved);
      ERR_clear_error();
      return Outcome::kBroken;
    default:
      broken_ = true;
      // OpenSSL's words for it name neither side.
      if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNSUPPORTED_PROTOCOL) {
        error_ = "the client speaks older versions of TLS only than this server takes";
        ERR_clear_error();
        return Outcome::kBroken;
      }
      error_ = TakeErrorText("the TLS connection broke");
      return Outcome::kBroken;
  }
}

Channel::Outcome Channel::Handshake() {
  BeginCall();
  const int code = SSL_do_handshake(ssl_.get());
  if (code != 1) return Judge(code);
  wire_->TakeAnyBytes();
  return Outcome::kDone;
}

template <typename Once, typename More>
Channel::Moved Channel::Repeat(size_t size, const Once& once, const More& more) {
  const size_t most = std::min(size, kMostBytes);
  size_t moved = 0;
  do {
    BeginCall();
    size_t bytes = 0;
    const int code = once(moved, &bytes);
    if (code != 1) {
      // What was moved counts. The next call runs into the same, or goes on.
      if (moved > 0) break;
      return {Judge(code), 0};
    }
    moved += bytes;
  } while (moved < most && more());
  return {Outcome::kDone, moved};
}

Channel::Moved Channel::Read(std::span<char> into) {
  const bool bulk = into.size() >= kBulkBytes;
  if (bulk) {
    Rest();
  } else {
    CountSmallRead();
  }
  // One of 64 KiB costs the allocator much more than one of a record.
  SSL_set_default_read_buffer_len(ssl_.get(), bulk ? kReadBufferBytes : 0);
  return Repeat(
      into.size(),
      [&](size_t at, size_t* bytes) { return SSL_read_ex(ssl_.get(), into.data() + at, into.size() - at, bytes); },
      [this] { return has_pending(); });
}

Channel::Moved Channel::ReadReceived(std::span<char> into, size_t received) {
  const bool waits = has_pending();  // to be read first, over what lies in `into`
  wire_->Give(into.first(received));
  if (waits) wire_->Keep();
  const Moved moved = Read(into);
  wire_->Keep();
  return moved;
}

Channel::Moved Channel::Write(std::string_view bytes) {
  return Repeat(
      bytes.size(),
      [&](size_t at, size_t* sent) { return SSL_write_ex(ssl_.get(), bytes.data() + at, bytes.size() - at, sent); },
      [] { return true; });
}

void Channel::CountSmallRead() {
  if (small_reads_ == kKeepsFrom || ++small_reads_ < kKeepsFrom) return;
  if (keepers_->Enter()) {
    SSL_clear_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
  } else {
    small_reads_ = 0;
  }
}

void Channel::Rest() {
  if (small_reads_ == kKeepsFrom) {
    keepers_->Leave();
    SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
    // Not those in which something is yet to be read or sent: they go with it.
    static_cast<void>(SSL_free_buffers(ssl_.get()));
  }
  small_reads_ = 0;
}

Channel::~Channel() {
  if (small_reads_ == kKeepsFrom) keepers_->Leave();
}

void Channel::Close() {
  // Nothing may be said after a fatal fault, nor before the end of the handshake.
  if (broken_ || SSL_in_init(ssl_.get()) != 0) return;
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(ssl_.get()));
  ERR_clear_error();
}

bool Channel::has_pending() const { return SSL_has_pending(ssl_.get()) == 1 || !wire_->empty(); }

std::string_view Channel::version() const { return SSL_get_version(ssl_.get()); }

std::vector<std::string> Channel::PeerNames() const {
  std::vector<std::string> names;
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return names;
  const AlternativeNames alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (alternatives == nullptr) return names;
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    std::string name = NameOf(*sk_GENERAL_NAME_value(alternatives.get(), i));
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace tidemark::tls
