#include <fmt/core.h>

#include <functional>

#include "tools/cli/shell/outline.h"

namespace tidemark::cli {
namespace {

void ForEach(const Outline& command, const std::function<void(const Outline&)>& take) {
  take(command);
  for (const Outline& one : command.commands) ForEach(one, take);
}

// In single quotes, as every shell here takes it.
std::string Quoted(const std::string& text, bool fish) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += fish ? "\\'" : "'\\''";
    } else if (c == '\\' && fish) {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// A help in one line.
std::string Short(const std::string& help) {
  constexpr size_t kMax = 90;
  std::string out = help.substr(0, help.find('\n'));
  if (out.size() <= kMax) return out;
  out.resize(out.rfind(' ', kMax) == std::string::npos ? kMax : out.rfind(' ', kMax));
  return out + " ...";
}

// Words at which the path goes on: 'tidemark admin' 'tidemark admin retention' ...
std::string Paths(const Outline& root, std::string_view between) {
  std::string out;
  ForEach(root, [&](const Outline& command) {
    for (const Outline& one : command.commands) {
      if (!out.empty()) out += between;
      out += Quoted(one.path, false);
    }
  });
  return out;
}

}  // namespace

std::string BashCompletion(const Outline& root) {
  std::string out = fmt::format(
      "# bash completion of {0}; made by `{0} completion bash`.\n"
      "_{0}() {{\n"
      "  local cur=\"${{COMP_WORDS[COMP_CWORD]}}\" path={0} words= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$path ${{COMP_WORDS[i]}}\" in\n"
      "      {1}) path=\"$path ${{COMP_WORDS[i]}}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n",
      root.name, Paths(root, " | "));
  ForEach(root, [&out](const Outline& command) {
    std::string words;
    for (const Outline& one : command.commands) words += " " + one.name;
    for (const OutlineFlag& flag : command.flags) {
      for (const std::string& name : flag.names) words += " " + name;
    }
    out += fmt::format("    {}) words={} ;;\n", Quoted(command.path, false), Quoted(words, false));
  });
  // Without any word that fits, bash offers files.
  out += fmt::format(
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}}\n"
      "complete -o default -o bashdefault -F _{0} {0}\n",
      root.name);
  return out;
}

std::string ZshCompletion(const Outline& root) {
  std::string out = fmt::format(
      "#compdef {0}\n"
      "# zsh completion of {0}; made by `{0} completion zsh`.\n"
      "_{0}() {{\n"
      "  local path_={0} i\n"
      "  local -a commands flags\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case \"$path_ ${{words[i]}}\" in\n"
      "      {1}) path_=\"$path_ ${{words[i]}}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path_\" in\n",
      root.name, Paths(root, " | "));
  // What stands in front of a colon is offered, what stands behind it shown.
  const auto entry = [](const std::string& name, const std::string& help) {
    return " " + Quoted(name + ":" + Short(help), false);
  };
  ForEach(root, [&](const Outline& command) {
    std::string commands;
    std::string flags;
    for (const Outline& one : command.commands) commands += entry(one.name, one.help);
    for (const OutlineFlag& flag : command.flags) {
      for (const std::string& name : flag.names) flags += entry(name, flag.help);
    }
    out += fmt::format("    {}) commands=({} ) flags=({} ) ;;\n", Quoted(command.path, false), commands, flags);
  });
  out += fmt::format(
      "  esac\n"
      "  (( $#commands )) && _describe command commands\n"
      "  [[ $PREFIX == -* ]] && _describe flag flags\n"
      "  (( $#commands )) || _files\n"
      "}}\n"
      "if [ \"$funcstack[1]\" = _{0} ]; then _{0} \"$@\"; else compdef _{0} {0}; fi\n",
      root.name);
  return out;
}

std::string FishCompletion(const Outline& root) {
  std::string out = fmt::format(
      "# fish completion of {0}; made by `{0} completion fish`.\n"
      "function __{0}_at\n"
      "  set -l path {0}\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$path $word\"\n"
      "      case {1}\n"
      "        set path \"$path $word\"\n"
      "    end\n"
      "  end\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n",
      root.name, Paths(root, " "));
  ForEach(root, [&](const Outline& command) {
    const std::string at = fmt::format("complete -c {} -n {}", root.name,
                                       Quoted(fmt::format("__{}_at \"{}\"", root.name, command.path), true));
    for (const Outline& one : command.commands) {
      out += fmt::format("{} -f -a {} -d {}\n", at, one.name, Quoted(Short(one.help), true));
    }
    for (const OutlineFlag& flag : command.flags) {
      if (flag.names.empty()) continue;
      std::string names;
      for (const std::string& name : flag.names) {
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      out += fmt::format("{}{}{} -d {}\n", at, names, flag.value ? " -r" : "", Quoted(Short(flag.help), true));
    }
  });
  return out;
}

}  // namespace tidemark::cli
