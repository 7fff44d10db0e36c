#include "tools/server/http/session.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <utility>

#include "storage/base/clock.h"
#include "storage/base/log.h"
#include "tools/server/http/request_parser.h"
#include "tools/server/http/session_stream.h"
#include "tools/server/http/stream_coding.h"

namespace tidemark::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using boost::system::error_code;

// Input buffer of a connection between requests; it grows with the head and for chunked bodies.
constexpr size_t kSmallInputBytes = 4096;
constexpr size_t kLargeInputBytes = size_t{64} << 10;
// A connection that is refused with its body unread is kept open this long, so that the client can read the answer.
constexpr std::chrono::milliseconds kLingerTime{2000};
// The same while the server goes, and others wait for the next one.
constexpr std::chrono::milliseconds kShortLingerTime{100};
// Queries up to this size begin where they were read.
constexpr size_t kShortRequestBytes = size_t{4} << 10;
// Compressing so much takes a millisecond.
constexpr size_t kLongToCompress = size_t{64} << 10;
// Bodies up to this size are read and dropped when a request is refused, to keep the connection.
constexpr size_t kSkippedBodyBytes = size_t{64} << 10;

// A body's memory is counted as its bytes come, at least this much at a time: what a client only declares must not keep
// others out.
constexpr size_t kBodyLeaseBytes = size_t{256} << 10;
// A connection that was not asked for so long is not a busy one.
constexpr int64_t kRestAfterNs = 500'000'000;
constexpr std::string_view kInClear =
    "this address speaks TLS, and the request came in clear: ask with https:// in place of http://. A token that was "
    "in "
    "it was readable on its way";
constexpr std::string_view kUnknownVersion = "only HTTP/1.0 and HTTP/1.1 are spoken here";

int64_t NowNs() { return SystemClock::Get().SteadyNs(); }

}  // namespace

Session::Session(asio::ip::tcp::socket socket, std::unique_ptr<tls::Channel> channel, ConnectionCounts::Place place,
                 IoLoop* loop, ServerShared* shared)
    : place_(std::move(place)), transport_(std::move(socket), std::move(channel)), loop_(loop), shared_(shared) {
  loop_->Insert(this);
}

Session::~Session() {
  if (stream_) stream_->Abandon();
  ReleaseBody();
  ReleaseReply();
  loop_->Erase(this);
  // The waiter looks at the count under the mutex: take it, so that the notification is not lost in between.
  MutexLock lock(shared_->mutex);
  shared_->counters.connections_open.fetch_sub(1, std::memory_order_relaxed);
  if (transport_.encrypted()) shared_->counters.connections_encrypted.fetch_sub(1, std::memory_order_relaxed);
  shared_->closed.NotifyAll();
}

void Session::Start() {
  transport_.Configure();
  peer_ = transport_.PeerAddress();
  if (!transport_.encrypted()) return NextRequest();
  Enter(Phase::kHandshake, shared_->options().header_timeout);
  transport_.AsyncWaitReadable([self = shared_from_this()](const error_code& error) { self->BeginHandshake(error); });
}

void Session::Enter(Phase phase, std::chrono::milliseconds timeout) {
  phase_ = phase;
  deadline_ns_ = NowNs() + std::chrono::duration_cast<std::chrono::nanoseconds>(timeout).count();
}

void Session::Sweep(int64_t now_ns) {
  switch (phase_) {
    case Phase::kBody:
      if (!BodyIsTooSlow(now_ns)) return;
      shared_->counters.timeouts.fetch_add(1, std::memory_order_relaxed);
      RefuseAndClose(408, "the request body came too slowly");
      return;
    case Phase::kWork:
      if (transport_.PeerGone() || request_.caller->revoked()) stop_.request_stop();
      return;
    case Phase::kStream:
      if (transport_.PeerGone() || request_.caller->revoked()) Close();
      return;
    case Phase::kHead:
      if (now_ns < deadline_ns_) return;
      shared_->counters.timeouts.fetch_add(1, std::memory_order_relaxed);
      RefuseAndClose(408, "the request header came too slowly");
      return;
    case Phase::kHandshake:
      if (now_ns < deadline_ns_ || transport_.handshake_runs()) return;
      OnHandshake(boost::asio::error::timed_out);
      return;
    case Phase::kReply:
      // Of a stream that a slow client takes, too.
      if (now_ns < deadline_ns_ && (stream_ == nullptr || !request_.caller->revoked())) return;
      Close();
      return;
    case Phase::kIdle:
      if (now_ns - idle_since_ns_ >= kRestAfterNs) transport_.Rest();
      [[fallthrough]];
    case Phase::kLinger:
    case Phase::kParting:
      if (now_ns < deadline_ns_) return;
      Close();
      return;
    case Phase::kClosed: return;
  }
}

