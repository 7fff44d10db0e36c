#include "clients/sink/line_protocol_text.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <iterator>

#include "storage/model/series_key.h"

namespace tidemark::sink {
namespace {

void AppendEscaped(std::string_view text, std::string_view special, std::string* out) {
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out->push_back('\\');
    out->push_back(c);
  }
}

void AppendQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  AppendEscaped(text, "\"\\", out);
  out->push_back('"');
}

// False for a value that line protocol cannot carry.
bool AppendValue(const model::Batch& batch, model::FieldType type, size_t index, std::string* out) {
  const int64_t value = batch.values[index];
  switch (type) {
    case model::FieldType::kFloat: {
      const double number = model::FloatOf(value, batch.scales[index]);
      if (!std::isfinite(number)) return false;
      fmt::format_to(std::back_inserter(*out), "{}", number);
      return true;
    }
    case model::FieldType::kInt: fmt::format_to(std::back_inserter(*out), "{}i", value); return true;
    case model::FieldType::kUInt:
      fmt::format_to(std::back_inserter(*out), "{}u", std::bit_cast<uint64_t>(value));
      return true;
    case model::FieldType::kBool: *out += value != 0 ? "true" : "false"; return true;
    case model::FieldType::kString: AppendQuoted(batch.strings[static_cast<size_t>(value)], out); return true;
  }
  return false;
}

}  // namespace

Result<void> AppendLineProtocol(const model::Batch& batch, std::string* out) {
  Arena arena;
  for (const model::Row& row : batch.rows) {
    const size_t begin = out->size();
    TM_TRY_ASSIGN(const model::ParsedKey key, model::ParseSeriesKey(row.key.format, row.key.bytes, &arena));
    AppendEscaped(key.measurement, ", ", out);
    for (const model::LabelView& tag : key.tags) {
      out->push_back(',');
      AppendEscaped(tag.name, ",= ", out);
      out->push_back('=');
      AppendEscaped(tag.value, ",= ", out);
    }
    char separator = ' ';
    const model::Shape& shape = batch.shapes[row.shape];
    for (size_t f = 0; f < shape.fields.size(); ++f) {
      const size_t before = out->size();
      out->push_back(separator);
      AppendEscaped(shape.fields[f].name, ",= ", out);
      out->push_back('=');
      if (AppendValue(batch, shape.fields[f].type, row.first_value + f, out)) {
        separator = ',';
      } else {
        out->resize(before);
      }
    }
    if (separator == ' ') {
      out->resize(begin);
      continue;
    }
    fmt::format_to(std::back_inserter(*out), " {}\n", row.time.ns);
  }
  return {};
}

}  // namespace tidemark::sink
