#include "ingest/lineprotocol/reference_parser.h"

#include <fmt/core.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <set>

#include "ingest/lineprotocol/reserved_tag.h"
#include "storage/base/check.h"
#include "storage/model/series_key.h"

namespace tidemark::lineprotocol {
namespace {

using model::FieldType;

struct BadLine {
  size_t at;
  size_t resume;
  std::string reason;
};

bool OneOf(char c, std::string_view set) { return set.find(c) != set.npos; }
bool IsControl(char c) { return (c >= 0 && c < ' ') || c == '\x7F'; }

bool ValidUtf8(const std::string& text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t k) -> uint32_t { return i + k < text.size() ? static_cast<uint8_t>(text[i + k]) : 0; };
    const size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xC0 ? 0 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
    if (length == 0 || byte(0) > 0xF7) return false;
    uint32_t code = length == 1 ? byte(0) : byte(0) & (0x7FU >> length);
    for (size_t k = 1; k < length; ++k) {
      if ((byte(k) & 0xC0) != 0x80) return false;
      code = code << 6 | (byte(k) & 0x3F);
    }
    constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

class Reader {
 public:
  Reader(std::string_view body, const ParseOptions& options) : body_(body), options_(options) {}

  ReferenceResult ReadAll() {
    while (true) {
      SkipBlank();
      if (at_ == body_.size()) return std::move(result_);
      const size_t start = at_;
      ReferenceRow row;
      if (!ReadRow(&row)) {
        Report(start);
        continue;
      }
      result_.rows.push_back(std::move(row));
      ++result_.report.lines_ok;
      if (Peek() == '\r') ++at_;
      if (!AtEnd()) ++at_;
    }
  }

 private:
  // 0 at the end of the input.
  [[nodiscard]] char Peek(size_t ahead = 0) const { return at_ + ahead < body_.size() ? body_[at_ + ahead] : '\0'; }
  [[nodiscard]] bool AtEnd() const { return at_ == body_.size(); }
  [[nodiscard]] bool AtLineEnd() const {
    if (AtEnd() || Peek() == '\n') return true;
    return Peek() == '\r' && (at_ + 1 == body_.size() || Peek(1) == '\n');
  }

  // All functions that read return false when the line is bad, and have said so in bad_.
  bool Fail(std::string reason) { return FailAt(at_, std::move(reason)); }
  bool FailAt(size_t at, std::string reason) {
    bad_ = {at, at_, std::move(reason)};
    return false;
  }
  bool FailControl(std::string_view where) {
    return Fail(fmt::format("invalid character 0x{:02x} in {}", static_cast<uint8_t>(Peek()), where));
  }

  void SkipBlank() {
    while (!AtEnd()) {
      if (Peek() == ' ') {
        ++at_;
      } else if (Peek() == '#') {
        const size_t start = at_;
        while (!AtEnd() && (!IsControl(Peek()) || Peek() == '\t')) ++at_;
        if (!AtLineEnd()) {
          FailControl("comment");
          Report(start);
        }
      } else if (AtLineEnd()) {
        ++at_;
      } else {
        return;
      }
    }
  }

  void Report(size_t start) {
    const BadLine& bad = bad_;
    size_t end = body_.find('\n', bad.resume);
    at_ = end == body_.npos ? body_.size() : end + 1;
    if (end == body_.npos) end = body_.size();
    ++result_.report.lines_bad;
    if (result_.report.errors.size() >= options_.limits.max_errors) return;
    if (end > start && body_[end - 1] == '\r') --end;
    std::string text(body_.substr(start, end - start));
    const size_t limit = options_.limits.max_error_text_bytes;
    if (text.size() > limit) {
      size_t size = limit;
      for (int i = 0; i < 3 && size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80; ++i) --size;
      text = text.substr(0, size) + "...";
    }
    const size_t newline = bad.at == 0 ? body_.npos : body_.rfind('\n', bad.at - 1);
    const size_t column = newline == body_.npos ? bad.at + 1 : bad.at - newline;
    result_.report.errors.push_back({LineNumber(bad.at), static_cast<uint32_t>(column), bad.reason, text});
  }

