#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <re2/re2.h>

#include "query/frame/go_format.h"
#include "query/promql/quote.h"
#include "query/rules/rule_file.h"
#include "query/rules/template_print.h"
#include "query/rules/template_syntax.h"
#include "query/rules/template_text.h"
#include "query/rules/template_value.h"
#include "storage/base/text/query_escape.h"

namespace tidemark::query::rules {
namespace {

// Numbers for people: 1234567 is 1.235M, 2048 is 2ki, 3725 seconds are 1h 2m 5s.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
// As C's %.4g, the precision of Prometheus' humanizers.
std::string FourDigits(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:.4g}", value);
}

std::string Scale(double value, double base, const std::array<std::string_view, 9>& larger, bool fractions) {
  if (value == 0 || !std::isfinite(value)) return FourDigits(value);
  if (std::fabs(value) >= 1) {
    std::string_view prefix;
    for (const std::string_view next : larger) {
      if (next.empty() || std::fabs(value) < base) break;
      prefix = next;
      value /= base;
    }
    return FourDigits(value) + std::string(prefix);
  }
  if (!fractions) return FourDigits(value);
  static constexpr std::array<std::string_view, 8> kSmaller = {"m", "u", "n", "p", "f", "a", "z", "y"};
  std::string_view prefix;
  for (const std::string_view next : kSmaller) {
    if (std::fabs(value) >= 1) break;
    prefix = next;
    value *= base;
  }
  return FourDigits(value) + std::string(prefix);
}

std::string Humanize(double value) { return Scale(value, 1000, {"k", "M", "G", "T", "P", "E", "Z", "Y"}, true); }

std::string Humanize1024(double value) {
  return Scale(value, 1024, {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"}, false);
}

std::string HumanizePercentage(double ratio) { return FourDigits(ratio * 100) + "%"; }

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  if (std::fabs(seconds) < 1) {
    return seconds == 0 ? "0s" : Scale(seconds, 1000, {}, true) + "s";
  }
  const std::string sign = seconds < 0 ? "-" : "";
  seconds = std::fabs(seconds);
  if (seconds >= 9.2e18) return sign + FourDigits(seconds) + "s";
  const auto whole = static_cast<int64_t>(seconds);
  const int64_t days = whole / 86'400;
  const int64_t hours = whole / 3600 % 24;
  const int64_t minutes = whole / 60 % 60;
  if (days > 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, whole % 60);
  if (hours > 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, whole % 60);
  if (minutes > 0) return fmt::format("{}{}m {}s", sign, minutes, whole % 60);
  return sign + FourDigits(seconds) + "s";
}

using Arguments = std::span<const TemplateValue>;
using Output = Result<TemplateValue>;

Result<std::shared_ptr<const TemplateSamples>> SamplesOf(const TemplateValue& value) {
  if (const auto* samples = std::get_if<std::shared_ptr<const TemplateSamples>>(&value)) return *samples;
  return InvalidArgument(fmt::format("wrong type: expected template.queryResult; got {}", TypeOf(value)));
}

Result<std::shared_ptr<const TemplateSample>> SampleOf(const TemplateValue& value) {
  if (const auto* sample = std::get_if<std::shared_ptr<const TemplateSample>>(&value)) return *sample;
  return InvalidArgument(fmt::format("wrong type: expected *template.sample; got {}", TypeOf(value)));
}

template <std::string (*function)(double)>
Output OfNumber(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const double number, NumberOf(arguments[0]));
  return TemplateValue(function(number));
}

template <std::string (*function)(std::string_view)>
Output OfText(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string text, TextOf(arguments[0]));
  return TemplateValue(function(text));
}

std::string Same(std::string_view text) { return std::string(text); }

// The page of an expression.
template <int tab>
Output Link(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string expr, TextOf(arguments[0]));
  return TemplateValue(fmt::format("/graph?g0.expr={}&g0.tab={}", text::QueryEscape(expr), tab));
}

