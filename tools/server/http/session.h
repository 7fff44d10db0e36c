// Session: one connection. Internal to the HTTP server. Runs on the thread that leads its loop, but for Answer, Compose
// and SendNow: a worker answers while the phase is kWork, in which the leader only looks whether the client is still
// there.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/versions.h"
#include "tools/server/http/connection_counts.h"
#include "tools/server/http/io_loop.h"
#include "tools/server/http/message.h"
#include "tools/server/http/server.h"
#include "tools/server/http/transport.h"
#include "tools/server/http/worker_set.h"

namespace tidemark::http {

// What the sessions of one server share. Thread-safe.
struct ServerShared {
  Versions<ServerOptions> versions;
  Application* application;
  ServerCounters counters;
  ConnectionCounts connections;
  WorkerSet writers;
  WorkerSet readers;  // lead the loops too
  WorkerSet service;
  WorkerSet streams;
  WorkerSet handshakes;
  std::atomic<bool> draining{false};
  // The last reply of a connection under TLS is the next one.
  std::atomic<bool> last_replies{false};
  // While draining: connections between two requests are set aside in place of being closed.
  std::atomic<bool> keeps{false};
  Mutex mutex;
  CondVar closed;                              // a session ended
  std::vector<int> kept TM_GUARDED_BY(mutex);  // descriptors of those that were set aside

  ServerShared(const ServerOptions& o, Application* a)
      : versions(o),
        application(a),
        connections(o.connections_max, o.connections_per_address_max),
        writers("tm-write", o.write_threads, o.queue_max),
        readers("tm-read",
                WorkerSet::Threads{.kept = o.io_threads + o.read_threads,
                                   .most = o.io_threads + o.read_threads + o.waiting_reads},
                o.queue_max),
        service("tm-service", o.service_threads, o.queue_max),
        streams("tm-stream", o.stream_threads, o.queue_max, WorkerSet::Urgency::kBackground),
        handshakes("tm-handshake", (o.io_threads + 1) / 2, o.queue_max, WorkerSet::Urgency::kBackground) {}

