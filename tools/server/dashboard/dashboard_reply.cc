#include "tools/server/dashboard/dashboard_reply.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "storage/base/check.h"
#include "tools/server/dashboard/dashboard_files.h"
#include "tools/server/http/content_coding.h"
#include "tools/server/http/stream_coding.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;

// Nothing is loaded from elsewhere, and no text that comes from data can become a script or a style.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const DashboardFile* Find(std::string_view name) {
  const auto files = DashboardFiles();
  const auto found = std::find_if(files.begin(), files.end(), [name](const auto& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

// `cache_control`: for how long a browser may keep it without asking.
Response Serve(const DashboardFile& file, const Request& request, std::string_view cache_control) {
  Response response;
  response.Set("ETag", std::string(file.etag)).Set("Cache-Control", std::string(cache_control));
  response.Set("Vary", "Accept-Encoding").Set("X-Content-Type-Options", "nosniff");
  if (http::ListContains(request.Header("If-None-Match"), file.etag)) {
    response.status = 304;
    return response;
  }
  response.content_type = file.content_type;
  if (http::CodingFor(request.Header("Accept-Encoding"), /*zstd=*/false) == http::Coding::kGzip) {
    response.Set("Content-Encoding", "gzip");
    response.body = file.gzip;
    return response;
  }
  // For the few that take no gzip; what was compiled in is small and whole.
  const Result<http::BodyBuffer> plain = http::GunzipBody(file.gzip, http::DecodeLimits{});
  TM_CHECK(plain.ok());
  response.body = plain->view();
  return response;
}

}  // namespace

Response DashboardPage(const Request& request) {
  const DashboardFile* const page = Find("index.html");
  TM_CHECK(page != nullptr);
  Response response = Serve(*page, request, "no-cache");
  response.Set("Content-Security-Policy", std::string(kContentSecurityPolicy)).Set("Referrer-Policy", "no-referrer");
  return response;
}

Response DashboardAsset(const Request& request, std::string_view name) {
  const DashboardFile* const asset = Find("assets/" + std::string(name));
  if (asset == nullptr) return http::GoError(404, "404 page not found");
  return Serve(*asset, request, "public, max-age=31536000, immutable");
}

}  // namespace tidemark::server
