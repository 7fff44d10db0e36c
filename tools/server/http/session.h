// Session: one connection. Internal to the HTTP server; everything but Post runs on its io thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "storage/base/mutex.h"
#include "tools/server/http/message.h"
#include "tools/server/http/server.h"
#include "tools/server/http/worker_set.h"

namespace tidemark::http {

class Session;

// What the sessions of one server share. Thread-safe.
struct ServerShared {
  ServerOptions options;
  Application* application;
  ServerCounters counters;
  WorkerSet writers;
  WorkerSet readers;
  WorkerSet service;
  WorkerSet streams;
  std::atomic<bool> draining{false};
  Mutex mutex;
  CondVar closed;  // a session ended

  ServerShared(const ServerOptions& o, Application* a)
      : options(o),
        application(a),
        writers("tm-write", o.write_threads, o.queue_max),
        readers("tm-read", o.read_threads, o.queue_max),
        service("tm-service", o.service_threads, o.queue_max),
        streams("tm-stream", o.stream_threads, o.queue_max) {}
};

// One thread that moves bytes, and its connections. Its members are used on that thread only.
struct IoLoop {
  std::unordered_set<Session*> sessions;  // before `context`, whose handlers hold sessions
  boost::asio::io_context context{1};
  int64_t date_second = -1;
  std::string date;  // the Date header's value for date_second

  // RFC 9110 date of now.
  const std::string& Date();
};

class SessionStream;
class RequestParser;

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, IoLoop* loop, ServerShared* shared);
  ~Session();

  void Start();
  // Cuts what has passed its deadline, notices clients that went away.
  void Sweep(int64_t now_ns);
  // Closes now if nothing is being answered; otherwise the reply will say that it is the last.
  void BeginDrain();
  void Abort();

 private:
  friend class SessionStream;
  enum class Phase : uint8_t { kIdle, kHead, kBody, kWork, kReply, kStream, kLinger, kClosed };
  // Where the answer to 100-continue or to the request leads when it is written.
  enum class After : uint8_t { kReadBody, kNextRequest, kStream, kLinger, kClose };

  void NextRequest();
  void ParseHead();
  void OnHead();
  void BeginBody();
  void ReadSizedBody();
  void ReadChunkedBody();
  void Dispatch();
  Response Answer();
  void Reply(Response response);
  void RefuseAndClose(int status, std::string_view text);
  void RefuseForMemory();
  void Write(std::string head, std::string body, After after);
  void WriteMore();
  void OnWritten();
  void PumpStream();
  void StreamReady();
  void Linger();
  void Close();

  void Enter(Phase phase, std::chrono::milliseconds timeout);
  template <typename Handler>
  void ReadInput(Handler handler);
  bool LeaseBody(size_t bytes);
  void ReleaseBody();
  bool LeaseReply(size_t bytes);
  void ReleaseReply();
  bool ClientGone();
  std::string HeadOf(const Response& response, bool chunked, bool keep_alive, size_t length);

  boost::asio::ip::tcp::socket socket_;
  IoLoop* const loop_;
  ServerShared* const shared_;
  Phase phase_ = Phase::kIdle;
  int64_t deadline_ns_ = 0;
  std::string peer_;

  // Bytes received and not used: [in_begin_, in_end_) of in_.
  std::unique_ptr<char[]> in_;
  size_t in_capacity_ = 0;
  size_t in_begin_ = 0;
  size_t in_end_ = 0;

  std::unique_ptr<RequestParser> parser_;
  Request request_;
  Admission admission_;
  std::stop_source stop_;
  bool keep_alive_ = false;
  bool head_only_ = false;
  int64_t body_began_ns_ = 0;
  size_t leased_bytes_ = 0;

  std::string out_head_;
  std::string out_body_;
  size_t out_sent_ = 0;
  size_t leased_reply_bytes_ = 0;
  After after_ = After::kClose;
  std::shared_ptr<SessionStream> stream_;
  bool stream_chunked_ = false;
  // While a stream has nothing to send, no operation of the socket holds the session: it holds itself.
  std::shared_ptr<Session> waiting_for_stream_;
};

}  // namespace tidemark::http
