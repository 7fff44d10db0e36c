#include "ingest/lineprotocol/decoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ingest/lineprotocol/parser.h"

namespace tidemark::lineprotocol {
namespace {

// Bytes of a line that is quoted back for a row that the store refused.
constexpr size_t kMaxQuotedLineBytes = 512;

// Quotes lines of the body by number. Calls must ask for ascending numbers.
class LineFinder {
 public:
  explicit LineFinder(std::string_view body) : rest_(body) {}
  std::string Find(uint32_t number) {
    while (at_ < number) {
      const size_t end = rest_.find('\n');
      if (end == std::string_view::npos) return {};
      rest_.remove_prefix(end + 1);
      ++at_;
    }
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    return std::string(line.substr(0, kMaxQuotedLineBytes)) + (line.size() > kMaxQuotedLineBytes ? "..." : "");
  }

 private:
  std::string_view rest_;
  uint32_t at_ = 1;
};

class LineDecoder final : public ingest::Decoder {
 public:
  Result<ingest::Decoded> Decode(std::string_view body, const ingest::DecodeOptions& options,
                                 model::Batch* batch) override {
    report_ = parser_.Parse(body,
                            {.precision = static_cast<Precision>(options.time_unit_ns),
                             .default_time = options.now,
                             .limits = {},
                             .append = options.append},
                            batch);
    ingest::Decoded out;
    out.lines_refused = report_.lines_bad;
    out.faults_total = report_.lines_bad;
    out.faults.reserve(report_.errors.size());
    for (const LineError& error : report_.errors) {
      out.faults.push_back({error.line, error.column, error.reason, error.text,
                            fmt::format("unable to parse '{}': {}", error.text, error.reason)});
    }
    return out;
  }

  [[nodiscard]] std::string Describe(const model::WriteReport& report) const override {
    std::string text = ErrorText(report_);
    // 1.x calls a write partial once any line of it could be read.
    if (report_.lines_ok == 0) return text;
    if (report.rows_rejected > 0) {
      if (!text.empty()) text += '\n';
      text += ingest::Reasons(report.rejections);
    }
    return fmt::format("partial write: {} dropped={}", text, report_.lines_bad + report.rows_rejected);
  }

  [[nodiscard]] std::vector<ingest::Fault> FaultsOf(std::string_view body,
                                                    const model::WriteReport& report) const override {
    std::vector<model::Rejection> rejections = report.rejections;
    std::stable_sort(rejections.begin(), rejections.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    std::vector<ingest::Fault> out;
    LineFinder finder(body);
    for (model::Rejection& rejection : rejections) {
      out.push_back({rejection.line, 0, std::move(rejection.error.message), finder.Find(rejection.line), {}});
    }
    return out;
  }

 private:
  Parser parser_;
  ParseReport report_;  // of the last input
};

}  // namespace

std::unique_ptr<ingest::Decoder> MakeDecoder() { return std::make_unique<LineDecoder>(); }

}  // namespace tidemark::lineprotocol