Output ExternalUrl(Arguments, const TemplateContext& context) {
  return TemplateValue(std::string(context.external_url));
}

// The path of the external URL.
Output PathPrefix(Arguments, const TemplateContext& context) {
  const std::string_view url = context.external_url;
  const size_t scheme = url.find("://");
  const size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t path = url.find('/', host);
  if (path == std::string_view::npos) return TemplateValue(std::string());
  return TemplateValue(std::string(url.substr(path, url.find_first_of("?#", path) - path)));
}

Output Query(Arguments arguments, const TemplateContext& context) {
  TM_TRY_ASSIGN(const std::string text, TextOf(arguments[0]));
  if (!context.query) return MakeError(ErrorCode::kUnavailable, "there is nothing to query here");
  TM_TRY_ASSIGN(TemplateSamples samples, context.query(text));
  return TemplateValue(std::make_shared<const TemplateSamples>(std::move(samples)));
}

Output First(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::shared_ptr<const TemplateSamples> samples, SamplesOf(arguments[0]));
  if (samples->empty()) return MakeError(ErrorCode::kNotFound, "first() called on vector with no elements");
  return TemplateValue(std::make_shared<const TemplateSample>(samples->front()));
}

Output ValueOf(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::shared_ptr<const TemplateSample> sample, SampleOf(arguments[0]));
  return TemplateValue(sample->value);
}

Output Label(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string name, TextOf(arguments[0]));
  TM_TRY_ASSIGN(const std::shared_ptr<const TemplateSample> sample, SampleOf(arguments[1]));
  return TemplateValue(LabelOf(sample->labels, name));
}

Output StringValueOf(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::shared_ptr<const TemplateSample> sample, SampleOf(arguments[0]));
  return TemplateValue(LabelOf(sample->labels, "__value__"));
}

Output ArgumentMap(Arguments arguments, const TemplateContext&) {
  TemplateMap out;
  for (size_t i = 0; i < arguments.size(); ++i) out.values.emplace(fmt::format("arg{}", i), arguments[i]);
  return TemplateValue(std::make_shared<const TemplateMap>(std::move(out)));
}

Output SortByLabel(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string name, TextOf(arguments[0]));
  TM_TRY_ASSIGN(const std::shared_ptr<const TemplateSamples> samples, SamplesOf(arguments[1]));
  TemplateSamples sorted = *samples;
  std::ranges::stable_sort(sorted, {}, [&](const TemplateSample& sample) { return LabelOf(sample.labels, name); });
  return TemplateValue(std::make_shared<const TemplateSamples>(std::move(sorted)));
}

Output Match(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string pattern, TextOf(arguments[0]));
  TM_TRY_ASSIGN(const std::string text, TextOf(arguments[1]));
  const RE2 regex(pattern, RE2::Quiet);
  if (!regex.ok()) return InvalidArgument("bad regular expression: " + regex.error());
  return TemplateValue(RE2::PartialMatch(text, regex));
}

// The text that `$1`, `${name}` and `$$` of `with` stand for: a name is as long as letters, digits and underscores go,
// and what is no group is empty.
void AppendReplacement(std::string* out, std::string_view with, const RE2& regex,
                       std::span<const re2::StringPiece> groups) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  while (!with.empty()) {
    const size_t dollar = std::min(with.find('$'), with.size());
    out->append(with.substr(0, dollar));
    with.remove_prefix(dollar);
    if (with.empty()) return;
    if (with.starts_with("$$")) {
      out->push_back('$');
      with.remove_prefix(2);
      continue;
    }
    const bool braces = with.starts_with("${");
    const size_t begin = braces ? 2 : 1;
    size_t end = begin;
    while (end < with.size() && is_word(with[end])) ++end;
    if (end == begin || (braces && (end == with.size() || with[end] != '}'))) {
      out->push_back('$');
      with.remove_prefix(1);
      continue;
    }
    const std::string name(with.substr(begin, end - begin));
    with.remove_prefix(end + (braces ? 1 : 0));
    size_t group = groups.size();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      if (name.size() < 6 && (name.size() == 1 || name[0] != '0')) group = std::stoul(name);
    } else if (const auto at = regex.NamedCapturingGroups().find(name); at != regex.NamedCapturingGroups().end()) {
      group = static_cast<size_t>(at->second);
    }
    if (group < groups.size() && groups[group].data() != nullptr) {
      out->append(groups[group].data(), groups[group].size());
    }
  }
}

