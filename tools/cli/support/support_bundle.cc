#include "tools/cli/support/support_bundle.h"

#include <fmt/core.h>
#include <simdjson.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "storage/base/text/byte_size.h"
#include "storage/base/text/instant.h"
#include "tools/cli/command.h"
#include "tools/cli/http_client.h"
#include "tools/cli/support/redact.h"
#include "tools/cli/support/tar.h"
#include "tools/cli/transfer/files.h"

namespace tidemark::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kCouldNotRun = 2;
constexpr int64_t kSecondNs = 1'000'000'000;
// The last of a log, and files of a list.
constexpr size_t kLogBytes = size_t{1} << 20;
constexpr size_t kFilesMax = 100'000;

// What a server is asked, one row each.
struct Question {
  std::string_view name;
  std::string_view path;
};
constexpr Question kQuestions[] = {
    {"health.json", "/health"},
    {"metrics.txt", "/metrics"},
    {"settings.json", "/api/v1/status/config"},
    {"flags.json", "/api/v1/status/flags"},
    {"build.json", "/api/v1/status/buildinfo"},
    {"runtime.json", "/api/v1/status/runtimeinfo"},
    {"databases.json", "/api/v1/admin/databases"},
    {"partitions.json", "/api/v1/status/tsdb/blocks"},
    {"rules.json", "/api/v1/rules"},
    {"alerts.json", "/api/v1/alerts"},
    {"rejections.json", "/api/v1/admin/rejections?limit=100"},
    {"backups.json", "/api/v1/admin/backups"},
    {"clock.json", "/api/v1/admin/clock"},
};

std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Machine(const BundleOptions& options) {
  utsname system = {};
  ::uname(&system);
  std::string out = fmt::format("tidemark {}\nmade at {}\nkernel {} {} {}\nprocessors {}\n", options.version,
                                text::PrintSecond(options.now_ns), system.sysname, system.release, system.machine,
                                std::thread::hardware_concurrency());
  std::string memory = FileText("/proc/meminfo");
  memory.resize(std::min(memory.find("Buffers"), memory.size()));
  return out + memory + "\n" + FileText("/etc/os-release");
}

std::string SpaceOf(const std::string& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error) return fmt::format("{}: {}\n", folder, error.message());
  return fmt::format("{}: {} of {} free\n", folder, text::PrintMebibytes(space.available),
                     text::PrintMebibytes(space.capacity));
}

// Sizes and times of the files below `folder`; what they hold is not looked at.
std::string FilesIn(const std::string& folder) {
  std::vector<std::string> lines;
  uint64_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator() && lines.size() < kFilesMax; at.increment(error)) {
    // One that has gone meanwhile has no size.
    std::error_code gone_already;
    if (!at->is_regular_file(gone_already)) continue;
    const auto size = at->file_size(gone_already);
    if (gone_already) continue;
    bytes += size;
    const auto mode = static_cast<unsigned>(at->status(gone_already).permissions());
    lines.push_back(fmt::format("{:>14} {:04o} {}\n", size, mode, at->path().string().substr(folder.size())));
  }
  std::sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.substr(20) < b.substr(20); });
  std::string out = SpaceOf(folder) + fmt::format("{} files, {} bytes\n", lines.size(), bytes);
  if (error) out += fmt::format("not all of them: {}\n", error.message());
  if (lines.size() == kFilesMax) out += "not all of them: there are more\n";
  for (const std::string& line : lines) out += line;
  return out;
}

std::string LastOf(std::string text) {
  if (text.size() <= kLogBytes) return text;
  const size_t from = text.find('\n', text.size() - kLogBytes);
  return text.substr(std::min(from, text.size() - 1) + 1);
}

std::string LastLines(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return fmt::format("{}: it cannot be read\n", path);
  const auto size = static_cast<uint64_t>(file.tellg());
  file.seekg(static_cast<std::streamoff>(size > 2 * kLogBytes ? size - 2 * kLogBytes : 0));
  return LastOf({std::istreambuf_iterator<char>(file), {}});
}

std::string JournalOfUnit() {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      ::popen("journalctl --unit tidemarkd --lines 5000 --no-pager --output short-iso 2>&1", "r"), &::pclose);
  std::string out;
  if (!pipe) return "journalctl could not be run\n";
  char buffer[4096];
  while (const size_t got = std::fread(buffer, 1, sizeof(buffer), pipe.get())) out.append(buffer, got);
  return LastOf(std::move(out));
}

