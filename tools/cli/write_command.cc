// tidemark write: line protocol from a file or standard input to a server, or through the parser only.
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <simdjson.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "ingest/lineprotocol/parser.h"
#include "storage/base/clock.h"
#include "tools/cli/command.h"
#include "tools/cli/dry_run/write_dry_run.h"
#include "tools/cli/http_client.h"
#include "tools/cli/line_chunks.h"

namespace tidemark::cli {
namespace {

constexpr int kMaxTries = 8;

struct WriteFlags {
  std::string file = "-";
  std::string server = "http://127.0.0.1:8086";
  std::string database;
  std::string precision = "ns";
  int64_t default_time = 0;
  bool default_time_given = false;
  size_t batch_lines = 10'000;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
};

struct Totals {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t bad = 0;
};

class Progress {
 public:
  explicit Progress(bool on) : on_(on) {}
  void Show(const Totals& totals) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_ || now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    Print(totals, "\r");
  }
  void Finish(const Totals& totals) {
    if (on_) Print(totals, "\r");
    if (on_) fmt::print(stderr, "\n");
  }

 private:
  void Print(const Totals& totals, const char* start) const {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    fmt::print(stderr, "{}{} lines, {:.1f} MB, {:.0f} lines/s, {} refused   ", start, totals.rows,
               static_cast<double>(totals.bytes) / 1e6, static_cast<double>(totals.rows) / std::max(seconds, 1e-9),
               totals.bad);
  }
  const bool on_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_;
};

// Prints the refused lines of a reply with their line numbers in the whole input. Returns how many there were.
uint64_t PrintRefusals(const std::string& body, uint64_t lines_before) {
  simdjson::dom::parser parser;
  simdjson::dom::element reply;
  if (parser.parse(body).get(reply) != simdjson::SUCCESS) {
    fmt::print(stderr, "{}\n", body);
    return 1;
  }
  simdjson::dom::array data;
  uint64_t count = 0;
  if (reply["data"].get(data) == simdjson::SUCCESS) {
    for (const simdjson::dom::element entry : data) {
      int64_t line = 0;
      std::string_view message;
      if (entry["line_number"].get(line) != simdjson::SUCCESS) continue;
      if (entry["error_message"].get(message) != simdjson::SUCCESS) continue;
      fmt::print(stderr, "line {}: {}\n", lines_before + static_cast<uint64_t>(line), message);
      ++count;
    }
  }
  std::string_view error;
  if (count == 0 && reply["error"].get(error) == simdjson::SUCCESS) {
    fmt::print(stderr, "in the lines after {}: {}\n", lines_before, error);
    ++count;
  }
  return count;
}

// Sends one chunk, waiting and trying again while the server is busy or its reply got lost: its lines have times, so
// that a repeat is harmless.
Result<HttpReply> SendChunk(HttpClient* client, const std::string& target, std::string_view chunk) {
  std::chrono::milliseconds pause(100);
  for (int tries = 1;; ++tries) {
    Result<HttpReply> reply = client->Send("POST", target, {{"Content-Type", "text/plain; charset=utf-8"}}, chunk);
    const bool busy = reply.ok() ? reply->status == 429 || reply->status == 503
                                 : reply.error().code == ErrorCode::kIo ||
                                       (reply.error().code == ErrorCode::kUnavailable && tries > 1);
    if (!busy || tries == kMaxTries) return reply;
    if (reply.ok() && reply->retry_after_s > 0) pause = std::chrono::seconds(reply->retry_after_s);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(10'000));
  }
}

// Standard input, which may be a pipe whose writer takes its time.
std::optional<size_t> ReadStandardInput(char* to, size_t size, std::chrono::milliseconds wait) {
  pollfd ready{STDIN_FILENO, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(wait.count())) == 0) return std::nullopt;
  ssize_t got = 0;
  do {
    got = ::read(STDIN_FILENO, to, size);
  } while (got < 0 && errno == EINTR);
  return got > 0 ? static_cast<size_t>(got) : 0;
}

int Send(const WriteFlags& flags, lineprotocol::Precision precision, LineChunks chunks) {
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  Totals totals;
  Progress progress(!flags.quiet && isatty(STDERR_FILENO) != 0);
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) {
    // What the input says of where its lines belong counts more than the flag.
    const std::string target =
        "/write" + QueryString({{"db", chunks.database().empty() ? flags.database : chunks.database()},
                                {"rp", chunks.policy()},
                                {"precision", flags.precision}});
    std::string stamped;
    if (!chunks.untimed().empty()) {
      stamped = WithTimes(chunk, chunks.untimed(), static_cast<int64_t>(precision));
    }
    const Result<HttpReply> reply = SendChunk(client->get(), target, stamped.empty() ? chunk : stamped);
    if (!reply.ok()) return Fail(fmt::format("after {} lines: {}", totals.rows, reply.error().message));
    totals.bytes += chunk.size();
    totals.rows += chunks.rows();
    if (reply->status == 400 && reply->body.find("partial write") != std::string::npos) {
      totals.bad += PrintRefusals(reply->body, chunks.lines_before());
    } else if (reply->status == 400) {
      (void)PrintRefusals(reply->body, chunks.lines_before());
      totals.bad += chunks.rows();
    } else if (reply->status / 100 != 2) {
      return Fail(fmt::format("the server answered {} after {} lines: {}", reply->status, totals.rows, reply->body));
    }
    progress.Show(totals);
  }
  progress.Finish(totals);
  if (!flags.quiet) fmt::print("{} lines written, {} refused\n", totals.rows - totals.bad, totals.bad);
  return totals.bad == 0 ? 0 : 1;
}

