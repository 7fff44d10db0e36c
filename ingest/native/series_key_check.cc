#include "ingest/native/series_key_check.h"

#include <fmt/core.h>

#include <utility>

#include "storage/base/arena.h"
#include "storage/base/bytes.h"
#include "storage/base/printable.h"
#include "storage/base/utf8.h"
#include "storage/model/series_key.h"

namespace tidemark::native {
namespace {

constexpr size_t kShownBytes = 512;

}  // namespace

Result<std::string_view> CheckKey(std::string_view key, size_t max_bytes) {
  if (key.size() > max_bytes) {
    return LimitExceeded(fmt::format("max key length exceeded: {} > {}", key.size(), max_bytes));
  }
  ByteReader reader(key);
  const std::string_view measurement = reader.String();
  if (!reader.ok()) return InvalidArgument("the series key is cut short");
  if (measurement.empty()) return InvalidArgument("missing measurement");
  if (!IsUtf8(measurement)) return InvalidArgument("the measurement is not valid UTF-8");
  std::string_view before;
  while (!reader.empty()) {
    const std::string_view name = reader.String();
    const std::string_view value = reader.String();
    if (!reader.ok()) return InvalidArgument("the series key is cut short");
    if (name.empty()) return InvalidArgument("missing tag key");
    if (!IsUtf8(name)) return InvalidArgument("a tag key is not valid UTF-8");
    if (name == before) return InvalidArgument(fmt::format("duplicate tag \"{}\"", name));
    if (name < before) return InvalidArgument(fmt::format("the tag \"{}\" stands behind \"{}\"", name, before));
    if (name == model::kMetricNameLabel) {
      return InvalidArgument("the tag __name__ is reserved for the metric's own name; give the tag another name");
    }
    if (value.empty()) return InvalidArgument(fmt::format("the tag \"{}\" has no value: leave it out", name));
    if (!IsUtf8(value)) return InvalidArgument(fmt::format("the value of the tag \"{}\" is not valid UTF-8", name));
    before = name;
  }
  return measurement;
}

std::string PrintKey(std::string_view key) {
  Arena arena;
  const auto parsed = model::ParseSeriesKey(model::KeyFormat::kCanonical, key, &arena);
  std::string out;
  if (parsed.ok()) {
    out = Printable(parsed->measurement.substr(0, kShownBytes));
    for (const model::LabelView& tag : parsed->tags) {
      if (out.size() > kShownBytes) break;
      out += fmt::format(",{}={}", Printable(tag.name.substr(0, kShownBytes)),
                         Printable(tag.value.substr(0, kShownBytes)));
    }
  } else {
    out = Printable(key.substr(0, kShownBytes));
  }
  if (out.size() <= kShownBytes) return out;
  return std::string(CutUtf8(out, kShownBytes)) + "...";
}

void KnownKeys::Grow() {
  std::vector<Hash128> old(entries_.size() * 4);
  old.swap(entries_);
  for (const Hash128& hash : old) {
    if (hash != Hash128()) entries_[Slot(hash)] = hash;
  }
  added_ = 0;
}

}  // namespace tidemark::native
