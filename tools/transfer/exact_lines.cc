#include "tools/transfer/exact_lines.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "storage/base/text/json_string.h"
#include "tools/transfer/value_text.h"

namespace tidemark::transfer {
namespace {

namespace json = simdjson::ondemand;
using model::FieldType;

// Of a value's text as it stands in the JSON.
std::string_view Token(json::value* value) {
  std::string_view token = value->raw_json_token();
  while (!token.empty() && (token.back() == ' ' || token.back() == '\t' || token.back() == '\r')) {
    token.remove_suffix(1);
  }
  return token;
}

Error Wrong(std::string_view what) { return InvalidArgument(std::string(what)); }

Result<std::string> StringOf(json::value* value, std::string_view key) {
  std::string_view text;
  if (value->get_string().get(text) != simdjson::SUCCESS) return Wrong(fmt::format("\"{}\" is no text", key));
  return std::string(text);
}

Result<uint64_t> CountOf(json::value* value, std::string_view key) {
  uint64_t count = 0;
  if (value->get_uint64().get(count) != simdjson::SUCCESS) return Wrong(fmt::format("\"{}\" is no number", key));
  return count;
}

Status ReadLabels(json::value* value, Piece* piece) {
  json::object object;
  if (value->get_object().get(object) != simdjson::SUCCESS) return Wrong("\"labels\" is no object of texts");
  piece->tags.clear();
  for (auto field : object) {
    std::string_view name;
    std::string_view text;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) return Wrong("\"labels\" is no object of texts");
    std::string own(name);
    if (field.value().get_string().get(text) != simdjson::SUCCESS) {
      return Wrong(fmt::format("the label \"{}\" is no text", own));
    }
    if (!text.empty()) piece->tags.push_back({std::move(own), std::string(text)});
  }
  std::sort(piece->tags.begin(), piece->tags.end());
  const auto same = std::adjacent_find(piece->tags.begin(), piece->tags.end(),
                                       [](const auto& a, const auto& b) { return a.name == b.name; });
  if (same != piece->tags.end()) return Wrong(fmt::format("the label \"{}\" is there twice", same->name));
  return {};
}

Status ReadTimes(json::value* value, Piece* piece) {
  json::array array;
  if (value->get_array().get(array) != simdjson::SUCCESS) return Wrong("\"times_ns\" is no array");
  for (auto element : array) {
    int64_t ns = 0;
    if (element.get_int64().get(ns) != simdjson::SUCCESS) {
      return Wrong(fmt::format("time {} is no whole number of nanoseconds", piece->times_ns.size() + 1));
    }
    piece->times_ns.push_back(ns);
  }
  return {};
}

Status ReadValue(json::value* value, Piece* piece) {
  const size_t number = piece->bits.size() + piece->strings.size() + 1;
  std::string_view token = Token(value);
  if (token.starts_with('"')) {
    if (value->get_string().get(token) != simdjson::SUCCESS) return Wrong(fmt::format("value {} is no text", number));
    if (piece->is_text()) {
      piece->strings.emplace_back(token);
      return {};
    }
  }
  const std::optional<uint64_t> bits = ParseValue(piece->type, token);
  if (!bits) return Wrong(fmt::format("value {}, {}, is no {}", number, token, model::Name(piece->type)));
  piece->bits.push_back(*bits);
  return {};
}

Status ReadValues(json::value* value, Piece* piece) {
  json::array array;
  if (value->get_array().get(array) != simdjson::SUCCESS) return Wrong("\"values\" is no array");
  for (auto element : array) {
    json::value one;
    if (element.get(one) != simdjson::SUCCESS) return Wrong("\"values\" is no array");
    TM_RETURN_IF_ERROR(ReadValue(&one, piece));
  }
  return {};
}

Status ReadEnd(json::value* value, ExportEnd* end) {
  json::object object;
  if (value->get_object().get(object) != simdjson::SUCCESS) return Wrong("\"end\" is no object");
  for (auto field : object) {
    std::string_view key;
    json::value one;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(one) != simdjson::SUCCESS) {
      return Wrong("\"end\" is no object");
    }
    if (key == "series") {
      TM_TRY_ASSIGN(end->series, CountOf(&one, "series"));
    } else if (key == "rows") {
      TM_TRY_ASSIGN(end->rows, CountOf(&one, "rows"));
    } else if (key == "warnings") {
      json::array array;
      if (one.get_array().get(array) != simdjson::SUCCESS) return Wrong("\"warnings\" is no array");
      for (auto element : array) {
        std::string_view text;
        if (element.get_string().get(text) == simdjson::SUCCESS) end->warnings.emplace_back(text);
      }
    }
  }
  return {};
}

// What a line has said beside its values.
struct Seen {
  bool measurement = false;
  bool field = false;
  bool type = false;
  bool end = false;
};

