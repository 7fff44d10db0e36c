// The functions of Go's text/template, and what it asks of values.
// Source: text/template/funcs.go of Go's standard library.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/core.h>

#include "query/rules/template_print.h"
#include "query/rules/template_text.h"
#include "query/rules/template_value.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/query_escape.h"

namespace tidemark::query::rules {
namespace {

using Arguments = std::span<const TemplateValue>;
using Output = Result<TemplateValue>;

Output Printf(Arguments arguments, const TemplateContext&) {
  TM_TRY_ASSIGN(const std::string format, TextOf(arguments[0]));
  TM_TRY_ASSIGN(std::string out, PrintFormat(format, arguments.subspan(1)));
  return TemplateValue(std::move(out));
}

Output Print(Arguments arguments, const TemplateContext&) { return TemplateValue(PrintAll(arguments)); }

Output Println(Arguments arguments, const TemplateContext&) {
  std::string out;
  for (const TemplateValue& argument : arguments) {
    if (!out.empty() || &argument != arguments.data()) out += ' ';
    out += PrintAll({&argument, 1});
  }
  return TemplateValue(out + "\n");
}

template <std::string (*escape)(std::string_view)>
Output Escape(Arguments arguments, const TemplateContext&) {
  return TemplateValue(escape(PrintAll(arguments)));
}

Output Length(Arguments arguments, const TemplateContext&) {
  const TemplateValue& value = arguments[0];
  size_t length = 0;
  if (const auto* text = std::get_if<std::string>(&value)) {
    length = text->size();
  } else if (const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&value)) {
    length = (*labels)->size();
  } else if (const auto* samples = std::get_if<std::shared_ptr<const TemplateSamples>>(&value)) {
    length = (*samples)->size();
  } else if (const auto* map = std::get_if<std::shared_ptr<const TemplateMap>>(&value)) {
    length = (*map)->values.size();
  } else {
    return InvalidArgument(fmt::format("len of type {}", TypeOf(value)));
  }
  return TemplateValue(static_cast<int64_t>(length));
}

// A place in something of `size` elements, the end included where `end` is.
Result<size_t> PlaceIn(const TemplateValue& value, size_t size, bool end) {
  const auto* index = std::get_if<int64_t>(&value);
  if (index == nullptr) return InvalidArgument(fmt::format("cannot index slice/array with type {}", TypeOf(value)));
  if (*index < 0 || static_cast<uint64_t>(*index) > size || (!end && static_cast<uint64_t>(*index) == size)) {
    return InvalidArgument(fmt::format("index out of range: {}", *index));
  }
  return static_cast<size_t>(*index);
}

Output Index(Arguments arguments, const TemplateContext&) {
  TemplateValue value = arguments[0];
  for (const TemplateValue& index : arguments.subspan(1)) {
    if (const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&value)) {
      TM_TRY_ASSIGN(const std::string name, TextOf(index));
      value = LabelOf(**labels, name);
    } else if (const auto* map = std::get_if<std::shared_ptr<const TemplateMap>>(&value)) {
      TM_TRY_ASSIGN(const std::string name, TextOf(index));
      const auto found = (*map)->values.find(name);
      TemplateValue held = found == (*map)->values.end() ? TemplateValue() : found->second;
      value = std::move(held);
    } else if (const auto* samples = std::get_if<std::shared_ptr<const TemplateSamples>>(&value)) {
      TM_TRY_ASSIGN(const size_t at, PlaceIn(index, (*samples)->size(), false));
      auto sample = std::make_shared<const TemplateSample>((**samples)[at]);
      value = std::move(sample);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      TM_TRY_ASSIGN(const size_t at, PlaceIn(index, text->size(), false));
      const auto byte = static_cast<int64_t>(static_cast<unsigned char>((*text)[at]));
      value = byte;
    } else {
      return InvalidArgument(std::holds_alternative<std::monostate>(value)
                                 ? "index of untyped nil"
                                 : fmt::format("can't index item of type {}", TypeOf(value)));
    }
  }
  return value;
}