// Go's Regexp.ReplaceAllString: no match of nothing directly behind another match.
Output ReplaceAll(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string pattern, TextOf(arguments[0]));
  TM_TRY_ASSIGN(const std::string with, TextOf(arguments[1]));
  TM_TRY_ASSIGN(const std::string text, TextOf(arguments[2]));
  const RE2 regex(pattern, RE2::Quiet);
  if (!regex.ok()) return InvalidArgument("bad regular expression: " + regex.error());
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  std::string out;
  size_t copied = 0;
  for (size_t at = 0; at <= text.size();) {
    if (!regex.Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) break;
    const auto begin = static_cast<size_t>(groups[0].data() - text.data());
    const size_t end = begin + groups[0].size();
    out.append(text, copied, begin - copied);
    if (end > copied || begin == 0) AppendReplacement(&out, with, regex, groups);
    if (out.size() > Template::kTextBytesMax) return LimitExceeded("the text is longer than 1 MiB");
    copied = end;
    const size_t next = at < text.size() ? at + promql::DecodeRune(std::string_view(text).substr(at)).size : at + 1;
    at = std::max(next, end);
  }
  out.append(text, std::min(copied, text.size()));
  return TemplateValue(std::move(out));
}

Output ParseDuration(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string text, TextOf(arguments[0]));
  TM_TRY_ASSIGN(const int64_t ms, ParseRuleDurationMs(text));
  return TemplateValue(static_cast<double>(ms) / 1000);
}

Output ParseDurationTime(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string text, TextOf(arguments[0]));
  TM_TRY_ASSIGN(const int64_t ms, ParseRuleDurationMs(text));
  return TemplateValue(TemplateDuration{ms * 1'000'000});
}

// Seconds as nanoseconds of 64 bits.
Result<int64_t> NanosecondsOf(const TemplateValue& value, std::string_view what) {
  TM_TRY_ASSIGN(const double seconds, NumberOf(value));
  if (!std::isfinite(seconds)) return InvalidArgument("value is NaN or Inf");
  const double ns = seconds * 1e9;
  constexpr double kMax = 9223372036854775808.0;  // 2^63
  if (ns >= kMax || ns < -kMax) {
    return InvalidArgument(fmt::format("{} cannot be represented as a nanoseconds {} since it overflows int64",
                                       frame::GoFormat(seconds), what));
  }
  return static_cast<int64_t>(ns);
}

// To the millisecond, as Prometheus' times are.
Output ToTime(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const int64_t ns, NanosecondsOf(arguments[0], "timestamp"));
  return TemplateValue(TemplateTime{ns / 1'000'000 * 1'000'000});
}

Output ToDuration(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const int64_t ns, NanosecondsOf(arguments[0], "duration"));
  return TemplateValue(TemplateDuration{ns});
}

Output TimestampText(Arguments arguments, const TemplateContext& context) {
  TM_TRY_ASSIGN(const double seconds, NumberOf(arguments[0]));
  if (!std::isfinite(seconds)) return TemplateValue(std::isnan(seconds) ? "NaN" : frame::GoFormat(seconds));
  TM_TRY_ASSIGN(const TemplateValue time, ToTime(arguments, context));
  return TemplateValue(ToText(time));
}

Output Now(Arguments, const TemplateContext& context) {
  return TemplateValue(static_cast<double>(context.now_ms) / 1000);
}

