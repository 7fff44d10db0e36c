#include "query/influxql/scanner.h"

#include <algorithm>
#include <array>

#include "storage/base/text/ascii.h"

namespace tidemark::query::influxql {
namespace {

// Sorted. Words that are no names unless quoted.
constexpr auto kKeywords = std::to_array<std::string_view>(
    {"ALL",      "ALTER",        "ANALYZE",       "AND",          "ANY",         "AS",         "ASC",
     "BEGIN",    "BY",           "CARDINALITY",   "CONTINUOUS",   "CREATE",      "DATABASE",   "DATABASES",
     "DEFAULT",  "DELETE",       "DESC",          "DESTINATIONS", "DIAGNOSTICS", "DISTINCT",   "DROP",
     "DURATION", "END",          "EVERY",         "EXACT",        "EXPLAIN",     "FALSE",      "FIELD",
     "FOR",      "FROM",         "FUTURE",        "GRANT",        "GRANTS",      "GROUP",      "GROUPS",
     "IN",       "INF",          "INSERT",        "INTO",         "KEY",         "KEYS",       "KILL",
     "LIMIT",    "MEASUREMENT",  "MEASUREMENTS",  "NAME",         "OFFSET",      "ON",         "OR",
     "ORDER",    "PASSWORD",     "PAST",          "POLICIES",     "POLICY",      "PRIVILEGES", "QUERIES",
     "QUERY",    "READ",         "REPLICATION",   "RESAMPLE",     "RETENTION",   "REVOKE",     "SELECT",
     "SERIES",   "SET",          "SHARD",         "SHARDS",       "SHOW",        "SLIMIT",     "SOFFSET",
     "STATS",    "SUBSCRIPTION", "SUBSCRIPTIONS", "TAG",          "TO",          "TRUE",       "USER",
     "USERS",    "VALUES",       "WHERE",         "WITH",         "WRITE"});
static_assert(std::ranges::is_sorted(kKeywords));

constexpr std::array<std::string_view, 7> kTwoCharacterSymbols{"!=", "!~", "::", "<=", "<>", "=~", ">="};

using text::IsDigit;
using text::IsLetter;
using text::IsSpace;
bool IsWordCharacter(char c) { return IsLetter(c) || IsDigit(c) || c == '_'; }
bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string InCapitals(std::string_view word) {
  std::string out(word);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

}  // namespace

std::string Token::Found() const {
  if (kind == TokenKind::kEnd) return "EOF";
  return text.empty() && kind == TokenKind::kBad ? "BADSTRING" : text;
}

// Over one character, which may have several bytes.
void Scanner::Step() {
  const char c = text_[at_++];
  while (at_ < text_.size() && ContinuesCharacter(text_[at_])) ++at_;
  if (c == '\n') {
    ++line_;
    character_ = 1;
  } else {
    ++character_;
  }
}

// Skips spaces and comments. False when a comment has no end.
bool Scanner::SkipBlank() {
  while (at_ < text_.size()) {
    if (IsSpace(Peek())) {
      Step();
      counts_end_ = true;
    } else if (Peek() == '-' && Peek(1) == '-') {
      while (at_ < text_.size() && Peek() != '\n') Step();
      counts_end_ = true;
    } else if (Peek() == '/' && Peek(1) == '*') {
      const size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return false;
      while (at_ < end + 2) Step();
      counts_end_ = false;
    } else {
      break;
    }
  }
  return true;
}

Token Scanner::Next() {
  const bool complete = SkipBlank();
  Token token;
  token.line = line_;
  token.character = character_;
  if (!complete) {
    at_ = text_.size();
    token.kind = TokenKind::kBad;
    token.text = "ILLEGAL";
    return token;
  }
  if (at_ >= text_.size()) {
    if (counts_end_) ++token.character;
    return token;
  }
  const char c = Peek();
  counts_end_ = false;
  if (IsLetter(c) || c == '_') {
    ScanWord(token);
  } else if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
    ScanNumber(token);
  } else if (c == '"') {
    ScanQuoted(token, TokenKind::kIdent);
  } else if (c == '\'') {
    ScanQuoted(token, TokenKind::kString);
  } else {
    ScanSymbol(token);
  }
  return token;
}

Token Scanner::RestOfRegex() {
  Token token{.kind = TokenKind::kBad, .text = {}, .line = line_, .character = character_};
  while (at_ < text_.size()) {
    const char c = Peek();
    Step();
    if (c == '/') {
      token.kind = TokenKind::kString;
      return token;
    }
    // Only the delimiter needs its backslash taken away.
    if (c == '\\' && Peek() == '/') {
      token.text += '/';
      Step();
    } else {
      token.text += c;
    }
  }
  return token;
}

void Scanner::ScanWord(Token& token) {
  const size_t start = at_;
  while (IsWordCharacter(Peek())) Step();
  token.text = InCapitals(text_.substr(start, at_ - start));
  token.kind = TokenKind::kKeyword;
  if (!std::ranges::binary_search(kKeywords, std::string_view(token.text))) {
    token.kind = TokenKind::kIdent;
    token.text = text_.substr(start, at_ - start);
  }
  counts_end_ = true;
}

void Scanner::ScanNumber(Token& token) {
  const size_t start = at_;
  token.kind = TokenKind::kInteger;
  while (IsDigit(Peek())) Step();
  if (Peek() == '.') {
    token.kind = TokenKind::kNumber;
    Step();
    while (IsDigit(Peek())) Step();
  } else if (IsLetter(Peek()) || text_.substr(at_).starts_with("µ")) {
    token.kind = TokenKind::kDuration;
    while (IsLetter(Peek()) || IsDigit(Peek()) || text_.substr(at_).starts_with("µ")) Step();
  }
  token.text = text_.substr(start, at_ - start);
}

void Scanner::ScanQuoted(Token& token, TokenKind kind) {
  const char quote = Peek();
  Step();
  token.kind = TokenKind::kBad;
  while (at_ < text_.size() && Peek() != '\n') {
    char c = Peek();
    if (c == quote) {
      Step();
      token.kind = kind;
      return;
    }
    if (c == '\\') {
      Step();
      c = Peek();
      if (c != 'n' && c != '\\' && c != '"' && c != '\'') {
        token.text = std::string("\\") + c;
        return;
      }
      token.text += c == 'n' ? '\n' : c;
      Step();
      continue;
    }
    const size_t start = at_;
    Step();
    token.text += text_.substr(start, at_ - start);
  }
}

void Scanner::ScanSymbol(Token& token) {
  token.kind = TokenKind::kSymbol;
  const size_t start = at_;
  const bool two = std::ranges::find(kTwoCharacterSymbols, text_.substr(at_, 2)) != kTwoCharacterSymbols.end();
  Step();
  if (two) Step();
  token.text = text_.substr(start, at_ - start);
}

}  // namespace tidemark::query::influxql
