#include "query/rules/template_print.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "query/frame/go_format.h"
#include "query/promql/quote.h"
#include "storage/base/text/instant.h"

namespace tidemark::query::rules {
namespace {

// Go refuses larger ones.
constexpr int64_t kWidthMax = 1'000'000;

struct Spec {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  bool quoted = false;  // %#v: as Go writes it
  bool named = false;   // %+v: with the names of what it consists of
  std::optional<int64_t> width = std::nullopt;
  std::optional<int64_t> precision = std::nullopt;
};

size_t CharactersOf(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Padded(const Spec& spec, std::string text) {
  const size_t size = CharactersOf(text);
  if (!spec.width || static_cast<size_t>(*spec.width) <= size) return text;
  const size_t more = static_cast<size_t>(*spec.width) - size;
  if (spec.minus) return text + std::string(more, ' ');
  if (!spec.zero) return std::string(more, ' ') + text;
  // Zeros stand behind the sign.
  const bool sign = text.starts_with('-') || text.starts_with('+') || text.starts_with(' ');
  return (sign ? text.substr(0, 1) : std::string()) + std::string(more, '0') + text.substr(sign ? 1 : 0);
}

std::string Print(const Spec& spec, char32_t verb, const TemplateValue& value);

// The value stands in the complaint as the flags have it.
std::string Bad(const Spec& spec, char32_t verb, const TemplateValue& value) {
  std::string name;
  promql::AppendRune(name, verb);
  if (std::holds_alternative<std::monostate>(value)) return fmt::format("%!{}(<nil>)", name);
  return fmt::format("%!{}({}={})", name, TypeOf(value), Print(spec, 'v', value));
}

std::string InBase(uint64_t number, unsigned base, bool capitals) {
  std::string out;
  do {
    out.push_back((capitals ? "0123456789ABCDEF" : "0123456789abcdef")[number % base]);
    number /= base;
  } while (number != 0);
  std::ranges::reverse(out);
  return out;
}

std::string OfInteger(Spec spec, char32_t verb, const TemplateValue& value, int64_t number) {
  std::string character;
  switch (verb) {
    case 'c':
    case 'q':
    case 'U':
      promql::AppendRune(character,
                         number < 0 || number > 0x10FFFF ? promql::kRuneError : static_cast<char32_t>(number));
      if (verb == 'c') return Padded(spec, character);
      if (verb == 'q') return Padded(spec, promql::QuoteRune(promql::DecodeRune(character).value));
      return Padded(
          spec, fmt::format("U+{:04X}", static_cast<uint64_t>(number)) + (spec.sharp ? " '" + character + "'" : ""));
    default: break;
  }
  unsigned base = 10;
  std::string prefix;
  switch (verb) {
    case 'v':
    case 'd': break;
    case 'b':
      base = 2;
      if (spec.sharp) prefix = "0b";
      break;
    case 'o':
      base = 8;
      if (spec.sharp) prefix = "0";
      break;
    case 'O':
      base = 8;
      prefix = "0o";
      break;
    case 'x':
    case 'X':
      base = 16;
      if (spec.sharp) prefix = verb == 'x' ? "0x" : "0X";
      break;
    default: return Bad(spec, verb, value);
  }
  const uint64_t size = number < 0 ? ~static_cast<uint64_t>(number) + 1 : static_cast<uint64_t>(number);
  std::string digits = InBase(size, base, verb == 'X');
  const std::string sign = number < 0 ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  size_t least = spec.precision ? static_cast<size_t>(*spec.precision) : 0;
  if (spec.precision && *spec.precision == 0 && number == 0) digits.clear();
  if (!spec.precision && spec.zero && spec.width && !spec.minus) {
    least = static_cast<size_t>(std::max<int64_t>(*spec.width - static_cast<int64_t>(sign.size()), 0));
  }
  if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
  spec.zero = false;
  return Padded(spec, sign + prefix + digits);
}

// The digits of the fraction, a whole number, and the power of two that it is multiplied with.
std::string InPowersOfTwo(double size) {
  constexpr int kFractionBits = 52;
  constexpr uint64_t kOne = uint64_t{1} << kFractionBits;
  const auto bits = std::bit_cast<uint64_t>(size);
  const auto power = static_cast<int>(bits >> kFractionBits);
  const uint64_t fraction = (bits & (kOne - 1)) | (power == 0 ? 0 : kOne);
  return fmt::format("{}p{:+}", fraction, std::max(power, 1) - 1023 - kFractionBits);
}

std::string OfFloat(Spec spec, char32_t verb, const TemplateValue& value, double number) {
  if (verb == 'v') verb = 'g';
  if (!std::u32string_view(U"beEfFgGxX").contains(verb)) return Bad(spec, verb, value);
  std::string sign = std::signbit(number) ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  if (!std::isfinite(number)) {
    spec.zero = false;
    if (std::isnan(number)) return Padded(spec, (spec.plus ? "+" : spec.space ? " " : "") + std::string("NaN"));
    // Infinity has its sign also where none is asked for, as Go prints it everywhere.
    return Padded(spec, (sign.empty() ? "+" : sign) + "Inf");
  }
  const double size = std::fabs(number);
  if (verb == 'b') return Padded(spec, sign + InPowersOfTwo(size));
  if ((verb == 'g' || verb == 'G') && !spec.precision && !spec.sharp) {
    std::string digits = frame::GoFormat(size);
    if (verb == 'G') std::ranges::replace(digits, 'e', 'E');
    return Padded(spec, sign + digits);
  }
  const char c_verb = verb == 'x' ? 'a' : verb == 'X' ? 'A' : static_cast<char>(verb);
  // A double has no more digits than this; Go prints the zeros behind them too.
  const int precision = static_cast<int>(spec.precision.value_or(c_verb == 'a' || c_verb == 'A' ? -1 : 6));
  std::string digits(static_cast<size_t>(std::max(precision, 0)) + 400, '\0');
  const char format[] = {
      '%', spec.sharp ? '#' : '.', spec.sharp ? '.' : '*', spec.sharp ? '*' : c_verb, spec.sharp ? c_verb : '\0', '\0'};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const int length = std::snprintf(digits.data(), digits.size(), format, precision, size);
#pragma GCC diagnostic pop
  digits.resize(static_cast<size_t>(std::max(length, 0)));
  // Go's exponents of powers of two have two digits at least.
  if (const size_t power = digits.find_last_of("pP"); (c_verb == 'a' || c_verb == 'A') && power + 3 == digits.size()) {
    digits.insert(power + 2, 1, '0');
  }
  return Padded(spec, sign + digits);
}

// With escapes in place of characters beyond ASCII.
std::string InAscii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const promql::Rune rune = promql::DecodeRune(text);
    if (rune.value < 0x80) {
      out.append(text.substr(0, rune.size));
    } else {
      out += rune.value > 0xFFFF ? fmt::format("\\U{:08x}", static_cast<uint32_t>(rune.value))
                                 : fmt::format("\\u{:04x}", static_cast<uint32_t>(rune.value));
    }
    text.remove_prefix(rune.size);
  }
  return out;
}

std::string OfText(const Spec& spec, char32_t verb, const TemplateValue& value, std::string_view text) {
  if (spec.precision && verb != 'x' && verb != 'X') {
    size_t end = 0;
    for (int64_t left = *spec.precision; left > 0 && end < text.size(); --left)
      end += promql::DecodeRune(text.substr(end)).size;
    text = text.substr(0, end);
  }
  switch (verb) {
    case 'v':
    case 's': return Padded(spec, spec.quoted ? promql::Quote(text) : std::string(text));
    case 'q': {
      const bool raw = spec.sharp && std::ranges::none_of(text, [](char c) {
                         return c == '`' || c == 0x7F || (static_cast<unsigned char>(c) < 0x20 && c != '\t');
                       });
      return Padded(spec, raw         ? fmt::format("`{}`", text)
                          : spec.plus ? InAscii(promql::Quote(text))
                                      : promql::Quote(text));
    }
    case 'x':
    case 'X': {
      if (spec.precision) text = text.substr(0, static_cast<size_t>(*spec.precision));
      const std::string prefix = spec.sharp ? (verb == 'x' ? "0x" : "0X") : "";
      std::string out;
      for (const char c : text) {
        if (out.empty() || spec.space) out += (out.empty() ? "" : " ") + prefix;
        out += verb == 'x' ? fmt::format("{:02x}", static_cast<unsigned char>(c))
                           : fmt::format("{:02X}", static_cast<unsigned char>(c));
      }
      return Padded(spec, out);
    }
    default: return Bad(spec, verb, value);
  }
}

std::string OfLabels(const Spec& spec, char32_t verb, const model::Labels& labels) {
  std::string out = spec.quoted ? "map[string]string{" : "map[";
  const size_t empty = out.size();
  for (const model::Label& label : labels) {
    if (out.size() > empty) out += spec.quoted ? ", " : " ";
    out += Print(spec, verb, TemplateValue(label.name)) + ":" + Print(spec, verb, TemplateValue(label.value));
  }
  return out + (spec.quoted ? "}" : "]");
}

std::string OfSample(const Spec& spec, char32_t verb, const TemplateSample& sample) {
  return (spec.named ? "{Labels:" : "{") + OfLabels(spec, verb, sample.labels) + (spec.named ? " Value:" : " ") +
         Print(spec, verb, TemplateValue(sample.value)) + "}";
}

// One value under a verb, also of what it consists of.
std::string Print(const Spec& spec, char32_t verb, const TemplateValue& value) {
  if (verb == 'T') return Padded(spec, std::string(TypeOf(value)));
  if (const auto* text = std::get_if<std::string>(&value)) return OfText(spec, verb, value, *text);
  if (const auto* number = std::get_if<double>(&value)) return OfFloat(spec, verb, value, *number);
  if (const auto* number = std::get_if<int64_t>(&value)) return OfInteger(spec, verb, value, *number);
  if (const auto* truth = std::get_if<bool>(&value)) {
    return verb == 't' || verb == 'v' ? Padded(spec, *truth ? "true" : "false") : Bad(spec, verb, value);
  }
  if (const auto* labels = std::get_if<std::shared_ptr<const model::Labels>>(&value))
    return OfLabels(spec, verb, **labels);
  if (const auto* sample = std::get_if<std::shared_ptr<const TemplateSample>>(&value)) {
    return "&" + OfSample(spec, verb, **sample);
  }
  if (const auto* samples = std::get_if<std::shared_ptr<const TemplateSamples>>(&value)) {
    std::string out = "[";
    for (const TemplateSample& sample : **samples) out += (out.size() > 1 ? " " : "") + OfSample(spec, verb, sample);
    return out + "]";
  }
  if (const auto* map = std::get_if<std::shared_ptr<const TemplateMap>>(&value)) {
    std::string out = "map[";
    for (const auto& [name, held] : (*map)->values) {
      out += (out.size() > 4 ? " " : "") + Print(spec, verb, TemplateValue(name)) + ":" + Print(spec, verb, held);
    }
    return out + "]";
  }
  if (const auto* duration = std::get_if<TemplateDuration>(&value); duration != nullptr && verb != 'v' && verb != 's') {
    return OfInteger(spec, verb, value, duration->ns);
  }
  if (verb == 'v' || verb == 's') return Padded(spec, ToText(value));
  return Bad(spec, verb, value);
}

// Reads a format from the left.
class Formatter {
 public:
  Formatter(std::string_view format, std::span<const TemplateValue> arguments) : rest_(format), arguments_(arguments) {}

