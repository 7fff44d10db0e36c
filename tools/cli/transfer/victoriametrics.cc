#include "tools/cli/transfer/victoriametrics.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "tools/transfer/value_text.h"

namespace tidemark::cli {
namespace {

namespace json = simdjson::ondemand;
using transfer::Piece;

constexpr int64_t kNsPerMs = 1'000'000;

Error Wrong(std::string_view what) { return InvalidArgument(std::string(what)); }

Status ReadMetric(json::value* value, Piece* piece) {
  json::object object;
  if (value->get_object().get(object) != simdjson::SUCCESS) return Wrong("\"metric\" is no object of texts");
  for (auto field : object) {
    std::string_view name;
    std::string_view text;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) return Wrong("\"metric\" is no object of texts");
    std::string own(name);
    if (field.value().get_string().get(text) != simdjson::SUCCESS) return Wrong("\"metric\" is no object of texts");
    if (own == model::kMetricNameLabel) {
      piece->measurement = text;
    } else if (!text.empty()) {
      piece->tags.push_back({std::move(own), std::string(text)});
    }
  }
  std::sort(piece->tags.begin(), piece->tags.end());
  return {};
}

std::optional<uint64_t> ValueOf(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\r')) token.remove_suffix(1);
  if (token.size() >= 2 && token.front() == '"' && token.back() == '"') token = token.substr(1, token.size() - 2);
  if (token == "null") token = "NaN";
  return transfer::ParseValue(model::FieldType::kFloat, token);
}

Status ReadValues(json::value* value, Piece* piece) {
  json::array array;
  if (value->get_array().get(array) != simdjson::SUCCESS) return Wrong("\"values\" is no array");
  for (auto element : array) {
    json::value one;
    if (element.get(one) != simdjson::SUCCESS) return Wrong("\"values\" is no array");
    const std::optional<uint64_t> bits = ValueOf(one.raw_json_token());
    if (!bits) return Wrong(fmt::format("value {}, {}, is no number", piece->bits.size() + 1, one.raw_json_token()));
    piece->bits.push_back(*bits);
  }
  return {};
}

Status ReadTimes(json::value* value, Piece* piece) {
  json::array array;
  if (value->get_array().get(array) != simdjson::SUCCESS) return Wrong("\"timestamps\" is no array");
  for (auto element : array) {
    int64_t ms = 0;
    int64_t ns = 0;
    if (element.get_int64().get(ms) != simdjson::SUCCESS) {
      return Wrong(fmt::format("time {} is no whole number of milliseconds", piece->times_ns.size() + 1));
    }
    // Refused by whoever writes it.
    if (__builtin_mul_overflow(ms, kNsPerMs, &ns)) ns = std::numeric_limits<int64_t>::max();
    piece->times_ns.push_back(ns);
  }
  return {};
}

class VictoriametricsReader final : public PieceReader {
 public:
  explicit VictoriametricsReader(std::unique_ptr<InFile> file) : lines_(std::move(file)) {}

  Result<bool> Next(Piece* piece) override {
    for (std::string_view line;;) {
      TM_TRY_ASSIGN(const bool more, lines_.Next(&line));
      if (!more) return false;
      if (line.empty() || line == "\r") continue;
      if (const Status read = Read(line, piece); !read.ok()) return lines_.At(read.error());
      return true;
    }
  }
  [[nodiscard]] Progress progress() const override { return lines_.progress(); }

 private:
  Status Read(std::string_view line, Piece* piece) {
    *piece = {};
    piece->field = model::kValueField;
    padded_.assign(line);
    padded_.reserve(line.size() + simdjson::SIMDJSON_PADDING);
    json::document document;
    json::object object;
    const simdjson::padded_string_view view(padded_.data(), line.size(), padded_.capacity());
    if (parser_.iterate(view).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      return Wrong("it is no JSON object");
    }
    for (auto field : object) {
      std::string_view key;
      json::value value;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS) {
        return Wrong("it is no whole JSON object");
      }
      if (key == "metric") {
        TM_RETURN_IF_ERROR(ReadMetric(&value, piece));
      } else if (key == "values") {
        TM_RETURN_IF_ERROR(ReadValues(&value, piece));
      } else if (key == "timestamps") {
        TM_RETURN_IF_ERROR(ReadTimes(&value, piece));
      }
    }
    if (piece->times_ns.size() != piece->bits.size()) {
      return Wrong(fmt::format("there are {} times and {} values", piece->times_ns.size(), piece->bits.size()));
    }
    return {};
  }

  FileLines lines_;
  json::parser parser_;
  std::string padded_;
};

}  // namespace

std::unique_ptr<PieceReader> MakeVictoriametricsReader(std::unique_ptr<InFile> file) {
  return std::make_unique<VictoriametricsReader>(std::move(file));
}

}  // namespace tidemark::cli
