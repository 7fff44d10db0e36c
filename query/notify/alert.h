// Alert: something that is or was wrong, as senders tell of it and receivers are told of it.
//
// Source: prometheus/alertmanager 0.25, types/types.go and provider/mem; prometheus/common, model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::notify {

struct Alert {
  model::Labels labels = {};       // what it is; at least one
  model::Labels annotations = {};  // what is said of it; values may be empty
  // Nanoseconds since 1970. `ends_at_ns` 0: it has no end, which only copies for receivers have.
  int64_t starts_at_ns = 0;
  int64_t ends_at_ns = 0;
  int64_t updated_at_ns = 0;
  // The sender gave no end, so that it ends when nobody tells of it any more.
  bool timeout = false;
  std::string generator_url = {};
  // Of one that this server tells of itself: the group of the rule (file;name) and the rule. Empty: of a sender.
  std::string rule_group = {};
  std::string rule = {};
  uint64_t fingerprint = 0;  // of the labels

  [[nodiscard]] bool ResolvedAt(int64_t now_ns) const { return ends_at_ns != 0 && ends_at_ns <= now_ns; }
  friend bool operator==(const Alert&, const Alert&) = default;
};

// FNV-1a of 64 bits over `name FF value FF` of each label, in their order.
uint64_t FingerprintOf(const model::Labels& labels);
// 16 hexadecimal digits.
std::string FingerprintText(uint64_t fingerprint);

// The value of the label, "" where there is none.
std::string_view ValueOf(const model::Labels& labels, std::string_view name);

// {a="b", c="d"}, in the words of Prometheus' LabelSet.
std::string LabelSetText(const model::Labels& labels);

// The order of label sets: fewer labels first, then by names and values.
bool LabelSetBefore(const model::Labels& left, const model::Labels& right);
// The order of alerts in a message: by `job`, by `instance`, by their label sets.
bool AlertBefore(const Alert& left, const Alert& right);

// Whether the whole is a label name, and whether all is right that a sender gave. The words of the error are those of
// Alertmanager, which senders show.
bool IsLabelName(std::string_view text);
Status CheckAlert(const Alert& alert);

// What holds when `news` comes after `old`, of the same labels: with an overlap of their times one alert with the
// earliest start and, unless it is resolved, the latest end that somebody gave; else `news`.
Alert Merge(const Alert& old, Alert news, int64_t now_ns);

}  // namespace tidemark::query::notify