  Result<std::string> Run() {
    while (!rest_.empty()) {
      const size_t percent = std::min(rest_.find('%'), rest_.size());
      out_.append(rest_.substr(0, percent));
      rest_.remove_prefix(percent);
      if (rest_.empty()) break;
      rest_.remove_prefix(1);
      Verb();
      if (out_.size() > Template::kTextBytesMax) return LimitExceeded("the text is longer than 1 MiB");
    }
    if (!reordered_ && next_ < arguments_.size()) {
      out_ += "%!(EXTRA ";
      for (size_t i = next_; i < arguments_.size(); ++i) {
        if (i > next_) out_ += ", ";
        const bool nil = std::holds_alternative<std::monostate>(arguments_[i]);
        out_ += nil ? std::string("<nil>") : fmt::format("{}={}", TypeOf(arguments_[i]), ToText(arguments_[i]));
      }
      out_ += ")";
    }
    return std::move(out_);
  }

 private:
  void Flags(Spec* spec) {
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      switch (rest_.front()) {
        case '+': spec->plus = true; break;
        case '-':
          spec->minus = true;
          spec->zero = false;
          break;
        case '#': spec->sharp = true; break;
        case ' ': spec->space = true; break;
        case '0': spec->zero = !spec->minus; break;
        default: return;
      }
    }
  }

