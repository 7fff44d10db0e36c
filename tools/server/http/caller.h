// Caller: who sent a request, as far as routes need to know it: what he may do, and with which databases.
//
//   if (!request.caller->May(Access::kAdmin, "metrics")) return Forbidden(...);
//
// The router asks its Gatekeeper for the caller of each request (gatekeeper.h); handlers that learn the database only
// from the body ask the caller again.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace tidemark::storage {
class SeriesFilter;
}
namespace tidemark::server::quota {
class Account;
}

namespace tidemark::http {

// What a request needs the right to do.
enum class Access : uint8_t {
  kOpen,  // nothing
  kAny,   // any of those that follow: the handler asks for the one that it finds to be needed
  kRead,
  kWrite,
  kAdmin,
};

std::string_view Name(Access access);

// Thread-safe. Lives as long as a request that it sent.
class Caller {
 public:
  virtual ~Caller() = default;
  // For logs: the name of a token, or "everyone".
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Whether he may do this with a database.
  [[nodiscard]] virtual bool May(Access access, std::string_view database) const = 0;
  // With every database, also those that are not there yet: what concerns the server as a whole.
  [[nodiscard]] virtual bool MayEverywhere(Access access) const = 0;
  // With at least one.
  [[nodiscard]] virtual bool MaySomewhere(Access access) const = 0;
  // What of each database he may see and write; null: all of it.
  [[nodiscard]] virtual const storage::SeriesFilter* filter() const = 0;
  // What he has taken of the server; null: nobody counts it. Lives as long as the server.
  [[nodiscard]] virtual server::quota::Account* account() const = 0;
  // Whether what let him in is no longer good: replies that are still being sent are cut.
  [[nodiscard]] virtual bool revoked() const = 0;
};

// The caller of a server that knows no tokens: he may everything.
const std::shared_ptr<const Caller>& Everyone();

}  // namespace tidemark::http
