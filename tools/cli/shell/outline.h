// Outline: the commands, flags and helps of `tidemark`, as data: what completion and the man pages are made of. It is
// read off the commands themselves, so that no act and no flag can be missing.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace tidemark::cli {

struct OutlineFlag {
  std::vector<std::string> names;  // "--match", "-q"; empty for one by its place
  std::string place;               // "db": of one by its place
  std::string help;
  std::string initial;  // its value when it is not given; "" where the help says it or there is none
  bool value = false;   // one follows
  bool required = false;
  bool repeats = false;
};

struct Outline {
  std::string name;  // the last word: "set"
  std::string path;  // all words: "tidemark admin retention set"
  std::string help;
  std::vector<OutlineFlag> flags;
  std::vector<Outline> commands;
};

// `root`: the whole program.
Outline OutlineOf(const CLI::App& root);

// Scripts for the shells, which complete commands and flags, and files where neither fits.
std::string BashCompletion(const Outline& root);
std::string ZshCompletion(const Outline& root);
std::string FishCompletion(const Outline& root);

// A page of section 1 in the language of man(7). Of the program: all commands in short, what they share; of a command,
// such as "admin": all of its own ones with their flags. `version`: "0.1.0".
std::string ManPage(const Outline& command, const std::string& version);

}  // namespace tidemark::cli
