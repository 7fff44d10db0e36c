#include "query/notify/matcher.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "query/notify/alert.h"
#include "storage/base/utf8.h"

namespace tidemark::query::notify {
namespace {

using model::MatchOp;

constexpr std::pair<std::string_view, MatchOp> kOperators[] = {
    // Longer ones first: `=` is the beginning of `=~`.
    {"=~", MatchOp::kRegex},
    {"!~", MatchOp::kNotRegex},
    {"!=", MatchOp::kNotEqual},
    {"=", MatchOp::kEqual}};

std::string_view OperatorText(MatchOp op) {
  for (const auto& [text, value] : kOperators) {
    if (value == op) return text;
  }
  return "=";
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  const size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

bool IsNameByte(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (!first && c >= '0' && c <= '9');
}

// The value of `raw`, in quotes or not.
Result<std::string> Unescape(std::string_view raw) {
  const Error quote = InvalidArgument(fmt::format("matcher value contains unescaped double quote: {}", raw));
  bool open = false;
  if (raw.starts_with('"')) {
    raw.remove_prefix(1);
    open = true;
  }
  if (!IsUtf8(raw)) return InvalidArgument(fmt::format("matcher value not valid UTF-8: {}", raw));
  std::string value;
  bool escaped = false;
  for (size_t i = 0; i < raw.size(); ++i) {
    const bool last = i + 1 == raw.size();
    const char c = raw[i];
    if (escaped) {
      escaped = false;
      // What is no escape stands for itself.
      if (c != 'n' && c != '"' && c != '\\') value += '\\';
      value += c == 'n' ? '\n' : c;
    } else if (c == '\\' && !last) {
      escaped = true;
    } else if (c == '"') {
      if (!open || !last) return quote;
      open = false;
    } else {
      value += c;
    }
  }
  if (open) return quote;
  return value;
}

// Why it is none, without the part that may have been made here around what was written.
std::string WordsOf(const RE2& pattern) {
  std::string words = pattern.error();
  const std::string whole = ": " + pattern.pattern();
  if (words.ends_with(whole)) words.resize(words.size() - whole.size());
  return words;
}

}  // namespace

Result<Matcher> Matcher::Make(std::string name, MatchOp op, std::string value) {
  if (name.empty()) return InvalidArgument("a matcher needs the name of a label");
  Matcher matcher;
  matcher.condition_ = {.op = op, .name = std::move(name), .value = std::move(value)};
  if (matcher.regex()) {
    RE2::Options options(RE2::Quiet);
    auto pattern = std::make_shared<const RE2>("^(?:" + matcher.value() + ")$", options);
    if (!pattern->ok()) {
      // The library names the part that is wrong, of the whole with what is around it here.
      return InvalidArgument(fmt::format("{}: not a regular expression: {}", matcher.Text(), WordsOf(*pattern)));
    }
    matcher.pattern_ = std::move(pattern);
  }
  return matcher;
}

bool Matcher::Matches(std::string_view value) const {
  switch (op()) {
    case MatchOp::kEqual: return value == condition_.value;
    case MatchOp::kNotEqual: return value != condition_.value;
    case MatchOp::kRegex: return RE2::FullMatch(value, *pattern_);
    case MatchOp::kNotRegex: return !RE2::FullMatch(value, *pattern_);
  }
  return false;
}

bool Matcher::Matches(const model::Labels& labels) const { return Matches(ValueOf(labels, name())); }

std::string Matcher::Text() const {
  std::string text = name();
  text += OperatorText(op());
  text += '"';
  for (const char c : value()) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text + '"';
}

Result<Matcher> ParseMatcher(std::string_view text) {
  const Error bad = InvalidArgument(fmt::format("bad matcher format: {}", text));
  std::string_view rest = Trim(text);
  size_t length = 0;
  while (length < rest.size() && IsNameByte(rest[length], length == 0)) ++length;
  if (length == 0) return bad;
  const std::string_view name = rest.substr(0, length);
  rest = Trim(rest.substr(length));
  for (const auto& [sign, op] : kOperators) {
    if (!rest.starts_with(sign)) continue;
    TM_TRY_ASSIGN(std::string value, Unescape(Trim(rest.substr(sign.size()))));
    return Matcher::Make(std::string(name), op, std::move(value));
  }
  return bad;
}

Result<Matchers> ParseMatchers(std::string_view text) {
  if (text.starts_with('{')) text.remove_prefix(1);
  if (text.ends_with('}')) text.remove_suffix(1);
  Matchers matchers;
  std::string_view rest = text;
  bool quoted = false;
  bool escaped = false;
  size_t from = 0;
  for (size_t i = 0; i <= rest.size(); ++i) {
    if (i == rest.size() || (rest[i] == ',' && !quoted && !escaped)) {
      const std::string_view token = rest.substr(from, i - from);
      // A comma at the end has nothing behind it.
      if (i < rest.size() || !token.empty()) {
        TM_TRY_ASSIGN(Matcher matcher, ParseMatcher(token));
        matchers.push_back(std::move(matcher));
      }
      from = i + 1;
    } else if (escaped) {
      escaped = false;
    } else if (rest[i] == '\\') {
      escaped = true;
    } else if (rest[i] == '"') {
      quoted = !quoted;
    }
  }
  return matchers;
}

bool AllMatch(const Matchers& matchers, const model::Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) { return matcher.Matches(labels); });
}

void SortMatchers(Matchers* matchers) {
  std::sort(matchers->begin(), matchers->end(), [](const Matcher& a, const Matcher& b) {
    // The order of operations is =, !=, =~, !~, which is that of the enumeration.
    return std::tuple(a.name(), a.value(), a.op()) < std::tuple(b.name(), b.value(), b.op());
  });
}

std::string MatchersText(const Matchers& matchers) {
  std::string text = "{";
  for (const Matcher& matcher : matchers) {
    if (text.size() > 1) text += ',';
    text += matcher.Text();
  }
  return text + "}";
}

bool PassesFilter(const Matchers& filter, const model::Labels& labels) {
  return std::all_of(filter.begin(), filter.end(), [&](const Matcher& matcher) {
    const auto at = std::find_if(labels.begin(), labels.end(), [&](const auto& l) { return l.name == matcher.name(); });
    const bool there = at != labels.end();
    if (matcher.value().empty() && there != matcher.positive()) return true;
    return matcher.Matches(there ? std::string_view(at->value) : std::string_view());
  });
}

}  // namespace tidemark::query::notify
