// RawClient: a blocking TCP connection that sends exactly the bytes it is told to; over TLS in unit_https.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tools/tls/openssl_handles.h"

namespace tidemark::http {

class RawClient {
 public:
#ifdef TIDEMARK_TEST_TLS
  static constexpr bool kEncrypted = true;
#else
  static constexpr bool kEncrypted = false;
#endif

  explicit RawClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    if (kEncrypted && connected_) {
      context_.reset(SSL_CTX_new(TLS_client_method()));
      ssl_.reset(SSL_new(context_.get()));
      SSL_set_fd(ssl_.get(), fd_);
      connected_ = SSL_connect(ssl_.get()) == 1;
    }
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                                : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Everything up to the end of the connection, or what came within 10 s.
  std::string ReadAll() {
    while (Fill()) {
    }
    return std::move(buffer_);
  }

  // Bytes up to and including `mark`.
  std::string ReadUntil(std::string_view mark) {
    size_t at;
    while ((at = buffer_.find(mark)) == std::string::npos) {
      if (!Fill()) return std::exchange(buffer_, {});
    }
    std::string out = buffer_.substr(0, at + mark.size());
    buffer_.erase(0, at + mark.size());
    return out;
  }

  // One reply with a Content-Length or without a body: head and body.
  std::string ReadReply() {
    std::string head = ReadUntil("\r\n\r\n");
    const size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    const size_t length = std::strtoull(head.c_str() + at + 16, nullptr, 10);
    while (buffer_.size() < length && Fill()) {
    }
    head += buffer_.substr(0, length);
    buffer_.erase(0, length);
    return head;
  }

  void ShutdownSend() { ::shutdown(fd_, SHUT_WR); }

 private:
  bool Fill() {
    pollfd ready{fd_, POLLIN, 0};
    const bool here = ssl_ && SSL_pending(ssl_.get()) > 0;
    if (!here && ::poll(&ready, 1, 10'000) <= 0) return false;
    char bytes[16384];
    const ssize_t got = ssl_ ? SSL_read(ssl_.get(), bytes, sizeof(bytes)) : ::recv(fd_, bytes, sizeof(bytes), 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  int fd_;
  tls::SslContext context_;
  tls::SslHandle ssl_;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace tidemark::http
