#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <re2/re2.h>

#include "query/frame/go_format.h"
#include "query/rules/humanize.h"
#include "query/rules/rule_file.h"
#include "query/rules/template_syntax.h"
#include "query/rules/template_value.h"

namespace tidemark::query::rules {
namespace {

using Arguments = std::span<const TemplateValue>;
using Output = Result<TemplateValue>;
using Function = Output (*)(Arguments, const TemplateContext&);

std::string ToText(const model::Labels& labels) {
  std::string out = "map[";
  for (const model::Label& label : labels) {
    if (out.size() > 4) out += ' ';
    out += label.name + ":" + label.value;
  }
  return out + "]";
}

std::optional<double> NumberIn(const TemplateValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<int64_t>(&value)) return static_cast<double>(*number);
  return std::nullopt;
}

// Prometheus' functions take numbers also as text.
Result<double> NumberOf(const TemplateValue& value) {
  if (const auto number = NumberIn(value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (const auto number = frame::ParseGoFloat(*text)) return *number;
  }
  return InvalidArgument(fmt::format("\"{}\" is no number", ToText(value)));
}

Result<std::string> TextOf(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return InvalidArgument(fmt::format("a text is wanted in place of {}", ToText(value)));
}

Result<std::shared_ptr<const TemplateSamples>> SamplesOf(const TemplateValue& value) {
  if (const auto* samples = std::get_if<std::shared_ptr<const TemplateSamples>>(&value)) return *samples;
  return InvalidArgument(fmt::format("what a query gives is wanted in place of {}", ToText(value)));
}

Result<std::shared_ptr<const TemplateSample>> SampleOf(const TemplateValue& value) {
  if (const auto* sample = std::get_if<std::shared_ptr<const TemplateSample>>(&value)) return *sample;
  return InvalidArgument(fmt::format("a sample of a query is wanted in place of {}", ToText(value)));
}

std::string LabelOf(const model::Labels& labels, std::string_view name) {
  for (const model::Label& label : labels) {
    if (label.name == name) return label.value;
  }
  return {};
}

template <std::string (*function)(double)>
Output OfNumber(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const double number, NumberOf(arguments[0]));
  return TemplateValue(function(number));
}

template <std::string (*function)(std::string)>
Output OfText(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(std::string text, TextOf(arguments[0]));
  return TemplateValue(function(std::move(text)));
}

std::string Same(std::string text) { return text; }
std::string Upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}
std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}
std::string Title(std::string text) {
  bool start = true;
  for (char& c : text) {
    if (start && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    start = c == ' ';
  }
  return text;
}

// HOST:PORT without the port; anything else as it is.
std::string StripPort(std::string text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return text;
  if (text.starts_with('[') && colon > 0 && text[colon - 1] == ']') return text.substr(1, colon - 2);
  return text.find(':') == colon ? text.substr(0, colon) : text;
}

// HOST.DOMAIN[:PORT] without the domain; addresses stay.
std::string StripDomain(std::string text) {
  const std::string host = StripPort(text);
  const bool address =
      host.find(':') != std::string::npos || host.find_first_not_of("0123456789.") == std::string::npos;
  if (address) return text;
  const std::string port = text.substr(host.size());
  return host.substr(0, host.find('.')) + port;
}

std::string EscapeForUrl(std::string text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    if (c == ' ') {
      out += '+';
    } else if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}
std::string GraphLink(std::string expr) { return "/graph?g0.expr=" + EscapeForUrl(std::move(expr)) + "&g0.tab=0"; }
std::string TableLink(std::string expr) { return "/graph?g0.expr=" + EscapeForUrl(std::move(expr)) + "&g0.tab=1"; }

// One verb of printf with its value, as Go writes it.
std::string PrintVerb(std::string_view flags, char verb, const TemplateValue& value) {
  const auto wrong = [&] { return fmt::format("%!{}({})", verb, ToText(value)); };
  if (verb == 'v') return ToText(value);
  if (verb == 't') return std::holds_alternative<bool>(value) ? ToText(value) : wrong();
  std::string format = "%" + std::string(flags);
  char buffer[512];
  int length = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  if (verb == 's' || verb == 'q') {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return wrong();
    if (verb == 'q') return "\"" + *text + "\"";
    if (flags.empty()) return *text;
    length = std::snprintf(buffer, sizeof(buffer), (format + "s").c_str(), text->c_str());
  } else if (verb == 'd' || verb == 'x') {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr) return wrong();
    length = std::snprintf(buffer, sizeof(buffer), (format + "l" + verb).c_str(), *number);
  } else {
    const auto* number = std::get_if<double>(&value);
    if (number == nullptr) return wrong();
    if (!std::isfinite(*number) || (flags.empty() && verb == 'g')) return frame::GoFormat(*number);
    length = std::snprintf(buffer, sizeof(buffer), (format + verb).c_str(), *number);
  }
#pragma GCC diagnostic pop
  return {buffer, static_cast<size_t>(std::clamp<int>(length, 0, sizeof(buffer) - 1))};
}

