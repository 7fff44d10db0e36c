// RequestParser: Beast's grammar of a message, writing straight into a Request: no container of fields, no copies of
// the body but the one out of the input buffer. Not thread-safe.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <functional>

#include "tools/server/http/message.h"

namespace tidemark::http {

class RequestParser : public boost::beast::http::basic_parser<true> {
 public:
  // `request` outlives the parser.
  RequestParser(Request* request, size_t header_bytes_max);

  // False for an HTTP version that is not spoken here. Known once the head is done.
  [[nodiscard]] bool version_known() const { return version_known_; }

  enum class BodyRefusal : uint8_t { kNone, kTooLarge, kNoMemory };
  BodyRefusal body_refused = BodyRefusal::kNone;
  // Makes room for `more` bytes of body, or says why not.
  std::function<BodyRefusal(size_t)> grow_body;

 private:
  using error_code = boost::system::error_code;
  using string_view = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb verb, string_view name, string_view target, int version,
                       error_code& error) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field field, string_view name, string_view value, error_code& error) override;
  void on_header_impl(error_code&) override { head_complete_ = true; }
  void on_body_init_impl(boost::optional<uint64_t> const&, error_code&) override {}
  size_t on_body_impl(string_view body, error_code& error) override { return Append(body, error); }
  void on_chunk_header_impl(uint64_t, string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, string_view body, error_code& error) override { return Append(body, error); }
  void on_finish_impl(error_code&) override {}

  size_t Append(string_view bytes, error_code& error);

  Request* const request_;
  bool version_known_ = false;
  bool head_complete_ = false;
};

}  // namespace tidemark::http
