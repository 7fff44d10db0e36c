// How a session answers: heads, bodies, streams.
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <ctime>
#include <exception>
#include <utility>

#include "storage/base/clock.h"
#include "storage/base/log.h"
#include "tools/server/http/session.h"
#include "tools/server/http/session_stream.h"

namespace tidemark::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Smaller replies are not counted against the memory for replies.
constexpr size_t kLargeReplyBytes = size_t{64} << 10;

bool IsControl(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

// RFC 9110 date of now. Valid until the thread's next call.
const std::string& HttpDate() {
  thread_local int64_t date_second = -1;
  thread_local std::string date;
  const int64_t second = SystemClock::Get().NowNs() / 1'000'000'000;
  if (second != date_second) {
    date_second = second;
    const std::time_t time = second;
    std::tm utc{};
    gmtime_r(&time, &utc);
    static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    date =
        fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[static_cast<size_t>(utc.tm_wday)], utc.tm_mday,
                    kMonths[static_cast<size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  }
  return date;
}

}  // namespace

bool Session::LeaseReply(size_t bytes) {
  if (bytes < kLargeReplyBytes) return true;
  if (!TakeMemory(&shared_->counters.reply_bytes, bytes, shared_->options().reply_memory_bytes)) return false;
  leased_reply_bytes_ += bytes;
  return true;
}

void Session::ReleaseReply() { GiveMemory(&shared_->counters.reply_bytes, std::exchange(leased_reply_bytes_, 0)); }

std::string Session::HeadOf(const Response& response, const Framing& framing) const {
  std::string head;
  head.reserve(256);
  head += "HTTP/1.1 ";
  head += std::to_string(response.status);
  head += ' ';
  head += ReasonPhrase(response.status);
  head += "\r\n";
  const auto add = [&head](std::string_view name, std::string_view value) {
    head += name;
    head += ": ";
    // A header stays one line of text, whatever somebody put into it: no field may hold these (RFC 9110, 5.5), and
    // clients refuse the whole reply for one.
    for (const char c : value) head += IsControl(c) ? ' ' : c;
    head += "\r\n";
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) add(name, value);
  add("Date", HttpDate());
  if (framing.chunked) {
    add("Transfer-Encoding", "chunked");
  } else if (framing.length) {
    add("Content-Length", std::to_string(*framing.length));
  }
  if (!keep_alive_) {
    add("Connection", "close");
  } else if (request_.http10) {
    add("Connection", "keep-alive");
  }
  head += "\r\n";
  return head;
}

void Session::Reply(Response response) {
  if (phase_ == Phase::kClosed) return;
  if (response.produce && !head_only_) return ReplyInStream(std::move(response));
  Write(Compose(std::move(response)));
}

void Session::ReplyInStream(Response response) {
  auto stream = std::make_shared<SessionStream>(loop_, weak_from_this());
  auto run = [stream, loop = loop_, session = weak_from_this(), produce = std::move(response.produce)]() mutable {
    try {
      produce(std::move(stream));
    } catch (const std::exception& error) {
      // The head has gone out: that something is missing can be told by cutting the reply only.
      TM_LOG(kError, "a streamed reply: {}", error.what());
      asio::post(loop->context(), [session = std::move(session)] {
        if (const auto self = session.lock()) self->Abort();
      });
    }
  };
  if (!shared_->streams.TrySubmitNow(std::move(run))) {
    shared_->counters.overloaded.fetch_add(1, std::memory_order_relaxed);
    Response busy = shared_->application->Refuse(503, "too many streamed replies at once", &request_);
    busy.Set("Retry-After", "1");
    return Write(Compose(std::move(busy)));
  }
  const bool chunked = !request_.http10;
  keep_alive_ = keep_alive_ && chunked && !response.close && !ReplyIsLast();
  stream_ = std::move(stream);
  stream_chunked_ = chunked;
  stream_ends_at_drain_ = response.ends_at_drain;
  Outgoing out{.head = HeadOf(response, Framing{.chunked = chunked}), .after = After::kStream};
  if (!response.body.empty() && chunked) {
    out.body = fmt::format("{:x}\r\n{}\r\n", response.body.size(), response.body);
  } else {
    out.body = std::move(response.body);
  }
  Write(std::move(out));
}

Session::Outgoing Session::Compose(Response response) {
  // Of the reply to HEAD that would be a stream only the head goes out.
  const bool streamed = static_cast<bool>(response.produce);
  const bool chunked = streamed && !request_.http10;
  if (!LeaseReply(response.body.size())) {
    shared_->counters.overloaded.fetch_add(1, std::memory_order_relaxed);
    response = shared_->application->Refuse(503, "too many replies wait for their clients", &request_);
    response.Set("Retry-After", "1");
  }
  const bool last = ReplyIsLast();
  keep_alive_ = keep_alive_ && !response.close && !last && (!streamed || chunked);
  Framing framing{.chunked = chunked};
  // These have no body whatever the headers say (RFC 9110, 15.3.5 and 15.4.5).
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!streamed && !bodiless) framing.length = response.body.size();
  Outgoing out{.head = HeadOf(response, framing),
               .after = keep_alive_              ? After::kNextRequest
                        : response.close || last ? After::kLinger
                                                 : After::kClose};
  if (!head_only_ && !bodiless) out.body = std::move(response.body);
  return out;
}

