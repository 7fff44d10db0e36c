// Any bytes as the head of a request. The first byte says after how many bytes the rest comes: where a packet ends may
// change nothing. A head is read once more, in two pieces, to the same request or to none.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/base/check.h"
#include "tools/server/http/message.h"
#include "tools/server/http/request_parser.h"

namespace tidemark::http {
namespace {

constexpr size_t kHeaderBytesMax = 4096;

struct Reading {
  Request request;
  boost::system::error_code error;
  bool done = false;
  bool version_known = false;
  bool chunked = false;
  uint64_t length = 0;
  size_t used = 0;
};

// Reads as a session does: what was not used stays in front of what comes.
Reading Read(std::string_view bytes, size_t first_piece) {
  Reading reading;
  RequestParser parser(&reading.request, kHeaderBytesMax);
  for (const size_t end : {first_piece, bytes.size()}) {
    if (reading.used == end || reading.done) continue;
    const auto piece = boost::asio::const_buffer(bytes.data() + reading.used, end - reading.used);
    reading.used += parser.put(piece, reading.error);
    if (reading.error == boost::beast::http::error::need_more) reading.error = {};
    if (reading.error) return reading;
    reading.done = parser.is_header_done();
  }
  reading.version_known = parser.version_known();
  if (reading.done) {
    reading.chunked = parser.chunked();
    reading.length = parser.content_length().value_or(0);
  }
  return reading;
}

void Run(std::string_view bytes, size_t first_piece) {
  const Reading whole = Read(bytes, 0);
  const Reading pieces = Read(bytes, std::min(first_piece, bytes.size()));
  // Beast counts the limit by what is left of it at each call: a head of just that length may pass in one way only.
  if (bytes.size() >= kHeaderBytesMax) return;
  // What is wrong in a head without an end may be found with one piece and be waited for with two.
  TM_CHECK(whole.done == pieces.done);
  if (!whole.done) return;
  TM_CHECK(whole.used == pieces.used && whole.used <= bytes.size());
  TM_CHECK(whole.chunked == pieces.chunked && whole.length == pieces.length);
  const Request& request = whole.request;
  TM_CHECK(request.target == pieces.request.target && request.method == pieces.request.method);
  TM_CHECK(request.headers.size() == pieces.request.headers.size());
  for (size_t i = 0; i < request.headers.size(); ++i) {
    const HeaderField& field = request.headers[i];
    TM_CHECK(field.name == pieces.request.headers[i].name && field.value == pieces.request.headers[i].value);
    TM_CHECK(!field.name.empty() && request.CountHeader(field.name) >= 1);
    TM_CHECK(Trim(field.value).size() <= field.value.size());
    // Neither may a value hold the end of a line, or the next reader would see two headers.
    TM_CHECK(field.value.find('\n') == std::string_view::npos && field.name.find('\n') == std::string_view::npos);
    static_cast<void>(ListContains(field.value, "gzip"));
  }
}

}  // namespace
}  // namespace tidemark::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  tidemark::http::Run({reinterpret_cast<const char*>(data) + 1, size - 1}, data[0]);
  return 0;
}
