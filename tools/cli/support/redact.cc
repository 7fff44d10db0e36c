#include "tools/cli/support/redact.h"

#include <algorithm>
#include <cctype>

namespace tidemark::cli {
namespace {

constexpr std::string_view kSecretWords[] = {"password",      "passwd",      "passphrase", "secret",      "token",
                                             "authorization", "cookie",      "apikey",     "api_key",     "api-key",
                                             "credential",    "private_key", "bearer",     "routing_key", "service_key",
                                             "webhook_url",   "session"};
// Names that hold such a word and tell no secret.
constexpr std::string_view kHarmlessEnds[] = {"_file",  "-file",    "_files", "_path",      "_total",
                                              "_count", "_seconds", "_bytes", "_directory", "tokens"};
constexpr std::string_view kSchemes[] = {"bearer ", "basic ", "token "};
constexpr std::string_view kHooks[] = {"hooks.slack.com/", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/",
                                       "webhook.office.com/", "api.telegram.org/bot"};
constexpr std::string_view kQuerySecrets[] = {"u", "p", "q_token", "key", "sig", "signature", "code"};
constexpr size_t kKnownMin = 4;
// Letters of base64 and hexadecimal in a row that are taken for a secret.
constexpr size_t kLongWord = 40;

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool IsNameByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.'; }
bool IsWordByte(char c) { return IsNameByte(c) || c == '+' || c == '/' || c == '=' || c == '~'; }

bool TellsSecret(std::string_view name) {
  const std::string lower = Lower(name);
  for (const std::string_view end : kHarmlessEnds) {
    if (lower.ends_with(end)) return false;
  }
  return std::any_of(std::begin(kSecretWords), std::end(kSecretWords),
                     [&lower](std::string_view word) { return lower.contains(word); });
}

// A token of Tidemark (tools/server/access/secret.h): 43 characters of base64url behind its prefix. Metrics begin with
// that too, and have neither capitals nor digits.
bool IsToken(std::string_view word) {
  constexpr std::string_view kPrefix = "tidemark_";
  constexpr size_t kRandom = 43;
  return word.starts_with(kPrefix) && word.size() >= kPrefix.size() + kRandom &&
         std::any_of(word.begin(), word.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

size_t Indent(std::string_view line) { return std::min(line.find_first_not_of(" \t-"), line.size()); }

// A line at a time, with what the lines before it have begun.
class Redactor {
 public:
  explicit Redactor(const std::vector<std::string>& known) : known_(known) {}

  void Line(std::string_view line, std::string* out) {
    if (in_key_ || line.contains("-----BEGIN")) {
      // Of PEM: a certificate is no secret, but telling them apart is not worth a mistake.
      if (!in_key_) *out += kRedacted;
      in_key_ = !line.contains("-----END");
      return;
    }
    const bool blank = line.find_first_not_of(" \t\r") == std::string_view::npos;
    if (in_block_ && (blank || Indent(line) > block_)) {
      if (!blank) {
        *out += line.substr(0, Indent(line));
        *out += kRedacted;
      }
      return;
    }
    in_block_ = false;
    std::string text(line);
    // What is known first: what is cut up later may hold it.
    for (const std::string& secret : known_) {
      if (secret.size() < kKnownMin) continue;
      for (size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += kRedacted.size()) {
        text.replace(at, secret.size(), kRedacted);
      }
    }
    Values(&text);
    Schemes(&text);
    Addresses(&text);
    LongWords(&text);
    *out += text;
  }

 private:
  static void Replace(std::string* text, size_t from, size_t to) { text->replace(from, to - from, kRedacted); }

  // The end of a value that begins at `at`: its quotes, else up to a space or what separates values.
  static size_t EndOfValue(const std::string& text, size_t at, bool whole_line) {
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
      for (size_t i = at + 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
          ++i;
        } else if (text[i] == text[at]) {
          return i + 1;
        }
      }
      return text.size();
    }
    if (whole_line) return text.size();
    return std::min(text.find_first_of(" \t,;&}])\"'", at), text.size());
  }

  // name=value, name: value, "name":"value", also several in a line.
  void Values(std::string* text) {
    for (size_t at = 0; at < text->size(); ++at) {
      if ((*text)[at] != '=' && (*text)[at] != ':') continue;
      size_t end = at;
      while (end > 0 && ((*text)[end - 1] == '"' || (*text)[end - 1] == '\'' || (*text)[end - 1] == ' ')) --end;
      size_t begin = end;
      while (begin > 0 && IsNameByte((*text)[begin - 1])) --begin;
      if (begin == end || !TellsSecret(std::string_view(*text).substr(begin, end - begin))) continue;
      const bool first = text->find_first_not_of(" \t-\"'") == begin;
      size_t value = at + 1;
      while (value < text->size() && ((*text)[value] == ' ' || (*text)[value] == '=')) ++value;
      // Nothing, or the head of a block of YAML (|, >-): it stands in the lines below.
      if (text->find_first_not_of("|>+-0123456789 \r", value) == std::string::npos &&
          (value == text->size() || (*text)[value] == '|' || (*text)[value] == '>')) {
        if (first && (*text)[at] == ':') {
          in_block_ = true;
          block_ = Indent(*text);
        }
        return;
      }
      if ((*text)[value] == '[' || (*text)[value] == '{') {
        // A list, or a group, of such values.
        Replace(text, value, text->size());
        return;
      }
      // A setting of YAML or a header is all of its line; one of several values in a line ends where the next begins.
      const bool whole = first && (*text)[at] == ':' && (*text)[begin == 0 ? 0 : begin - 1] != '"';
      Replace(text, value, EndOfValue(*text, value, whole));
      at = value + kRedacted.size() - 1;
    }
  }

  // Bearer x
  static void Schemes(std::string* text) {
    for (const std::string_view scheme : kSchemes) {
      const std::string lower = Lower(*text);
      for (size_t at = lower.size(); (at = lower.rfind(scheme, at)) != std::string::npos;) {
        const size_t value = at + scheme.size();
        const size_t end = std::min(text->find_first_of(" \t\"',;)", value), text->size());
        const bool begins = at == 0 || !IsNameByte(lower[at - 1]);
        // In a sentence a word follows; what is shown has a digit or is long.
        const std::string_view word = std::string_view(*text).substr(value, end - value);
        const bool shown =
            word.size() >= 12 || std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (begins && shown && !word.starts_with(kRedacted)) Replace(text, value, end);
        if (at == 0) break;
        --at;
      }
    }
  }

  // https://user:x@host/path?token=x
  static void Addresses(std::string* text) {
    for (size_t at = 0; (at = text->find("://", at)) != std::string::npos; at += 3) {
      const size_t begin = at + 3;
      size_t end = std::min(text->find_first_of(" \t\"'<>", begin), text->size());
      const size_t slash = std::min(text->find_first_of("/?#", begin), end);
      // The last one: a password may hold one too.
      const size_t user = text->rfind('@', end - 1);
      if (user != std::string::npos && user >= begin && (user < slash || text->find('/', begin) > user)) {
        Replace(text, begin, user);
        end = std::min(text->find_first_of(" \t\"'<>", begin), text->size());
      }
      for (const std::string_view hook : kHooks) {
        const size_t found = text->find(hook, begin);
        if (found != std::string::npos && found < end) Replace(text, found + hook.size(), end);
      }
    }
    Queries(text);
  }

  // ?u=x&p=x
  static void Queries(std::string* text) {
    for (size_t at = 0; (at = text->find_first_of("?&", at)) != std::string::npos; ++at) {
      const size_t equals = text->find('=', at);
      if (equals == std::string::npos) return;
      const std::string name = Lower(std::string_view(*text).substr(at + 1, equals - at - 1));
      const bool secret =
          std::find(std::begin(kQuerySecrets), std::end(kQuerySecrets), name) != std::end(kQuerySecrets);
      const size_t end = std::min(text->find_first_of("& \t\"'#", equals + 1), text->size());
      if (secret && end > equals + 1) Replace(text, equals + 1, end);
    }
  }

  // What is too long for a word, and has digits and letters.
  static void LongWords(std::string* text) {
    for (size_t at = 0; at < text->size();) {
      if (!IsWordByte((*text)[at])) {
        ++at;
        continue;
      }
      size_t end = at;
      size_t digits = 0;
      size_t letters = 0;
      bool plain = true;
      for (; end < text->size() && IsWordByte((*text)[end]); ++end) {
        digits += std::isdigit(static_cast<unsigned char>((*text)[end])) != 0 ? 1 : 0;
        letters += std::isalpha(static_cast<unsigned char>((*text)[end])) != 0 ? 1 : 0;
        // Paths and names of metrics are long too.
        plain = plain && (*text)[end] != '/' && (*text)[end] != '.';
      }
      const std::string_view word = std::string_view(*text).substr(at, end - at);
      if (IsToken(word) || (end - at >= kLongWord && plain && digits >= 4 && letters >= 4)) {
        Replace(text, at, end);
        end = at + kRedacted.size();
      }
      at = end;
    }
  }

  const std::vector<std::string>& known_;
  bool in_key_ = false;
  bool in_block_ = false;
  size_t block_ = 0;  // indent of the name whose secret stands in the lines below
};

}  // namespace

std::string Redact(std::string_view text, const std::vector<std::string>& known) {
  Redactor redactor(known);
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    redactor.Line(text.substr(0, end), &out);
    if (end == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace tidemark::cli
