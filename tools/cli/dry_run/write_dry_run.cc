#include "tools/cli/dry_run/write_dry_run.h"

#include <fmt/format.h>

#include <cstdint>
#include <istream>
#include <iterator>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>

#include "storage/base/check.h"
#include "storage/base/text/count.h"
#include "storage/base/text/json_string.h"
#include "storage/model/series_key.h"
#include "tools/cli/dry_run/refusals.h"

namespace tidemark::cli {
namespace {

using lineprotocol::LineError;
using lineprotocol::ParseReport;

// A JSON string.
void AppendString(std::string* out, std::string_view text) {
  text::AppendJsonString(out, text, text::JsonStyle::kHexAll);
}

void AppendValue(std::string* out, const model::Batch& batch, model::FieldType type, size_t index) {
  const model::FieldValue value = model::ValueOf(batch, type, index);
  const auto append = std::back_inserter(*out);
  switch (type) {
    case model::FieldType::kFloat: fmt::format_to(append, "{{\"float\":{}}}", std::get<double>(value)); break;
    case model::FieldType::kInt: fmt::format_to(append, "{{\"int\":\"{}\"}}", std::get<int64_t>(value)); break;
    case model::FieldType::kUInt: fmt::format_to(append, "{{\"uint\":\"{}\"}}", std::get<uint64_t>(value)); break;
    case model::FieldType::kBool: fmt::format_to(append, "{{\"bool\":{}}}", std::get<bool>(value)); break;
    case model::FieldType::kString:
      *out += "{\"string\":";
      AppendString(out, std::get<std::string>(value));
      *out += '}';
      break;
  }
}

std::string RowAsJson(const model::Batch& batch, const model::Row& row, Arena* arena) {
  const model::Shape& shape = batch.shapes[row.shape];
  const Result<model::ParsedKey> key = model::ParseSeriesKey(row.key.format, row.key.bytes, arena);
  TM_CHECK(key.ok());  // the parser has validated it
  std::string out = fmt::format("{{\"line\":{},\"measurement\":", row.line);
  AppendString(&out, key->measurement);
  out += ",\"tags\":{";
  for (const model::LabelView& tag : key->tags) {
    if (out.back() != '{') out += ',';
    AppendString(&out, tag.name);
    out += ':';
    AppendString(&out, tag.value);
  }
  out += "},\"fields\":{";
  for (size_t i = 0; i < shape.fields.size(); ++i) {
    if (i > 0) out += ',';
    AppendString(&out, shape.fields[i].name);
    out += ':';
    AppendValue(&out, batch, shape.fields[i].type, row.first_value + i);
  }
  fmt::format_to(std::back_inserter(out), "}},\"time\":{}}}", row.time.ns);
  return out;
}

std::string ErrorAsJson(const LineError& error) {
  std::string out = fmt::format("{{\"line\":{},\"column\":{},\"error\":", error.line, error.column);
  AppendString(&out, error.reason);
  return out + '}';
}

void PrintJson(const model::Batch& batch, const ParseReport& report, std::ostream& output) {
  Arena arena;
  auto error = report.errors.begin();
  const auto print_errors_before = [&](uint32_t line) {
    for (; error != report.errors.end() && error->line < line; ++error) output << ErrorAsJson(*error) << '\n';
  };
  for (const model::Row& row : batch.rows) {
    print_errors_before(row.line);
    arena.Clear();
    output << RowAsJson(batch, row, &arena) << '\n';
  }
  print_errors_before(std::numeric_limits<uint32_t>::max());
}

}  // namespace

int WriteDryRun(std::istream& input, const DryRunOptions& options, std::ostream& output) {
  const std::string body((std::istreambuf_iterator<char>(input)), std::istreambuf_iterator<char>());
  lineprotocol::ParseOptions parse_options{.precision = options.precision, .default_time = options.default_time};
  parse_options.limits.max_errors = std::numeric_limits<size_t>::max();
  model::Batch batch;
  const ParseReport report = lineprotocol::Parse(body, parse_options, &batch);
  if (options.json) {
    PrintJson(batch, report, output);
  } else {
    Refusals refusals;
    for (const LineError& error : report.errors) {
      output << refusals.Add(
          {.file = {}, .line = error.line, .column = error.column, .reason = error.reason, .text = error.text});
    }
    output << refusals.Rest();
    output << fmt::format("{} {} good ({}), {} {} not\n", text::Counted(report.lines_ok, "line"),
                          report.lines_ok == 1 ? "is" : "are", text::Counted(batch.points(), "point"),
                          text::Grouped(report.lines_bad), report.lines_bad == 1 ? "is" : "are");
  }
  return report.lines_bad == 0 ? 0 : 1;
}

}  // namespace tidemark::cli
