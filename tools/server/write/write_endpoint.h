// WriteEndpoint: one way in over HTTP, as a row. What is the protocol's own stands in the row; what all have in common
// (memory for parsing, counts, the log of rejections, the write itself) is written once, in WriteService::Take.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "storage/base/result.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// What a request's parameters say: where its points go and how its times are read.
struct WriteTarget {
  std::string database;
  int64_t time_unit_ns = 1;
  // The retention policy that the request names; "": whichever the database has.
  std::string policy = {};
  // Set when the parameters are no good: the code and the words of the answer.
  int refused_status = 0;
  std::string refused_text = {};
};

struct WriteEndpoint {
  std::string_view path;
  // Under which it is counted and logged (model::Batch::source).
  std::string_view source;
  http::Method method;
  // The content types and encodings that are taken: an Error is answered with 415. Null: any type, and gzip, which the
  // server takes off; with it the decoder gets the body as it was sent.
  Result<void> (*check_media)(std::string_view content_type, std::string_view content_encoding);
  ingest::MakeDecoder decoder;
  WriteTarget (*target)(const http::Request& request, bool require_database);
  // The answer to a body without a byte; 0: the decoder says.
  int empty_status;
  // A refusal in the words of the protocol. `faults` may be left out of it.
  http::Response (*refuse)(int status, std::string_view text, const std::vector<ingest::Fault>& faults);
  // The same for what is refused before the body is read; null: Go's plain text.
  http::Response (*refuse_unread)(int status, std::string_view text);
  // Adds what every answer carries; null: nothing.
  void (*finish)(const http::Request& request, http::Response* response);
};

// All of them.
std::span<const WriteEndpoint> WriteEndpoints();
// The one of a path, which must be there.
const WriteEndpoint& WriteEndpointAt(std::string_view path);

// DatagramProtocol: one way in over UDP, as a row. A datagram stands for itself: nothing is answered, what is refused
// is counted and logged.
struct DatagramProtocol {
  std::string_view name;  // and source
  ingest::MakeDecoder decoder;
};

std::span<const DatagramProtocol> DatagramProtocols();

}  // namespace tidemark::server
