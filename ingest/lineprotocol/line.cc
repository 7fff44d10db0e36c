#include "ingest/lineprotocol/line.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <numeric>
#include <system_error>

#include "ingest/lineprotocol/reserved_tag.h"
#include "ingest/lineprotocol/text.h"
#include "storage/base/utf8.h"
#include "storage/model/series_key.h"
#include "storage/model/timestamp.h"

namespace tidemark::lineprotocol {
namespace {

constexpr std::string_view kReservedField = "time";

bool IsControl(char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; }
bool EndsNumber(char c) { return c == ',' || c == ' ' || c == '\r' || c == '\n'; }

// The parts of a line that end at certain bytes, and in which a backslash escapes some of those.
enum Part : uint8_t { kMeasurement = 1, kName = 2, kTagValue = 4 };
constexpr uint8_t kBackslash = 8;

// For each byte the parts that it ends.
constexpr std::array<uint8_t, 256> kEnds = [] {
  std::array<uint8_t, 256> ends{};
  for (size_t c = 0; c < 0x20; ++c) ends[c] = kMeasurement | kName;
  ends[0x7F] = kMeasurement | kName;
  ends['\r'] = ends['\n'] = kMeasurement | kName | kTagValue;
  ends[','] = ends[' '] = kMeasurement | kName | kTagValue;
  ends['='] = kName | kTagValue;
  ends['\\'] = kBackslash;
  return ends;
}();

struct Token {
  const char* end;
  bool utf8;
};

// The token of kind `part` at `at`, up to a byte that ends it and is not escaped, or `end`.
Token ReadToken(const char* at, const char* end, Part part) {
  const char* const begin = at;
  const std::string_view escapable = part == kMeasurement ? model::kMeasurementEscapes : model::kTagEscapes;
  uint8_t seen = 0;
  for (; at < end; ++at) {
    const auto byte = static_cast<uint8_t>(*at);
    const uint8_t ends = kEnds[byte] & (part | kBackslash);
    if (ends != 0) {
      if (ends != kBackslash) break;
      if (at + 1 < end && escapable.contains(at[1])) ++at;
    }
    seen |= byte;
  }
  return {at, seen < 0x80 || IsUtf8({begin, static_cast<size_t>(at - begin)})};
}

std::string_view Between(const char* begin, const char* end) { return {begin, static_cast<size_t>(end - begin)}; }

// True when a line ends at `at`: at the end of the input, at "\n", "\r\n", or at a '\r' that is the last byte.
bool IsLineEnd(const char* at, const char* end) {
  if (at == end || *at == '\n') return true;
  return *at == '\r' && (at + 1 == end || at[1] == '\n');
}

Problem At(const char* at, std::string reason) { return {at, at, std::move(reason)}; }

std::string ControlReason(char c, std::string_view where) {
  return fmt::format("invalid character 0x{:02x} in {}", static_cast<uint8_t>(c), where);
}

}  // namespace

std::string ReasonOf(NumberError error, std::string_view token) {
  switch (error) {
    case NumberError::kNone:
    case NumberError::kInvalidNumber: break;
    case NumberError::kInvalidFloat: return "invalid float";
    case NumberError::kIntRange:
      token.remove_suffix(1);
      return fmt::format("unable to parse integer {0}: strconv.ParseInt: parsing \"{0}\": value out of range", token);
    case NumberError::kUIntRange:
      token.remove_suffix(1);
      return fmt::format("unable to parse unsigned {0}: strconv.ParseUint: parsing \"{0}\": value out of range", token);
  }
  return "invalid number";
}

model::Timestamp Truncate(model::Timestamp time, Precision precision) {
  const auto unit = static_cast<int64_t>(precision);
  int64_t rest = time.ns % unit;
  if (rest < 0) rest += unit;
  // Truncating the first hours of the range would leave it.
  if (time.ns < model::kMinTime.ns + rest) return time;
  return {time.ns - rest};
}

std::optional<int64_t> ParseTime(std::string_view text, Precision precision, std::string* reason) {
  int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ptr != text.data() + text.size() || result.ec == std::errc::invalid_argument) {
    *reason = "bad timestamp";
    return std::nullopt;
  }
  if (result.ec == std::errc::result_out_of_range) {
    *reason = fmt::format("strconv.ParseInt: parsing \"{}\": value out of range", text);
    return std::nullopt;
  }
  int64_t ns = 0;
  if (__builtin_mul_overflow(value, static_cast<int64_t>(precision), &ns) || ns < model::kMinTime.ns ||
      ns > model::kMaxTime.ns) {
    *reason = fmt::format("time outside range {} - {}", model::kMinTime.ns, model::kMaxTime.ns);
    return std::nullopt;
  }
  return ns;
}

LineStart SkipToLine(const char* at, const char* end) {
  LineStart start{LineStart::Kind::kEnd, at};
  while (true) {
    while (at < end && *at == ' ') ++at;
    const char* const first = at;
    if (at < end && *at == '#') {
      while (at < end && (!IsControl(*at) || *at == '\t')) ++at;
    }
    if (at == end) {
      start.at = at;
      return start;
    }
    if (!IsLineEnd(at, end)) {
      start.kind = *first == '#' ? LineStart::Kind::kProblem : LineStart::Kind::kLine;
      start.at = first;
      start.problem = at;
      return start;
    }
    if (*at == '\r') ++at;
    if (at == end) continue;
    ++at;
    ++start.newlines;
  }
}

