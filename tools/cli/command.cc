#include "tools/cli/command.h"
#include "tools/cli/say.h"

#include <stdlib.h>

#include "tools/help/help_text.h"

namespace tidemark::cli {

void AddServerFlag(CLI::App& app, std::string* server) {
  app.add_option("--server", *server, "address of the server; a base path /db/NAME chooses the database")
      ->envname("TIDEMARK_SERVER")
      ->capture_default_str()
      ->group(help::kServerGroup);
  AddTokenFlag(app);
}

void AddTokenFlag(CLI::App& app) {
  CLI::Option* const token_file = app.add_option_function<std::string>(
      "--token-file",
      [](const std::string& path) {
        // Whoever connects looks there (clients/cpp/credential.h). No other thread runs while flags are read.
        unsetenv("TIDEMARK_TOKEN");
        setenv("TIDEMARK_TOKEN_FILE", path.c_str(), 1);
      },
      "file with the token that the server asks for (default: what TIDEMARK_TOKEN holds, or the file that "
      "TIDEMARK_TOKEN_FILE names)");
  token_file->group(help::kServerGroup);
  // For servers at https:// addresses; clients/cpp/tls.h reads what they set.
  const auto add = [&app](const char* flag, const char* variable, const char* help) {
    app.add_option_function<std::string>(
           flag, [variable](const std::string& path) { setenv(variable, path.c_str(), 1); }, help)
        ->group(help::kServerGroup);
  };
  add("--ca", "TIDEMARK_CA", "PEM file of the authorities that are believed (default: TIDEMARK_CA, or the system's)");
  add("--certificate", "TIDEMARK_CERTIFICATE",
      "PEM file of the certificate that is shown (default: TIDEMARK_CERTIFICATE)");
  add("--key", "TIDEMARK_KEY", "PEM file of its key (default: TIDEMARK_KEY)");
}

int Fail(const std::string& message) {
  Say(stderr, "tidemark: {}\n", message);
  return 1;
}

}  // namespace tidemark::cli
