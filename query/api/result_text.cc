#include "query/api/result_text.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "query/api/envelope.h"
#include "query/api/json.h"
#include "query/frame/go_format.h"

namespace tidemark::query::api {
namespace {

// [time,"value"]
void AppendSample(std::string* out, int64_t time_ms, double value) {
  out->push_back('[');
  AppendTimestampMs(out, time_ms);
  out->append(",\"");
  AppendFloat(out, value);
  out->append("\"]");
}

void AppendMetric(std::string* out, const frame::LabelSet& labels) {
  out->append(R"({"metric":)");
  AppendLabels(out, std::span<const model::LabelView>(labels.begin(), labels.size()));
}

}  // namespace

ResultText::ResultText(run::QueryResult result, uint64_t limit, std::string stats, size_t first_step)
    : result_(std::move(result)), stats_(std::move(stats)), first_step_(first_step), at_(first_step) {
  if (result_.type == promql::ValueType::kScalar || result_.type == promql::ValueType::kString) return;
  raw_ = result_.type == promql::ValueType::kMatrix && !result_.raw.empty();
  const size_t rows = raw_ ? result_.raw.size() : result_.frame.size();
  shown_ = limit == 0 ? rows : std::min<size_t>(rows, limit);
  if (shown_ < rows) result_.warnings.emplace_back("results truncated due to limit");
}

size_t ResultText::ExpectedBytes() const {
  constexpr size_t kPerRow = 200;
  constexpr size_t kPerValue = 24;
  size_t bytes = 256;
  if (raw_) {
    for (size_t row = 0; row < shown_; ++row) bytes += kPerRow + result_.raw[row].values.size() * kPerValue;
    return bytes;
  }
  return bytes + shown_ * (kPerRow + result_.frame.steps * kPerValue);
}

bool ResultText::Write(std::string* out, size_t bytes_min) {
  if (part_ == Part::kHead) {
    WriteHead(out);
    const bool rows = result_.type == promql::ValueType::kVector || result_.type == promql::ValueType::kMatrix;
    if (rows) out->push_back('[');
    part_ = rows ? Part::kRows : Part::kTail;
  }
  while (part_ == Part::kRows) {
    if (row_ == shown_) {
      out->push_back(']');
      part_ = Part::kTail;
    } else if (!row_open_ && RowIsOver()) {
      ++row_;
    } else if (out->size() >= bytes_min) {
      return true;
    } else if (WriteRow(out, bytes_min)) {
      // What has been written is not needed any more.
      if (raw_) result_.raw[row_] = {};
      ++row_;
      at_ = first_step_;
      row_open_ = row_has_any_ = false;
    }
  }
  if (part_ == Part::kTail) {
    out->append(stats_);
    out->push_back('}');
    out->append(SuccessTail(result_.warnings, result_.infos));
    part_ = Part::kDone;
  }
  return false;
}

void ResultText::WriteHead(std::string* out) const {
  out->append(BeginSuccess());
  out->append(R"({"resultType":")");
  out->append(promql::Name(result_.type));
  out->append(R"(","result":)");
  if (result_.type == promql::ValueType::kScalar) {
    out->push_back('[');
    AppendTimestampMs(out, result_.grid.TimeMs(0));
    // Unlike a sample's value never with an exponent: Prometheus, promql/value.go, Scalar.MarshalJSON.
    out->append(",\"").append(frame::GoFormatFixed(result_.scalar)).append("\"]");
  }
  if (result_.type == promql::ValueType::kString) {
    out->push_back('[');
    AppendTimestampMs(out, result_.grid.TimeMs(0));
    out->push_back(',');
    AppendJsonString(out, result_.text);
    out->push_back(']');
  }
}

bool ResultText::RowIsOver() const {
  if (first_step_ == 0) return false;
  return std::ranges::all_of(result_.frame.RowPresent(row_).subspan(std::min(first_step_, result_.frame.steps)),
                             [](uint8_t present) { return present == 0; });
}

bool ResultText::WriteRow(std::string* out, size_t bytes_min) {
  if (!row_open_) {
    if (has_any_) out->push_back(',');
    has_any_ = true;
    AppendMetric(out, raw_ ? result_.raw[row_].labels : result_.frame.rows[row_].labels);
    if (result_.type == promql::ValueType::kVector) {
      out->append(R"(,"value":)");
      AppendSample(out, result_.grid.TimeMs(0), result_.frame.RowValues(row_)[0]);
      out->push_back('}');
      return true;
    }
    out->append(R"(,"values":[)");
    row_open_ = true;
  }
  if (!(raw_ ? WriteRawValues(out, bytes_min) : WriteMatrixValues(out, bytes_min))) return false;
  out->append("]}");
  return true;
}

bool ResultText::WriteRawValues(std::string* out, size_t bytes_min) {
  const run::RawSeries& series = result_.raw[row_];
  for (; at_ < series.times_ms.size(); ++at_) {
    if (out->size() >= bytes_min) return false;
    if (at_ > 0) out->push_back(',');
    AppendSample(out, series.times_ms[at_], series.values[at_]);
  }
  return true;
}

void ResultText::WriteStepTexts() {
  static_assert(kTimestampBytesMax + std::string_view("[,\"").size() <= StepText::kMax);
  step_texts_.resize(result_.frame.steps);
  for (size_t step = 0; step < step_texts_.size(); ++step) {
    StepText& out = step_texts_[step];
    char* at = out.text;
    *at++ = '[';
    at = WriteTimestampMs(at, result_.grid.TimeMs(step));
    *at++ = ',';
    *at++ = '"';
    out.size = static_cast<uint8_t>(at - out.text);
  }
}

bool ResultText::WriteMatrixValues(std::string* out, size_t bytes_min) {
  if (step_texts_.empty()) WriteStepTexts();
  const frame::Frame& frame = result_.frame;
  const std::span<const double> values = frame.RowValues(row_);
  const std::span<const uint8_t> present = frame.RowPresent(row_);
  // Samples go to `out` some at a time.
  constexpr size_t kSampleBytesMax = sizeof(StepText) + kFloatBytesMax + 3;
  char buffer[4096];
  char* to = buffer;
  for (; at_ < values.size(); ++at_) {
    if (present[at_] == 0) continue;
    if (out->size() + static_cast<size_t>(to - buffer) >= bytes_min) break;
    if (to + kSampleBytesMax > buffer + sizeof(buffer)) {
      out->append(buffer, to);
      to = buffer;
    }
    if (row_has_any_) *to++ = ',';
    row_has_any_ = true;
    const StepText& step = step_texts_[at_];
    std::memcpy(to, step.text, sizeof(step.text));
    to = WriteFloat(to + step.size, values[at_]);
    *to++ = '"';
    *to++ = ']';
  }
  out->append(buffer, to);
  return at_ == values.size();
}

}  // namespace tidemark::query::api