void Session::Abort() {
  stop_.request_stop();
  Close();
}

void Session::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  const std::shared_ptr<Session> self = std::exchange(waiting_for_stream_, nullptr);
  if (stream_) stream_->Abandon();
  transport_.Close();
}

// Reads more into in_ and calls `handler(error)`.
template <typename Handler>
void Session::ReadInput(Handler handler) {
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  if (in_end_ == in_capacity_) {
    if (in_begin_ > 0) {
      std::memmove(in_.get(), in_.get() + in_begin_, in_end_ - in_begin_);
    } else {
      const size_t grown = in_capacity_ == 0 ? kSmallInputBytes : in_capacity_ * 4;
      auto bigger = std::make_unique_for_overwrite<char[]>(grown);
      if (in_end_ > 0) std::memcpy(bigger.get(), in_.get(), in_end_);
      in_ = std::move(bigger);
      in_capacity_ = grown;
    }
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  auto on_read = [self = shared_from_this(), handler](const error_code& error, size_t count) {
    if (self->phase_ == Phase::kClosed) return;
    self->shared_->counters.received_bytes.fetch_add(count, std::memory_order_relaxed);
    self->in_end_ += count;
    handler(error);
  };
  transport_.AsyncReadSome(in_.get() + in_end_, in_capacity_ - in_end_, std::move(on_read));
}

void Session::NextRequest() {
  ReleaseBody();
  ForgetLateAnswer();
  request_ = Request();
  admission_ = Admission();
  parser_ = std::make_unique<RequestParser>(&request_, shared_->options().header_bytes_max);
  if (in_begin_ == in_end_) {
    if (shared_->draining.load(std::memory_order_relaxed) && EndIdle(false)) return;
    in_begin_ = in_end_ = 0;
    if (in_capacity_ > kSmallInputBytes) {
      in_.reset();
      in_capacity_ = 0;
    }
    const bool goes = shared_->draining.load(std::memory_order_relaxed);
    Enter(Phase::kIdle, goes ? kFirstRequestTime : shared_->options().idle_timeout);
    idle_since_ns_ = NowNs();
  } else {
    Enter(Phase::kHead, shared_->options().header_timeout);
  }
  ParseHead();
}

void Session::ParseHead() {
  // Some clients send an empty line after a body; RFC 9112, 2.2 asks to skip it.
  while (in_begin_ < in_end_ && phase_ == Phase::kHead && !parser_->got_some() &&
         (in_[in_begin_] == '\r' || in_[in_begin_] == '\n')) {
    ++in_begin_;
  }
  if (in_begin_ < in_end_ && MendLineEnds()) {
    error_code error;
    in_begin_ += parser_->put(asio::const_buffer(in_.get() + in_begin_, in_end_ - in_begin_), error);
    if (error == beast_http::error::need_more) error = {};
    if (error == beast_http::error::header_limit) {
      shared_->counters.malformed.fetch_add(1, std::memory_order_relaxed);
      return RefuseAndClose(
          431, fmt::format("the request header is larger than {} bytes", shared_->options().header_bytes_max));
    }
    if (error) {
      shared_->counters.malformed.fetch_add(1, std::memory_order_relaxed);
      if (error == beast_http::error::bad_version) return RefuseAndClose(505, kUnknownVersion);
      return RefuseAndClose(400, fmt::format("malformed HTTP request: {}", error.message()));
    }
    if (parser_->is_header_done()) return OnHead();
  }
  ReadInput([this](const error_code& error) {
    if (phase_ == Phase::kParting) {
      const bool comes = transport_.encrypted() && transport_.HasInput();
      if (error == asio::error::operation_aborted && !comes) return Parted();
      Enter(Phase::kIdle, kFirstRequestTime);  // a request came first
      if (error == asio::error::operation_aborted) return ParseHead();
    }
    if (phase_ != Phase::kIdle && phase_ != Phase::kHead) return;
    if (error) return Close();
    if (phase_ == Phase::kIdle) Enter(Phase::kHead, shared_->options().header_timeout);
    ParseHead();
  });
}

void Session::OnHead() {
  shared_->counters.requests.fetch_add(1, std::memory_order_relaxed);
  stop_ = std::stop_source();
  request_.stop = stop_.get_token();
  request_.peer = peer_;
  request_.encrypted = transport_.encrypted();
  request_.certificate_names = certificate_names_;
  request_.late = this;
  answered_.store(false, std::memory_order_relaxed);
  head_only_ = request_.method == Method::kHead;
  keep_alive_ = parser_->keep_alive();
  const auto malformed = [this](int status, std::string_view text) {
    shared_->counters.malformed.fetch_add(1, std::memory_order_relaxed);
    RefuseAndClose(status, text);
  };
  if (refuses_clear_) return malformed(400, kInClear);
  if (!parser_->version_known()) return malformed(505, kUnknownVersion);
  const size_t hosts = request_.CountHeader("Host");
  if (hosts > 1 || (hosts == 0 && !request_.http10)) {
    return malformed(400, hosts == 0 ? "missing required Host header" : "more than one Host header");
  }
  if (const std::string_view transfer = request_.Header("Transfer-Encoding");
      !transfer.empty() && (!parser_->chunked() || !EqualsNoCase(transfer, "chunked"))) {
    return malformed(501, "the only transfer encoding taken is chunked");
  }
  const std::string_view expect = request_.Header("Expect");
  if (!expect.empty() && !EqualsNoCase(expect, "100-continue")) return malformed(417, "unknown expectation");
  admission_ = shared_->application->Admit(&request_);
  const size_t body_max = std::min(admission_.body_bytes_max, shared_->options().body_bytes_max);
  const uint64_t length = parser_->content_length().value_or(0);
  const bool has_body = parser_->chunked() || length > 0;
  if (admission_.refusal) {
    if (has_body && (parser_->chunked() || length > kSkippedBodyBytes || !expect.empty())) {
      admission_.refusal->close = true;
    }
    if (!has_body || admission_.refusal->close) return Reply(std::move(*admission_.refusal));
  } else if (length > body_max) {
    return RefuseAndClose(413, fmt::format("the request body is larger than {} bytes", body_max));
  }
  if (!has_body) return Dispatch();
  if (!expect.empty() && !request_.http10 && in_begin_ == in_end_) {
    phase_ = Phase::kReply;
    return Write({.head = "HTTP/1.1 100 Continue\r\n\r\n", .after = After::kReadBody});
  }
  BeginBody();
}

void Session::BeginBody() {
  Enter(Phase::kBody, shared_->options().idle_timeout);
  body_began_ns_ = body_grew_ns_ = NowNs();
  body_seen_bytes_ = 0;
  if (!parser_->chunked()) {
    const auto length = static_cast<size_t>(parser_->content_length().value_or(0));
    if (!LeaseBody(std::min(length, std::max(kBodyLeaseBytes, in_end_ - in_begin_)))) return RefuseForMemory();
    request_.body.Reserve(length);
    const size_t here = std::min(leased_bytes_, in_end_ - in_begin_);
    std::memcpy(request_.body.data(), in_.get() + in_begin_, here);
    request_.body.SetSize(here);
    in_begin_ += here;
    return ReadSizedBody();
  }
  const size_t body_max = std::min(admission_.body_bytes_max, shared_->options().body_bytes_max);
  parser_->grow_body = [this, body_max](size_t more) {
    BodyBuffer& body = request_.body;
    const size_t needed = body.size() + more;
    if (needed > body_max) return RequestParser::BodyRefusal::kTooLarge;
    const size_t capacity = std::min(body_max, std::max({needed, body.capacity() * 2, kLargeInputBytes}));
    if (!LeaseBody(capacity - body.capacity())) return RequestParser::BodyRefusal::kNoMemory;
    body.Reserve(capacity);
    return RequestParser::BodyRefusal::kNone;
  };
  parser_->eager(true);
  ReadChunkedBody();
}

void Session::ReadSizedBody() {
  BodyBuffer& body = request_.body;
  const auto length = static_cast<size_t>(parser_->content_length().value_or(0));
  if (body.size() == length) return Dispatch();
  if (body.size() == leased_bytes_ &&
      !LeaseBody(std::min(length - leased_bytes_, std::max(leased_bytes_, kBodyLeaseBytes)))) {
    return RefuseForMemory();
  }
  auto on_read = [self = shared_from_this()](const error_code& error, size_t count) {
    if (self->phase_ != Phase::kBody) return;
    self->shared_->counters.received_bytes.fetch_add(count, std::memory_order_relaxed);
    self->request_.body.SetSize(self->request_.body.size() + count);
    if (error) return self->Close();
    self->ReadSizedBody();
  };
  transport_.AsyncReadSome(body.data() + body.size(), leased_bytes_ - body.size(), std::move(on_read));
}

void Session::ReadChunkedBody() {
  while (in_begin_ < in_end_) {
    error_code error;
    const size_t used = parser_->put(asio::const_buffer(in_.get() + in_begin_, in_end_ - in_begin_), error);
    in_begin_ += used;
    if (error == beast_http::error::need_more) break;
    if (parser_->body_refused == RequestParser::BodyRefusal::kNoMemory) return RefuseForMemory();
    if (parser_->body_refused == RequestParser::BodyRefusal::kTooLarge) {
      const size_t body_max = std::min(admission_.body_bytes_max, shared_->options().body_bytes_max);
      return RefuseAndClose(413, fmt::format("the request body is larger than {} bytes", body_max));
    }
    if (error) {
      shared_->counters.malformed.fetch_add(1, std::memory_order_relaxed);
      return RefuseAndClose(400, fmt::format("malformed chunked body: {}", error.message()));
    }
    if (parser_->is_done()) return Dispatch();
    if (used == 0) break;
  }
  if (in_end_ - in_begin_ >= kLargeInputBytes) {
    shared_->counters.malformed.fetch_add(1, std::memory_order_relaxed);
    return RefuseAndClose(400, "malformed chunked body: a chunk header is too long");
  }
  ReadInput([this](const error_code& error) {
    if (phase_ != Phase::kBody) return;
    if (error) return Close();
    ReadChunkedBody();
  });
}

void Session::Dispatch() {
  if (admission_.refusal) return Reply(std::move(*admission_.refusal));
  if (request_.body.size() > 0 && request_.caller->revoked()) return RefuseRevoked();
  phase_ = Phase::kWork;
  request_.wire_bytes = request_.body.size();
  switch (admission_.lane) {
    case Lane::kInline: return Reply(Answer());
    case Lane::kQuery:
      // A long text may be long to read.
      if (request_.target.size() + request_.body.size() <= kShortRequestBytes && TryAnswerHere()) return;
      return AnswerOn(&shared_->readers);
    case Lane::kRead: return AnswerOn(&shared_->readers);
    case Lane::kWrite:
      if (TryDefer()) return;
      return AnswerOn(&shared_->writers);
    case Lane::kService: return AnswerOn(&shared_->service);
  }
}

// Hears at once of a client that goes away while its query runs or its reply is produced. One that sends its next
// request meanwhile is looked at by the sweep only.
void Session::WatchClient() {
  if (watching_) return;
  watching_ = true;
  transport_.AsyncWaitReadable([self = shared_from_this()](const error_code& error) {
    self->watching_ = false;
    if (error || !self->transport_.PeerGone()) return;
    if (self->phase_ == Phase::kWork) self->stop_.request_stop();
    if (self->phase_ == Phase::kStream) self->Close();
  });
}

// The loop may have another leader when this returns true: nothing may be touched afterwards.
bool Session::TryAnswerHere() {
  IoLoop::Loan loan(loop_, [weak = weak_from_this()] {
    const std::shared_ptr<Session> self = weak.lock();
    if (!self || self->phase_ != Phase::kWork) return;
    self->handler_runs_ = true;
    self->WatchClient();
    self->ArmLateAnswer();
  });
  if (!loan.granted()) return false;
  Response response = [&] {
    LentThread::Scope scope(&loan);
    return Answer();
  }();
  if (loan.taken_back()) {
    HandBack(std::move(response));
  } else {
    Reply(std::move(response));
  }
  return true;
}

std::string Session::Source() const {
  if (request_.caller != nullptr && request_.caller->name() != Everyone()->name()) {
    return std::string(request_.caller->name());
  }
  return peer_.substr(0, peer_.rfind(':'));
}

void Session::AnswerOn(WorkerSet* workers) {
  handler_runs_ = true;
  if (workers->TrySubmit([self = shared_from_this()] { self->HandBack(self->Answer()); }, Source())) {
    if (workers == &shared_->readers) WatchClient();
    return;
  }
  handler_runs_ = false;
  shared_->counters.overloaded.fetch_add(1, std::memory_order_relaxed);
  Response response = shared_->application->Refuse(503, "too many requests wait for a thread", &request_);
  response.Set("Retry-After", "1");
  Reply(std::move(response));
}

bool Session::TryDefer() {
  if (request_.body.size() > kShortRequestBytes || !request_.Header("Content-Encoding").empty()) return false;
  // From here on another thread may have the request, and answer it.
  handler_runs_ = true;
  Answerer answer = [self = shared_from_this()](Response response) { self->HandBackLater(std::move(response)); };
  ServerShared& shared = *shared_;
  Deferral deferral;
  try {
    deferral = shared.application->Defer(&request_, &answer);
  } catch (const std::bad_alloc&) {
    // A request that was taken is no longer this thread's: whoever takes one throws before that only.
  }
  if (!deferral.taken) {
    handler_runs_ = false;
    return false;
  }
  if (deferral.work == nullptr) return true;
  auto work = std::make_shared<std::move_only_function<void(bool)>>(std::move(deferral.work));
  // Of nobody's queue: it is the work of many, each of whom has a connection.
  if (!shared.writers.TrySubmit([work] { (*work)(true); }, {})) {
    shared.counters.overloaded.fetch_add(1, std::memory_order_relaxed);
    (*work)(false);
  }
  return true;
}

// Nothing else touches request_ meanwhile.
Response Session::Answer() {
  Application& application = *shared_->application;
  try {
    const std::string_view coding = request_.Header("Content-Encoding");
    if (EqualsNoCase(coding, "gzip") || EqualsNoCase(coding, "x-gzip")) {
      const size_t received = request_.body.size();
      Result<BodyBuffer> decoded = GunzipBody(request_.body.view(), shared_->options().decode,
                                              [this, received](size_t bytes) { return LeaseDecoded(received, bytes); });
      if (!decoded.ok()) return RefuseCoded(decoded.error());
      request_.body = std::move(decoded).value();
    }
    Response response = application.Handle(&request_);
    const bool coded = std::any_of(response.headers.begin(), response.headers.end(),
                                   [](const auto& header) { return EqualsNoCase(header.first, "Content-Encoding"); });
    if (!coded && !response.produce && response.body.size() >= shared_->options().gzip_reply_bytes_min &&
        CodingFor(request_.Header("Accept-Encoding"), /*zstd=*/false) == Coding::kGzip) {
      if (response.body.size() >= kLongToCompress) ThisThreadIsBusy();
      response.body = Gzip(response.body);
      response.Set("Content-Encoding", "gzip").Set("Vary", "Accept-Encoding");
    }
    if (response.produce && response.may_be_coded) CodeStream(request_.Header("Accept-Encoding"), &response);
    return response;
  } catch (const std::bad_alloc&) {
    return application.Refuse(503, "out of memory", &request_);
  } catch (const std::exception& error) {
    TM_LOG(kError, "{} {}: {}", request_.method_name, request_.path, error.what());
    return application.Refuse(500, "internal error", &request_);
  }
}

// Keeps reading for a moment: closing with unread input makes the kernel send a reset, which takes the answer away
// from a client that is still sending.
void Session::Linger() {
  if (phase_ != Phase::kLinger) {
    Enter(Phase::kLinger, shared_->draining.load(std::memory_order_relaxed) ? kShortLingerTime : kLingerTime);
    transport_.ShutdownSend();
    if (!handler_runs_) ReleaseBody();
  }
  in_begin_ = in_end_ = 0;
  ReadInput([this](const error_code& error) {
    if (phase_ != Phase::kLinger) return;
    if (error) return Close();
    Linger();
  });
}

}  // namespace tidemark::http
