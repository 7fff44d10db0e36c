// How a session answers: heads, bodies, streams.
#include <fmt/core.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <ctime>
#include <utility>

#include "storage/base/clock.h"
#include "tools/server/http/session.h"
#include "tools/server/http/session_stream.h"

namespace tidemark::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Smaller replies are not counted against the memory for replies.
constexpr size_t kLargeReplyBytes = size_t{64} << 10;

}  // namespace

const std::string& IoLoop::Date() {
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

bool Session::LeaseReply(size_t bytes) {
  if (bytes < kLargeReplyBytes) return true;
  std::atomic<uint64_t>& held = shared_->counters.reply_bytes;
  if (held.fetch_add(bytes, std::memory_order_relaxed) + bytes > shared_->options.reply_memory_bytes) {
    held.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  leased_reply_bytes_ += bytes;
  return true;
}

void Session::ReleaseReply() {
  shared_->counters.reply_bytes.fetch_sub(leased_reply_bytes_, std::memory_order_relaxed);
  leased_reply_bytes_ = 0;
}

std::string Session::HeadOf(const Response& response, bool chunked, bool keep_alive, size_t length) {
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
    // A header must stay one line, whatever somebody put into it.
    for (const char c : value) head += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    head += "\r\n";
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) add(name, value);
  add("Date", loop_->Date());
  if (chunked) {
    add("Transfer-Encoding", "chunked");
  } else if (!response.produce && response.status != 204) {
    add("Content-Length", std::to_string(length));
  }
  if (!keep_alive) {
    add("Connection", "close");
  } else if (request_.http10) {
    add("Connection", "keep-alive");
  }
  head += "\r\n";
  return head;
}

void Session::Reply(Response response) {
  if (phase_ == Phase::kClosed) return;
  Enter(Phase::kReply, shared_->options.idle_timeout);
  const bool streamed = static_cast<bool>(response.produce);
  const bool chunked = streamed && !request_.http10;
  const bool keep_alive =
      keep_alive_ && !response.close && !shared_->draining.load(std::memory_order_relaxed) && (!streamed || chunked);
  keep_alive_ = keep_alive;
  if (streamed && !head_only_) {
    auto stream = std::make_shared<SessionStream>(loop_, weak_from_this());
    auto run = [stream, produce = std::move(response.produce)]() mutable { produce(std::move(stream)); };
    if (!shared_->streams.TrySubmitNow(std::move(run))) {
      shared_->counters.overloaded.fetch_add(1, std::memory_order_relaxed);
      Response busy = shared_->application->Refuse(503, "too many streamed replies at once", &request_);
      busy.Set("Retry-After", "1");
      return Reply(std::move(busy));
    }
    // `run` has taken it; HeadOf only asks whether there is one.
    response.produce = [](const std::shared_ptr<ReplyStream>&) {};
    std::string head = HeadOf(response, chunked, keep_alive, 0);
    stream_ = std::move(stream);
    stream_chunked_ = chunked;
    if (!response.body.empty() && chunked) {
      response.body = fmt::format("{:x}\r\n{}\r\n", response.body.size(), response.body);
    }
    return Write(std::move(head), std::move(response.body), After::kStream);
  }
  if (!LeaseReply(response.body.size())) {
    shared_->counters.overloaded.fetch_add(1, std::memory_order_relaxed);
    response = shared_->application->Refuse(503, "too many replies wait for their clients", &request_);
    response.Set("Retry-After", "1");
  }
  std::string head = HeadOf(response, false, keep_alive, response.body.size());
  if (head_only_ || response.status == 204) response.body.clear();
  const After after = keep_alive ? After::kNextRequest : response.close ? After::kLinger : After::kClose;
  Write(std::move(head), std::move(response.body), after);
}

void Session::Write(std::string head, std::string body, After after) {
  out_head_ = std::move(head);
  out_body_ = std::move(body);
  out_sent_ = 0;
  after_ = after;
  WriteMore();
}

void Session::WriteMore() {
  const size_t head_sent = std::min(out_sent_, out_head_.size());
  const size_t body_sent = out_sent_ - head_sent;
  const std::array<asio::const_buffer, 2> buffers = {
      asio::buffer(out_head_.data() + head_sent, out_head_.size() - head_sent),
      asio::buffer(out_body_.data() + body_sent, out_body_.size() - body_sent)};
  auto on_write = [self = shared_from_this()](const error_code& error, size_t count) {
    if (self->phase_ == Phase::kClosed) return;
    if (error) return self->Close();
    self->shared_->counters.sent_bytes.fetch_add(count, std::memory_order_relaxed);
    self->out_sent_ += count;
    if (self->out_sent_ == self->out_head_.size() + self->out_body_.size()) return self->OnWritten();
    // Each byte that the client takes renews its time.
    self->Enter(Phase::kReply, self->shared_->options.idle_timeout);
    self->WriteMore();
  };
  socket_.async_write_some(buffers, std::move(on_write));
}

void Session::OnWritten() {
  out_head_ = {};
  out_body_ = {};
  ReleaseReply();
  switch (after_) {
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
  if (shared_->draining.load(std::memory_order_relaxed)) finished = true;
  if (bytes.empty() && !finished) {
    waiting_for_stream_ = shared_from_this();  // StreamReady goes on
    return;
  }
  Enter(Phase::kReply, shared_->options.idle_timeout);
  std::string head;
  if (stream_chunked_) {
    if (!bytes.empty()) {
      head = fmt::format("{:x}\r\n", bytes.size());
      bytes += "\r\n";
    }
    if (finished) bytes += "0\r\n\r\n";
  }
  if (!finished) return Write(std::move(head), std::move(bytes), After::kStream);
  stream_->Abandon();
  stream_.reset();
  const After after = keep_alive_ ? After::kNextRequest : After::kClose;
  if (head.empty() && bytes.empty()) {
    after_ = after;
    return OnWritten();
  }
  Write(std::move(head), std::move(bytes), after);
}

void Session::StreamReady() {
  if (phase_ != Phase::kStream || !stream_) return;
  const std::shared_ptr<Session> self = std::exchange(waiting_for_stream_, nullptr);
  PumpStream();
}

}  // namespace tidemark::http
