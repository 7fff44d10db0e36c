// Reading the text files of /proc and /sys: whole files, words and numbers, without trust in what they hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::executor {

inline constexpr size_t kMaxProcFileBytes = size_t{4} << 20;

// The file's text, at most kMaxProcFileBytes of it; nothing when it cannot be read.
std::optional<std::string> ReadProcFile(const std::string& path);

// The parts of `text` between runs of spaces and tabs. They point into `text`.
std::vector<std::string_view> Words(std::string_view text);

// Takes the next line off `text`, without its end. Nothing when `text` is empty.
std::optional<std::string_view> NextLine(std::string_view& text);

// The whole of `word` as a number; nothing when it is not one or does not fit.
std::optional<int64_t> ToInt(std::string_view word);
std::optional<double> ToDouble(std::string_view word);

}  // namespace tidemark::executor