  // Calls come with rising positions.
  uint32_t LineNumber(size_t at) {
    for (; counted_ < at; ++counted_) line_ += body_[counted_] == '\n' ? 1 : 0;
    return line_;
  }

  // A token up to an unescaped byte of `stops`, unescaped.
  std::string Token(std::string_view escapable, std::string_view stops, bool controls_stop) {
    std::string token;
    while (!AtEnd()) {
      if (Peek() == '\\' && at_ + 1 < body_.size() && OneOf(Peek(1), escapable)) {
        token += Peek(1);
        at_ += 2;
      } else if (OneOf(Peek(), stops) || (controls_stop && IsControl(Peek()))) {
        break;
      } else {
        token += Peek();
        ++at_;
      }
    }
    return token;
  }

  bool ReadRow(ReferenceRow* out) {
    const size_t start = at_;
    ReferenceRow& row = *out;
    row.line = LineNumber(start);
    row.measurement = Token(", ", ", ", true);
    if (row.measurement.empty()) {
      if (Peek() == ',') return Fail("missing measurement");
      return FailControl("measurement");
    }
    if (!ValidUtf8(row.measurement)) return FailAt(start, "invalid UTF-8 in measurement");
    if (AtLineEnd()) return Fail("missing fields");
    if (IsControl(Peek())) return FailControl("measurement");
    if (!ReadTags(&row)) return false;
    row.key = body_.substr(start, at_ - start);
    while (Peek() == ' ') ++at_;
    if (AtLineEnd()) return Fail("missing fields");
    const size_t fields_start = at_;
    return ReadFields(&row) && ReadTime(&row) && CheckTimeField(row, fields_start) && CheckSizes(row, start);
  }

  bool ReadTags(ReferenceRow* row) {
    std::map<std::string, std::vector<size_t>> places;
    while (Peek() == ',') {
      ++at_;
      const size_t name_at = at_;
      const std::string name = Token(",= ", ",= ", true);
      if (name.empty() && (AtLineEnd() || !IsControl(Peek()))) return Fail("missing tag key");
      if (!AtLineEnd() && IsControl(Peek())) return FailControl("tag key");
      if (!ValidUtf8(name)) return FailAt(name_at, "invalid UTF-8 in tag key");
      if (Peek() != '=') return Fail("missing tag value");
      if (body_.substr(name_at, at_ - name_at) == kReservedTag) return FailAt(name_at, kReservedTagReason);
      ++at_;
      const size_t value_at = at_;
      const std::string value = Token(",= ", ",= \r\n", false);
      if (Peek() == '=') return Fail("invalid tag format");
      if (value.empty()) return Fail("missing tag value");
      if (!ValidUtf8(value)) return FailAt(value_at, "invalid UTF-8 in tag value");
      if (AtLineEnd()) return Fail("missing fields");
      if (Peek() == '\r') return FailControl("tag value");
      row->tags[name] = value;
      places[std::string(body_.substr(name_at, value_at - 1 - name_at))].push_back(name_at);
    }
    for (const auto& [name, where] : places) {
      if (where.size() > 1) return FailAt(where[1], "duplicate tags");
    }
    return true;
  }

  bool ReadFields(ReferenceRow* row) {
    std::map<std::string, size_t> places;
    while (true) {
      ReferenceField field;
      if (!ReadField(&field)) return false;
      const auto [place, added] = places.emplace(field.name, row->fields.size());
      if (added) {
        row->fields.push_back(std::move(field));
      } else {
        row->fields[place->second] = std::move(field);
      }
      if (Peek() != ',') return true;
      ++at_;
    }
  }

