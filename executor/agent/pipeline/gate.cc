#include "executor/agent/pipeline/gate.h"

#include <fmt/core.h>
#include <re2/re2.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "executor/agent/pipeline/gate_file.h"
#include "executor/agent/pipeline/lines.h"

namespace tidemark::executor {
namespace {

struct OpName {
  std::string_view text;
  Limit::Op op;
};
// Longer ones first: "<=" begins with "<".
constexpr std::array kOps{OpName{"<=", Limit::Op::kLessOrEqual}, OpName{">=", Limit::Op::kGreaterOrEqual},
                          OpName{"==", Limit::Op::kEqual},       OpName{"!=", Limit::Op::kNotEqual},
                          OpName{"<", Limit::Op::kLess},         OpName{">", Limit::Op::kGreater}};

std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

RE2::Options Quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

}  // namespace

bool Limit::Holds(double value) const {
  switch (op) {
    case Op::kLess: return value < bound;
    case Op::kLessOrEqual: return value <= bound;
    case Op::kGreater: return value > bound;
    case Op::kGreaterOrEqual: return value >= bound;
    case Op::kEqual: return value == bound;
    case Op::kNotEqual: return value != bound;
  }
  return false;
}

std::string Limit::ToText() const {
  for (const OpName& name : kOps) {
    if (name.op == op) return fmt::format("{} {}", name.text, bound);
  }
  return {};
}

Result<Limit> ParseLimit(std::string_view text) {
  const std::string whole(text);
  const auto skip = [&text] { text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size())); };
  skip();
  for (const OpName& name : kOps) {
    if (!text.starts_with(name.text)) continue;
    text.remove_prefix(name.text.size());
    skip();
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    if (const auto bound = ParseNumber(text); bound) return Limit{name.op, *bound};
    break;
  }
  return InvalidArgument(fmt::format("\"{}\" is not a limit: < 85, <= 85, > 0, >= 1, == 0 or != 0", whole));
}

Result<void> GateSpec::Check() const {
  if (regex.empty() == json.empty()) return InvalidArgument("a gate takes its number from either regex or json");
  if (!warn && !fail) return InvalidArgument("a gate needs a limit: warn, fail or both");
  if (!regex.empty()) {
    const RE2 expression(regex, Quiet());
    if (!expression.ok()) return InvalidArgument(fmt::format("bad regular expression: {}", expression.error()));
    if (expression.NumberOfCapturingGroups() > 1) {
      return InvalidArgument("the regular expression of a gate has at most one group: the number; write (?:...)");
    }
  }
  return {};
}

class GateReader::Source {
 public:
  explicit Source(const GateSpec& spec)
      : spec_(spec),
        expression_(spec.regex, Quiet()),
        lines_(kMaxGateLineBytes, [this](std::string_view line) { Match(line); }) {}

  void Append(std::string_view bytes) {
    if (!spec_.regex.empty()) {
      lines_.Append(bytes);
    } else if (json_.size() + bytes.size() <= kMaxGateJsonBytes) {
      json_ += bytes;
    } else {
      too_long_ = true;
    }
  }

  Result<double> Number() {
    if (spec_.regex.empty()) {
      if (too_long_) return LimitExceeded(fmt::format("more than {} bytes of JSON", kMaxGateJsonBytes));
      return NumberAt(json_, spec_.json);
    }
    lines_.Finish();
    if (!last_) return NotFound(fmt::format("nothing matches {}", spec_.regex));
    return *last_;
  }

 private:
  void Match(std::string_view line) {
    re2::StringPiece found[2];
    if (!expression_.Match({line.data(), line.size()}, 0, line.size(), RE2::UNANCHORED, found, 2)) return;
    const re2::StringPiece& text = expression_.NumberOfCapturingGroups() > 0 ? found[1] : found[0];
    if (text.data() == nullptr) return;
    if (const auto number = ParseNumber({text.data(), text.size()}); number) last_ = number;
  }

  const GateSpec& spec_;
  const RE2 expression_;
  Lines lines_;
  std::optional<double> last_;
  std::string json_;
  bool too_long_ = false;
};

GateReader::GateReader(const GateSpec& spec) : spec_(spec), source_(std::make_unique<Source>(spec)) {}
GateReader::~GateReader() = default;

void GateReader::Append(std::string_view output) {
  if (spec_.file.empty()) source_->Append(output);
}

GateFacts GateReader::Finish(const std::string& working_directory, const std::function<bool()>& may_go_on) {
  GateFacts facts;
  facts.unit = spec_.unit;
  if (!spec_.file.empty()) {
    const std::filesystem::path path = std::filesystem::path(working_directory) / spec_.file;
    const uint64_t bytes_max = spec_.json.empty() ? kMaxGateFileBytes : kMaxGateJsonBytes;
    const Result<void> read =
        ReadGateFile(path.string(), bytes_max, may_go_on, [this](std::string_view bytes) { source_->Append(bytes); });
    if (!read.ok()) {
      facts.status = GateStatus::kFail;
      facts.reason = read.error().message;
      return facts;
    }
  }
  const Result<double> number = source_->Number();
  if (!number.ok()) {
    facts.status = GateStatus::kFail;
    facts.reason = number.error().message;
    return facts;
  }
  facts.value = *number;
  const std::string shown =
      fmt::format("{}{}", *number, spec_.unit.empty() || spec_.unit == "%" ? spec_.unit : " " + spec_.unit);
  if (spec_.fail && spec_.fail->Holds(*number)) {
    facts.status = GateStatus::kFail;
    facts.reason = fmt::format("{} {}{}", shown, spec_.fail->ToText(), spec_.unit == "%" ? "%" : "");
  } else if (spec_.warn && spec_.warn->Holds(*number)) {
    facts.status = GateStatus::kWarn;
    facts.reason = fmt::format("{} {}{}", shown, spec_.warn->ToText(), spec_.unit == "%" ? "%" : "");
  } else {
    facts.status = GateStatus::kPass;
    facts.reason = shown;
  }
  return facts;
}

Result<double> NumberAt(std::string_view json, std::string_view path) {
  simdjson::dom::parser parser;
  simdjson::dom::element at;
  if (const auto error = parser.parse(json.data(), json.size()).get(at); error) {
    return InvalidArgument(fmt::format("no JSON: {}", simdjson::error_message(error)));
  }
  std::string_view rest = path;
  while (!rest.empty()) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    const std::string_view key = rest.substr(0, dot);
    rest.remove_prefix(std::min(dot + 1, rest.size()));
    simdjson::dom::array array;
    simdjson::error_code error = simdjson::SUCCESS;
    if (at.get(array) == simdjson::SUCCESS) {
      size_t position = 0;
      const auto [end, bad] = std::from_chars(key.data(), key.data() + key.size(), position);
      error =
          bad == std::errc() && end == key.data() + key.size() ? array.at(position).get(at) : simdjson::INCORRECT_TYPE;
    } else {
      error = at[key].get(at);
    }
    if (error) return InvalidArgument(fmt::format("the JSON has nothing at {} (\"{}\")", path, key));
  }
  double number = 0;
  if (at.get(number) == simdjson::SUCCESS) return number;
  return InvalidArgument(fmt::format("no number at {} in the JSON", path));
}

}  // namespace tidemark::executor