Output Printf(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string format, TextOf(arguments[0]));
  std::string out;
  size_t next = 1;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const size_t begin = ++i;
    while (i < format.size() && std::string_view("+-# 0123456789.").find(format[i]) != std::string_view::npos) ++i;
    const std::string_view flags = std::string_view(format).substr(begin, i - begin);
    if (i >= format.size()) return InvalidArgument("printf: a verb is missing");
    if (format[i] == '%') {
      out += '%';
      continue;
    }
    // More would only fill memory.
    if (flags.size() > 8 || std::string_view("vtsqdxeEfFgG").find(format[i]) == std::string_view::npos) {
      return InvalidArgument(fmt::format("printf: unknown verb %{}{}", flags, format[i]));
    }
    out += next < arguments.size() ? PrintVerb(flags, format[i], arguments[next])
                                   : fmt::format("%!{}(MISSING)", format[i]);
    ++next;
  }
  return TemplateValue(std::move(out));
}

Output Print(Arguments arguments, const TemplateContext&) {
  std::string out;
  for (const TemplateValue& argument : arguments) out += ToText(argument);
  return TemplateValue(std::move(out));
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

Output ReplaceAll(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string pattern, TextOf(arguments[0]));
  TM_TRY_ASSIGN(const std::string with, TextOf(arguments[1]));
  TM_TRY_ASSIGN(std::string text, TextOf(arguments[2]));
  const RE2 regex(pattern, RE2::Quiet);
  if (!regex.ok()) return InvalidArgument("bad regular expression: " + regex.error());
  // Go's $1 and ${1} are RE2's \1.
  std::string rewrite;
  for (size_t i = 0; i < with.size(); ++i) {
    const bool braces = with.substr(i).starts_with("${");
    const size_t digit = i + (braces ? 2 : 1);
    if (with[i] == '$' && digit < with.size() && with[digit] >= '0' && with[digit] <= '9' &&
        (!braces || (digit + 1 < with.size() && with[digit + 1] == '}'))) {
      rewrite += '\\';
      rewrite += with[digit];
      i = digit + (braces ? 1 : 0);
    } else {
      if (with[i] == '\\') rewrite += '\\';
      rewrite += with[i];
    }
  }
  std::string error;
  if (!regex.CheckRewriteString(rewrite, &error)) return InvalidArgument("bad replacement: " + error);
  RE2::GlobalReplace(&text, regex, rewrite);
  return TemplateValue(std::move(text));
}

Output ParseDuration(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string text, TextOf(arguments[0]));
  TM_TRY_ASSIGN(const int64_t ms, ParseRuleDurationMs(text));
  return TemplateValue(static_cast<double>(ms) / 1000);
}

Output Now(Arguments, const TemplateContext& context) {
  return TemplateValue(static_cast<double>(context.now_ms) / 1000);
}