int Write(const WriteFlags& flags) {
  std::ifstream file;
  if (flags.file != "-") {
    file.open(flags.file, std::ios::binary);
    if (!file) return Fail("cannot read " + flags.file);
  }
  const auto precision = lineprotocol::ParsePrecision(flags.precision);
  if (!precision.ok()) return Fail(precision.error().message);
  const ChunkLimits limits{.lines = flags.batch_lines};
  const Clock& clock = SystemClock::Get();
  if (!flags.dry_run && flags.file == "-")
    return Send(flags, *precision, LineChunks(&ReadStandardInput, limits, clock));
  if (!flags.dry_run) return Send(flags, *precision, LineChunks(file, limits, clock));
  std::istream& input = flags.file == "-" ? std::cin : file;
  const int64_t now = flags.default_time_given ? flags.default_time : clock.NowNs();
  return WriteDryRun(input, {.precision = *precision, .default_time = {now}, .json = flags.json}, std::cout);
}

}  // namespace

void AddWrite(CLI::App& app, Action* action) {
  auto flags = std::make_shared<WriteFlags>();
  AddServerFlag(app, &flags->server);
  app.add_option("file", flags->file, "file of line protocol, - for standard input")->capture_default_str();
  app.add_option("--db", flags->database, "database (default: the server's)");
  app.add_option("--precision", flags->precision, "unit of the timestamps: ns, us, ms, s, m or h")
      ->capture_default_str();
  auto* const default_time =
      app.add_option("--default-time", flags->default_time, "with --dry-run: the time of lines without one, in ns");
  app.add_option("--batch", flags->batch_lines, "lines of one request")
      ->capture_default_str()
      ->check(CLI::Range(size_t{1}, size_t{1'000'000}));
  app.add_flag("--dry-run", flags->dry_run, "only check the lines; no server is asked");
  app.add_flag("--json", flags->json, "with --dry-run: one JSON object per line");
  app.add_flag("-q,--quiet", flags->quiet, "print nothing but refused lines");
  app.callback([flags, action, default_time] {
    flags->default_time_given = default_time->count() > 0;
    *action = [flags] { return Write(*flags); };
  });
}

}  // namespace tidemark::cli
