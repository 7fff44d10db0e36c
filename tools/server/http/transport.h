// Transport: the socket of a connection, plain or under TLS. Internal to the HTTP server. Operations are those of the
// loop's thread, but for SendNow and Close (see there).
//
// The handlers are called as handler(error, bytes) on the loop's thread, never from inside of the call itself.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "tools/tls/channel.h"

namespace tidemark::http {

class Transport {
 public:
  // Two texts that go out one after the other, as if they were one.
  using Parts = std::array<std::string_view, 2>;

  // `channel` works on the socket's descriptor; null: plain.
  Transport(boost::asio::ip::tcp::socket socket, std::unique_ptr<tls::Channel> channel)
      : encrypted_(channel != nullptr), channel_(std::move(channel)), socket_(std::move(socket)) {}

  // Whether the connection came to a listener that speaks TLS.
  [[nodiscard]] bool encrypted() const { return encrypted_; }
  // "127.0.0.1:54321"; "" when the peer has gone.
  [[nodiscard]] std::string PeerAddress() const;
  // See tls::Channel::PeerNames; good after the handshake.
  [[nodiscard]] std::vector<std::string> PeerNames() const {
    return channel_ ? channel_->PeerNames() : std::vector<std::string>();
  }

  // Why TLS broke; "" when it has not.
  [[nodiscard]] std::string_view tls_error() const { return channel_ ? std::string_view(channel_->error()) : ""; }

  // Options for small messages that do not wait for each other.
  void Configure();

  // Runs what it is given on another thread; false: it does not, and has not.
  using Elsewhere = std::move_only_function<bool(std::move_only_function<void()>)>;

  // handler(error): both sides know each other. At once when plain. What takes long of it, which is arithmetic, is done
  // `elsewhere`, lest everybody of this loop wait for it; while handshake_runs() the peer's names and tls_error() are
  // not to be asked for.
  //
  // As long as a record has not come whole, the kernel is asked to wake nobody: who sends a byte now and then costs
  // what his packets cost the kernel.
  template <typename Handler>
  void AsyncHandshake(Elsewhere elsewhere, Handler handler) {
    if (channel_ == nullptr) return handler(boost::system::error_code());
    elsewhere_ = std::move(elsewhere);
    GoOnWithHandshake([handler = std::move(handler)](const auto& error, size_t) mutable { handler(error); });
  }

  [[nodiscard]] bool handshake_runs() const { return handshake_runs_; }

  // Reads at least one byte, unless an error keeps it from that.
  template <typename Handler>
  void AsyncReadSome(char* into, size_t bytes, Handler handler) {
    if (channel_ == nullptr) return socket_.async_read_some(boost::asio::buffer(into, bytes), std::move(handler));
    // The next request of a client is rarely here when the reply to the last one has gone out, and trying to decrypt
    // what is not here costs more than waiting for it. Of a body the rest mostly is.
    if (bytes < kBulkBytes && !channel_->has_pending()) return ReceiveAndRead(into, bytes, std::move(handler));
    Drive([this, into, bytes] { return channel_->Read({into, bytes}); }, std::move(handler));
  }

  // Writes at least one byte of `parts`, which stay where they are until the handler is called.
  template <typename Handler>
  void AsyncWriteSome(const Parts& parts, Handler handler) {
    if (channel_ == nullptr) {
      const std::array<boost::asio::const_buffer, 2> buffers = {boost::asio::buffer(parts[0].data(), parts[0].size()),
                                                                boost::asio::buffer(parts[1].data(), parts[1].size())};
      return socket_.async_write_some(buffers, std::move(handler));
    }
    Drive([this, parts] { return WriteParts(parts); }, std::move(handler));
  }

  // handler(error): something has come, or the end of it.
  template <typename Handler>
  void AsyncWaitReadable(Handler handler) {
    socket_.async_wait(boost::asio::ip::tcp::socket::wait_read, std::move(handler));
  }

  // Gives back memory that is of use between requests that follow each other; to be called when none does.
  void Rest() {
    if (channel_ != nullptr) channel_->Rest();
  }

  // Before the handshake, when something has come: whether it is a request in clear. A handshake begins with 22 (RFC
  // 8446, 5.1), the hello of versions before SSL 3 with a byte above 127, a method with a capital letter.
  [[nodiscard]] bool BeginsInClear();
  // Goes on without TLS, to tell such a client in words what it can read.
  void GoOnInClear() { channel_.reset(); }

  // Whether the client has closed its side with nothing unread before.
  [[nodiscard]] bool PeerGone();
  // Whether something was received and not read. On any thread, as SendNow.
  [[nodiscard]] bool HasInput() TM_EXCLUDES(closing_mutex_);
  // Sends what goes at once and returns how much of `parts` that was. On any thread, as long as the loop's thread does
  // not read or write meanwhile.
  size_t SendNow(const Parts& parts) TM_EXCLUDES(closing_mutex_);

  // Ends what waits, with operation_aborted.
  void Cancel();
  // Says that nothing follows, and goes on reading.
  void ShutdownSend();
  void Close() TM_EXCLUDES(closing_mutex_);
  // Gives the descriptor of a plain socket to the caller; nothing is sent, and what was not read stays in the kernel.
  // -1: it is closed already.
  [[nodiscard]] int Release() TM_EXCLUDES(closing_mutex_);

 private:
  // Who reads so much at once reads a body.
  static constexpr size_t kBulkBytes = size_t{16} << 10;

