// Text as Go's standard library treats it in templates: letters of all scripts, literals, addresses, what is escaped
// for pages and addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::query::rules {

// strings.ToUpper, ToLower, Title. Title makes the first letter of each word a capital; words are parted by what is no
// letter, digit or underscore, of ASCII, and by spaces beyond it. Bytes that are not UTF-8 become U+FFFD.
std::string UpperOf(std::string_view text);
std::string LowerOf(std::string_view text);
std::string TitleOf(std::string_view text);

// strconv.Unquote of a text in double quotes, single ones (one character) or backquotes; nothing for bad escapes.
std::optional<std::string> UnquoteGo(std::string_view literal);

// template.HTMLEscapeString, template.JSEscapeString.
std::string EscapeForHtml(std::string_view text);
std::string EscapeForScript(std::string_view text);

// net.SplitHostPort; nothing for what is not HOST:PORT or [HOST]:PORT.
struct HostPort {
  std::string host;
  std::string port;
};
std::optional<HostPort> SplitHostPort(std::string_view text);
std::string StripPort(std::string_view text);
// The first part of the host's name; addresses stay.
std::string StripDomain(std::string_view text);

}  // namespace tidemark::query::rules
