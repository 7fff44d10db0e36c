// Router: the one table of routes and what happens to a request before its handler: base path, method, origin, form.
//
//   Router router({{Access::kWrite, Lane::kWrite, {Method::kPost}, "/write", 25'000'000, handler}, ...}, options);
//
// A pattern is a path whose segments are literal or `*`; `*` takes one segment, whatever it is, into
// Request::captures; a slash in it is sent as %2F. `/db/NAME` in front of any path is taken off and named in
// Request::database.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/server/http/caller.h"
#include "tools/server/http/gatekeeper.h"
#include "tools/server/http/message.h"
#include "tools/server/http/observer.h"
#include "tools/server/http/server.h"

namespace tidemark::http {

// What a route's right is about.
enum class Scope : uint8_t {
  kServer,    // the server as a whole: the right to every database
  kSession,   // nothing that is kept in a database: the right to any
  kDatabase,  // the one that `/db/NAME` or `db=` names, or the default one
  kHandler,   // the handler finds out what it is about, and asks the caller itself; any is needed before
};

std::string_view Name(Scope scope);

struct Route {
  // A route that can change something has kWrite or kAdmin; kOpen and kAny may with other methods than GET.
  Access access = Access::kRead;
  Scope scope = Scope::kServer;
  Lane lane = Lane::kInline;
  std::vector<Method> methods;  // kGet includes kHead
  std::string pattern;
  size_t body_bytes_max = 0;
  std::function<Response(Request&)> handler = nullptr;
  // Takes a request of Lane::kWrite with a short body whose answer comes later, and its Answerer with it; null: none.
  // The form of a body is not read for it.
  std::function<Deferral(Request&, Answerer*)> defer = nullptr;
  // Holds itself to Caller::filter(). Other routes refuse a caller who has one, in the words of `unfiltered`.
  bool filtered = false;
  std::string_view unfiltered = {};
  // The body may be a form, whose fields become parameters.
  bool form = false;
  // Takes any Content-Encoding itself; others take gzip only.
  bool own_coding = false;
  // The body of a refusal in the words of this route's protocol; null: Go's plain text.
  std::function<Response(int status, std::string_view text)> refuse = nullptr;
};

struct RouterOptions {
  // Origins (scheme://host:port) besides the server's own whose pages may read replies and change things.
  std::vector<std::string> allowed_origins;
  // Of the server's own pages as a browser behind a proxy sees them; "" for those of the Host header only.
  std::string own_origin = {};
  // In front of the path of every request that is served ("/tm", no slash at its end); others get 404, and `/` leads
  // below it. "": none.
  std::string route_prefix = {};
  // In front of the paths of redirects: what a browser has to ask for. Differs from `route_prefix` where a proxy has a
  // path of its own.
  std::string external_path = {};
  // Asked for each request; outlives the router. Null: everyone may everything. Unless it asks for credentials, a page
  // must have been fetched from a loopback name to change anything, which keeps out pages that point their own name at
  // this machine (DNS rebinding).
  Gatekeeper* gatekeeper = nullptr;
  // Told of what is changed and who is refused; outlives the router. Null: nobody.
  Observer* observer = nullptr;
  // The database of a request that names none.
  std::string default_database = "default";
};

// Thread-safe after construction.
class Router : public Application {
 public:
  Router(std::vector<Route> routes, RouterOptions options);

  Admission Admit(Request* head) override;
  Response Handle(Request* request) override;
  Deferral Defer(Request* request, Answerer* answer) override;
  void Complete(const Request& request, Response* response) override { AddCors(request, response); }
  Response Refuse(int status, std::string_view text, const Request* head) override;

  // Replies by route and status class (2xx at index 2), for /metrics and tests.
  struct Tally {
    std::atomic<uint64_t> replies[6] = {};
    std::atomic<uint64_t> handler_ns{0};
  };
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }
  [[nodiscard]] const Tally& tally(size_t route) const { return tallies_[route]; }

 private:
  [[nodiscard]] bool OriginAllowed(std::string_view origin, const Authority& own) const;
  // Takes the route prefix off a decoded path. false: it is not below that.
  [[nodiscard]] bool TakeRoutePrefix(std::string* path) const;
  // What is answered beside the route prefix.
  Response BesideRoutePrefix(const Request& head);
  // Makes a path on this server in `Location` one that a browser can ask for.
  void CompleteLocation(Response* response) const;
  // Whether a route has the path `raw_path`, which is percent-encoded.
  [[nodiscard]] bool Serves(std::string_view raw_path) const;
  // A request target, cut into what it consists of.
  struct TargetParts {
    // Of the absolute form (RFC 9112, 3.2.2): who is asked, whatever the Host header says.
    std::optional<std::string_view> authority;
    std::string_view path;   // as it was sent
    std::string_view query;  // without '?' and fragment
    std::string_view rest;   // what follows the path
  };
  // nullopt for a target that no origin server takes.
  [[nodiscard]] static std::optional<TargetParts> PartsOf(std::string_view target);
  // The route of the request's path and method, whose captures are taken; null: none has both. `allow`: the methods of
  // those that have the path, "" where none has it.
  const Route* FindRoute(Request* head, std::string* allow) const;
  // What is refused although there is such a route, and else where the request runs.
  Admission Check(const Route& route, const Authority& own, Request* head);
  // Whether the caller has the route's right to what the request is about; else the refusal. When the form was read.
  std::optional<Response> CheckScope(const Request& request);
  // 404, or a redirect to the path without empty segments where a route has that.
  Response NoSuchPath(const TargetParts& parts, const Request& head);
  Response NoSuchMethod(const std::string& allow, const Request& head);
  // What every answer gets once its handler has made it, and who hears of it. `began_ns`: on SystemClock::SteadyNs.
  void Conclude(const Request& request, int64_t began_ns, Response* response);
  void Count(const Request& request, int status);
  void AddCors(const Request& request, Response* response) const;

  const std::vector<Route> routes_;
  const RouterOptions options_;
  std::deque<Tally> tallies_;
};

}  // namespace tidemark::http