constexpr TemplateFunction kFunctions[] = {
    {"args", 0, TemplateFunction::kAny, ArgumentMap},
    {"externalURL", 0, 0, ExternalUrl},
    {"first", 1, 1, First},
    {"graphLink", 1, 1, Link<0>},
    {"humanize", 1, 1, OfNumber<Humanize>},
    {"humanize1024", 1, 1, OfNumber<Humanize1024>},
    {"humanizeDuration", 1, 1, OfNumber<HumanizeDuration>},
    {"humanizePercentage", 1, 1, OfNumber<HumanizePercentage>},
    {"humanizeTimestamp", 1, 1, TimestampText},
    {"label", 2, 2, Label},
    {"match", 2, 2, Match},
    {"now", 0, 0, Now},
    {"parseDuration", 1, 1, ParseDuration},
    {"parseDurationTime", 1, 1, ParseDurationTime},
    {"pathPrefix", 0, 0, PathPrefix},
    {"query", 1, 1, Query},
    {"reReplaceAll", 3, 3, ReplaceAll},
    {"safeHtml", 1, 1, OfText<Same>},
    {"sortByLabel", 2, 2, SortByLabel},
    {"stripDomain", 1, 1, OfText<StripDomain>},
    {"stripPort", 1, 1, OfText<StripPort>},
    {"strvalue", 1, 1, StringValueOf},
    {"tableLink", 1, 1, Link<1>},
    {"title", 1, 1, OfText<TitleOf>},
    {"toDuration", 1, 1, ToDuration},
    {"toLower", 1, 1, OfText<LowerOf>},
    {"toTime", 1, 1, ToTime},
    {"toUpper", 1, 1, OfText<UpperOf>},
    {"urlQueryEscape", 1, 1, OfText<text::QueryEscape>},
    {"value", 1, 1, ValueOf},
};

const TemplateFunction* Find(std::string_view name) {
  for (const std::span<const TemplateFunction> table :
       {std::span<const TemplateFunction>(kFunctions), GoTemplateFunctions()}) {
    const auto row = std::ranges::find(table, name, &TemplateFunction::name);
    if (row != table.end()) return &*row;
  }
  return nullptr;
}

}  // namespace

Result<double> NumberOf(const TemplateValue& value) {
  if (const auto number = NumberIn(value)) return *number;
  if (const auto* duration = std::get_if<TemplateDuration>(&value)) return static_cast<double>(duration->ns) / 1e9;
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return InvalidArgument(fmt::format("can't convert {} to float", TypeOf(value)));
  if (const auto number = frame::ParseGoFloat(*text)) return *number;
  return InvalidArgument(fmt::format("strconv.ParseFloat: parsing {}: invalid syntax", promql::Quote(*text)));
}

Result<std::string> TextOf(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return InvalidArgument(fmt::format("wrong type for value; expected string; got {}", TypeOf(value)));
}

bool IsTemplateFunction(std::string_view name) { return name == "and" || name == "or" || Find(name) != nullptr; }

Result<TemplateValue> CallTemplateFunction(std::string_view name, std::span<const TemplateValue> arguments,
                                           const TemplateContext& context) {
  const TemplateFunction* const row = Find(name);
  if (row == nullptr) return InvalidArgument(fmt::format("wrong number of args for {}", name));
  if (arguments.size() < row->least || arguments.size() > row->most) {
    return InvalidArgument(fmt::format("wrong number of args for {}: want {}{} got {}", name,
                                       row->most == row->least ? "" : "at least ", row->least, arguments.size()));
  }
  Output out = row->call(arguments, context);
  if (!out.ok()) return out.error().Within(fmt::format("error calling {}", name));
  if (const auto* text = std::get_if<std::string>(&*out); text != nullptr && text->size() > Template::kTextBytesMax) {
    return LimitExceeded(fmt::format("error calling {}: the text is longer than 1 MiB", name));
  }
  return out;
}

}  // namespace tidemark::query::rules
