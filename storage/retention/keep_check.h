// KeepCheck: KeepRules over the rows of one batch. What a rule says of a shape is worked out once for the batch, what
// it says of a series once for consecutive rows of it, and neither for rows that are young enough for every rule.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage/base/arena.h"
#include "storage/model/batch.h"
#include "storage/retention/keep_rules.h"

namespace tidemark::storage::retention {

// Not thread-safe; keeps its memory from batch to batch.
class KeepCheck {
 public:
  // Before each batch. `rules` null: none. They and the shapes live until the next call.
  void Begin(std::shared_ptr<const KeepRules> rules, int64_t now_ns, std::span<const model::Shape> shapes);

  // Whether rows of this time need no look.
  [[nodiscard]] bool Young(int64_t time_ns) const { return time_ns >= youngest_ns_; }
  // The fields of the row's shape that are too old, by place in it, ascending; empty: none. Valid until the next call.
  [[nodiscard]] std::span<const uint32_t> TooOld(const model::Row& row);

 private:
  // Of a (shape, rule): the places of the fields whose metric the rule names.
  [[nodiscard]] const std::vector<uint32_t>& FieldsOf(uint32_t shape, size_t rule);
  // Whether the rule names the tags of the key. The series may not exist yet, and is not created to be refused.
  [[nodiscard]] bool Names(size_t rule, const model::SeriesKey& key);

  struct Fields {
    bool known = false;
    std::vector<uint32_t> places;
  };
  std::shared_ptr<const KeepRules> rules_;
  std::span<const model::Shape> shapes_;
  int64_t youngest_ns_ = 0;
  std::vector<int64_t> oldest_ns_;  // by rule
  std::vector<Fields> fields_;      // by shape, then rule
  // Of the key that was asked for last.
  bool key_known_ = false;
  Hash128 key_;
  std::vector<uint8_t> named_;  // by rule
  Arena arena_;
  std::vector<uint32_t> too_old_;
};

}  // namespace tidemark::storage::retention