  bool ReadField(ReferenceField* out) {
    const size_t name_at = at_;
    ReferenceField& field = *out;
    field.name = Token(",= ", ",= ", true);
    if (!AtLineEnd() && IsControl(Peek())) return FailControl("field key");
    if (field.name.empty()) return Fail(Peek() == '=' ? "missing field key" : "invalid field format");
    if (!ValidUtf8(field.name)) return FailAt(name_at, "invalid UTF-8 in field key");
    if (Peek() != '=') return Fail("invalid field format");
    ++at_;
    if (AtLineEnd() || Peek() == ',' || Peek() == ' ') return Fail("missing field value");
    if (Peek() == '"') return ReadString(&field);
    const size_t value_at = at_;
    std::string token;
    for (; !AtEnd() && !OneOf(Peek(), ", \r\n"); ++at_) token += Peek();
    const std::string reason =
        OneOf(token.empty() ? '?' : token[0], "0123456789-.") ? ReadNumber(token, &field) : ReadBool(token, &field);
    if (reason.empty()) return true;
    bad_ = {value_at, value_at, reason};
    return false;
  }

  bool ReadString(ReferenceField* field) {
    const size_t quote = at_;
    field->type = FieldType::kString;
    ++at_;
    bool closed = false;
    while (!AtEnd() && !closed) {
      if (Peek() == '\\' && (Peek(1) == '"' || Peek(1) == '\\')) {
        field->text += Peek(1);
        at_ += 2;
      } else {
        closed = Peek() == '"';
        if (!closed) field->text += Peek();
        ++at_;
      }
    }
    if (!closed) {
      bad_ = {quote, quote + 1, "unbalanced quotes"};
      return false;
    }
    if (!ValidUtf8(field->text)) return FailAt(quote + 1, "invalid UTF-8 in string");
    if (!AtEnd() && !OneOf(Peek(), ", \r\n")) return Fail("invalid field format");
    if (field->text.size() > options_.limits.max_string_bytes) {
      return FailAt(quote, fmt::format("string value of {} bytes exceeds the limit of {}", field->text.size(),
                                       options_.limits.max_string_bytes));
    }
    return true;
  }

  static std::string ReadBool(const std::string& token, ReferenceField* field) {
    static const std::set<std::string> yes = {"t", "T", "true", "True", "TRUE"};
    static const std::set<std::string> no = {"f", "F", "false", "False", "FALSE"};
    if (!token.empty() && OneOf(token[0], "Nn")) return "invalid number";
    if (!yes.contains(token) && !no.contains(token)) return "invalid boolean";
    field->type = FieldType::kBool;
    field->value = yes.contains(token) ? 1 : 0;
    return "";
  }

  static bool AllDigits(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  }

  static std::string ReadNumber(const std::string& token, ReferenceField* field) {
    const bool negative = token[0] == '-';
    const std::string number = token.substr(0, token.size() - 1);
    if (token.back() == 'i') {
      field->type = FieldType::kInt;
      if (!AllDigits(number.substr(std::min<size_t>(negative ? 1 : 0, number.size())))) return "invalid number";
      errno = 0;
      field->value = std::strtoll(number.c_str(), nullptr, 10);
      if (errno == 0) return "";
      return fmt::format("unable to parse integer {0}: strconv.ParseInt: parsing \"{0}\": value out of range", number);
    }
    if (token.back() == 'u') {
      field->type = FieldType::kUInt;
      if (!AllDigits(number)) return "invalid number";
      errno = 0;
      field->value = static_cast<int64_t>(std::strtoull(number.c_str(), nullptr, 10));
      if (errno == 0) return "";
      return fmt::format("unable to parse unsigned {0}: strconv.ParseUint: parsing \"{0}\": value out of range",
                         number);
    }
    return ReadFloat(token, negative, field);
  }