const char* NextLine(const char* at, const char* end) {
  const void* const newline = at == end ? nullptr : std::memchr(at, '\n', static_cast<size_t>(end - at));
  return newline == nullptr ? end : static_cast<const char*>(newline) + 1;
}

bool LineReader::AtLineEnd() const { return IsLineEnd(at_, end_); }

std::optional<Problem> LineReader::ReadKey(const char* at, const char* end, Line* line) {
  const char* const begin = at;
  const Token measurement = ReadToken(at, end, kMeasurement);
  at = measurement.end;
  if (at == begin) {
    return At(at, at == end || *at == ',' ? "missing measurement" : ControlReason(*at, "measurement"));
  }
  if (!measurement.utf8) return At(begin, "invalid UTF-8 in measurement");
  line->measurement_size = static_cast<size_t>(at - begin);
  if (IsLineEnd(at, end)) return At(at, "missing fields");
  if (IsControl(*at)) return At(at, ControlReason(*at, "measurement"));
  names_.clear();
  while (*at == ',') {
    const char* const name = at + 1;
    const Token name_token = ReadToken(name, end, kName);
    at = name_token.end;
    if (at == name && (IsLineEnd(at, end) || !IsControl(*at))) return At(name, "missing tag key");
    if (!IsLineEnd(at, end) && IsControl(*at)) return At(at, ControlReason(*at, "tag key"));
    if (!name_token.utf8) return At(name, "invalid UTF-8 in tag key");
    if (at == end || *at != '=') return At(at, "missing tag value");
    names_.push_back(Between(name, at));
    if (names_.back() == kReservedTag) return At(name, kReservedTagReason);
    const char* const value = at + 1;
    const Token value_token = ReadToken(value, end, kTagValue);
    at = value_token.end;
    if (at < end && *at == '=') return At(at, "invalid tag format");
    if (at == value) return At(value, "missing tag value");
    if (!value_token.utf8) return At(value, "invalid UTF-8 in tag value");
    if (IsLineEnd(at, end)) return At(at, "missing fields");
    if (*at == '\r') return At(at, ControlReason(*at, "tag value"));
  }
  line->key = Between(begin, at);
  // Names are compared as written: without escapes that were not needed, which do not exist, spellings are unique.
  const bool ascending = std::adjacent_find(names_.begin(), names_.end(), std::greater_equal<>()) == names_.end();
  if (!ascending) {
    std::sort(names_.begin(), names_.end(), [](std::string_view a, std::string_view b) {
      return a != b ? a < b : std::less<>()(a.data(), b.data());
    });
    const auto twice = std::adjacent_find(names_.begin(), names_.end());
    if (twice != names_.end()) return Problem{twice[1].data(), at, "duplicate tags"};
  }
  return std::nullopt;
}

std::optional<Problem> LineReader::Read(const char* at, const char* end, const ParseOptions& options, Line* line) {
  end_ = end;
  line->fields.clear();
  if (std::optional<Problem> problem = ReadKey(at, end, line)) return problem;
  at_ = at + line->key.size();
  while (at_ < end_ && *at_ == ' ') ++at_;
  if (AtLineEnd()) return At(at_, "missing fields");
  while (true) {
    LineField field;
    if (std::optional<Problem> problem = ReadField(options, &field)) return problem;
    line->fields.push_back(field);
    if (at_ == end_ || *at_ != ',') break;
    ++at_;
  }
  if (std::optional<Problem> problem = ReadTime(options, line)) return problem;
  if (std::optional<Problem> problem = MergeDuplicates(line)) return problem;
  return CheckSizes(at, options.limits, *line);
}

std::optional<Problem> LineReader::CheckSizes(const char* begin, const Limits& limits, const Line& line) const {
  const auto too_long = [&](std::string_view what, size_t size, size_t limit) {
    return Problem{begin, at_, fmt::format("max {} length exceeded: {} > {}", what, size, limit)};
  };
  if (line.key.size() > limits.max_key_bytes) return too_long("key", line.key.size(), limits.max_key_bytes);
  for (const LineField& field : line.fields) {
    const size_t size = line.key.size() + kKeySeparatorBytes + field.raw_name.size();
    if (size > limits.max_key_bytes) return too_long("key", size, limits.max_key_bytes);
  }
  const auto line_bytes = static_cast<size_t>(at_ - begin);
  if (line_bytes > limits.max_line_bytes) return too_long("line", line_bytes, limits.max_line_bytes);
  return std::nullopt;
}

