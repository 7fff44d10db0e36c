// What somebody meant who mistyped a command or a flag.
#pragma once

#include <CLI/CLI.hpp>

#include <span>
#include <string>
#include <string_view>

namespace tidemark::help {

// The candidate with the fewest letters put in, left out, changed or swapped with their neighbours, when they are few
// for the length of the word; "" otherwise.
std::string Nearest(std::string_view word, std::span<const std::string> candidates);

// What is unknown in these words of a command line, in one sentence with what was meant and what there is; "" when
// CLI11 has the better words.
std::string DescribeUnknown(const CLI::App& app, std::span<const std::string> words);

// The same of commands alone: who asks for the help of a command that there is not is told so.
std::string DescribeUnknownCommand(const CLI::App& app, std::span<const std::string> words);

// What is wrong with a command line that CLI11 has refused with `error`, and where help is.
std::string DescribeMistake(const CLI::App& app, std::span<const std::string> words, const CLI::ParseError& error);

}  // namespace tidemark::help