Output Length(Arguments arguments, const TemplateContext&) {
  if (const auto* text = std::get_if<std::string>(&arguments[0]))
    return TemplateValue(static_cast<int64_t>(text->size()));
  if (const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&arguments[0])) {
    return TemplateValue(static_cast<int64_t>((*labels)->size()));
  }
  TM_TRY_ASSIGN(const std::shared_ptr<const TemplateSamples> samples, SamplesOf(arguments[0]));
  return TemplateValue(static_cast<int64_t>(samples->size()));
}

Output Index(Arguments arguments, const TemplateContext&) {
  if (const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&arguments[0])) {
    TM_TRY_ASSIGN(const std::string name, TextOf(arguments[1]));
    return TemplateValue(LabelOf(**labels, name));
  }
  TM_TRY_ASSIGN(const std::shared_ptr<const TemplateSamples> samples, SamplesOf(arguments[0]));
  TM_TRY_ASSIGN(const double index, NumberOf(arguments[1]));
  if (!(index >= 0 && index < static_cast<double>(samples->size()))) {
    return InvalidArgument(fmt::format("index {} is out of range", index));
  }
  return TemplateValue(std::make_shared<const TemplateSample>((*samples)[static_cast<size_t>(index)]));
}

// Numbers compare whatever their type is, which Go would refuse.
Result<int> Order(const TemplateValue& a, const TemplateValue& b) {
  const auto x = NumberIn(a);
  const auto y = NumberIn(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : *x == *y ? 0 : 2;  // 2: NaN
  const auto* s = std::get_if<std::string>(&a);
  const auto* t = std::get_if<std::string>(&b);
  if (s != nullptr && t != nullptr) return s->compare(*t) < 0 ? -1 : *s == *t ? 0 : 1;
  const auto* p = std::get_if<bool>(&a);
  const auto* q = std::get_if<bool>(&b);
  if (p != nullptr && q != nullptr) return *p == *q ? 0 : 2;
  return InvalidArgument(fmt::format("{} and {} cannot be compared", ToText(a), ToText(b)));
}

Output Equal(Arguments arguments, const TemplateContext&) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    TM_TRY_ASSIGN(const int order, Order(arguments[0], arguments[i]));
    if (order == 0) return TemplateValue(true);
  }
  return TemplateValue(false);
}

template <bool (*holds)(int)>
Output Compare(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const int order, Order(arguments[0], arguments[1]));
  return TemplateValue(holds(order));
}
bool IsNotEqual(int order) { return order != 0; }
bool IsLess(int order) { return order == -1; }
bool IsLessOrEqual(int order) { return order == -1 || order == 0; }
bool IsGreater(int order) { return order == 1; }
bool IsGreaterOrEqual(int order) { return order == 1 || order == 0; }

Output And(Arguments arguments, const TemplateContext&) {
  for (const TemplateValue& argument : arguments) {
    if (!IsTrue(argument)) return argument;
  }
  return arguments.back();
}
Output Or(Arguments arguments, const TemplateContext&) {
  for (const TemplateValue& argument : arguments) {
    if (IsTrue(argument)) return argument;
  }
  return arguments.back();
}
Output Not(Arguments arguments, const TemplateContext&) { return TemplateValue(!IsTrue(arguments[0])); }
Output Nothing(Arguments, const TemplateContext&) { return TemplateValue(std::string()); }

constexpr size_t kAny = SIZE_MAX;

struct Row {
  std::string_view name;
  size_t least;
  size_t most;
  Function function;
};

