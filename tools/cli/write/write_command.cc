// tidemark write: line protocol from a file or standard input to a server, or through the parser only.
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <simdjson.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <functional>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ingest/lineprotocol/parser.h"
#include "storage/base/clock.h"
#include "storage/base/text/count.h"
#include "tools/cli/command.h"
#include "tools/cli/dry_run/refusals.h"
#include "tools/cli/dry_run/write_dry_run.h"
#include "tools/cli/http_client.h"
#include "tools/cli/line_chunks.h"
#include "tools/cli/say.h"
#include "tools/cli/transfer/files.h"

namespace tidemark::cli {
namespace {

constexpr int kMaxTries = 8;

struct WriteFlags {
  std::vector<std::string> files;
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
    if (on_) Say(stderr, "\n");
  }

 private:
  void Print(const Totals& totals, const char* start) const {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    fmt::print(stderr, "{}{}, {:.1f} MB, {:.0f} lines/s, {} refused   ", start, text::Counted(totals.rows, "line"),
               static_cast<double>(totals.bytes) / 1e6, static_cast<double>(totals.rows) / std::max(seconds, 1e-9),
               totals.bad);
  }
  const bool on_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_;
};

// How many rows a reply says to have dropped: `... dropped=12`; 0 where it does not say.
uint64_t DroppedOf(std::string_view error) {
  constexpr std::string_view kWords = "dropped=";
  const size_t at = error.rfind(kWords);
  uint64_t dropped = 0;
  if (at != std::string_view::npos)
    std::from_chars(error.data() + at + kWords.size(), error.data() + error.size(), dropped);
  return dropped;
}

// Tells of the lines of a chunk that the parser refuses, and returns their numbers in the chunk: a server describes no
// more than some of them.
std::set<uint64_t> TellUnreadable(std::string_view chunk, std::string_view file, uint64_t lines_before,
                                  const std::function<void(const Refusal&)>& tell) {
  lineprotocol::ParseOptions options;
  options.limits.max_errors = std::numeric_limits<size_t>::max();
  model::Batch batch;
  std::set<uint64_t> lines;
  for (const lineprotocol::LineError& error : lineprotocol::Parse(chunk, options, &batch).errors) {
    lines.insert(error.line);
    tell({.file = file,
          .line = lines_before + error.line,
          .column = error.column,
          .reason = error.reason,
          .text = error.text});
  }
  return lines;
}

// Takes what a reply says of the refused lines of a chunk, with their numbers in the whole file. `whole`: all rows
// were.
void TakeRefusals(const std::string& body, std::string_view file, const LineChunks& chunks, std::string_view chunk,
                  bool whole, Refusals* refusals) {
  const uint64_t before = refusals->count();
  const auto tell = [&](const Refusal& refusal) { Say(stderr, "{}", refusals->Add(refusal)); };
  simdjson::dom::parser parser;
  simdjson::dom::element reply;
  if (parser.parse(body).get(reply) != simdjson::SUCCESS) {
    tell({.file = file, .line = 0, .column = 0, .reason = body, .text = {}});
    if (whole) refusals->AddUnknown(chunks.rows() - std::min<uint64_t>(chunks.rows(), 1));
    return;
  }
  std::string_view error;
  if (reply["error"].get(error) != simdjson::SUCCESS) error = body;
  const uint64_t dropped = whole ? chunks.rows() : std::max<uint64_t>(DroppedOf(error), 1);
  simdjson::dom::array data;
  const bool described = reply["data"].get(data) == simdjson::SUCCESS;
  std::set<uint64_t> told;
  if (described && data.size() < dropped) told = TellUnreadable(chunk, file, chunks.lines_before(), tell);
  if (described) {
    for (const simdjson::dom::element entry : data) {
      int64_t line = 0;
      int64_t column = 0;
      std::string_view message;
      std::string_view text;
      if (entry["line_number"].get(line) != simdjson::SUCCESS) continue;
      if (entry["error_message"].get(message) != simdjson::SUCCESS) continue;
      if (told.contains(static_cast<uint64_t>(line))) continue;
      if (entry["column"].get(column) != simdjson::SUCCESS) column = 0;
      if (entry["original_line"].get(text) != simdjson::SUCCESS) text = {};
      tell({.file = file,
            .line = chunks.lines_before() + static_cast<uint64_t>(line),
            .column = static_cast<uint64_t>(column),
            .reason = message,
            .text = text});
    }
  }
  if (refusals->count() == before) {
    tell({.file = file, .line = chunks.lines_before() + 1, .column = 0, .reason = error, .text = {}});
    if (whole && dropped > 1) refusals->AddAlike(error, dropped - 1);
  }
  const uint64_t count = refusals->count() - before;
  if (dropped > count) refusals->AddUnknown(dropped - count);
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

// What is under way over all files.
struct Sending {
  const WriteFlags& flags;
  HttpClient* client;
  lineprotocol::Precision precision;
  Totals totals;
  Progress progress;
  Refusals refusals;
};

// Lines that were left out because no server takes them count as refused.
void TellLongLines(Sending* sending, std::string_view file, LineChunks* chunks) {
  for (const LongLine& line : chunks->TakeLongLines()) {
    const std::string why = fmt::format("the line has {} bytes, more than the {} that one may have; it is left out",
                                        text::Grouped(line.bytes), text::Grouped(ChunkLimits().line_bytes));
    Say(stderr, "{}",
        sending->refusals.Add({.file = file, .line = line.number, .column = 0, .reason = why, .text = {}}));
    ++sending->totals.rows;
    sending->totals.bad = sending->refusals.count();
  }
}

// Sends the lines of one input; its name is "" for standard input. The error ends the command.
Status Send(Sending* sending, std::string_view file, LineChunks chunks) {
  const WriteFlags& flags = sending->flags;
  Totals& totals = sending->totals;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) {
    // What the input says of where its lines belong counts more than the flag.
    const std::string target =
        "/write" + QueryString({{"db", chunks.database().empty() ? flags.database : chunks.database()},
                                {"rp", chunks.policy()},
                                {"precision", flags.precision}});
    std::string stamped;
    if (!chunks.untimed().empty()) {
      stamped = WithTimes(chunk, chunks.untimed(), static_cast<int64_t>(sending->precision));
    }
    const Result<HttpReply> reply = SendChunk(sending->client, target, stamped.empty() ? chunk : stamped);
    if (!reply.ok()) return reply.error().Within(fmt::format("after {}", text::Counted(totals.rows, "line")));
    const auto take = [&] {
      totals.bytes += chunk.size();
      totals.rows += chunks.rows();
    };
    if (reply->status == 400) {
      take();
      const bool partial = reply->body.find("partial write") != std::string::npos;
      TakeRefusals(reply->body, file, chunks, stamped.empty() ? chunk : stamped, !partial, &sending->refusals);
      totals.bad = sending->refusals.count();
    } else if (reply->status / 100 != 2) {
      return InvalidArgument(fmt::format("the server answered {} after {}: {}", reply->status,
                                         text::Counted(totals.rows, "line"), ReasonOf(reply->body)));
    } else {
      take();
    }
    sending->progress.Show(totals);
    TellLongLines(sending, file, &chunks);
  }
  TellLongLines(sending, file, &chunks);
  return {};
}

// A file, packed or not, as LineChunks reads it. What goes wrong is kept, since a source has no error to give.
struct FileSource {
  std::unique_ptr<InFile> file;
  Status status;
  std::optional<size_t> operator()(char* to, size_t size, std::chrono::milliseconds) {
    Result<size_t> got = file->Read(to, size);
    if (got.ok()) return *got;
    status = std::move(got).error();
    return 0;
  }
};

constexpr std::string_view kGzip = "\x1f\x8b";
constexpr std::string_view kZstd = "\x28\xb5\x2f\xfd";

Status SendStandardInput(Sending* sending, const ChunkLimits& limits) {
  // A pipe is not waited for until it is full, so that it is read as it comes; packed bytes need more than that.
  std::string begin(size_t{1} << 16, '\0');
  const std::optional<size_t> got = ReadStandardInput(begin.data(), begin.size(), std::chrono::milliseconds(-1));
  begin.resize(got.value_or(0));
  if (begin.starts_with(kGzip) || begin.starts_with(kZstd)) {
    return InvalidArgument(fmt::format("standard input is packed: give the file's name, or unpack it with {}",
                                       begin.starts_with(kGzip) ? "zcat" : "zstdcat"));
  }
  const LineChunks::Source source = [&begin](char* to, size_t size,
                                             std::chrono::milliseconds wait) -> std::optional<size_t> {
    if (begin.empty()) return ReadStandardInput(to, size, wait);
    const size_t count = begin.copy(to, size);
    begin.erase(0, count);
    return count;
  };
  return Send(sending, "", LineChunks(source, limits, SystemClock::Get()));
}

int SendAll(const WriteFlags& flags, lineprotocol::Precision precision) {
  auto client = HttpClient::Create(flags.server);
  if (!client.ok()) return Fail(client.error().message);
  Sending sending{.flags = flags,
                  .client = client->get(),
                  .precision = precision,
                  .totals = {},
                  .progress = Progress(!flags.quiet && isatty(STDERR_FILENO) != 0),
                  .refusals = {}};
  const ChunkLimits limits{.lines = flags.batch_lines};
  Status status;
  for (const std::string& name : flags.files) {
    if (name == "-") {
      status = SendStandardInput(&sending, limits);
    } else {
      auto file = InFile::Open(name);
      if (!file.ok()) {
        status = std::move(file).error();
        break;
      }
      FileSource source{.file = std::move(file).value(), .status = {}};
      status = Send(&sending, name, LineChunks(std::ref(source), limits, SystemClock::Get()));
      if (status.ok()) status = source.status;
    }
    if (!status.ok()) break;
  }
  sending.progress.Finish(sending.totals);
  Say(stderr, "{}", sending.refusals.Rest());
  const Totals& totals = sending.totals;
  if (!flags.quiet) {
    const std::string of_files = flags.files.size() > 1 ? fmt::format(" of {} files", flags.files.size()) : "";
    Say("{}{} written, {} refused\n", text::Counted(totals.rows - std::min(totals.rows, totals.bad), "line"), of_files,
        totals.bad);
  }
  if (!status.ok()) return Fail(status.error().message);
  return totals.bad == 0 ? 0 : 1;
}

// The whole of a file, unpacked.
Result<std::string> ReadAll(const std::string& name) {
  TM_TRY_ASSIGN(const auto file, InFile::Open(name));
  std::string text;
  constexpr size_t kPiece = size_t{1} << 20;
  for (size_t got = kPiece; got == kPiece;) {
    const size_t size = text.size();
    text.resize(size + kPiece);
    TM_TRY_ASSIGN(got, file->Read(text.data() + size, kPiece));
    text.resize(size + got);
  }
  return text;
}

constexpr int kWrongUsage = 2;

int Write(WriteFlags flags) {
  if (flags.files.empty()) flags.files.emplace_back("-");
  const auto precision = lineprotocol::ParsePrecision(flags.precision);
  if (!precision.ok()) {
    Fail(precision.error().message);
    return kWrongUsage;
  }
  if (!flags.dry_run && (flags.json || flags.default_time_given)) {
    Fail(fmt::format("{} goes with --dry-run", flags.json ? "--json" : "--default-time"));
    return kWrongUsage;
  }
  if (!flags.dry_run) return SendAll(flags, *precision);
  const int64_t now = flags.default_time_given ? flags.default_time : SystemClock::Get().NowNs();
  int code = 0;
  for (const std::string& name : flags.files) {
    auto text = ReadAll(name);
    if (!text.ok()) return Fail(text.error().message);
    std::istringstream input(std::move(text).value());
    if (flags.files.size() > 1 && !flags.json) Say("{}:\n", name);
    std::fflush(stdout);
    code = std::max(
        code, WriteDryRun(input, {.precision = *precision, .default_time = {now}, .json = flags.json}, std::cout));
    std::cout.flush();
  }
  return code;
}

}  // namespace

