#include "tools/cli/command.h"

#include <fmt/core.h>

namespace tidemark::cli {

void AddServerFlag(CLI::App& app, std::string* server) {
  app.add_option("--server", *server, "address of the server; a base path /db/NAME chooses the database")
      ->envname("TIDEMARK_SERVER")
      ->capture_default_str();
}

int Fail(const std::string& message) {
  fmt::print(stderr, "tidemark: {}\n", message);
  return 1;
}

}  // namespace tidemark::cli