Output Slice(Arguments arguments, const TemplateContext&) {
  const TemplateValue& value = arguments[0];
  const auto* text = std::get_if<std::string>(&value);
  const auto* samples = std::get_if<std::shared_ptr<const TemplateSamples>>(&value);
  if (text == nullptr && samples == nullptr) {
    return InvalidArgument(fmt::format("can't slice item of type {}", TypeOf(value)));
  }
  if (text != nullptr && arguments.size() == 4) return InvalidArgument("cannot 3-index slice a string");
  const size_t size = text != nullptr ? text->size() : (*samples)->size();
  size_t from = 0;
  size_t to = size;
  if (arguments.size() > 1) {
    TM_TRY_ASSIGN(from, PlaceIn(arguments[1], size, true));
  }
  if (arguments.size() > 2) {
    TM_TRY_ASSIGN(to, PlaceIn(arguments[2], size, true));
  }
  if (arguments.size() > 3) {
    TM_TRY_ASSIGN(const size_t most, PlaceIn(arguments[3], size, true));
    if (to > most) return InvalidArgument(fmt::format("invalid slice index: {} > {}", to, most));
  }
  if (from > to) return InvalidArgument(fmt::format("invalid slice index: {} > {}", from, to));
  if (text != nullptr) return TemplateValue(text->substr(from, to - from));
  const auto at = [&](size_t i) { return (*samples)->begin() + static_cast<std::ptrdiff_t>(i); };
  return TemplateValue(std::make_shared<const TemplateSamples>(at(from), at(to)));
}

Output Call(Arguments arguments, const TemplateContext&) {
  return InvalidArgument(fmt::format("non-function of type {}", TypeOf(arguments[0])));
}

// -1, 0, 1, or 2 where there is no order. Go compares within a kind only: a float with 1 is an error, with 1.0 is not.
Result<int> Order(const TemplateValue& a, const TemplateValue& b) {
  const auto compared = [](const auto& x, const auto& y) { return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2; };
  const auto integer = [](const TemplateValue& value) -> const int64_t* {
    if (const auto* duration = std::get_if<TemplateDuration>(&value)) return &duration->ns;
    return std::get_if<int64_t>(&value);
  };
  const auto* i = integer(a);
  const auto* j = integer(b);
  if (i != nullptr && j != nullptr) return compared(*i, *j);
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) return compared(*x, *y);
  const auto* s = std::get_if<std::string>(&a);
  const auto* t = std::get_if<std::string>(&b);
  if (s != nullptr && t != nullptr) return compared(*s, *t);
  const auto basic = [&](const TemplateValue& value, const auto*... kinds) {
    return ((kinds != nullptr) || ...) || std::holds_alternative<bool>(value);
  };
  return InvalidArgument(basic(a, i, x, s) && basic(b, j, y, t) ? "incompatible types for comparison"
                                                                : "invalid type for comparison");
}

Output Equal(Arguments arguments, const TemplateContext&) {
  const auto* truth = std::get_if<bool>(&arguments[0]);
  for (const TemplateValue& other : arguments.subspan(1)) {
    const auto* other_truth = std::get_if<bool>(&other);
    if (truth != nullptr && other_truth != nullptr) {
      if (*truth == *other_truth) return TemplateValue(true);
      continue;
    }
    if (std::holds_alternative<std::monostate>(arguments[0]) || std::holds_alternative<std::monostate>(other)) {
      if (arguments[0].index() == other.index()) return TemplateValue(true);
      continue;
    }
    TM_TRY_ASSIGN(const int order, Order(arguments[0], other));
    if (order == 0) return TemplateValue(true);
  }
  return TemplateValue(false);
}

Output NotEqual(Arguments arguments, const TemplateContext& context) {
  TM_TRY_ASSIGN(const TemplateValue equal, Equal(arguments, context));
  return TemplateValue(!std::get<bool>(equal));
}

template <bool (*holds)(int)>
Output Compare(Arguments arguments, const TemplateContext&) {
  if (std::holds_alternative<bool>(arguments[0]) && std::holds_alternative<bool>(arguments[1])) {
    return InvalidArgument("invalid type for comparison");
  }
  TM_TRY_ASSIGN(const int order, Order(arguments[0], arguments[1]));
  return TemplateValue(holds(order));
}
bool IsLess(int order) { return order == -1; }
bool IsLessOrEqual(int order) { return order == -1 || order == 0; }
// Go has these two as the opposites of the others, so that they hold for what has no order.
bool IsGreater(int order) { return !IsLessOrEqual(order); }
bool IsGreaterOrEqual(int order) { return !IsLess(order); }

Output Not(Arguments arguments, const TemplateContext&) { return TemplateValue(!IsTrue(arguments[0])); }

