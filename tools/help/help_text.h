// HelpText: how `--help` of our programs looks. As CLI11's own, but for texts that end at 80 columns, groups in an
// order that people read, and words for what may be given more than once.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace tidemark::help {

// Columns of a line, at most, where words allow it.
inline constexpr size_t kColumns = 80;

// The group of the flags by which a server is reached. Many commands share it, so it is shown behind their own.
inline constexpr const char* kServerGroup = "Server";

// `text` with line ends in place of blanks so that lines have at most `columns` characters; words are never cut. Line
// ends that are there stay.
std::string Wrapped(std::string_view text, size_t columns);

class HelpText : public CLI::Formatter {
 public:
  [[nodiscard]] std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  [[nodiscard]] std::string make_description(const CLI::App* app) const override;
  [[nodiscard]] std::string make_subcommand(const CLI::App* sub) const override;
  [[nodiscard]] std::string make_option_desc(const CLI::Option* option) const override;

 private:
  [[nodiscard]] std::string Groups(const CLI::App& app) const;
};

// Sets it for `app` and all commands that are added to it afterwards.
void Use(CLI::App* app);

}  // namespace tidemark::help
