#include "tools/cli/dry_run/refusals.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/base/text/terminal_text.h"

namespace tidemark::cli {
namespace {

constexpr size_t kTextBytes = 200;

std::string Place(const Refusal& refusal) {
  std::string out;
  if (refusal.line != 0) {
    out =
        refusal.file.empty() ? fmt::format("line {}", refusal.line) : fmt::format("{}:{}", refusal.file, refusal.line);
    if (refusal.column != 0) out += fmt::format(":{}", refusal.column);
    return out + ": ";
  }
  return refusal.file.empty() ? "" : fmt::format("{}: ", refusal.file);
}

}  // namespace

std::string Refusals::Add(const Refusal& refusal) {
  ++count_;
  if (const auto known = reasons_.find(refusal.reason); known != reasons_.end()) {
    ++known->second;
    return {};
  }
  if (reasons_.size() == kReasonsMax) {
    ++others_;
    return {};
  }
  reasons_.emplace(refusal.reason, 1);
  std::string out = fmt::format("{}{}\n", Place(refusal), refusal.reason);
  if (refusal.text.empty()) return text::TerminalLines(out);
  const std::string_view shown = refusal.text.substr(0, std::min(refusal.text.find('\n'), kTextBytes));
  out += fmt::format("    {}{}\n", shown, shown.size() < refusal.text.size() ? "..." : "");
  return text::TerminalLines(out);
}

void Refusals::AddAlike(std::string_view reason, uint64_t lines) {
  const auto known = reasons_.find(reason);
  (known != reasons_.end() ? known->second : others_) += lines;
  count_ += lines;
}

std::string Refusals::Rest() const {
  std::vector<std::pair<uint64_t, std::string_view>> most;
  for (const auto& [reason, lines] : reasons_) {
    if (lines > 1) most.emplace_back(lines - 1, reason);
  }
  std::ranges::stable_sort(most, std::greater<>(), [](const auto& entry) { return entry.first; });
  std::string out;
  for (const auto& [lines, reason] : most) out += fmt::format("{} more: {}\n", lines, reason);
  if (others_ > 0) out += fmt::format("{} more, of other reasons than these\n", others_);
  if (unknown_ > 0) out += fmt::format("{} more that the server did not describe\n", unknown_);
  return text::TerminalLines(out);
}

}  // namespace tidemark::cli