  // [N] before a verb or `*`.
  void Index() {
    if (!rest_.starts_with('[')) return;
    reordered_ = true;
    const size_t end = rest_.find(']');
    size_t index = 0;
    bool good = end != std::string_view::npos && end > 1 && end < 9;
    for (const char c : rest_.substr(1, good ? end - 1 : 0)) {
      good = good && c >= '0' && c <= '9';
      index = index * 10 + static_cast<size_t>(c - '0');
    }
    good_index_ = good && index >= 1 && index <= arguments_.size();
    if (good_index_) next_ = index - 1;
    rest_.remove_prefix(end == std::string_view::npos ? 1 : end + 1);
  }

  // A number or `*`, which takes an argument.
  std::optional<int64_t> Number(std::string_view bad) {
    if (rest_.starts_with('*')) {
      rest_.remove_prefix(1);
      const auto* number = next_ < arguments_.size() ? std::get_if<int64_t>(&arguments_[next_]) : nullptr;
      next_ = std::min(next_ + 1, arguments_.size());
      if (number == nullptr || *number > kWidthMax || *number < -kWidthMax) {
        out_ += bad;
        return std::nullopt;
      }
      return *number;
    }
    std::optional<int64_t> out;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      out = std::min(out.value_or(0) * 10 + (rest_.front() - '0'), kWidthMax + 1);
      rest_.remove_prefix(1);
    }
    if (out && *out > kWidthMax) {
      out_ += bad;
      return std::nullopt;
    }
    return out;
  }

  void Verb() {
    Spec spec;
    good_index_ = true;
    Flags(&spec);
    Index();
    spec.width = Number("%!(BADWIDTH)");
    if (spec.width && *spec.width < 0) {
      spec.width = -*spec.width;
      spec.minus = true;
      spec.zero = false;
    }
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      Index();
      spec.precision = Number("%!(BADPREC)").value_or(0);
      if (*spec.precision < 0) spec.precision.reset();
    }
    Index();
    if (rest_.empty()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const promql::Rune verb = promql::DecodeRune(rest_);
    const std::string_view name = rest_.substr(0, verb.size);
    rest_.remove_prefix(verb.size);
    if (verb.value == '%') {
      out_ += '%';
    } else if (!good_index_) {
      out_ += fmt::format("%!{}(BADINDEX)", name);
    } else if (next_ >= arguments_.size()) {
      out_ += fmt::format("%!{}(MISSING)", name);
    } else {
      if (verb.value == 'v') {
        spec.quoted = std::exchange(spec.sharp, false);
        spec.named = std::exchange(spec.plus, false);
      }
      out_ += Print(spec, verb.value, arguments_[next_++]);
    }
  }

  std::string_view rest_;
  std::span<const TemplateValue> arguments_;
  std::string out_;
  size_t next_ = 0;
  bool reordered_ = false;
  bool good_index_ = true;
};

