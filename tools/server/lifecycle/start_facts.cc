#include "tools/server/lifecycle/start_facts.h"

#include <fmt/core.h>

#include <algorithm>

namespace tidemark::server {

std::string PrintStartFacts(const StartFacts& facts) {
  std::string text = facts.asks_for_tokens ? "tokens\n" : "";
  for (const StartFacts::Kept& kept : facts.kept) text += fmt::format("kept {} {}\n", kept.kind, kept.wanted);
  if (!facts.data.empty()) text += fmt::format("data {}\n", facts.data);
  if (!facts.answer.empty()) text += fmt::format("answer {}\n", facts.answer);
  return text;
}

std::string StartAnswer(std::string_view answer) { return fmt::format("takes over: {}\n", answer); }

Result<StartFacts> ReadStartFacts(std::string_view text) {
  constexpr std::string_view kKept = "kept ";
  constexpr std::string_view kData = "data ";
  constexpr std::string_view kAnswer = "answer ";
  StartFacts facts;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t space = line.find(' ', kKept.size());
    if (line == "tokens") {
      facts.asks_for_tokens = true;
    } else if (line.starts_with(kKept) && space != std::string_view::npos) {
      facts.kept.push_back(
          {std::string(line.substr(kKept.size(), space - kKept.size())), std::string(line.substr(space + 1))});
    } else if (line.starts_with(kData)) {
      facts.data = line.substr(kData.size());
    } else if (line.starts_with(kAnswer)) {
      facts.answer = line.substr(kAnswer.size());
    } else {
      return InvalidArgument(fmt::format("{}: \"{}\" is no fact", kStartFactsVariable, line));
    }
  }
  return facts;
}

}  // namespace tidemark::server
