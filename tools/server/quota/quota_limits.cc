#include "tools/server/quota/quota_limits.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "storage/base/text/byte_size.h"

namespace tidemark::server::quota {
namespace {

constexpr QuotaKind kKinds[] = {
    {"points/s", "points_per_second", &QuotaLimits::points_per_s, false},
    {"bytes/s", "bytes_per_second", &QuotaLimits::bytes_per_s, true},
    {"new_series/s", "new_series_per_second", &QuotaLimits::new_series_per_s, false},
    {"series", "series", &QuotaLimits::series, false},
    {"query_memory", "query_memory_bytes", &QuotaLimits::query_memory_bytes, true},
    {"queries", "queries", &QuotaLimits::queries, false},
};

// More than this is no limit at all, and would not add up.
constexpr uint64_t kValueMax = uint64_t{1} << 50;

}  // namespace

std::span<const QuotaKind> QuotaKinds() { return kKinds; }

Status ParseQuota(std::string_view text, QuotaLimits* limits) {
  const size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const auto* const kind = std::ranges::find(kKinds, name, &QuotaKind::name);
  if (equals == std::string_view::npos || kind == std::end(kKinds)) {
    std::string known;
    for (const QuotaKind& each : kKinds) known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
    return InvalidArgument(fmt::format("\"{}\" is no quota such as points/s=100000; there are {}", text, known));
  }
  // Counts may have the units too: 5M is as good a number of points as of bytes.
  const std::optional<uint64_t> value = text::ParseByteSize(text.substr(equals + 1));
  if (!value || *value > kValueMax) {
    return InvalidArgument(fmt::format("\"{}\" is no {} for the quota {}", text.substr(equals + 1),
                                       kind->bytes ? "size such as 64MiB" : "whole number", name));
  }
  limits->*kind->value = *value;
  return {};
}

std::vector<std::string> PrintQuotas(const QuotaLimits& limits) {
  std::vector<std::string> out;
  for (const QuotaKind& kind : kKinds) {
    const uint64_t value = limits.*kind.value;
    if (value == 0) continue;
    out.push_back(fmt::format("{}={}", kind.name, kind.bytes ? text::PrintByteSize(value) : std::to_string(value)));
  }
  return out;
}

}  // namespace tidemark::server::quota
