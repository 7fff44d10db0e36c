// What a session does with its input beside reading it: whether it is TLS, the ends of lines, the memory of bodies, and
// how slowly they may come.
#include <chrono>
#include <cstring>
#include <utility>

#include "storage/base/memory/budget.h"
#include "tools/server/http/line_ends.h"
#include "tools/server/http/request_parser.h"
#include "tools/server/http/session.h"
#include "tools/tls/handshake_log.h"

namespace tidemark::http {

void Session::BeginHandshake(const boost::system::error_code& error) {
  if (phase_ != Phase::kHandshake) return;
  if (error) return OnHandshake(error);
  if (transport_.BeginsInClear()) {
    shared_->counters.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
    tls::LogFailedHandshake(peer_, "the client speaks in clear, where TLS is spoken");
    transport_.GoOnInClear();
    refuses_clear_ = true;
    return NextRequest();
  }
  // In turns of their addresses, so that one that asks for thousands keeps others waiting for one each.
  auto elsewhere = [this](std::move_only_function<void()> step) {
    return shared_->handshakes.TrySubmit(std::move(step), std::string_view(peer_).substr(0, peer_.rfind(':')));
  };
  transport_.AsyncHandshake(std::move(elsewhere), [self = shared_from_this()](const boost::system::error_code& failed) {
    self->OnHandshake(failed);
  });
}

void Session::OnHandshake(const boost::system::error_code& error) {
  if (phase_ != Phase::kHandshake) return;
  if (error) {
    shared_->counters.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
    const std::string why(transport_.tls_error());
    tls::LogFailedHandshake(peer_, error == boost::asio::error::timed_out ? "it took too long"
                                   : why.empty()                          ? error.message()
                                                                          : why);
    return Close();
  }
  shared_->counters.handshakes.fetch_add(1, std::memory_order_relaxed);
  if (std::vector<std::string> names = transport_.PeerNames(); !names.empty()) {
    certificate_names_ = std::make_shared<const std::vector<std::string>>(std::move(names));
  }
  NextRequest();
}

bool Session::MendLineEnds() {
  if (parser_->got_some()) return true;
  const std::string_view input(in_.get() + in_begin_, in_end_ - in_begin_);
  switch (const LineEnds ends = LineEndsOf(input, shared_->options().header_bytes_max); ends.kind) {
    case LineEnds::Kind::kCrLf: return true;
    case LineEnds::Kind::kUnknown: return false;
    case LineEnds::Kind::kLf: {
      const std::string mended = WithCrLf(input.substr(0, ends.head_size)) + std::string(input.substr(ends.head_size));
      in_ = std::make_unique_for_overwrite<char[]>(mended.size());
      std::memcpy(in_.get(), mended.data(), mended.size());
      in_begin_ = 0;
      in_capacity_ = in_end_ = mended.size();
      return true;
    }
  }
  return true;
}

bool Session::TakeMemory(std::atomic<uint64_t>* held, size_t bytes, size_t most) {
  memory::Budget* const memory = shared_->options().memory;
  const bool fits = held->fetch_add(bytes, std::memory_order_relaxed) + bytes <= most;
  if (fits && (memory == nullptr || memory->TryTake(memory::Class::kRequests, bytes))) return true;
  held->fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

void Session::GiveMemory(std::atomic<uint64_t>* held, size_t bytes) {
  if (bytes == 0) return;
  held->fetch_sub(bytes, std::memory_order_relaxed);
  if (memory::Budget* const memory = shared_->options().memory) memory->Give(memory::Class::kRequests, bytes);
}

bool Session::LeaseBody(size_t bytes) {
  if (!TakeMemory(&shared_->counters.body_bytes, bytes, shared_->options().body_memory_bytes)) return false;
  leased_bytes_ += bytes;
  return true;
}

bool Session::LeaseDecoded(size_t received, size_t bytes) {
  if (bytes <= decoded_bytes_) return true;
  const size_t usual = received * ServerOptions::kDenseRatio;
  const size_t dense = bytes > usual ? bytes - usual : 0;
  std::atomic<uint64_t>& held = shared_->counters.dense_bytes;
  const size_t more = dense - dense_bytes_;
  if (held.fetch_add(more, std::memory_order_relaxed) + more > shared_->options().dense_memory_bytes && more > 0) {
    held.fetch_sub(more, std::memory_order_relaxed);
    return false;
  }
  dense_bytes_ = dense;
  if (!LeaseBody(bytes - decoded_bytes_)) return false;
  decoded_bytes_ = bytes;
  return true;
}

void Session::ReleaseBody() {
  request_.body = BodyBuffer();
  shared_->counters.dense_bytes.fetch_sub(dense_bytes_, std::memory_order_relaxed);
  dense_bytes_ = 0;
  decoded_bytes_ = 0;
  GiveMemory(&shared_->counters.body_bytes, std::exchange(leased_bytes_, 0));
}

bool Session::BodyIsTooSlow(int64_t now_ns) {
  const ServerOptions& options = shared_->options();
  const auto in_ns = [](std::chrono::milliseconds time) { return std::chrono::nanoseconds(time).count(); };
  if (request_.body.size() != body_seen_bytes_) {
    body_seen_bytes_ = request_.body.size();
    body_grew_ns_ = now_ns;
  }
  if (now_ns - body_grew_ns_ > in_ns(options.body_stall)) return true;
  const ServerCounters& counters = shared_->counters;
  const bool scarce = counters.body_bytes.load(std::memory_order_relaxed) > options.body_memory_bytes / 2 ||
                      counters.connections_open.load(std::memory_order_relaxed) > options.connections_max / 2;
  const int64_t elapsed_ns = now_ns - body_began_ns_;
  if (!scarce || elapsed_ns <= in_ns(options.body_grace)) return false;
  const double rate = static_cast<double>(request_.body.size()) / (static_cast<double>(elapsed_ns) * 1e-9);
  return rate < static_cast<double>(options.body_bytes_per_second_min);
}

}  // namespace tidemark::http
