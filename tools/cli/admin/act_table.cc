#include "tools/cli/admin/act_table.h"

#include <fmt/core.h>
#include <simdjson.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#include "storage/base/text/byte_size.h"
#include "storage/base/text/duration.h"
#include "tools/cli/command.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

namespace dom = simdjson::dom;

using Row = std::vector<std::string>;

// "1d12h"; fractions of a second as they are.
std::string SecondsText(double seconds) {
  const double ms = seconds * 1000;
  if (ms < 0 || ms != static_cast<double>(static_cast<int64_t>(ms))) return fmt::format("{:g}s", seconds);
  return text::PrintDuration(static_cast<int64_t>(ms), text::DurationStyle::kPrometheus);
}

bool EndsWithWord(std::string_view key, std::string_view word) {
  if (key.size() < word.size()) return false;
  return std::ranges::equal(key.substr(key.size() - word.size()), word,
                            [](char a, char b) { return std::tolower(a) == std::tolower(b); });
}

std::string NumberText(std::string_view key, dom::element value) {
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS) return simdjson::minify(value);
  const bool kept = key == "retentionSeconds" || key == "keepSeconds";
  if (kept && number == 0) return "for ever";
  if (key == "maxBytes" && number == 0) return "no limit";
  if (EndsWithWord(key, "seconds")) return SecondsText(number);
  if (EndsWithWord(key, "bytes") || key.starts_with("bytes")) return text::PrintRoughBytes(number);
  return simdjson::minify(value);
}

std::string ValueText(std::string_view key, dom::element value);

// `width 5m, keep for ever`.
std::string ObjectText(dom::object object) {
  std::string out;
  for (const auto& [key, value] : object) {
    if (!out.empty()) out += ", ";
    out += WordsOfKey(key) + " " + ValueText(key, value);
  }
  return out;
}

std::string ValueText(std::string_view key, dom::element value) {
  std::string_view text;
  bool on = false;
  dom::array list;
  dom::object object;
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  if (value.get(on) == simdjson::SUCCESS) return on ? "yes" : "no";
  if (value.is_null()) return "-";
  if (value.get(object) == simdjson::SUCCESS) return ObjectText(object);
  if (value.get(list) == simdjson::SUCCESS) {
    std::string out;
    for (const dom::element entry : list) out += (out.empty() ? "" : "; ") + ValueText("", entry);
    return out.empty() ? "none" : out;
  }
  return NumberText(key, value);
}

// Columns of a text, by its UTF-8.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

// Of the terminal that it goes to; 0: to none.
size_t TerminalWidth() {
  winsize size{};
  return isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// A table's rows, the first of which has the names, as blocks: a line for each column.
std::string Blocks(const std::vector<Row>& rows) {
  std::string out;
  for (size_t r = 1; r < rows.size(); ++r) {
    if (r > 1) out += '\n';
    for (size_t i = 0; i < rows[r].size(); ++i) {
      if (!rows[r][i].empty()) out += fmt::format("{}: {}\n", rows[0][i], rows[r][i]);
    }
  }
  return out;
}

bool Fits(std::string_view table, size_t width) {
  while (width > 0 && !table.empty()) {
    const size_t end = std::min(table.find('\n'), table.size());
    if (WidthOf(table.substr(0, end)) > width) return false;
    table.remove_prefix(std::min(end + 1, table.size()));
  }
  return true;
}

std::string Align(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += (i > 0 ? "  " : "") + row[i] + std::string(widths[i] - WidthOf(row[i]), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

void AppendObject(const std::string& before, dom::object object, std::vector<Row>* rows) {
  for (const auto& [key, value] : object) {
    const std::string words = before + WordsOfKey(key);
    dom::object inner;
    dom::array list;
    if (value.get(inner) == simdjson::SUCCESS) {
      AppendObject(words + " ", inner, rows);
    } else if (value.get(list) == simdjson::SUCCESS && list.size() > 0) {
      for (const dom::element entry : list) rows->push_back({words, ValueText(key, entry)});
    } else {
      rows->push_back({words, ValueText(key, value)});
    }
  }
}

std::string ListTable(dom::array list, size_t width) {
  std::vector<std::string> keys;
  for (const dom::element entry : list) {
    dom::object object;
    if (entry.get(object) != simdjson::SUCCESS) continue;
    for (const auto& [key, _] : object) {
      if (std::ranges::find(keys, key) == keys.end()) keys.emplace_back(key);
    }
  }
  if (list.size() == 0) return "none\n";
  std::vector<Row> rows(1);
  for (const std::string& key : keys) rows[0].push_back(WordsOfKey(key));
  for (const dom::element entry : list) {
    Row& row = rows.emplace_back();
    if (keys.empty()) row.push_back(ValueText("", entry));
    for (const std::string& key : keys) {
      dom::element value;
      row.push_back(entry[key].get(value) == simdjson::SUCCESS ? ValueText(key, value) : "");
    }
  }
  if (keys.empty()) {
    rows.erase(rows.begin());
    return Align(rows);
  }
  std::string table = Align(rows);
  return Fits(table, width) ? table : Blocks(rows);
}

}  // namespace

std::string WordsOfKey(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !out.empty()) out += ' ';
    out += c == '_' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  // What the value says by itself.
  for (const std::string_view unit : {" seconds"}) {
    if (out.ends_with(unit)) out.resize(out.size() - unit.size());
  }
  return out;
}

Result<ActAnswer> ActTable(std::string_view body, size_t width) {
  dom::parser parser;
  dom::element root;
  dom::element data;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
      root["data"].get(data) != simdjson::SUCCESS) {
    return MakeError(ErrorCode::kInternal,
                     fmt::format("the answer is not what an act returns: {}", body.substr(0, 200)));
  }
  ActAnswer out;
  dom::array warnings;
  if (root["warnings"].get(warnings) == simdjson::SUCCESS) {
    for (const dom::element warning : warnings) out.warnings.push_back(ValueText("", warning));
  }
  dom::object object;
  dom::array list;
  if (data.get(object) == simdjson::SUCCESS) {
    std::vector<Row> rows;
    AppendObject("", object, &rows);
    out.text = Align(rows);
    if (!Fits(out.text, width)) {
      out.text.clear();
      for (const Row& row : rows) out.text += fmt::format("{}: {}\n", row[0], row[1]);
    }
  } else if (data.get(list) == simdjson::SUCCESS) {
    out.text = ListTable(list, width);
  } else {
    out.text = ValueText("", data) + "\n";
  }
  return out;
}

int PrintAnswer(std::string_view body) {
  if (body.empty()) return 0;
  const Result<ActAnswer> answer = ActTable(body, TerminalWidth());
  if (!answer.ok()) return Fail(answer.error().message);
  Say("{}", answer->text);
  for (const std::string& warning : answer->warnings) Say(stderr, "tidemark: {}\n", warning);
  return 0;
}

std::string ProgressLine(std::string_view line) {
  dom::parser parser;
  dom::element root;
  dom::object object;
  if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS || root.get(object) != simdjson::SUCCESS) {
    return {};
  }
  return ObjectText(object);
}

}  // namespace tidemark::cli