  static std::string ReadFloat(const std::string& token, bool negative, ReferenceField* field) {
    std::string rest = token.substr(negative ? 1 : 0);
    std::string exponent_text;
    const size_t e = rest.find_first_of("eE");
    if (e != rest.npos) {
      exponent_text = rest.substr(e + 1);
      rest.resize(e);
      std::string digits = exponent_text;
      if (!digits.empty() && OneOf(digits[0], "+-")) digits.erase(0, 1);
      const size_t point = rest.find('.');
      std::string mantissa = rest;
      if (point != rest.npos) mantissa.erase(point, 1);
      if (!AllDigits(mantissa)) return "invalid number";
      if (digits.empty()) return "invalid float";
      if (!AllDigits(digits)) return "invalid number";
    }
    int64_t scale = 0;
    const size_t point = rest.find('.');
    if (point != rest.npos) {
      scale = static_cast<int64_t>(rest.size() - point - 1);
      rest.erase(point, 1);
    }
    if (!AllDigits(rest)) return "invalid number";
    rest.erase(0, std::min(rest.find_first_not_of('0'), rest.size()));
    // An exponent of ten digits is as good as any longer one.
    while (exponent_text.size() > 11) {
      const size_t sign = OneOf(exponent_text[0], "+-") ? 1 : 0;
      if (exponent_text[sign] == '0') {
        exponent_text.erase(sign, 1);
      } else {
        exponent_text.resize(11);
      }
    }
    const int64_t exponent = exponent_text.empty() ? 0 : std::atoll(exponent_text.c_str());
    scale -= exponent;
    if (rest.empty() && scale < 0) scale = 0;
    while (!rest.empty() && scale < 0 && rest.size() < 17) {
      rest += '0';
      ++scale;
    }
    const bool zero = rest.empty();
    if (scale >= 0 && scale <= 22 && rest.size() <= 16 && !(zero && negative)) {
      const int64_t mantissa = zero ? 0 : std::atoll(rest.c_str());
      if (mantissa < (int64_t{1} << 53)) {
        field->value = negative ? -mantissa : mantissa;
        field->scale = static_cast<uint8_t>(scale);
        return "";
      }
    }
    const double value = zero ? (negative ? -0.0 : 0.0) : std::strtod(token.c_str(), nullptr);
    if (std::isinf(value)) return "invalid float";
    field->value = std::bit_cast<int64_t>(value);
    field->scale = model::kBinaryScale;
    return "";
  }

  bool ReadTime(ReferenceRow* row) {
    while (Peek() == ' ') ++at_;
    const auto unit = static_cast<int64_t>(options_.precision);
    if (AtLineEnd()) {
      const int64_t now = options_.default_time.ns;
      const int64_t beyond = now % unit < 0 ? now % unit + unit : now % unit;
      const bool leaves_range = now < 0 && now - model::kMinTime.ns < beyond;
      row->time_ns = leaves_range ? now : now - beyond;
      return true;
    }
    const size_t time_at = at_;
    std::string text;
    for (; !AtEnd() && !OneOf(Peek(), ", \r\n"); ++at_) text += Peek();
    if (!AllDigits(text.substr(text.starts_with('-') ? 1 : 0))) return FailAt(time_at, "bad timestamp");
    errno = 0;
    const int64_t value = std::strtoll(text.c_str(), nullptr, 10);
    if (errno != 0) return FailAt(time_at, fmt::format("strconv.ParseInt: parsing \"{}\": value out of range", text));
    if (value > model::kMaxTime.ns / unit || value < model::kMinTime.ns / unit) {
      return FailAt(time_at, fmt::format("time outside range {} - {}", model::kMinTime.ns, model::kMaxTime.ns));
    }
    row->time_ns = value * unit;
    while (Peek() == ' ') ++at_;
    return AtLineEnd() || Fail("point is invalid");
  }

  bool CheckTimeField(const ReferenceRow& row, size_t fields_start) {
    for (const ReferenceField& field : row.fields) {
      if (field.name != "time") continue;
      Reader again(body_, options_);
      again.at_ = fields_start;
      ReferenceField skipped;
      while (again.body_.substr(again.at_, 5) != "time=" && again.ReadField(&skipped)) ++again.at_;
      return FailAt(again.at_, fmt::format("invalid field name: input field \"time\" on measurement \"{}\" is invalid",
                                           row.measurement));
    }
    return true;
  }