std::optional<Problem> LineReader::ReadField(const ParseOptions& options, LineField* field) {
  const char* const name = at_;
  const Token name_token = ReadToken(at_, end_, kName);
  at_ = name_token.end;
  field->raw_name = Between(name, at_);
  if (!AtLineEnd() && IsControl(*at_)) return At(at_, ControlReason(*at_, "field key"));
  if (at_ == name) return At(at_, at_ < end_ && *at_ == '=' ? "missing field key" : "invalid field format");
  if (!name_token.utf8) return At(name, "invalid UTF-8 in field key");
  if (at_ == end_ || *at_ != '=') return At(at_, "invalid field format");
  ++at_;
  if (AtLineEnd() || *at_ == ',' || *at_ == ' ') return At(at_, "missing field value");
  if (*at_ == '"') return ReadString(options, field);

  const char* const value = at_;
  at_ = std::find_if(at_, end_, EndsNumber);
  const std::string_view token = Between(value, at_);
  const char first = token.empty() ? '\r' : token.front();
  if ((first >= '0' && first <= '9') || first == '-' || first == '.') {
    field->number = ParseNumber(token);
    if (field->number.error == NumberError::kNone) return std::nullopt;
    return At(value, ReasonOf(field->number.error, token));
  }
  // InfluxDB takes what starts like NaN for a number and everything else for a boolean.
  if (first == 'N' || first == 'n') return At(value, "invalid number");
  const bool yes = token == "t" || token == "T" || token == "true" || token == "True" || token == "TRUE";
  const bool no = token == "f" || token == "F" || token == "false" || token == "False" || token == "FALSE";
  if (!yes && !no) return At(value, "invalid boolean");
  field->number.type = model::FieldType::kBool;
  field->number.value = yes ? 1 : 0;
  return std::nullopt;
}

std::optional<Problem> LineReader::ReadString(const ParseOptions& options, LineField* field) {
  const char* const quote = at_;
  const char* const text = at_ + 1;
  bool escaped = false;
  bool ascii = true;
  at_ = text;
  while (true) {
    const StringStop stop = FindStringStop(at_, end_);
    ascii = ascii && stop.ascii;
    at_ = stop.at;
    if (at_ == end_) return Problem{quote, text, "unbalanced quotes"};
    if (*at_ == '"') break;
    const bool escape = at_ + 1 < end_ && (at_[1] == '"' || at_[1] == '\\');
    escaped = escaped || escape;
    at_ += escape ? 2 : 1;
  }
  field->number.type = model::FieldType::kString;
  field->text = Between(text, at_);
  ++at_;
  if (!ascii && !IsUtf8(field->text)) return Problem{text, at_, "invalid UTF-8 in string"};
  if (!AtLineEnd() && !EndsNumber(*at_)) return At(at_, "invalid field format");
  if (escaped) field->text = model::UnescapeLineProtocol(field->text, "\"\\", arena_);
  if (field->text.size() > options.limits.max_string_bytes) {
    return Problem{quote, at_,
                   fmt::format("string value of {} bytes exceeds the limit of {}", field->text.size(),
                               options.limits.max_string_bytes)};
  }
  return std::nullopt;
}

std::optional<Problem> LineReader::ReadTime(const ParseOptions& options, Line* line) {
  const auto skip_spaces = [this] {
    while (at_ < end_ && *at_ == ' ') ++at_;
  };
  skip_spaces();
  if (AtLineEnd()) {
    line->time = Truncate(options.default_time, options.precision);
  } else {
    const char* const begin = at_;
    at_ = std::find_if(at_, end_, EndsNumber);
    const std::string_view text = Between(begin, at_);
    std::string reason;
    const std::optional<int64_t> ns = ParseTime(text, options.precision, &reason);
    if (!ns.has_value()) return Problem{begin, at_, std::move(reason)};
    line->time.ns = *ns;
    skip_spaces();
    if (!AtLineEnd()) return At(at_, "point is invalid");
  }
  line->next = NextLine(at_, end_);
  return std::nullopt;
}

std::optional<Problem> LineReader::MergeDuplicates(Line* line) {
  std::vector<LineField>& fields = line->fields;
  for (const LineField& field : fields) {
    if (field.raw_name == kReservedField) {
      Arena scratch(64);
      return Problem{
          field.raw_name.data(), at_,
          fmt::format("invalid field name: input field \"time\" on measurement \"{}\" is invalid",
                      model::UnescapeLineProtocol(line->raw_measurement(), model::kMeasurementEscapes, &scratch))};
    }
  }
  order_.resize(fields.size());
  std::iota(order_.begin(), order_.end(), 0U);
  std::sort(order_.begin(), order_.end(), [&fields](uint32_t a, uint32_t b) {
    return fields[a].raw_name != fields[b].raw_name ? fields[a].raw_name < fields[b].raw_name : a < b;
  });
  bool any = false;
  for (size_t i = 0; i + 1 < order_.size();) {
    LineField& first = fields[order_[i]];
    for (++i; i < order_.size() && fields[order_[i]].raw_name == first.raw_name; ++i) {
      LineField& later = fields[order_[i]];
      first.number = later.number;
      first.text = later.text;
      later.raw_name = {};
      any = true;
    }
  }
  if (any) std::erase_if(fields, [](const LineField& field) { return field.raw_name.empty(); });
  return std::nullopt;
}

}  // namespace tidemark::lineprotocol
