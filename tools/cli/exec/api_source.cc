#include "tools/cli/exec/api_source.h"

#include <chrono>

#include "tools/cli/http_client.h"

namespace tidemark::cli {
namespace {

class RemoteApi final : public ApiSource {
 public:
  explicit RemoteApi(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {
    // Nobody waits longer for what only helps.
    client_->set_timeout(std::chrono::seconds(10));
  }

  Result<ApiAnswer> Ask(std::string_view path, const ApiParameters& parameters) override {
    TM_TRY_ASSIGN(HttpReply reply, client_->Send("GET", std::string(path) + QueryString(parameters), {}, ""));
    return ApiAnswer{reply.status, std::move(reply.body)};
  }

 private:
  std::unique_ptr<HttpClient> client_;
};

}  // namespace

Result<std::unique_ptr<ApiSource>> AskServer(const std::string& url) {
  TM_TRY_ASSIGN(auto client, HttpClient::Create(url));
  return std::make_unique<RemoteApi>(std::move(client));
}

}  // namespace tidemark::cli