  bool CheckSizes(const ReferenceRow& row, size_t start) {
    const Limits& limits = options_.limits;
    const auto fits = [&](std::string_view what, size_t size, size_t limit) {
      return size <= limit || FailAt(start, fmt::format("max {} length exceeded: {} > {}", what, size, limit));
    };
    if (!fits("key", row.key.size(), limits.max_key_bytes)) return false;
    for (const ReferenceField& field : row.fields) {
      size_t written = field.name.size();
      for (const char c : field.name) written += OneOf(c, ",= ") ? 1 : 0;
      if (!fits("key", row.key.size() + 4 + written, limits.max_key_bytes)) return false;
    }
    return fits("line", at_ - start, limits.max_line_bytes);
  }

  std::string_view body_;
  const ParseOptions& options_;
  ReferenceResult result_;
  BadLine bad_{};
  size_t at_ = 0;
  size_t counted_ = 0;
  uint32_t line_ = 1;
};

std::string Describe(const ReferenceRow& row) {
  std::string out = fmt::format("line {} key '{}' measurement '{}' tags {{", row.line, row.key, row.measurement);
  for (const auto& [name, value] : row.tags) out += fmt::format("'{}'='{}' ", name, value);
  out += "} fields {";
  for (const ReferenceField& field : row.fields) {
    out +=
        fmt::format("'{}' {} {}/{} '{}' ", field.name, model::Name(field.type), field.value, field.scale, field.text);
  }
  return out + fmt::format("}} time {}", row.time_ns);
}

}  // namespace

ReferenceResult ReferenceParse(std::string_view body, const ParseOptions& options) {
  return Reader(body, options).ReadAll();
}

ReferenceResult AsReference(const model::Batch& batch, const ParseReport& report) {
  ReferenceResult result;
  result.report = report;
  Arena arena;
  for (const model::Row& row : batch.rows) {
    TM_CHECK(row.key.hash == model::HashSeriesKey(row.key.format, row.key.bytes));
    const Result<model::ParsedKey> key = model::ParseSeriesKey(row.key.format, row.key.bytes, &arena);
    TM_CHECK(key.ok());
    const model::Shape& shape = batch.shapes[row.shape];
    TM_CHECK(shape.measurement == key->measurement);
    ReferenceRow& out = result.rows.emplace_back();
    out.line = row.line;
    out.key = row.key.bytes;
    out.measurement = key->measurement;
    for (const model::LabelView& tag : key->tags) out.tags.emplace(tag.name, tag.value);
    out.time_ns = row.time.ns;
    for (size_t i = 0; i < shape.fields.size(); ++i) {
      ReferenceField& field = out.fields.emplace_back();
      field.name = shape.fields[i].name;
      field.type = shape.fields[i].type;
      const int64_t value = batch.values[row.first_value + i];
      if (field.type == FieldType::kString) {
        field.text = batch.strings[static_cast<size_t>(value)];
      } else {
        field.value = value;
      }
      field.scale = batch.scales[row.first_value + i];
    }
  }
  return result;
}

std::string Difference(const ReferenceResult& expected, const ReferenceResult& actual) {
  for (size_t i = 0; i < std::min(expected.rows.size(), actual.rows.size()); ++i) {
    if (expected.rows[i] == actual.rows[i]) continue;
    return fmt::format("row {}\nexpected {}\nactual   {}", i, Describe(expected.rows[i]), Describe(actual.rows[i]));
  }
  const auto describe = [](const LineError& e) {
    return fmt::format("{}:{} {} '{}'", e.line, e.column, e.reason, e.text);
  };
  const std::vector<LineError>& a = expected.report.errors;
  const std::vector<LineError>& b = actual.report.errors;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (describe(a[i]) != describe(b[i])) {
      return fmt::format("error {}\nexpected {}\nactual   {}", i, describe(a[i]), describe(b[i]));
    }
  }
  const auto counts = [](const ReferenceResult& r) {
    return fmt::format("{} rows, {} good lines, {} bad lines, {} errors", r.rows.size(), r.report.lines_ok,
                       r.report.lines_bad, r.report.errors.size());
  };
  if (counts(expected) == counts(actual)) return "";
  return fmt::format("expected {}\nactual   {}", counts(expected), counts(actual));
}

}  // namespace tidemark::lineprotocol