void AddWrite(CLI::App& app, Action* action) {
  auto flags = std::make_shared<WriteFlags>();
  AddServerFlag(app, &flags->server);
  app.add_option("file", flags->files,
                 "files of line protocol, plain or packed with gzip or zstd; - for standard input (default: -)");
  app.add_option("--db", flags->database, "database (default: the server's)");
  app.add_option("--precision", flags->precision, "unit of the timestamps: ns, us, ms, s, m or h")
      ->group("Lines")
      ->capture_default_str();
  auto* const default_time = app.add_option("--default-time", flags->default_time,
                                            "with --dry-run: the time of lines without one, in ns (default: now)")
                                 ->group("Check only");
  app.add_option("--batch", flags->batch_lines, "lines of one request")
      ->group("Lines")
      ->capture_default_str()
      ->check(CLI::Range(size_t{1}, size_t{1'000'000}));
  app.add_flag("--dry-run", flags->dry_run, "only check the lines; no server is asked")->group("Check only");
  app.add_flag("--json", flags->json, "with --dry-run: one JSON object per line")->group("Check only");
  app.add_flag("-q,--quiet", flags->quiet, "print nothing but refused lines");
  app.callback([flags, action, default_time] {
    flags->default_time_given = default_time->count() > 0;
    *action = [flags] { return Write(*flags); };
  });
}

}  // namespace tidemark::cli