// time.Duration's String: 1h2m3.5s, 1.5ms, 0s.
std::string DurationText(int64_t ns) {
  if (ns == 0) return "0s";
  const uint64_t size = ns < 0 ? ~static_cast<uint64_t>(ns) + 1 : static_cast<uint64_t>(ns);
  const std::string sign = ns < 0 ? "-" : "";
  const auto decimal = [](uint64_t whole, uint64_t rest, size_t digits) {
    std::string text = std::to_string(whole);
    if (rest == 0) return text;
    std::string fraction = fmt::format("{:0{}}", rest, digits);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return text + "." + fraction;
  };
  if (size < 1000) return fmt::format("{}{}ns", sign, size);
  if (size < 1'000'000) return sign + decimal(size / 1000, size % 1000, 3) + "µs";
  if (size < 1'000'000'000) return sign + decimal(size / 1'000'000, size % 1'000'000, 6) + "ms";
  const uint64_t seconds = size / 1'000'000'000;
  std::string out = sign;
  if (seconds >= 3600) out += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) out += fmt::format("{}m", seconds / 60 % 60);
  return out + decimal(seconds % 60, size % 1'000'000'000, 9) + "s";
}

}  // namespace

Result<std::string> PrintFormat(std::string_view format, std::span<const TemplateValue> arguments) {
  return Formatter(format, arguments).Run();
}