constexpr TemplateFunction kFunctions[] = {
    {"call", 1, TemplateFunction::kAny, Call},
    {"eq", 2, TemplateFunction::kAny, Equal},
    {"ge", 2, 2, Compare<IsGreaterOrEqual>},
    {"gt", 2, 2, Compare<IsGreater>},
    {"html", 0, TemplateFunction::kAny, Escape<EscapeForHtml>},
    {"index", 1, TemplateFunction::kAny, Index},
    {"js", 0, TemplateFunction::kAny, Escape<EscapeForScript>},
    {"le", 2, 2, Compare<IsLessOrEqual>},
    {"len", 1, 1, Length},
    {"lt", 2, 2, Compare<IsLess>},
    {"ne", 2, 2, NotEqual},
    {"not", 1, 1, Not},
    {"print", 0, TemplateFunction::kAny, Print},
    {"printf", 1, TemplateFunction::kAny, Printf},
    {"println", 0, TemplateFunction::kAny, Println},
    {"slice", 1, 4, Slice},
    {"urlquery", 0, TemplateFunction::kAny, Escape<text::QueryEscape>},
};

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

// A time in UTC by its parts.
struct Parts {
  int64_t year, month, day, hour, minute, second, weekday, nanos;
};

Parts PartsOf(int64_t ns) {
  const text::Instant at = text::Instant::FromNs(ns);
  // Always YYYY-MM-DDTHH:MM:SS: nanoseconds of 64 bits lie between 1677 and 2262.
  const std::string text = text::PrintInstant(at, {.fraction = text::InstantStyle::Fraction::kNone});
  const auto number = [&](size_t from, size_t size) {
    return static_cast<int64_t>(std::stoi(text.substr(from, size)));
  };
  int64_t day = at.seconds / 86'400 - (at.seconds % 86'400 < 0 ? 1 : 0);
  day = ((day + 4) % 7 + 7) % 7;  // 1970 began on a Thursday
  return {number(0, 4), number(5, 2), number(8, 2), number(11, 2), number(14, 2), number(17, 2), day, at.nanos};
}

// time.Time's Format in UTC: the layout is the time Mon Jan 2 15:04:05 MST 2006.
std::string FormatTime(int64_t ns, std::string_view layout) {
  const Parts at = PartsOf(ns);
  const int64_t hour12 = at.hour % 12 == 0 ? 12 : at.hour % 12;
  const std::string_view month = kMonths[static_cast<size_t>(at.month - 1)];
  const std::string_view weekday = kDays[static_cast<size_t>(at.weekday)];
  // Longer words before those that they begin with.
  const std::pair<std::string_view, std::string> words[] = {
      {"January", std::string(month)},
      {"Jan", std::string(month.substr(0, 3))},
      {"Monday", std::string(weekday)},
      {"Mon", std::string(weekday.substr(0, 3))},
      {"MST", "UTC"},
      {"2006", fmt::format("{:04}", at.year)},
      {"-07:00", "+00:00"},
      {"-0700", "+0000"},
      {"Z07:00", "Z"},
      {"Z0700", "Z"},
      {"-07", "+00"},
      {"01", fmt::format("{:02}", at.month)},
      {"02", fmt::format("{:02}", at.day)},
      {"03", fmt::format("{:02}", hour12)},
      {"04", fmt::format("{:02}", at.minute)},
      {"05", fmt::format("{:02}", at.second)},
      {"06", fmt::format("{:02}", at.year % 100)},
      {"15", fmt::format("{:02}", at.hour)},
      {"_2", fmt::format("{:2}", at.day)},
      {"PM", at.hour < 12 ? "AM" : "PM"},
      {"pm", at.hour < 12 ? "am" : "pm"},
      {"1", std::to_string(at.month)},
      {"2", std::to_string(at.day)},
      {"3", std::to_string(hour12)},
      {"4", std::to_string(at.minute)},
      {"5", std::to_string(at.second)},
  };
  std::string out;
  while (!layout.empty()) {
    // .000 and .999, where no digit follows: fractions of a second.
    size_t digits = 1;
    while (digits < layout.size() && layout[digits] == layout[1] && (layout[1] == '0' || layout[1] == '9')) ++digits;
    const bool ends = digits >= layout.size() || layout[digits] < '0' || layout[digits] > '9';
    if ((layout[0] == '.' || layout[0] == ',') && digits > 1 && digits <= 10 && ends) {
      std::string fraction = fmt::format("{:09}", at.nanos).substr(0, digits - 1);
      if (layout[1] == '9') fraction.erase(fraction.find_last_not_of('0') + 1);
      if (!fraction.empty()) out += layout[0] + fraction;
      layout.remove_prefix(digits);
      continue;
    }
    const auto* word = std::ranges::find_if(words, [&](const auto& row) { return layout.starts_with(row.first); });
    if (word == std::end(words)) {
      out += layout[0];
      layout.remove_prefix(1);
    } else {
      out += word->second;
      layout.remove_prefix(word->first.size());
    }
  }
  return out;
}