// The setting `data` in the server's answer: it is a place on the server's machine, which may be this one.
std::string FolderOf(const std::string& settings) {
  simdjson::dom::parser parser;
  std::string_view yaml;
  if (parser.parse(settings)["data"]["yaml"].get(yaml) != simdjson::SUCCESS) return {};
  constexpr std::string_view kKey = "data: ";
  const size_t at = yaml.starts_with(kKey) ? 0 : yaml.find("\ndata: ");
  if (at == std::string_view::npos) return {};
  std::string_view value = yaml.substr(yaml.find(kKey, at) + kKey.size());
  value = value.substr(0, value.find('\n'));
  if (value.starts_with('"') && value.ends_with('"') && value.size() > 1) value = value.substr(1, value.size() - 2);
  return std::string(value);
}

constexpr std::string_view kReadme =
    "What a support bundle of Tidemark holds. Secrets have been removed: [removed] stands in their place. Look through "
    "it\n"
    "all the same before you give it away: names of databases, series, hosts and files are in it.\n\n";

}  // namespace

std::string MakeBundle(const BundleOptions& options, const Ask& ask,
                       const std::function<void(std::string_view)>& note) {
  std::string archive;
  std::string contents(kReadme);
  const auto add = [&](const std::string& name, const std::string& bytes) {
    AppendTarFile("tidemark-support/" + name, Redact(bytes, options.secrets), options.now_ns / kSecondNs, &archive);
    contents += name + "\n";
  };
  add("machine.txt", Machine(options));
  std::string folder = options.data;
  if (!options.server.empty()) {
    for (const Question& question : kQuestions) {
      note(question.name);
      const Result<std::string> answer = ask(question.path);
      add(std::string(question.name),
          answer.ok() ? *answer : "it could not be asked: " + answer.error().message + "\n");
      if (answer.ok() && folder.empty() && question.name == "settings.json") folder = FolderOf(*answer);
    }
  }
  std::error_code error;
  if (!folder.empty() && fs::is_directory(folder, error)) {
    note("files.txt");
    add("files.txt", FilesIn(folder));
  }
  note("log.txt");
  add("log.txt", options.log.empty() ? JournalOfUnit() : LastLines(options.log));
  AppendTarFile("tidemark-support/README.txt", contents, options.now_ns / kSecondNs, &archive);
  AppendTarEnd(&archive);
  return archive;
}

int RunSupport(BundleOptions options, const std::string& to) {
  const auto could_not = [](const Error& error) {
    Fail(error.message);
    return kCouldNotRun;
  };
  if (const char* const token = std::getenv("TIDEMARK_TOKEN"); token != nullptr) options.secrets.emplace_back(token);
  if (const char* const path = std::getenv("TIDEMARK_TOKEN_FILE"); path != nullptr) {
    std::string token = FileText(path);
    while (!token.empty() && (token.back() == '\n' || token.back() == ' ' || token.back() == '\r')) token.pop_back();
    options.secrets.push_back(std::move(token));
  }
  std::unique_ptr<HttpClient> client;
  if (!options.server.empty()) {
    auto made = HttpClient::Create(options.server);
    if (!made.ok()) return could_not(made.error());
    client = std::move(made).value();
  }
  const Ask ask = [&client](std::string_view path) -> Result<std::string> {
    TM_TRY_ASSIGN(HttpReply reply, client->Send("GET", std::string(path), {}, ""));
    // What is not well says so with its status and its body.
    if (reply.status >= 400 && reply.status != 503) {
      return MakeError(ErrorCode::kUnavailable, fmt::format("the server answered {}: {}", reply.status, reply.body));
    }
    return std::move(reply.body);
  };
  auto file = OutFile::Create(to);
  if (!file.ok()) return could_not(file.error());
  const std::string archive =
      MakeBundle(options, ask, [](std::string_view what) { fmt::print(stderr, "tidemark: {}\n", what); });
  if (const Status written = (*file)->Write(archive); !written.ok()) return could_not(written.error());
  if (const Status finished = (*file)->Finish(); !finished.ok()) return could_not(finished.error());
  fmt::print("{}: {} bytes. Look through it before you give it away: tar -xaf {}\n", to, (*file)->bytes_out(), to);
  return 0;
}

}  // namespace tidemark::cli
