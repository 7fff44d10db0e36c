// Redact: text without its secrets, for eyes that are not the operator's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidemark::cli {

// What stands in place of a secret.
inline constexpr std::string_view kRedacted = "[removed]";

// Replaces, line by line,
//   - what is given to a name that says so, as `password: x`, `"token":"x"`, `--secret=x`, `api_key=x`: names in which
//   a word
//     of kSecretWords stands, also for blocks of YAML below such a name (`|`, lists). Names of files and counts
//     (`token_file`, `tokens: 3`) stay;
//   - what follows Bearer, Basic and Token in a header;
//   - user and password in an address (https://user:x@host), and values of its query with such a name (u, p and token
//   too);
//   - paths of webhooks, whose address is the secret (hooks.slack.com, discord.com/api/webhooks, webhook.office.com);
//   - private keys in PEM;
//   - words of 40 letters and digits or more, as tokens are;
//   - each of `known`, wherever it stands, when it has at least 4 bytes.
// What it takes for one may be none: it removes too much rather than too little. Any bytes.
std::string Redact(std::string_view text, const std::vector<std::string>& known = {});

}  // namespace tidemark::cli