// __name__ is the measurement where the line does not say more, and no tag.
Status SetNames(const Seen& seen, Piece* piece) {
  const auto name = std::find_if(piece->tags.begin(), piece->tags.end(),
                                 [](const model::Label& tag) { return tag.name == model::kMetricNameLabel; });
  if (seen.measurement != seen.field) return Wrong("\"measurement\" and \"field\" go together");
  if (!seen.measurement) {
    if (name == piece->tags.end()) return Wrong("\"measurement\" and \"field\" are missing, and so is __name__");
    piece->measurement = name->value;
    piece->field = model::kValueField;
  }
  if (name != piece->tags.end()) piece->tags.erase(name);
  return {};
}

}  // namespace

class LineReader::State {
 public:
  json::parser parser;
  std::string padded;
};

LineReader::LineReader() : state_(std::make_unique<State>()) {}
LineReader::~LineReader() = default;

namespace {

Status ReadKey(std::string_view key, json::value* value, Piece* piece, ExportEnd* end, Seen* seen) {
  if (key == "labels") return ReadLabels(value, piece);
  if (key == "times_ns") return ReadTimes(value, piece);
  if (key == "measurement") {
    seen->measurement = true;
    TM_TRY_ASSIGN(piece->measurement, StringOf(value, key));
  } else if (key == "field") {
    seen->field = true;
    TM_TRY_ASSIGN(piece->field, StringOf(value, key));
  } else if (key == "type") {
    TM_TRY_ASSIGN(const std::string name, StringOf(value, key));
    const std::optional<FieldType> type = ParseType(name);
    if (!type) return Wrong(fmt::format("\"{}\" is no type: float, integer, unsigned, boolean or string", name));
    piece->type = *type;
    seen->type = true;
  } else if (key == "values") {
    if (!seen->type) return Wrong("\"type\" must stand before \"values\"");
    return ReadValues(value, piece);
  } else if (key == "end") {
    seen->end = true;
    return ReadEnd(value, end);
  } else if (key == "error") {
    TM_TRY_ASSIGN(std::string text, StringOf(value, key));
    return MakeError(ErrorCode::kIo, "the export was broken off: " + text);
  } else {
    return Wrong(fmt::format("\"{}\" is no key of such a line", key));
  }
  return {};
}

}  // namespace

Result<LineReader::Kind> LineReader::Read(std::string_view line, Piece* piece, ExportEnd* end) {
  state_->padded.assign(line);
  state_->padded.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  piece->ClearValues();
  piece->tags.clear();
  json::document document;
  json::object object;
  const simdjson::padded_string_view view(state_->padded.data(), line.size(), state_->padded.capacity());
  if (state_->parser.iterate(view).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return Wrong("it is no JSON object");
  }
  Seen seen;
  for (auto field : object) {
    std::string_view key;
    json::value value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS) {
      return Wrong("it is no whole JSON object");
    }
    // Unescaping what follows would overwrite it.
    const std::string own(key);
    TM_RETURN_IF_ERROR(ReadKey(own, &value, piece, end, &seen));
  }
  // Nowhere, when all has been read.
  const char* behind = nullptr;
  if (document.current_location().get(behind) == simdjson::SUCCESS) return Wrong("something stands behind the object");
  if (seen.end) return Kind::kEnd;
  if (!seen.type) return Wrong("\"type\" is missing");
  TM_RETURN_IF_ERROR(SetNames(seen, piece));
  const size_t values = piece->bits.size() + piece->strings.size();
  if (values != piece->size()) {
    return Wrong(fmt::format("there are {} times and {} values", piece->size(), values));
  }
  return Kind::kPiece;
}

void AppendLines(const Piece& piece, std::string* out) {
  for (size_t begin = 0; begin < piece.size(); begin += kPieceRows) {
    const size_t end = std::min(piece.size(), begin + kPieceRows);
    *out += R"({"labels":{)";
    for (const model::Label& tag : piece.tags) {
      if (out->back() != '{') *out += ',';
      text::AppendJsonString(out, tag.name);
      *out += ':';
      text::AppendJsonString(out, tag.value);
    }
    *out += R"(},"measurement":)";
    text::AppendJsonString(out, piece.measurement);
    *out += R"(,"field":)";
    text::AppendJsonString(out, piece.field);
    *out += R"(,"type":")";
    *out += model::Name(piece.type);
    *out += R"(","times_ns":[)";
    for (size_t row = begin; row < end; ++row) {
      if (row > begin) *out += ',';
      AppendDigits(out, piece.times_ns[row]);
    }
    *out += R"(],"values":[)";
    for (size_t row = begin; row < end; ++row) {
      if (row > begin) *out += ',';
      if (piece.is_text()) {
        text::AppendJsonString(out, piece.strings[row]);
        continue;
      }
      const bool quoted = piece.type == FieldType::kFloat && IsSpecial(piece.bits[row]);
      if (quoted) *out += '"';
      AppendValue(out, piece.type, piece.bits[row]);
      if (quoted) *out += '"';
    }
    *out += "]}\n";
  }
}

void AppendEnd(const ExportEnd& end, std::string* out) {
  *out += fmt::format(R"({{"end":{{"series":{},"rows":{},"warnings":[)", end.series, end.rows);
  for (size_t i = 0; i < end.warnings.size(); ++i) {
    if (i > 0) *out += ',';
    text::AppendJsonString(out, end.warnings[i]);
  }
  *out += "]}}\n";
}

}  // namespace tidemark::transfer
