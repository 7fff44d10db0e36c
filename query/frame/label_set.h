// LabelSet: the labels of one series as the engine passes them around: a view of a sorted array of views. Copying one
// costs two words. LabelArena owns the arrays, and the bytes that no view of the store owns.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/arena.h"
#include "storage/model/labels.h"

namespace tidemark::query::frame {

// Labels sorted by name, names unique, no empty values. Lives as long as the arena and the store's view that hold the
// bytes: inside one query, and in its QueryResult.
class LabelSet {
 public:
  LabelSet() = default;
  LabelSet(const model::LabelView* data, size_t size) : data_(data), size_(size) {}

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const model::LabelView* begin() const { return data_; }
  [[nodiscard]] const model::LabelView* end() const { return data_ + size_; }
  // The value of label `name`, "" when there is none.
  [[nodiscard]] std::string_view Get(std::string_view name) const;
  [[nodiscard]] std::string_view metric_name() const { return Get(model::kMetricNameLabel); }

  // Order of Prometheus: label by label, name before value, a prefix first.
  friend std::strong_ordering operator<=>(const LabelSet& a, const LabelSet& b);
  friend bool operator==(const LabelSet& a, const LabelSet& b);

 private:
  const model::LabelView* data_ = nullptr;
  size_t size_ = 0;
};

// Memory for label arrays and label bytes. Not thread-safe: one per worker.
class LabelArena {
 public:
  // A set of the given labels (sorted, unique, not empty); their bytes are not copied.
  LabelSet Store(std::span<const model::LabelView> labels);
  std::string_view Copy(std::string_view bytes) { return arena_.Copy(bytes); }
  [[nodiscard]] size_t allocated_bytes() const { return arena_.allocated_bytes(); }

 private:
  Arena arena_{4096};
};

// Names that say what a metric is rather than which series it is. They go together when an operation changes the
// meaning of the values.
bool IsMetadataLabel(std::string_view name);

// Sets, replaces or (empty value) removes one label.
void SetLabel(model::LabelViews* labels, std::string_view name, std::string_view value);

LabelSet WithoutMetadata(const LabelSet& labels, LabelArena* arena);

// `names` sorted. Keeps only the labels named, or all others.
LabelSet Keep(const LabelSet& labels, std::span<const std::string> names, LabelArena* arena);
LabelSet Drop(const LabelSet& labels, std::span<const std::string> names, LabelArena* arena);

// A byte string that is equal for equal label sets only. Replaces `key`.
void KeyOf(const LabelSet& labels, std::string* key);
// The same over the labels in `names` (sorted), or over all others; absent labels count as empty.
void KeyOfOnly(const LabelSet& labels, std::span<const std::string> names, std::string* key);
void KeyOfAllBut(const LabelSet& labels, std::span<const std::string> names, std::string* key);

// `{__name__="up", job="x"}`: how Prometheus prints labels in its messages.
std::string ToString(const LabelSet& labels);

}  // namespace tidemark::query::frame
