#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "ingest/remotewrite/decoder.h"

namespace tidemark::remotewrite {
namespace {

constexpr std::string_view kMediaType = "application/x-protobuf";
constexpr std::string_view kMessage1 = "prometheus.WriteRequest";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// The part of `text` before the first `separator`, which is taken off.
std::string_view Next(std::string_view* text, char separator) {
  const size_t at = text->find(separator);
  const std::string_view part = text->substr(0, at);
  text->remove_prefix(at == text->npos ? text->size() : at + 1);
  return Trim(part);
}

}  // namespace

Result<void> CheckHeaders(std::string_view content_type, std::string_view content_encoding) {
  std::string_view rest = content_type;
  const std::string_view media_type = Next(&rest, ';');
  if (!media_type.empty() && Lower(media_type) != kMediaType) {
    return Unsupported(fmt::format("content type {} is not accepted; send {}", media_type, kMediaType));
  }
  while (!rest.empty()) {
    std::string_view value = Next(&rest, ';');
    const std::string_view name = Next(&value, '=');
    value = Trim(value);
    if (Lower(name) == "proto" && value != kMessage1) {
      return Unsupported(
          fmt::format("protobuf message {} is not accepted; send {} (remote write 1.0)", value, kMessage1));
    }
  }
  const std::string_view encoding = Trim(content_encoding);
  if (!encoding.empty() && Lower(encoding) != "snappy") {
    return Unsupported(fmt::format("content encoding {} is not accepted; send snappy", encoding));
  }
  return {};
}

}  // namespace tidemark::remotewrite
