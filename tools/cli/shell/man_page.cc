// Source of the language: man(7), groff_man(7).
#include <fmt/core.h>

#include <string>
#include <utility>

#include "tools/cli/shell/outline.h"

namespace tidemark::cli {
namespace {

// Text in which nothing is a request or an escape.
std::string Plain(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool first = i == 0 || text[i - 1] == '\n';
    if (first && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '\\') {
      out += "\\e";
    } else if (text[i] == '-') {
      out += "\\-";
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// tidemark admin -> tidemark-admin
std::string PageName(const std::string& path) {
  std::string out = path;
  for (char& c : out) {
    if (c == ' ') c = '-';
  }
  return out;
}

void AppendSynopsis(const Outline& command, std::string* out) {
  *out += fmt::format("\\fB{}\\fR", Plain(command.path));
  if (!command.commands.empty()) *out += " \\fIcommand\\fR";
  for (const OutlineFlag& flag : command.flags) {
    if (flag.place.empty()) continue;
    const std::string place = fmt::format("\\fI{}\\fR", Plain(Upper(flag.place)));
    *out += flag.required ? " " + place : " [" + place + "]";
  }
  for (const OutlineFlag& flag : command.flags) {
    if (flag.required && !flag.names.empty())
      *out += fmt::format(" \\fB{}\\fR \\fIvalue\\fR", Plain(flag.names.front()));
  }
  *out += " [\\fIflags\\fR]\n";
}

void AppendFlags(const Outline& command, std::string* out) {
  for (const OutlineFlag& flag : command.flags) {
    std::string names;
    for (const std::string& name : flag.names) {
      if (!names.empty()) names += ", ";
      names += "\\fB" + Plain(name) + "\\fR";
    }
    if (names.empty()) names = "\\fI" + Plain(Upper(flag.place)) + "\\fR";
    *out += ".TP\n" + names;
    if (flag.value && !flag.names.empty()) *out += " \\fIvalue\\fR";
    if (flag.repeats) *out += " ...";
    *out += "\n" + Plain(flag.help.empty() ? "see above" : flag.help);
    if (!flag.initial.empty()) *out += Plain(fmt::format(" (default: {})", flag.initial));
    if (flag.repeats && !flag.names.empty()) *out += "; may be given several times";
    *out += '\n';
  }
}

// Of a command and all below it.
void AppendCommand(const Outline& command, std::string* out) {
  *out += ".SS " + Plain(command.path) + "\n" + Plain(command.help) + "\n.PP\n";
  AppendSynopsis(command, out);
  if (command.commands.empty()) AppendFlags(command, out);
  for (const Outline& one : command.commands) AppendCommand(one, out);
}

}  // namespace

std::string ManPage(const Outline& command, const std::string& version) {
  const bool root = command.path == command.name;
  std::string out =
      fmt::format(".TH {} 1 \"\" \"Tidemark {}\" \"User Commands\"\n", Upper(PageName(command.path)), version);
  out += fmt::format(".SH NAME\n{} \\- {}\n", Plain(PageName(command.path)), Plain(command.help));
  out += ".SH SYNOPSIS\n";
  AppendSynopsis(command, &out);
  if (root) {
    out += ".SH COMMANDS\n";
    for (const Outline& one : command.commands) {
      out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", Plain(one.name), Plain(one.help));
    }
    out += ".SH OPTIONS\n";
    AppendFlags(command, &out);
    out += ".SH ENVIRONMENT\n";
    const std::pair<const char*, const char*> variables[] = {
        {"TIDEMARK_SERVER", "the address of the server, in place of http://127.0.0.1:8086"},
        {"TIDEMARK_TOKEN", "the token that is shown"},
        {"TIDEMARK_TOKEN_FILE", "a file with the token"},
        {"TIDEMARK_CA", "PEM file of the authorities that are believed"},
        {"TIDEMARK_CERTIFICATE", "PEM file of the certificate that is shown"},
        {"TIDEMARK_KEY", "PEM file of its key"},
    };
    for (const auto& [name, help] : variables) out += fmt::format(".TP\n.B {}\n{}\n", name, Plain(help));
    out +=
        ".SH EXIT STATUS\n0: done. 1: it failed, or something was refused. 2: it was called wrongly, or could not "
        "run.\n";
    out += ".SH SEE ALSO\n";
    for (const Outline& one : command.commands) {
      if (&one != &command.commands.front()) out += ",\n";
      out += fmt::format("\\fB{}\\fR(1)", Plain(PageName(one.path)));
    }
    return out + "\n";
  }
  if (command.commands.empty()) {
    out += ".SH OPTIONS\n";
    AppendFlags(command, &out);
  } else {
    out += ".SH COMMANDS\n";
    for (const Outline& one : command.commands) AppendCommand(one, &out);
  }
  return out + ".SH SEE ALSO\n\\fBtidemark\\fR(1)\n";
}

}  // namespace tidemark::cli
