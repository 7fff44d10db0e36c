// Labels: checks the labels of one series, as they are encoded in a request, and prints them for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/base/arena.h"
#include "storage/base/result.h"

namespace tidemark::remotewrite {

// The metric name of a series whose labels are in order: a run of Label messages (see model::KeyFormat::kRemoteWrite),
// names not empty and unique, all text UTF-8, a metric name present. The view points into `key`. Labels with empty
// values count as absent, as in Prometheus. Errors: kInvalidArgument.
Result<std::string_view> MetricNameOf(std::string_view key, Arena* arena);

// The labels as Prometheus prints a series, whatever is wrong with them: at most `max_bytes`, always UTF-8.
std::string PrintLabels(std::string_view key, size_t max_bytes);

// `text` with every byte that is not UTF-8 replaced by '?', at most `max_bytes` and "..." where it was cut.
std::string Printable(std::string_view text, size_t max_bytes);

}  // namespace tidemark::remotewrite
