#include "tools/server/http/message.h"

#include <algorithm>

#include "storage/base/hash.h"
#include "tools/server/http/endpoint.h"

namespace tidemark::http {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view Name(Method method) {
  switch (method) {
    case Method::kGet: return "GET";
    case Method::kHead: return "HEAD";
    case Method::kPost: return "POST";
    case Method::kPut: return "PUT";
    case Method::kPatch: return "PATCH";
    case Method::kDelete: return "DELETE";
    case Method::kOptions: return "OPTIONS";
    case Method::kOther: break;
  }
  return "?";
}

bool EqualsNoCase(std::string_view a, std::string_view b) {
  // Mostly they are written alike.
  return a.size() == b.size() &&
         (a == b || std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); }));
}

bool ListContains(std::string_view value, std::string_view token) {
  while (!value.empty()) {
    const size_t end = std::min(value.find(','), value.size());
    std::string_view element = value.substr(0, end);
    value.remove_prefix(std::min(end + 1, value.size()));
    element = Trim(element.substr(0, std::min(element.find(';'), element.size())));
    if (EqualsNoCase(element, token)) return true;
  }
  return false;
}

std::string_view Request::Header(std::string_view name) const {
  for (const HeaderField& field : headers) {
    if (EqualsNoCase(field.name, name)) return field.value;
  }
  return {};
}

uint64_t ClientOf(const Request& request) {
  const bool known = request.caller != Everyone();
  return Hash64(known ? request.caller->name() : AddressOf(request.peer), known ? 1 : 0);
}

size_t Request::CountHeader(std::string_view name) const {
  return static_cast<size_t>(std::count_if(
      headers.begin(), headers.end(), [name](const HeaderField& field) { return EqualsNoCase(field.name, name); }));
}

std::string_view ReasonPhrase(int status) {
  static constexpr std::pair<int, std::string_view> kPhrases[] = {
      {100, "Continue"},
      {200, "OK"},
      {204, "No Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Request Entity Too Large"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Entity"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {499, "Client Closed Request"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
  };
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) return phrase;
  }
  return "Unknown";
}

Response TextResponse(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
  return response;
}

Response JsonResponse(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Response GoError(int status, std::string_view text) {
  Response response = TextResponse(status, std::string(text) + '\n');
  response.Set("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace tidemark::http
