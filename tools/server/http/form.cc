#include "tools/server/http/form.h"

#include <algorithm>
#include <string>

#include "tools/server/http/message.h"

namespace tidemark::http {
namespace {

constexpr std::string_view kUrlEncoded = "application/x-www-form-urlencoded";
constexpr std::string_view kMultipart = "multipart/form-data";

std::string_view MediaType(std::string_view content_type) {
  return Trim(content_type.substr(0, std::min(content_type.find(';'), content_type.size())));
}

// The value of `name` in `; name="value"; other=value`; nothing without one. Quoted values may hold any byte; `\"`
// stands for a quote.
std::string ParameterOf(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const size_t semicolon = text.find(';');
    if (semicolon == std::string_view::npos) break;
    text.remove_prefix(semicolon + 1);
    const size_t equals = std::min(text.find_first_of("=;"), text.size());
    const bool found = EqualsNoCase(Trim(text.substr(0, equals)), name);
    if (equals == text.size() || text[equals] == ';') {
      text.remove_prefix(equals);
      continue;
    }
    text = Trim(text.substr(equals + 1));
    std::string value;
    if (text.starts_with('"')) {
      size_t at = 1;
      for (; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '"') ++at;
        value += text[at];
      }
      text.remove_prefix(std::min(at + 1, text.size()));
    } else {
      value = Trim(text.substr(0, std::min(text.find(';'), text.size())));
    }
    if (found) return value;
  }
  return {};
}

// The field's name out of the head of a part.
std::string NameOfPart(std::string_view head) {
  constexpr std::string_view kDisposition = "Content-Disposition";
  while (!head.empty()) {
    const size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const size_t colon = std::min(line.find(':'), line.size());
    if (EqualsNoCase(Trim(line.substr(0, colon)), kDisposition)) return ParameterOf(line.substr(colon), "name");
  }
  return {};
}

Status ParseMultipart(std::string_view content_type, std::string_view body, text::Params* params) {
  const std::string boundary = ParameterOf(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70) return InvalidArgument("a multipart form without a boundary");
  const std::string delimiter = "\r\n--" + boundary;
  // What stands before the first delimiter is no part. That one may be without its line break.
  size_t at = body.starts_with(delimiter.substr(2)) ? delimiter.size() - 2 : body.find(delimiter);
  if (at == std::string_view::npos) return InvalidArgument("a multipart form without its boundary");
  if (!body.starts_with(delimiter.substr(2))) at += delimiter.size();
  for (body.remove_prefix(at); !body.starts_with("--");) {
    const size_t line_end = body.find("\r\n");
    const size_t head_end = body.find("\r\n\r\n", std::min(line_end, body.size()));
    const size_t end = head_end == std::string_view::npos ? head_end : body.find(delimiter, head_end + 2);
    if (end == std::string_view::npos) return InvalidArgument("a multipart form that is cut short");
    std::string name = NameOfPart(body.substr(line_end + 2, head_end - line_end - 2));
    if (name.empty()) return InvalidArgument("a part of a multipart form without a name");
    if (params->pairs().size() >= text::kMaxPairs) return LimitExceeded("too many parameters");
    const size_t value_at = head_end + 4;
    params->Add(std::move(name), value_at < end ? std::string(body.substr(value_at, end - value_at)) : std::string());
    body.remove_prefix(end + delimiter.size());
  }
  return {};
}

}  // namespace

bool IsForm(std::string_view content_type) {
  const std::string_view type = MediaType(content_type);
  return EqualsNoCase(type, kUrlEncoded) || EqualsNoCase(type, kMultipart);
}

Status ParseFormBody(std::string_view content_type, std::string_view body, text::Params* params) {
  if (EqualsNoCase(MediaType(content_type), kMultipart)) return ParseMultipart(content_type, body, params);
  return text::ParseForm(body, params);
}

}  // namespace tidemark::http