Transport::Parts Session::Unsent(const Outgoing& out) {
  const size_t head_sent = std::min(out.sent, out.head.size());
  return {std::string_view(out.head).substr(head_sent), std::string_view(out.body).substr(out.sent - head_sent)};
}

void Session::SendNow(Outgoing* out) { out->sent = transport_.SendNow(Unsent(*out)); }

void Session::Write(Outgoing out) {
  Enter(Phase::kReply, shared_->options().idle_timeout);
  shared_->counters.sent_bytes.fetch_add(out.sent, std::memory_order_relaxed);
  out_ = std::move(out);
  WriteMore();
}

void Session::WriteMore() {
  if (out_.sent == out_.head.size() + out_.body.size()) return OnWritten();
  auto on_write = [self = shared_from_this()](const error_code& error, size_t count) {
    if (self->phase_ == Phase::kClosed) return;
    if (error) return self->Close();
    self->shared_->counters.sent_bytes.fetch_add(count, std::memory_order_relaxed);
    self->out_.sent += count;
    // Each byte that the client takes renews its time.
    self->Enter(Phase::kReply, self->shared_->options().idle_timeout);
    self->WriteMore();
  };
  transport_.AsyncWriteSome(Unsent(out_), std::move(on_write));
}

void Session::OnWritten() {
  const After after = out_.after;
  out_ = {};
  ReleaseReply();
  switch (after) {
    case After::kReadBody: return BeginBody();
    case After::kNextRequest: return NextRequest();
    case After::kStream: return PumpStream();
    case After::kLinger: return Linger();
    case After::kClose: return Close();
  }
}

void Session::PumpStream() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kStream;
  bool finished = false;
  std::string bytes = stream_->Take(&finished);
  if (stream_ends_at_drain_ && shared_->draining.load(std::memory_order_relaxed)) finished = true;
  if (bytes.empty() && !finished) {
    waiting_for_stream_ = shared_from_this();  // StreamReady goes on
    return;
  }
  Outgoing out{.after = After::kStream};
  if (stream_chunked_) {
    if (!bytes.empty()) {
      out.head = fmt::format("{:x}\r\n", bytes.size());
      bytes += "\r\n";
    }
    if (finished) bytes += "0\r\n\r\n";
  }
  out.body = std::move(bytes);
  if (finished) {
    stream_->Abandon();
    stream_.reset();
    out.after = keep_alive_ ? After::kNextRequest : After::kClose;
  }
  Write(std::move(out));
}

void Session::StreamReady() {
  if (phase_ != Phase::kStream || !stream_) return;
  const std::shared_ptr<Session> self = std::exchange(waiting_for_stream_, nullptr);
  PumpStream();
}

Response Session::RefuseCoded(const Error& error) {
  const bool later = error.code == ErrorCode::kResourceExhausted;
  const int status = later ? 503 : error.code == ErrorCode::kLimitExceeded ? 413 : 400;
  Response response = shared_->application->Refuse(status, error.message, &request_);
  if (later) response.Set("Retry-After", "1");
  return response;
}

void Session::RefuseAndClose(int status, std::string_view text) {
  // What is being read goes on into nowhere: cancel it, so that its handler does not run into the reply.
  phase_ = Phase::kReply;
  transport_.Cancel();
  Response response = shared_->application->Refuse(status, text, &request_);
  if (status == 503) response.Set("Retry-After", "1");
  response.close = true;
  Reply(std::move(response));
}

void Session::RefuseRevoked() {
  phase_ = Phase::kReply;
  Response response = shared_->application->Refuse(401, "the token was revoked or has ended meanwhile", &request_);
  response.Set("WWW-Authenticate", "Bearer");
  Reply(std::move(response));
}

void Session::RefuseForMemory() {
  shared_->counters.overloaded.fetch_add(1, std::memory_order_relaxed);
  RefuseAndClose(503, "too many request bodies are held at once");
}

}  // namespace tidemark::http
