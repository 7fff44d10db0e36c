#include "clients/cpp/line_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tidemark::client {
namespace {

constexpr std::string_view kMeasurementEscapes = ", ";
constexpr std::string_view kNameEscapes = ",= ";
constexpr int64_t kMantissaEnd = int64_t{1} << 53;
constexpr int kMaxScale = 22;

bool Contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// The place of the first of `stops` from `at` on that has no backslash in front of it, or the end.
size_t FindPlain(std::string_view text, size_t at, std::string_view stops, std::string_view escapable) {
  for (; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && Contains(escapable, text[at + 1])) {
      ++at;
    } else if (Contains(stops, text[at])) {
      break;
    }
  }
  return at;
}

void AppendUnescaped(std::string_view text, std::string_view escapable, std::string* out) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && Contains(escapable, text[at + 1])) ++at;
    out->push_back(text[at]);
  }
}

void AppendSized(std::string_view text, std::string* out) {
  for (size_t size = text.size();; size >>= 7) {
    if (size < 0x80) {
      out->push_back(static_cast<char>(size));
      break;
    }
    out->push_back(static_cast<char>((size & 0x7FU) | 0x80U));
  }
  *out += text;
}

template <typename T>
bool ParseWhole(std::string_view word, T* out) {
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), *out);
  return parsed.ec == std::errc() && parsed.ptr == word.data() + word.size();
}

// Digits with a dot in them, or without: as a mantissa and a scale, where both are in their range.
bool ParseDecimal(std::string_view word, int64_t* mantissa, uint8_t* scale) {
  const bool negative = word.starts_with('-');
  if (negative) word.remove_prefix(1);
  int64_t number = 0;
  int places = -1;
  bool digits = false;
  for (const char c : word) {
    if (c == '.' && places < 0) {
      places = 0;
      continue;
    }
    if (c < '0' || c > '9') return false;
    digits = true;
    number = number * 10 + (c - '0');
    if (number >= kMantissaEnd) return false;
    if (places >= 0 && ++places > kMaxScale) return false;
  }
  // Negative zero is a double of its own.
  if (!digits || (negative && number == 0)) return false;
  *mantissa = negative ? -number : number;
  *scale = static_cast<uint8_t>(std::max(places, 0));
  return true;
}

}  // namespace

std::string_view LineReader::Unescape(std::string_view text, std::string_view escapable) {
  if (text.find('\\') == std::string_view::npos) return text;
  if (kept_size_ == kept_.size()) kept_.emplace_back();
  std::string& out = kept_[kept_size_++];
  out.clear();
  AppendUnescaped(text, escapable, &out);
  return out;
}

bool LineReader::ReadNumber(std::string_view word, LineField* field) {
  if (word.empty()) return false;
  if (word.back() == 'i') {
    field->type = LineField::Type::kInt;
    return ParseWhole(word.substr(0, word.size() - 1), &field->number);
  }
  if (word.back() == 'u') {
    uint64_t number = 0;
    field->type = LineField::Type::kUInt;
    if (!ParseWhole(word.substr(0, word.size() - 1), &number)) return false;
    field->number = static_cast<int64_t>(number);
    return true;
  }
  const char first = word.front();
  if (first == 't' || first == 'T' || first == 'f' || first == 'F') {
    constexpr std::string_view kWords[] = {"t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"};
    field->type = LineField::Type::kBool;
    field->number = first == 't' || first == 'T' ? 1 : 0;
    return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
  }
  if ((first < '0' || first > '9') && first != '-' && first != '.') return false;
  const bool decimal = ParseDecimal(word, &field->number, &field->scale);
  field->type = decimal ? LineField::Type::kDecimal : LineField::Type::kDouble;
  // "inf" and "nan" begin with none of the above.
  return ParseWhole(word, &field->real);
}

bool LineReader::ReadString(std::string_view text, size_t* at, LineField* field) {
  const size_t begin = ++*at;
  for (; *at < text.size() && text[*at] != '"'; ++*at) {
    if (text[*at] == '\\' && *at + 1 < text.size() && Contains("\"\\", text[*at + 1])) ++*at;
  }
  if (*at >= text.size()) return false;
  field->type = LineField::Type::kString;
  field->text = Unescape(text.substr(begin, *at - begin), "\"\\");
  ++*at;
  return true;
}

bool LineReader::ReadField(std::string_view text, size_t* at, LineField* field) {
  const size_t equals = FindPlain(text, *at, ",= ", kNameEscapes);
  if (equals == *at || equals >= text.size() || text[equals] != '=') return false;
  field->name = Unescape(text.substr(*at, equals - *at), kNameEscapes);
  *at = equals + 1;
  if (*at < text.size() && text[*at] == '"') return ReadString(text, at, field);
  const size_t end = std::min(text.find_first_of(", ", *at), text.size());
  const std::string_view word = text.substr(*at, end - *at);
  *at = end;
  return ReadNumber(word, field);
}

bool LineReader::Read(std::string_view text, Line* line) {
  line->fields.clear();
  kept_size_ = 0;
  const size_t series_end = FindPlain(text, 0, " ", kNameEscapes);
  if (series_end == 0 || series_end >= text.size() || text.front() == '#' || text.front() == ' ') return false;
  line->series = text.substr(0, series_end);
  size_t at = series_end + 1;
  while (true) {
    LineField& field = line->fields.emplace_back();
    if (!ReadField(text, &at, &field)) return false;
    if (at >= text.size()) return false;
    if (text[at] == ' ') break;
    if (text[at] != ',') return false;
    ++at;
  }
  return ParseWhole(text.substr(at + 1), &line->time_ns);
}

bool LineReader::CanonicalKey(std::string_view series, std::string* key) {
  key->clear();
  size_t at = FindPlain(series, 0, ",", kMeasurementEscapes);
  if (at == 0) return false;
  std::string measurement;
  AppendUnescaped(series.substr(0, at), kMeasurementEscapes, &measurement);
  std::vector<std::pair<std::string, std::string>> tags;
  while (at < series.size()) {
    const size_t name = at + 1;
    const size_t equals = FindPlain(series, name, ",=", kNameEscapes);
    if (equals == name || equals >= series.size() || series[equals] != '=') return false;
    at = FindPlain(series, equals + 1, ",=", kNameEscapes);
    if (at == equals + 1 || (at < series.size() && series[at] != ',')) return false;
    auto& tag = tags.emplace_back();
    AppendUnescaped(series.substr(name, equals - name), kNameEscapes, &tag.first);
    AppendUnescaped(series.substr(equals + 1, at - equals - 1), kNameEscapes, &tag.second);
  }
  std::sort(tags.begin(), tags.end());
  const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(tags.begin(), tags.end(), same_name) != tags.end()) return false;
  AppendSized(measurement, key);
  for (const auto& [name, value] : tags) {
    AppendSized(name, key);
    AppendSized(value, key);
  }
  return true;
}

}  // namespace tidemark::client
