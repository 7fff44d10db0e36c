// Request and Response: what handlers see of HTTP. Sockets, framing and the library behind them stay in session.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/text/params.h"
#include "tools/server/http/body_buffer.h"
#include "tools/server/http/caller.h"

namespace tidemark::http {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

// "GET", ...; "?" for kOther.
std::string_view Name(Method method);

// Without the optional whitespace around it (RFC 9110, 5.6.3).
std::string_view Trim(std::string_view text);
// Whether two header names, or tokens in header values, are the same. ASCII letters compare without case.
bool EqualsNoCase(std::string_view a, std::string_view b);
// Whether the comma-separated list `value` has the element `token`; parameters after ';' are not looked at.
bool ListContains(std::string_view value, std::string_view token);

struct Route;  // router.h

struct HeaderField {
  std::string name;
  std::string value;
};

struct Response;

// What a client is told at its deadline when the handler has not answered by then.
class LateAnswer {
 public:
  virtual ~LateAnswer() = default;
  // On the handler's thread, once at most. `deadline_ns` is on SystemClock::SteadyNs. The handler's own answer still
  // counts until a moment later (kLateAnswerGrace), when `response` goes out, whatever the handler does; then its stop
  // token is asked to stop, and what it answers goes nowhere.
  virtual void AnswerAt(int64_t deadline_ns, Response response) = 0;
};

struct Request {
  Method method = Method::kGet;
  std::string method_name;            // as received
  std::string target;                 // as received
  std::string path;                   // decoded, without query and without the /db/NAME in front
  text::Params params;                // of the query string; of a form body too, in front
  std::vector<HeaderField> headers;   // in order of arrival
  std::string database;               // from /db/NAME; "" when there is none
  std::vector<std::string> captures;  // of the route's pattern
  const Route* route = nullptr;       // set by the router
  std::string act;                    // what a handler of more than reading names as done, for an Observer; "" for none
  std::string refusal;                // why a handler has refused its caller something, for an Observer; "": it has not
  // Who sent it: set by the router, or its gatekeeper.
  std::shared_ptr<const Caller> caller = Everyone();
  std::string peer;        // address and port of the client
  bool encrypted = false;  // came over TLS
  // The names in the client's certificate when it showed a good one ("dns:agent.example", see tls::Channel); null:
  // none.
  std::shared_ptr<const std::vector<std::string>> certificate_names;
  BodyBuffer body;        // decoded when it came with a Content-Encoding
  size_t wire_bytes = 0;  // of the body, before decoding
  bool http10 = false;
  // Asked to stop when the client goes away or the server stops.
  std::stop_token stop;
  // For handlers that keep a deadline; null where none can be kept.
  LateAnswer* late = nullptr;

  // The first value of a header; "" when there is none.
  [[nodiscard]] std::string_view Header(std::string_view name) const;
  // How often a header was sent.
  [[nodiscard]] size_t CountHeader(std::string_view name) const;
};

// Whose request it is where clients take turns: of who shows the same token or certificate, else of who comes from the
// same address.
uint64_t ClientOf(const Request& request);

// ReplyStream carries a reply whose end is not known when it begins, from a producer on any thread to the session
// that sends it. Bounded: at most kMaxQueuedBytes wait in it. Thread-safe.
class ReplyStream {
 public:
  static constexpr size_t kMaxQueuedBytes = size_t{256} << 10;

  virtual ~ReplyStream() = default;
  // Queues `bytes`, waiting while the queue is full. false: the client is gone, produce no more.
  virtual bool Push(std::string bytes) = 0;
  // As Push, but returns false instead of waiting; then nothing was queued.
  virtual bool TryPush(std::string bytes) = 0;
  // Ends the reply after what is queued. Idempotent.
  virtual void Finish() = 0;
  // Whether the client is gone or Finish was called.
  [[nodiscard]] virtual bool closed() const = 0;
};

struct Response {
  int status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Set for a streamed reply: `body` goes first, then what `produce` or whoever keeps the stream pushes. `produce`
  // runs on a thread of its own among a bounded number, may block, and may finish the stream or leave that to
  // somebody to whom it gave it. Refused with 503 when all of those threads are busy.
  std::move_only_function<void(std::shared_ptr<ReplyStream>)> produce;
  // Of a streamed reply without an end of its own, or that may end at any piece: it ends when the server drains. Others
  // have until then to end, and are cut so that the client sees it.
  bool ends_at_drain = false;
  // Whether a streamed reply may be compressed. Not for what must reach the client piece by piece as it comes.
  bool may_be_coded = false;
  // Close the connection after this reply.
  bool close = false;

  Response& Set(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

// What became of a request whose handler may answer after it has returned: many that wait for one thing need no thread
// each.
struct Deferral {
  // Whether it will be answered, by whoever has got its Answerer. False: it is to be handled as any other, and nothing
  // of it was done.
  bool taken = false;
  // What a thread that may wait is to do, once, so that it and others that were taken are answered; null: one is at it.
  // false: there is no such thread, and they are to be refused.
  std::move_only_function<void(bool may_run)> work = nullptr;
};

// Answers one request, once, from any thread; the request stays as it is until then.
using Answerer = std::move_only_function<void(Response)>;

// The reason phrase of a status: "Not Found".
std::string_view ReasonPhrase(int status);

Response TextResponse(int status, std::string body);
Response JsonResponse(int status, std::string body);
// What Go's http.Error sends: the text, a newline, and `X-Content-Type-Options: nosniff`.
Response GoError(int status, std::string_view text);

}  // namespace tidemark::http