  // `waited_for`: how many bytes were waited for just now.
  template <typename Handler>
  void GoOnWithHandshake(Handler handler, int waited_for = 0) {
    const int missing = channel_->missing();
    if (missing <= waited_for) {
      if (missing > 0) channel_->TakeAnyBytes();
      return TakeHandshakeStep(std::move(handler));
    }
    WakeFrom(missing);
    socket_.async_wait(boost::asio::ip::tcp::socket::wait_read,
                       [this, missing, kept = std::move(handler)](const auto& error) mutable {
                         if (error) return kept(error, 0);
                         GoOnWithHandshake(std::move(kept), missing);
                       });
  }
  template <typename Handler>
  void TakeHandshakeStep(Handler handler) {
    // Kept here until this returns, so that the last of it does not go away on another thread.
    const auto kept = std::make_shared<Handler>(std::move(handler));
    handshake_runs_ = true;
    auto step = [this, kept]() mutable {
      const tls::Channel::Outcome outcome = HandshakeStep();
      boost::asio::post(socket_.get_executor(), [this, outcome, kept = std::move(kept)] {
        handshake_runs_ = false;
        EndHandshakeStep(outcome, std::move(*kept));
      });
    };
    if (!elsewhere_(step)) step();
  }
  template <typename Handler>
  void EndHandshakeStep(tls::Channel::Outcome outcome, Handler handler) {
    if (outcome == tls::Channel::Outcome::kWantsRead && channel_->by_records()) {
      return GoOnWithHandshake(std::move(handler));
    }
    WakeFrom(1);
    if (!WaitsFor(outcome)) {
      elsewhere_ = nullptr;
      return handler(ErrorOf(outcome), 0);
    }
    Wait(outcome, [this] { return tls::Channel::Moved{HandshakeStep(), 0}; }, std::move(handler));
  }
  // kBroken when the connection was closed.
  [[nodiscard]] tls::Channel::Outcome HandshakeStep() TM_EXCLUDES(closing_mutex_);
  // Has a wait for the socket to be readable end when so many bytes have come, or nothing can follow.
  void WakeFrom(int bytes);

  // Repeats `step` until it is done, waiting for the socket as it asks.
  template <typename Step, typename Handler>
  void Drive(Step step, Handler handler) {
    const tls::Channel::Moved moved = step();
    if (WaitsFor(moved.outcome)) return Wait(moved.outcome, std::move(step), std::move(handler));
    boost::asio::post(socket_.get_executor(), [handler = std::move(handler), moved]() mutable {
      handler(ErrorOf(moved.outcome), moved.bytes);
    });
  }
  // The same, when the socket has been waited for: on the loop's thread, with nobody waiting for this to return.
  template <typename Step, typename Handler>
  void DriveOn(Step step, Handler handler) {
    const tls::Channel::Moved moved = step();
    if (WaitsFor(moved.outcome)) return Wait(moved.outcome, std::move(step), std::move(handler));
    handler(ErrorOf(moved.outcome), moved.bytes);
  }
  template <typename Step, typename Handler>
  void Wait(tls::Channel::Outcome wanted, Step step, Handler handler) {
    if (wanted == tls::Channel::Outcome::kWantsRead) return DriveWhenReadable(std::move(step), std::move(handler));
    socket_.async_wait(boost::asio::ip::tcp::socket::wait_write,
                       [this, step = std::move(step), kept = std::move(handler)](const auto& error) mutable {
                         if (error) return kept(error, 0);
                         DriveOn(std::move(step), std::move(kept));
                       });
  }
  // Has the kernel put what comes where it will be read: one call, as of a plain socket. At the end of the input, as at
  // an error, the channel says what there is to say.
  template <typename Handler>
  void ReceiveAndRead(char* into, size_t bytes, Handler handler) {
    auto on_received = [this, into, bytes, kept = std::move(handler)](const auto& error, size_t got) mutable {
      if (error == boost::asio::error::operation_aborted) return kept(error, 0);
      const tls::Channel::Moved moved = channel_->ReadReceived({into, bytes}, got);
      if (!WaitsFor(moved.outcome)) return kept(ErrorOf(moved.outcome), moved.bytes);
      Wait(moved.outcome, [this, into, bytes] { return channel_->Read({into, bytes}); }, std::move(kept));
    };
    socket_.async_read_some(boost::asio::buffer(into, bytes), std::move(on_received));
  }
  // Looks at a byte in place of waiting: a wait is told to the kernel each time, a look only when there is nothing. At
  // the end of the input, as at an error, the step says what there is to say.
  template <typename Step, typename Handler>
  void DriveWhenReadable(Step step, Handler handler) {
    auto on_readable = [this, step = std::move(step), kept = std::move(handler)](const auto& error, size_t) mutable {
      if (error == boost::asio::error::operation_aborted) return kept(error, 0);
      DriveOn(std::move(step), std::move(kept));
    };
    socket_.async_receive(boost::asio::buffer(&peeked_, 1), boost::asio::socket_base::message_peek,
                          std::move(on_readable));
  }
  [[nodiscard]] static bool WaitsFor(tls::Channel::Outcome outcome) {
    return outcome == tls::Channel::Outcome::kWantsRead || outcome == tls::Channel::Outcome::kWantsWrite;
  }
  [[nodiscard]] static boost::system::error_code ErrorOf(tls::Channel::Outcome outcome);
  [[nodiscard]] tls::Channel::Moved WriteParts(const Parts& parts);

  const bool encrypted_;
  std::unique_ptr<tls::Channel> channel_;
  int wakes_from_ = 1;  // see WakeFrom
  Elsewhere elsewhere_;
  bool handshake_runs_ = false;
  char peeked_ = 0;  // by what waits for the socket to be readable
  boost::asio::ip::tcp::socket socket_;
  // Held while a worker sends and while the socket closes, lest the number of its descriptor go to another one.
  Mutex closing_mutex_;
  bool closed_ TM_GUARDED_BY(closing_mutex_) = false;
};

}  // namespace tidemark::http