constexpr Row kFunctions[] = {
    {"and", 1, kAny, And},
    {"eq", 2, kAny, Equal},
    {"externalURL", 0, 0, Nothing},
    {"first", 1, 1, First},
    {"ge", 2, 2, Compare<IsGreaterOrEqual>},
    {"graphLink", 1, 1, OfText<GraphLink>},
    {"gt", 2, 2, Compare<IsGreater>},
    {"humanize", 1, 1, OfNumber<Humanize>},
    {"humanize1024", 1, 1, OfNumber<Humanize1024>},
    {"humanizeDuration", 1, 1, OfNumber<HumanizeDuration>},
    {"humanizePercentage", 1, 1, OfNumber<HumanizePercentage>},
    {"humanizeTimestamp", 1, 1, OfNumber<HumanizeTimestamp>},
    {"index", 2, 2, Index},
    {"label", 2, 2, Label},
    {"le", 2, 2, Compare<IsLessOrEqual>},
    {"len", 1, 1, Length},
    {"lt", 2, 2, Compare<IsLess>},
    {"match", 2, 2, Match},
    {"ne", 2, 2, Compare<IsNotEqual>},
    {"not", 1, 1, Not},
    {"now", 0, 0, Now},
    {"or", 1, kAny, Or},
    {"parseDuration", 1, 1, ParseDuration},
    {"pathPrefix", 0, 0, Nothing},
    {"print", 0, kAny, Print},
    {"printf", 1, kAny, Printf},
    {"query", 1, 1, Query},
    {"reReplaceAll", 3, 3, ReplaceAll},
    {"safeHtml", 1, 1, OfText<Same>},
    {"sortByLabel", 2, 2, SortByLabel},
    {"stripDomain", 1, 1, OfText<StripDomain>},
    {"stripPort", 1, 1, OfText<StripPort>},
    {"tableLink", 1, 1, OfText<TableLink>},
    {"title", 1, 1, OfText<Title>},
    {"toLower", 1, 1, OfText<Lower>},
    {"toUpper", 1, 1, OfText<Upper>},
    {"urlQueryEscape", 1, 1, OfText<EscapeForUrl>},
    {"value", 1, 1, ValueOf},
};

const Row* Find(std::string_view name) {
  const auto* row = std::ranges::find(kFunctions, name, &Row::name);
  return row == std::end(kFunctions) ? nullptr : row;
}

}  // namespace

std::string ToText(const TemplateValue& value) {
  struct Printer {
    std::string operator()(std::monostate) const { return "<no value>"; }
    std::string operator()(TemplateRoot) const { return "{}"; }
    std::string operator()(bool truth) const { return truth ? "true" : "false"; }
    std::string operator()(int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return frame::GoFormat(number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const std::shared_ptr<const model::Labels>& labels) const { return ToText(*labels); }
    std::string operator()(const std::shared_ptr<const TemplateSample>& sample) const {
      return ToText(sample->labels) + " " + frame::GoFormat(sample->value);
    }
    std::string operator()(const std::shared_ptr<const TemplateSamples>& samples) const {
      std::string out = "[";
      for (const TemplateSample& sample : *samples) {
        if (out.size() > 1) out += ' ';
        out += ToText(sample.labels) + " " + frame::GoFormat(sample.value);
      }
      return out + "]";
    }
  };
  return std::visit(Printer(), value);
}

bool IsTrue(const TemplateValue& value) {
  struct Tester {
    bool operator()(std::monostate) const { return false; }
    bool operator()(TemplateRoot) const { return true; }
    bool operator()(bool truth) const { return truth; }
    bool operator()(int64_t number) const { return number != 0; }
    bool operator()(double number) const { return number != 0; }
    bool operator()(const std::string& text) const { return !text.empty(); }
    bool operator()(const std::shared_ptr<const model::Labels>& labels) const { return !labels->empty(); }
    bool operator()(const std::shared_ptr<const TemplateSample>&) const { return true; }
    bool operator()(const std::shared_ptr<const TemplateSamples>& samples) const { return !samples->empty(); }
  };
  return std::visit(Tester(), value);
}

bool IsTemplateFunction(std::string_view name) { return Find(name) != nullptr; }

Result<TemplateValue> CallTemplateFunction(std::string_view name, std::span<const TemplateValue> arguments,
                                           const TemplateContext& context) {
  const Row* const row = Find(name);
  if (row == nullptr) return InvalidArgument(fmt::format("unknown \"{}\"", name));
  if (arguments.size() < row->least || arguments.size() > row->most) {
    return InvalidArgument(fmt::format("wrong number of arguments for {}: {}", name, arguments.size()));
  }
  Output out = row->function(arguments, context);
  if (!out.ok()) return out.error().Within(std::string(name));
  return out;
}

}  // namespace tidemark::query::rules
