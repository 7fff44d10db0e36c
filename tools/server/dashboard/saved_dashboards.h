// SavedDashboards: the dashboards that people make: documents of kind `dashboard`, kept as the bytes that were sent.
//
// Who changes one says which version it is made from (If-Match, or If-None-Match: * for a new one), so that nobody
// writes over what he has not seen.
#pragma once

#include <string_view>

#include "storage/documents.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// Versions of each are kept, and there may be so many.
storage::DocumentKind DashboardKind();

// Thread-safe. Errors come in the envelope of the Prometheus API; no reply may be kept by a cache without asking.
class SavedDashboards {
 public:
  static constexpr size_t kNameBytesMax = 64;

  // `documents` outlives it.
  explicit SavedDashboards(storage::DocumentStore* documents) : documents_(documents) {}

  // Name, title, version, author, time and bytes of each, by name.
  [[nodiscard]] http::Response List() const;
  // The bytes as they were saved, its version as ETag; with `version=` one that is kept, also of a deleted dashboard.
  [[nodiscard]] http::Response Get(const http::Request& request, std::string_view name) const;
  // The versions that are kept, newest first.
  [[nodiscard]] http::Response History(std::string_view name) const;
  // Whether a caller may save over a dashboard, or delete it. Who is held to a filter may do so with one that he has
  // made, or that is not there yet: the error says so.
  [[nodiscard]] Result<void> CheckMaker(const http::Caller& caller, std::string_view name) const;
  // Saves the body. 400 for what is no dashboard, 412 when another version is there, 428 when the request does not say
  // which one it is made from.
  http::Response Put(const http::Request& request, std::string_view name);
  // 412 and 428 as Put, 404. Its history is kept.
  http::Response Delete(const http::Request& request, std::string_view name);

 private:
  storage::DocumentStore* const documents_;
};

}  // namespace tidemark::server
