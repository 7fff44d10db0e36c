#include "tools/server/http/request_parser.h"

#include <boost/beast/http/error.hpp>
#include <cstring>

namespace tidemark::http {
namespace {

namespace beast_http = boost::beast::http;

Method MethodOf(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get: return Method::kGet;
    case beast_http::verb::head: return Method::kHead;
    case beast_http::verb::post: return Method::kPost;
    case beast_http::verb::put: return Method::kPut;
    case beast_http::verb::patch: return Method::kPatch;
    case beast_http::verb::delete_: return Method::kDelete;
    case beast_http::verb::options: return Method::kOptions;
    default: return Method::kOther;
  }
}

std::string Copy(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

RequestParser::RequestParser(Request* request, size_t header_bytes_max) : request_(request) {
  header_limit(static_cast<uint32_t>(header_bytes_max));
  body_limit(boost::none);
  eager(false);
}

void RequestParser::on_request_impl(beast_http::verb verb, string_view name, string_view target, int version,
                                    error_code&) {
  request_->method = MethodOf(verb);
  request_->method_name = Copy(name);
  request_->target = Copy(target);
  request_->http10 = version == 10;
  version_known_ = version == 10 || version == 11;
}

void RequestParser::on_field_impl(beast_http::field, string_view name, string_view value, error_code&) {
  // A trailer is no header (RFC 9110, 6.5.1): the request has been admitted by what its head said.
  if (head_complete_) return;
  // Most clients send so many: they are not moved about as they come.
  if (request_->headers.empty()) request_->headers.reserve(8);
  request_->headers.push_back({Copy(name), Copy(value)});
}

size_t RequestParser::Append(string_view bytes, error_code& error) {
  BodyBuffer& body = request_->body;
  if (body.capacity() - body.size() < bytes.size()) body_refused = grow_body(bytes.size());
  if (body_refused != BodyRefusal::kNone) {
    error = beast_http::make_error_code(beast_http::error::body_limit);
    return 0;
  }
  std::memcpy(body.data() + body.size(), bytes.data(), bytes.size());
  body.SetSize(body.size() + bytes.size());
  return bytes.size();
}

}  // namespace tidemark::http
