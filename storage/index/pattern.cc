#include "storage/index/pattern.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace tidemark::index {
namespace {

// More texts than this are not worth looking up one by one; it also bounds what (a|b)(a|b)(a|b)... may expand to.
constexpr size_t kMaxLiterals = 4096;
constexpr size_t kMaxLiteralBytes = 256 * 1024;
constexpr int kMaxDepth = 32;
// Memory that a compiled expression may take. RE2's own limit (8 MiB) refuses lists of some hundred kilobytes, which
// dashboards that select "all" send.
constexpr int64_t kRegexBytesMax = int64_t{64} << 20;

using Texts = std::vector<std::string>;

bool IsMeta(char c) { return std::string_view("\\.+*?()|[]{}^$").contains(c); }
bool IsQuantifier(char c) { return std::string_view("*+?{").contains(c); }
bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }
bool IsAsciiPunctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// Reads the expressions that stand for a finite list of texts: literal bytes, escaped punctuation, groups and
// alternations. Gives up (fails) on everything else.
class LiteralParser {
 public:
  explicit LiteralParser(std::string_view expression) : rest_(expression) {}

  std::optional<Texts> Whole() {
    Texts texts = Alternation(0);
    if (failed_ || !rest_.empty()) return std::nullopt;
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    return texts;
  }

  // The literal text that everything matched starts with, if the expression has no alternation at its top. What
  // follows it is in rest().
  std::string Prefix() {
    std::string prefix;
    while (!rest_.empty()) {
      const std::string_view before = rest_;
      const std::optional<char> c = Byte();
      if (!c || (!rest_.empty() && IsQuantifier(rest_[0]))) {
        // A quantifier takes the whole character before it, which may be several bytes long.
        if (c && IsContinuation(*c)) {
          while (!prefix.empty() && IsContinuation(prefix.back())) prefix.pop_back();
          if (!prefix.empty()) prefix.pop_back();
        }
        rest_ = before;
        break;
      }
      prefix.push_back(*c);
    }
    return prefix;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  Texts Fail() {
    failed_ = true;
    return {};
  }

  // One literal byte, escaped or not.
  std::optional<char> Byte() {
    char c = rest_[0];
    if (c == '\\') {
      if (rest_.size() < 2 || !IsAsciiPunctuation(rest_[1])) return std::nullopt;
      c = rest_[1];
      rest_.remove_prefix(2);
      return c;
    }
    if (IsMeta(c)) return std::nullopt;
    rest_.remove_prefix(1);
    return c;
  }

  Texts Alternation(int depth) {
    if (depth > kMaxDepth) return Fail();
    Texts all = Concatenation(depth);
    while (!failed_ && !rest_.empty() && rest_[0] == '|') {
      rest_.remove_prefix(1);
      Texts more = Concatenation(depth);
      all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
      if (all.size() > kMaxLiterals) return Fail();
    }
    return all;
  }

  Texts Concatenation(int depth) {
    Texts texts(1);
    while (!failed_ && !rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      if (rest_[0] == '(') {
        rest_.remove_prefix(rest_.starts_with("(?:") ? 3 : 1);
        const Texts group = Alternation(depth + 1);
        if (failed_ || rest_.empty() || rest_[0] != ')') return Fail();
        rest_.remove_prefix(1);
        texts = Product(texts, group);
      } else {
        const std::optional<char> c = Byte();
        if (!c) return Fail();
        for (std::string& text : texts) text.push_back(*c);
        bytes_ += texts.size();
        if (bytes_ > kMaxLiteralBytes) return Fail();
      }
      if (!rest_.empty() && IsQuantifier(rest_[0])) return Fail();
    }
    return texts;
  }

  Texts Product(const Texts& left, const Texts& right) {
    if (left.size() * right.size() > kMaxLiterals) return Fail();
    Texts out;
    out.reserve(left.size() * right.size());
    for (const std::string& a : left) {
      for (const std::string& b : right) {
        out.push_back(a + b);
        bytes_ += out.back().size();
      }
    }
    return bytes_ > kMaxLiteralBytes ? Fail() : out;
  }

  std::string_view rest_;
  size_t bytes_ = 0;
  bool failed_ = false;
};

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

// Whether a `|` stands outside of all groups, classes and quotations. Errs on the side of yes.
bool MayHaveTopAlternation(std::string_view expression) { return expression.contains('|'); }

}  // namespace

Pattern::Pattern() = default;
Pattern::~Pattern() = default;

std::shared_ptr<const Pattern> Pattern::Literal(std::string_view text) {
  std::shared_ptr<Pattern> pattern(new Pattern());
  pattern->literals_.emplace().emplace_back(text);
  pattern->matches_empty_ = text.empty();
  return pattern;
}

std::shared_ptr<const Pattern> Pattern::OneOf(std::vector<std::string> texts) {
  std::shared_ptr<Pattern> pattern(new Pattern());
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  pattern->matches_empty_ = !texts.empty() && texts.front().empty();
  pattern->literals_ = std::move(texts);
  return pattern;
}

Result<std::shared_ptr<const Pattern>> Pattern::Parse(std::string_view expression) {
  std::shared_ptr<Pattern> pattern(new Pattern());
  pattern->literals_ = LiteralParser(expression).Whole();
  if (pattern->literals_) {
    pattern->matches_empty_ = pattern->literals_->front().empty();
    return pattern;
  }
  LiteralParser parser(expression);
  std::string_view rest = expression;
  if (!MayHaveTopAlternation(expression)) {
    pattern->prefix_ = parser.Prefix();
    rest = parser.rest();
    // A quantifier behind flags, as in `ab(?i)*`, is taken by what stands before them.
    if (rest.starts_with("(?")) pattern->prefix_.clear();
  }
  if (rest == ".*" || rest == ".+") {
    const bool any = rest == ".*";
    pattern->kind_ = pattern->prefix_.empty() ? (any ? Kind::kAll : Kind::kNotEmpty)
                                              : (any ? Kind::kPrefix : Kind::kLongerThanPrefix);
    pattern->matches_empty_ = pattern->kind_ == Kind::kAll;
    return pattern;
  }
  pattern->kind_ = Kind::kRegex;
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(kRegexBytesMax);
  pattern->regex_ = std::make_unique<RE2>(Piece(expression), options);
  if (!pattern->regex_->ok()) {
    return InvalidArgument(fmt::format("invalid regular expression \"{}\": {}", expression, pattern->regex_->error()));
  }
  pattern->matches_empty_ = RE2::FullMatch("", *pattern->regex_);
  return pattern;
}

bool Pattern::Matches(std::string_view text) const {
  switch (kind_) {
    case Kind::kLiterals: return std::binary_search(literals_->begin(), literals_->end(), text);
    case Kind::kAll: return true;
    case Kind::kNotEmpty: return !text.empty();
    case Kind::kPrefix: return text.starts_with(prefix_);
    case Kind::kLongerThanPrefix: return text.size() > prefix_.size() && text.starts_with(prefix_);
    case Kind::kRegex: return text.starts_with(prefix_) && RE2::FullMatch(Piece(text), *regex_);
  }
  return false;
}

}  // namespace tidemark::index
