#include "ingest/remotewrite/labels.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <utility>

#include "storage/base/utf8.h"
#include "storage/model/labels.h"
#include "storage/model/series_key.h"

namespace tidemark::remotewrite {
namespace {

std::string_view View(protozero::data_view view) { return {view.data(), view.size()}; }

bool IsAscii(const char* at, const char* end) {
  uint64_t bits = 0;
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    bits |= word;
  }
  for (; at < end; ++at) bits |= static_cast<uint8_t>(*at);
  return (bits & 0x8080'8080'8080'8080U) == 0;
}

// One string field of fewer than 128 bytes at `at`, whose tag is `tag`, taken off; nullopt when it is anything else.
std::optional<std::string_view> TakeShortString(const char*& at, const char* end, char tag) {
  if (end - at < 2 || at[0] != tag || at[1] < 0 || end - at < 2 + at[1]) return std::nullopt;
  const std::string_view text(at + 2, static_cast<size_t>(at[1]));
  at += 2 + text.size();
  return text;
}

// The metric name of a series as nearly every sender writes it: short ASCII labels, each with a name and a value and
// nothing else, sorted by name. "" when it is not so, which says nothing about whether it is valid.
std::string_view MetricNameOfPlain(std::string_view key) {
  constexpr char kFirst = 0x0A;   // field 1: a label of a series, the name of a label
  constexpr char kSecond = 0x12;  // field 2: the value of a label
  if (!IsAscii(key.data(), key.data() + key.size())) return {};
  std::string_view metric;
  std::string_view last;
  const char* at = key.data();
  const char* const end = at + key.size();
  while (at < end) {
    const auto label = TakeShortString(at, end, kFirst);
    if (!label) return {};
    const char* in = label->data();
    const char* const label_end = in + label->size();
    const auto name = TakeShortString(in, label_end, kFirst);
    if (!name || *name <= last) return {};
    const auto value = TakeShortString(in, label_end, kSecond);
    if (!value || in != label_end) return {};
    if (*name == model::kMetricNameLabel) metric = *value;
    last = *name;
  }
  return metric;
}

}  // namespace

std::string Printable(std::string_view text, size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (out.size() + std::max<size_t>(length, 1) > max_bytes) return out + "...";
    if (length == 0) {
      out.push_back('?');
      text.remove_prefix(1);
    } else {
      out.append(text, 0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

Result<std::string_view> MetricNameOf(std::string_view key, Arena* arena) {
  if (const std::string_view name = MetricNameOfPlain(key); !name.empty()) return name;
  TM_TRY_ASSIGN(const model::ParsedKey parsed, model::ParseSeriesKey(model::KeyFormat::kRemoteWrite, key, arena));
  if (parsed.measurement.empty()) return InvalidArgument("no metric name (label __name__)");
  // One look at the whole key says that nothing needs a closer one.
  if (IsAscii(key.data(), key.data() + key.size())) return parsed.measurement;
  if (!IsUtf8(parsed.measurement)) return InvalidArgument("metric name is not valid UTF-8");
  for (const model::LabelView& tag : parsed.tags) {
    if (!IsUtf8(tag.name)) return InvalidArgument("a label name is not valid UTF-8");
    if (!IsUtf8(tag.value)) return InvalidArgument(fmt::format("value of label \"{}\" is not valid UTF-8", tag.name));
  }
  return parsed.measurement;
}

std::string PrintLabels(std::string_view key, size_t max_bytes) {
  model::Labels labels;
  try {
    for (protozero::pbf_reader run(key.data(), key.size()); run.next();) {
      protozero::pbf_reader message(run.get_view());
      model::Label label;
      while (message.next()) {
        if (message.tag_and_type() == protozero::tag_and_type(1, protozero::pbf_wire_type::length_delimited)) {
          label.name = View(message.get_view());
        } else if (message.tag_and_type() == protozero::tag_and_type(2, protozero::pbf_wire_type::length_delimited)) {
          label.value = View(message.get_view());
        } else {
          message.skip();
        }
      }
      labels.push_back(std::move(label));
    }
  } catch (const protozero::exception&) {
    // What could be read names the series well enough.
  }
  return Printable(model::ToString(labels), max_bytes);
}

}  // namespace tidemark::remotewrite
