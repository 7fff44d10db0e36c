#include "tools/cli/command.h"

#include <fmt/core.h>
#include <stdlib.h>

namespace tidemark::cli {

void AddServerFlag(CLI::App& app, std::string* server) {
  app.add_option("--server", *server, "address of the server; a base path /db/NAME chooses the database")
      ->envname("TIDEMARK_SERVER")
      ->capture_default_str();
  AddTokenFlag(app);
}

void AddTokenFlag(CLI::App& app) {
  app.add_option_function<std::string>(
      "--token-file",
      [](const std::string& path) {
        // Whoever connects looks there (clients/cpp/credential.h). No other thread runs while flags are read.
        unsetenv("TIDEMARK_TOKEN");
        setenv("TIDEMARK_TOKEN_FILE", path.c_str(), 1);
      },
      "file with the token that the server asks for (default: what TIDEMARK_TOKEN holds, or the file that "
      "TIDEMARK_TOKEN_FILE names)");
}

int Fail(const std::string& message) {
  fmt::print(stderr, "tidemark: {}\n", message);
  return 1;
}

}  // namespace tidemark::cli
