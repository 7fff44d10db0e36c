#include "tools/server/http/caller.h"

namespace tidemark::http {
namespace {

class EveryoneCaller final : public Caller {
 public:
  [[nodiscard]] std::string_view name() const override { return "everyone"; }
  [[nodiscard]] bool May(Access /*access*/, std::string_view /*database*/) const override { return true; }
  [[nodiscard]] bool MayEverywhere(Access /*access*/) const override { return true; }
  [[nodiscard]] bool MaySomewhere(Access /*access*/) const override { return true; }
  [[nodiscard]] const storage::SeriesFilter* filter() const override { return nullptr; }
  [[nodiscard]] server::quota::Account* account() const override { return nullptr; }
  [[nodiscard]] bool revoked() const override { return false; }
};

}  // namespace

std::string_view Name(Access access) {
  switch (access) {
    case Access::kOpen: return "open";
    case Access::kAny: return "any";
    case Access::kRead: return "read";
    case Access::kWrite: return "write";
    case Access::kAdmin: return "admin";
  }
  return "?";
}

const std::shared_ptr<const Caller>& Everyone() {
  static const std::shared_ptr<const Caller> everyone = std::make_shared<const EveryoneCaller>();
  return everyone;
}

}  // namespace tidemark::http
