#include "executor/agent/pipeline/progress.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <charconv>
#include <cmath>

#include "executor/agent/pipeline/lines.h"

namespace tidemark::executor {
namespace {

constexpr size_t kMaxLineBytes = size_t{16} << 10;

RE2::Options Quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

std::optional<double> Number(const re2::StringPiece& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

Result<void> CheckProgress(const std::string& regex) {
  const RE2 expression(regex, Quiet());
  if (!expression.ok()) return InvalidArgument(fmt::format("bad regular expression: {}", expression.error()));
  if (expression.NumberOfCapturingGroups() != 1) {
    return InvalidArgument("the regular expression of progress has one group: the percentage");
  }
  return {};
}

class ProgressReader::Reader {
 public:
  explicit Reader(const std::string& regex)
      : percent_(regex.empty() ? R"((?i:^\s*\[\s*|progress:?\s+)([0-9]{1,3}(?:\.[0-9]+)?)\s*%)" : regex, Quiet()),
        fraction_(R"(^\s*\[\s*([0-9]+)/([0-9]+)\])", Quiet()),
        with_fraction_(regex.empty()),
        lines_(kMaxLineBytes, [this](std::string_view line) { Read(line); }) {}

  std::optional<double> Append(std::string_view output) {
    lines_.Append(output);
    if (!last_ || std::abs(*last_ - told_) < 1) return std::nullopt;
    told_ = *last_;
    return last_;
  }

 private:
  void Read(std::string_view line) {
    // Most lines hold neither, and a glance is cheaper than a match.
    if (with_fraction_ && line.find('%') == line.npos && line.find('/') == line.npos) return;
    const re2::StringPiece text(line.data(), line.size());
    re2::StringPiece first, second;
    std::optional<double> percent;
    if (RE2::PartialMatch(text, percent_, &first)) {
      percent = Number(first);
    } else if (with_fraction_ && RE2::PartialMatch(text, fraction_, &first, &second)) {
      const auto done = Number(first), all = Number(second);
      if (done && all && *all > 0) percent = *done / *all * 100;
    }
    if (percent && *percent >= 0 && *percent <= 100) last_ = percent;
  }

  const RE2 percent_, fraction_;
  const bool with_fraction_;
  Lines lines_;
  std::optional<double> last_;
  double told_ = -1;
};

ProgressReader::ProgressReader(const std::string& regex) : regex_(regex) {}
ProgressReader::~ProgressReader() = default;

std::optional<double> ProgressReader::Append(std::string_view output) {
  if (!reader_) reader_ = std::make_unique<Reader>(regex_);
  return reader_->Append(output);
}

}  // namespace tidemark::executor
