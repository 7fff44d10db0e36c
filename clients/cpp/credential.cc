#include "clients/cpp/credential.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace tidemark::client {
namespace {

constexpr size_t kMaxFileBytes = size_t{64} << 10;

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kBlank) - begin + 1));
}

Result<std::string> ReadTokenFile(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file) {
    return Error{ErrorCode::kInvalidArgument, "the token's file " + path + ": " + std::strerror(errno)};
  }
  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  // Of a folder the opening succeeds, and the reading does not.
  if (std::ferror(file.get()) != 0) {
    return Error{ErrorCode::kInvalidArgument, "the token's file " + path + ": " + std::strerror(errno)};
  }
  if (text.size() > kMaxFileBytes) {
    return Error{ErrorCode::kInvalidArgument, "the token's file " + path + " is larger than 64 KiB"};
  }
  std::string token = Trimmed(text);
  if (token.empty()) return Error{ErrorCode::kInvalidArgument, "the token's file " + path + " is empty"};
  return token;
}

}  // namespace

Status CheckToken(const std::string& token) {
  if (std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; })) return {};
  return Error{ErrorCode::kInvalidArgument, "the token has characters that no token has: spaces, line ends or others"};
}

Result<std::string> TokenOfEnvironment() {
  std::string token;
  if (const char* const value = std::getenv("TIDEMARK_TOKEN"); value != nullptr) {
    token = Trimmed(value);
  } else if (const char* const path = std::getenv("TIDEMARK_TOKEN_FILE"); path != nullptr && *path != '\0') {
    Result<std::string> read = ReadTokenFile(path);
    if (!read.ok()) return read.error();
    token = std::move(*read);
  }
  if (const Status good = CheckToken(token); !good.ok()) return good.error();
  return token;
}

}  // namespace tidemark::client