std::string PrintAll(std::span<const TemplateValue> arguments) {
  std::string out;
  bool text_before = true;
  for (const TemplateValue& argument : arguments) {
    if (out.size() > Template::kTextBytesMax) break;  // too long; who calls says so
    const bool text = std::holds_alternative<std::string>(argument);
    if (!text && !text_before) out += ' ';
    out += std::holds_alternative<std::shared_ptr<const TemplateSample>>(argument) ? Print({}, 'v', argument)
                                                                                   : ToText(argument);
    text_before = text;
  }
  return out;
}

std::string ToText(const TemplateValue& value) {
  struct Printer {
    std::string operator()(std::monostate) const { return "<nil>"; }
    std::string operator()(const std::shared_ptr<const TemplateRoot>& root) const {
      return fmt::format("{{{} {} {} {}}}", OfLabels({}, 'v', *root->labels), OfLabels({}, 'v', *root->external_labels),
                         root->external_url, frame::GoFormat(root->value));
    }
    std::string operator()(bool truth) const { return truth ? "true" : "false"; }
    std::string operator()(int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return frame::GoFormat(number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(const std::shared_ptr<const model::Labels>& labels) const {
      return OfLabels({}, 'v', *labels);
    }
    // A template follows the pointer.
    std::string operator()(const std::shared_ptr<const TemplateSample>& sample) const {
      return OfSample({}, 'v', *sample);
    }
    std::string operator()(const std::shared_ptr<const TemplateSamples>& samples) const {
      return Print({}, 'v', TemplateValue(samples));
    }
    std::string operator()(const std::shared_ptr<const TemplateMap>& map) const {
      return Print({}, 'v', TemplateValue(map));
    }
    std::string operator()(TemplateTime time) const {
      return text::PrintInstant(
          text::Instant::FromNs(time.ns),
          {.between = ' ', .fraction = text::InstantStyle::Fraction::kNeeded, .zone = " +0000 UTC"});
    }
    std::string operator()(TemplateDuration duration) const { return DurationText(duration.ns); }
  };
  return std::visit(Printer(), value);
}

}  // namespace tidemark::query::rules
