#include "storage/base/yaml_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "storage/base/utf8.h"

namespace tidemark {

Result<std::string> ReadTextFile(const std::string& path, size_t bytes_max) {
  constexpr size_t kPieceBytes = size_t{64} << 10;
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return NotFound(errno == 0 ? fmt::format("cannot open {}", path)
                               : fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  std::string text;
  while (file && text.size() <= bytes_max) {
    const size_t before = text.size();
    text.resize(before + kPieceBytes);
    file.read(text.data() + before, kPieceBytes);
    text.resize(before + static_cast<size_t>(file.gcount()));
  }
  if (file.bad()) return IoError(fmt::format("cannot read {}", path));
  if (text.size() > bytes_max) {
    return LimitExceeded(fmt::format("{} is larger than the {} bytes that it may have", path, bytes_max));
  }
  return text;
}

std::string YamlFault(std::string_view file, const YAML::Mark& mark, std::string_view reason) {
  return fmt::format("{}:{}:{}: {}", file, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1, reason);
}

void YamlReader::Fault(const YAML::Node& node, std::string_view reason) {
  FaultAt(node.IsDefined() ? node.Mark() : YAML::Mark::null_mark(), reason);
}

Result<YAML::Node> LoadDocument(std::string_view text, std::string_view file) {
  const bool utf16 = text.starts_with("\xFE\xFF") || text.starts_with("\xFF\xFE");
  if (const size_t good = utf16 ? text.size() : Utf8Prefix(text); good != text.size()) {
    const std::string_view before = text.substr(0, good);
    const size_t newline = before.rfind('\n');
    // Columns are bytes, as yaml-cpp counts them.
    YAML::Mark mark;
    mark.line = static_cast<int>(std::ranges::count(before, '\n'));
    mark.column = static_cast<int>(newline == std::string_view::npos ? good : good - newline - 1);
    return InvalidArgument(YamlFault(file, mark,
                                     fmt::format("byte 0x{:02X} is not valid UTF-8; save the file as UTF-8",
                                                 static_cast<unsigned char>(text[good]))));
  }
  const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
  for (size_t i = 1; i < documents.size(); ++i) {
    if (documents[i].IsNull()) continue;
    return InvalidArgument(YamlFault(file, documents[i].Mark(),
                                     "a second document begins here (behind a line ---), and would not be read: put "
                                     "all into one, or into a file of its own"));
  }
  return documents.empty() ? YAML::Node() : documents.front();
}

void YamlReader::FaultAt(const YAML::Mark& mark, std::string_view reason) {
  if (!faults_.empty()) faults_ += '\n';
  faults_ += YamlFault(file_, mark, reason);
}

bool YamlReader::CheckMap(const YAML::Node& node, std::string_view what,
                          std::initializer_list<std::string_view> known) {
  if (!node.IsMap()) {
    Fault(node, fmt::format("{} must be a map", what));
    return false;
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      Fault(entry.first, fmt::format("unknown key \"{}\" in {}", key, what));
    } else if (!seen.insert(key).second) {
      Fault(entry.first, fmt::format("key \"{}\" is given twice in {}", key, what));
    }
  }
  return true;
}

std::vector<YAML::Node> YamlReader::List(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node || node.IsNull()) return {};
  if (!node.IsSequence()) {
    Fault(node, fmt::format("{} must be a list", key));
    return {};
  }
  return {node.begin(), node.end()};
}

std::string YamlReader::Text(const YAML::Node& map, const char* key, Need need) {
  const YAML::Node node = map[key];
  std::string text;
  if (node && !node.IsNull()) {
    if (!node.IsScalar()) {
      Fault(node, fmt::format("{} must be a text", key));
      return text;
    }
    text = node.Scalar();
  }
  if (text.empty() && need == Need::kRequired)
    Fault(node && !node.IsNull() ? node : map, fmt::format("{} is missing", key));
  return text;
}

}  // namespace tidemark