  [[nodiscard]] const ServerOptions& options() const { return versions.Now(); }
};

class SessionStream;
class RequestParser;

// While the server goes, who has a connection without a request gets so long for one.
inline constexpr std::chrono::milliseconds kFirstRequestTime{1'000};

// A handler that ends at its deadline itself has so long to say so.
inline constexpr std::chrono::milliseconds kLateAnswerGrace{30};

class Session : public std::enable_shared_from_this<Session>, private LateAnswer {
 public:
  // `channel`: of a connection under TLS; null: plain. `place`: of the connection among those that are open.
  Session(boost::asio::ip::tcp::socket socket, std::unique_ptr<tls::Channel> channel, ConnectionCounts::Place place,
          IoLoop* loop, ServerShared* shared);
  ~Session() override;

  void Start();
  // Cuts what has passed its deadline, notices clients that went away.
  void Sweep(int64_t now_ns);
  // Ends now if nothing is being answered; otherwise the reply will say that it is the last.
  void BeginDrain();
  // Ends a connection under TLS that is between two requests.
  void EndIdleTls();
  void Abort();

 private:
  friend class SessionStream;
  enum class Phase : uint8_t { kHandshake, kIdle, kHead, kBody, kWork, kReply, kStream, kLinger, kParting, kClosed };
  // Where the answer to 100-continue or to the request leads when it is written.
  enum class After : uint8_t { kReadBody, kNextRequest, kStream, kLinger, kClose };

  void BeginHandshake(const boost::system::error_code& error);
  void OnHandshake(const boost::system::error_code& error);
  void NextRequest();
  // While draining, of a connection between two requests; `reads`: it waits for the next one. False: it is to go on,
  // since something of a request is here or on its way.
  bool EndIdle(bool reads);
  // Whether a handshake or a request has just ended, and what it was for may be on its way.
  [[nodiscard]] bool IsFresh() const;
  // Ends the wait for a next request; Parted follows when none came first.
  void Part();
  void Parted();
  // Whether the reply that is put together is the last, because the server goes.
  [[nodiscard]] bool ReplyIsLast();
  void ParseHead();
  void OnHead();
  void BeginBody();
  void ReadSizedBody();
  void ReadChunkedBody();
  // An answer in bytes.
  struct Outgoing {
    std::string head = {};
    std::string body = {};
    size_t sent = 0;  // of head and body
    After after = After::kClose;
  };

  void Dispatch();
  bool TryAnswerHere();
  void AnswerOn(WorkerSet* workers);
  // Whether the application answers it later. Nothing may be touched afterwards when it does.
  bool TryDefer();
  // Whose requests wait in one line: the caller's name, or where they come from for callers without one.
  [[nodiscard]] std::string Source() const;
  void HandBack(Response response);
  // The same, from a thread that does not wait for the socket to take it.
  void HandBackLater(Response response);
  void AnswerAt(int64_t deadline_ns, Response response) override;
  // Lets the answer of AnswerAt go out in time, if there is one. By the leader.
  void ArmLateAnswer();
  void SendLateAnswer();
  void HandlerEnded();
  void ForgetLateAnswer();
  Response Answer();
  // To a body that could not be unpacked.
  Response RefuseCoded(const Error& error);
  void Reply(Response response);
  void ReplyInStream(Response response);
  Outgoing Compose(Response response);
  // Sends what the socket takes at once, from the worker that made the answer: handing it to the io thread first would
  // cost the client a wake-up. Errors are left to the io thread, which runs into them too.
  void SendNow(Outgoing* out);
  void RefuseAndClose(int status, std::string_view text);
  void RefuseForMemory();
  // When its caller's right has ended while its body came.
  void RefuseRevoked();
  void Write(Outgoing out);
  void WriteMore();
  void OnWritten();
  void PumpStream();
  void StreamReady();
  void Linger();
  void Close();

  void Enter(Phase phase, std::chrono::milliseconds timeout);
  template <typename Handler>
  void ReadInput(Handler handler);
  // Counts `bytes` more in `held`, of which there may be `most`, and takes them of the process' memory.
  bool TakeMemory(std::atomic<uint64_t>* held, size_t bytes, size_t most);
  void GiveMemory(std::atomic<uint64_t>* held, size_t bytes);
  bool LeaseBody(size_t bytes);
  // That a body of `received` bytes may take `bytes` in all unpacked, besides.
  bool LeaseDecoded(size_t received, size_t bytes);
  void ReleaseBody();
  bool LeaseReply(size_t bytes);
  void ReleaseReply();
  // Whether the body that is coming has come too slowly to be waited for.
  bool BodyIsTooSlow(int64_t now_ns);
  // Makes the head that begins at in_begin_ end its lines in CRLF. False: the rest of it must come first.
  bool MendLineEnds();
  void WatchClient();
  // How the client finds the end of the body: by chunks, by a length, or by the end of the connection.
  struct Framing {
    bool chunked = false;
    std::optional<size_t> length = std::nullopt;
  };
  // What is still to go out of an answer.
  [[nodiscard]] static Transport::Parts Unsent(const Outgoing& out);
  [[nodiscard]] std::string HeadOf(const Response& response, const Framing& framing) const;

  const ConnectionCounts::Place place_;
  Transport transport_;
  IoLoop* const loop_;
  ServerShared* const shared_;
  Phase phase_ = Phase::kIdle;
  int64_t deadline_ns_ = 0;
  int64_t idle_since_ns_ = 0;  // of Phase::kIdle
  std::string peer_;
  // Of a client whose certificate was asked for and is good; shared by its requests.
  std::shared_ptr<const std::vector<std::string>> certificate_names_;

  // The handler is at work on another thread: request_ is its own, even when the answer has gone out.
  bool handler_runs_ = false;
  // Whoever sets it is the one that answers: the handler's thread, or the leader at the deadline.
  std::atomic<bool> answered_{false};
  std::unique_ptr<boost::asio::steady_timer> late_timer_;
  Mutex late_mutex_;
  int64_t late_at_ns_ TM_GUARDED_BY(late_mutex_) = 0;  // 0: nothing was asked for
  std::optional<Response> late_ TM_GUARDED_BY(late_mutex_);

  // Bytes received and not used: [in_begin_, in_end_) of in_.
  std::unique_ptr<char[]> in_;
  size_t in_capacity_ = 0;
  size_t in_begin_ = 0;
  size_t in_end_ = 0;

  std::unique_ptr<RequestParser> parser_;
  Request request_;
  Admission admission_;
  std::stop_source stop_;
  bool watching_ = false;       // an operation waits for the client to send or to go
  bool refuses_clear_ = false;  // the client speaks in clear where TLS is spoken
  bool keep_alive_ = false;
  bool head_only_ = false;
  int64_t body_began_ns_ = 0;
  // When a sweep last saw the body grow, and how much there was.
  int64_t body_grew_ns_ = 0;
  size_t body_seen_bytes_ = 0;
  size_t leased_bytes_ = 0;
  size_t decoded_bytes_ = 0;  // of those, for the body unpacked
  size_t dense_bytes_ = 0;    // see ServerOptions::dense_memory_bytes

  Outgoing out_;
  size_t leased_reply_bytes_ = 0;
  std::shared_ptr<SessionStream> stream_;
  bool stream_chunked_ = false;
  bool stream_ends_at_drain_ = false;
  // While a stream has nothing to send, no operation of the socket holds the session: it holds itself.
  std::shared_ptr<Session> waiting_for_stream_;
};

}  // namespace tidemark::http
