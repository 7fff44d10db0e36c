#include "query/rules/template_text.h"

#include <arpa/inet.h>
#include <clocale>
#include <cwctype>

#include <fmt/core.h>

#include "query/promql/quote.h"

namespace tidemark::query::rules {
namespace {

using promql::AppendRune;
using promql::DecodeRune;
using promql::Rune;

// glibc's tables of letters, which do not depend on where the process runs.
locale_t Letters() {
  static const locale_t letters = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return letters;
}

bool IsAscii(char32_t rune) { return rune < 0x80; }

char32_t Upper(char32_t rune) {
  if (IsAscii(rune)) return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
  return Letters() != nullptr ? static_cast<char32_t>(::towupper_l(static_cast<wint_t>(rune), Letters())) : rune;
}

char32_t Lower(char32_t rune) {
  if (IsAscii(rune)) return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
  return Letters() != nullptr ? static_cast<char32_t>(::towlower_l(static_cast<wint_t>(rune), Letters())) : rune;
}

// Letters of two, as in "DŽ", have a form of their own at the start of a word.
char32_t Capital(char32_t rune) {
  if (IsAscii(rune) || Letters() == nullptr) return Upper(rune);
  static const wctrans_t to_title = ::wctrans_l("totitle", Letters());
  if (to_title == nullptr) return Upper(rune);
  return static_cast<char32_t>(::towctrans_l(static_cast<wint_t>(rune), to_title, Letters()));
}

bool PartsWords(char32_t rune) {
  if (IsAscii(rune)) {
    const bool word = (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') || (rune >= '0' && rune <= '9');
    return !word && rune != '_';
  }
  // Go's unicode.IsSpace beyond ASCII.
  return rune == 0x85 || rune == 0xA0 || rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200A) || rune == 0x2028 ||
         rune == 0x2029 || rune == 0x202F || rune == 0x205F || rune == 0x3000;
}

template <typename Map>
std::string Mapped(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    text.remove_prefix(rune.size);
    AppendRune(out, map(rune.value));
  }
  return out;
}

// The digits of an escape, `count` of them in `base`; they leave `text`.
std::optional<uint32_t> TakeDigits(std::string_view* text, size_t count, uint32_t base) {
  if (text->size() < count) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text->substr(0, count)) {
    const uint32_t digit = c >= '0' && c <= '9'   ? static_cast<uint32_t>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10)
                           : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A' + 10)
                                                  : base;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  text->remove_prefix(count);
  return value;
}

// What stands behind a backslash; it leaves `text`.
bool TakeEscape(std::string_view* text, char quote, std::string* out) {
  if (text->empty()) return false;
  const char c = text->front();
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\";
  if (const size_t at = kLetters.find(c); at != std::string_view::npos) {
    text->remove_prefix(1);
    out->push_back(kMeant[at]);
    return true;
  }
  if (c == '\'' || c == '"') {
    text->remove_prefix(1);
    out->push_back(c);
    return c == quote;
  }
  if (c >= '0' && c <= '7') {
    const auto value = TakeDigits(text, 3, 8);
    if (!value || *value > 255) return false;
    out->push_back(static_cast<char>(*value));
    return true;
  }
  text->remove_prefix(1);
  if (c == 'x') {
    const auto value = TakeDigits(text, 2, 16);
    if (value) out->push_back(static_cast<char>(*value));
    return value.has_value();
  }
  if (c != 'u' && c != 'U') return false;
  const auto value = TakeDigits(text, c == 'u' ? 4 : 8, 16);
  if (!value || *value > 0x10FFFF || (*value >= 0xD800 && *value < 0xE000)) return false;
  AppendRune(*out, *value);
  return true;
}

bool IsAddress(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

std::string UpperOf(std::string_view text) { return Mapped(text, Upper); }
std::string LowerOf(std::string_view text) { return Mapped(text, Lower); }
std::string TitleOf(std::string_view text) {
  bool starts = true;
  return Mapped(text, [&](char32_t rune) {
    const char32_t out = starts ? Capital(rune) : rune;
    starts = PartsWords(rune);
    return out;
  });
}

std::optional<std::string> UnquoteGo(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back()) return std::nullopt;
  const char quote = literal.front();
  std::string_view rest = literal.substr(1, literal.size() - 2);
  std::string out;
  if (quote == '`') {
    for (const char c : rest) {
      if (c == '`') return std::nullopt;
      if (c != '\r') out.push_back(c);
    }
    return out;
  }
  if (quote != '"' && quote != '\'') return std::nullopt;
  size_t characters = 0;
  for (; !rest.empty(); ++characters) {
    if (rest.front() == quote || rest.front() == '\n') return std::nullopt;
    if (rest.front() == '\\') {
      rest.remove_prefix(1);
      if (!TakeEscape(&rest, quote, &out)) return std::nullopt;
      continue;
    }
    const Rune rune = DecodeRune(rest);
    out.append(rest.substr(0, rune.size));
    rest.remove_prefix(rune.size);
  }
  if (quote == '\'' && characters != 1) return std::nullopt;
  return out;
}

std::string EscapeForHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\0': out += "\xEF\xBF\xBD"; break;
      default: out += c;
    }
  }
  return out;
}

std::string EscapeForScript(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\': out += R"(\\)"; break;
      case '\'': out += R"(\')"; break;
      case '"': out += R"(\")"; break;
      case '<':
      case '>':
      case '&':
      case '=': out += fmt::format("\\u{:04X}", static_cast<unsigned>(c)); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::optional<HostPort> SplitHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || end + 1 != colon) return std::nullopt;
    host = text.substr(1, end - 1);
    if (port.contains(']')) return std::nullopt;
  } else if (host.contains(':') || host.contains(']') || port.contains(']')) {
    return std::nullopt;
  }
  if (host.contains('[') || port.contains('[')) return std::nullopt;
  return HostPort{.host = std::string(host), .port = std::string(port)};
}

std::string StripPort(std::string_view text) {
  const auto parts = SplitHostPort(text);
  return parts ? parts->host : std::string(text);
}

std::string StripDomain(std::string_view text) {
  const auto parts = SplitHostPort(text);
  const std::string host = parts ? parts->host : std::string(text);
  if (IsAddress(host)) return std::string(text);
  const std::string name = host.substr(0, host.find('.'));
  if (!parts || parts->port.empty()) return name;
  const bool brackets = name.contains(':') || name.contains("%");
  return (brackets ? "[" + name + "]" : name) + ":" + parts->port;
}

}  // namespace tidemark::query::rules
