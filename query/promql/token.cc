#include "query/promql/token.h"

#include <algorithm>
#include <array>

#include "query/promql/quote.h"

namespace tidemark::query::promql {
namespace {

struct Keyword {
  std::string_view word;
  TokenKind kind;
};

using enum TokenKind;

// Sorted by word.
constexpr std::array kKeywords{
    Keyword{"anchored", kAnchored},
    Keyword{"and", kAnd},
    Keyword{"atan2", kAtan2},
    Keyword{"avg", kAvg},
    Keyword{"bool", kBool},
    Keyword{"bottomk", kBottomk},
    Keyword{"by", kBy},
    Keyword{"count", kCount},
    Keyword{"count_values", kCountValues},
    Keyword{"end", kEndWord},
    Keyword{"fill", kFill},
    Keyword{"fill_left", kFillLeft},
    Keyword{"fill_right", kFillRight},
    Keyword{"group", kGroup},
    Keyword{"group_left", kGroupLeft},
    Keyword{"group_right", kGroupRight},
    Keyword{"ignoring", kIgnoring},
    Keyword{"inf", kNumber},
    Keyword{"limit_ratio", kLimitRatio},
    Keyword{"limitk", kLimitk},
    Keyword{"max", kMax},
    Keyword{"max_of", kMaxOf},
    Keyword{"min", kMin},
    Keyword{"min_of", kMinOf},
    Keyword{"nan", kNumber},
    Keyword{"offset", kOffset},
    Keyword{"on", kOn},
    Keyword{"or", kOr},
    Keyword{"quantile", kQuantile},
    Keyword{"range", kRange},
    Keyword{"smoothed", kSmoothed},
    Keyword{"start", kStart},
    Keyword{"stddev", kStddev},
    Keyword{"stdvar", kStdvar},
    Keyword{"step", kStep},
    Keyword{"sum", kSum},
    Keyword{"topk", kTopk},
    Keyword{"unless", kUnless},
    Keyword{"without", kWithout},
};
static_assert(std::ranges::is_sorted(kKeywords, {}, &Keyword::word));

constexpr size_t kLongestKeyword = 12;  // "count_values"

// Long texts are cut in messages, as upstream cuts them.
constexpr size_t kShownCharacters = 10;

}  // namespace

bool MayNameMetric(TokenKind kind) {
  switch (kind) {
    case kIdentifier:
    case kMetricIdentifier:
    case kAnd:
    case kOr:
    case kUnless:
    case kBy:
    case kWithout:
    case kOffset:
    case kAnchored:
    case kSmoothed: return true;
    default: return IsAggregator(kind) || IsFunctionWord(kind);
  }
}

bool MayNameLabel(TokenKind kind) {
  switch (kind) {
    case kIdentifier:
    case kMetricIdentifier:
    case kAnd:
    case kOr:
    case kUnless:
    case kAtan2: return true;
    case kWithout: return false;  // the one keyword that upstream's list leaves out
    default: return IsAggregator(kind) || IsFunctionWord(kind) || IsKeyword(kind);
  }
}

TokenKind KeywordOf(std::string_view word) {
  if (word.size() > kLongestKeyword) return kIdentifier;
  std::array<char, kLongestKeyword> lower{};
  std::ranges::transform(word, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view key(lower.data(), word.size());
  const auto row = std::ranges::lower_bound(kKeywords, key, {}, &Keyword::word);
  return row != kKeywords.end() && row->word == key ? row->kind : kIdentifier;
}

std::string Describe(const Token& token) {
  const std::string text(token.text);
  switch (token.kind) {
    case kEnd: return "end of input";
    case kError: return "error " + text;
    case kIdentifier: return "identifier " + Quote(text);
    case kMetricIdentifier: return "metric identifier " + Quote(text);
    case kNumber: return "number " + QuoteShortened(text, kShownCharacters);
    case kDuration: return "duration " + QuoteShortened(text, kShownCharacters);
    case kString: return "string " + QuoteShortened(text, kShownCharacters);
    default: break;
  }
  if (IsKeyword(token.kind)) return "<" + text + ">";
  if (IsOperator(token.kind)) return "<op:" + text + ">";
  if (IsAggregator(token.kind)) return "<aggr:" + text + ">";
  return Quote(text);
}

}  // namespace tidemark::query::promql
