// The files of the dashboard, compiled in. Defined in a file that the build of clients/dashboard makes.
#pragma once

#include <span>
#include <string_view>

namespace tidemark::server {

struct DashboardFile {
  std::string_view name;          // "index.html", "assets/NAME-HASH.js"
  std::string_view content_type;  // as the header takes it
  std::string_view etag;          // with its quotes; changes with the content
  std::string_view gzip;          // the content as a gzip file
};

// All of them, for as long as the process lives. Thread-safe.
std::span<const DashboardFile> DashboardFiles();

}  // namespace tidemark::server