Output MethodOfTime(int64_t ns, std::string_view name, Arguments arguments) {
  if (name == "Format" && arguments.size() == 1) {
    TM_TRY_ASSIGN(const std::string layout, TextOf(arguments[0]));
    return TemplateValue(FormatTime(ns, layout));
  }
  if (arguments.empty()) {
    const Parts at = PartsOf(ns);
    if (name == "UTC") return TemplateValue(TemplateTime{ns});
    if (name == "String") return TemplateValue(ToText(TemplateValue(TemplateTime{ns})));
    if (name == "Month") return TemplateValue(std::string(kMonths[static_cast<size_t>(at.month - 1)]));
    if (name == "Weekday") return TemplateValue(std::string(kDays[static_cast<size_t>(at.weekday)]));
    const std::pair<std::string_view, int64_t> numbers[] = {{"Year", at.year},
                                                            {"Day", at.day},
                                                            {"Hour", at.hour},
                                                            {"Minute", at.minute},
                                                            {"Second", at.second},
                                                            {"Nanosecond", at.nanos},
                                                            {"UnixNano", ns},
                                                            {"UnixMicro", ns / 1000},
                                                            {"UnixMilli", ns / 1'000'000},
                                                            {"Unix", text::Instant::FromNs(ns).seconds}};
    for (const auto& [known, number] : numbers) {
      if (known == name) return TemplateValue(number);
    }
  }
  return InvalidArgument(fmt::format("can't evaluate field {} in type *time.Time", name));
}

Output MethodOfDuration(int64_t ns, std::string_view name, Arguments arguments) {
  if (arguments.empty()) {
    const auto seconds = static_cast<double>(ns) / 1e9;
    if (name == "String") return TemplateValue(ToText(TemplateValue(TemplateDuration{ns})));
    if (name == "Seconds") return TemplateValue(seconds);
    if (name == "Minutes") return TemplateValue(seconds / 60);
    if (name == "Hours") return TemplateValue(seconds / 3600);
    if (name == "Milliseconds") return TemplateValue(ns / 1'000'000);
    if (name == "Nanoseconds") return TemplateValue(ns);
  }
  return InvalidArgument(fmt::format("can't evaluate field {} in type *time.Duration", name));
}

}  // namespace

std::span<const TemplateFunction> GoTemplateFunctions() { return kFunctions; }

Result<TemplateValue> CallTemplateMethod(const TemplateValue& value, std::string_view name,
                                         std::span<const TemplateValue> arguments) {
  if (const auto* time = std::get_if<TemplateTime>(&value)) return MethodOfTime(time->ns, name, arguments);
  return MethodOfDuration(std::get<TemplateDuration>(value).ns, name, arguments);
}

std::optional<double> NumberIn(const TemplateValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<int64_t>(&value)) return static_cast<double>(*number);
  return std::nullopt;
}

std::string LabelOf(const model::Labels& labels, std::string_view name) {
  const auto label = std::ranges::find(labels, name, &model::Label::name);
  return label == labels.end() ? std::string() : label->value;
}

std::string_view TypeOf(const TemplateValue& value) {
  static constexpr std::array<std::string_view, std::variant_size_v<TemplateValue>> kTypes = {"<nil>",
                                                                                              "struct",
                                                                                              "bool",
                                                                                              "int",
                                                                                              "float64",
                                                                                              "string",
                                                                                              "map[string]string",
                                                                                              "*template.sample",
                                                                                              "template.queryResult",
                                                                                              "map[string]interface {}",
                                                                                              "*time.Time",
                                                                                              "*time.Duration"};
  return kTypes[value.index()];
}

bool IsTrue(const TemplateValue& value) {
  struct Tester {
    bool operator()(std::monostate) const { return false; }
    bool operator()(const std::shared_ptr<const TemplateRoot>&) const { return true; }
    bool operator()(bool truth) const { return truth; }
    bool operator()(int64_t number) const { return number != 0; }
    bool operator()(double number) const { return number != 0; }
    bool operator()(const std::string& text) const { return !text.empty(); }
    bool operator()(const std::shared_ptr<const model::Labels>& labels) const { return !labels->empty(); }
    bool operator()(const std::shared_ptr<const TemplateSample>&) const { return true; }
    bool operator()(const std::shared_ptr<const TemplateSamples>& samples) const { return !samples->empty(); }
    bool operator()(const std::shared_ptr<const TemplateMap>& map) const { return !map->values.empty(); }
    bool operator()(TemplateTime) const { return true; }
    bool operator()(TemplateDuration) const { return true; }
  };
  return std::visit(Tester(), value);
}

}  // namespace tidemark::query::rules
