// YamlReader: what all files have in common that people write for us. They are read whole and within a bound, and
// everything that is wrong in one is told at once, a line each: FILE:LINE:COLUMN: reason.
//
//   YamlReader reader("goals.yaml");
//   Result<Goals> goals = reader.Read(text, [&](const YAML::Node& root) {
//     Goals goals;
//     if (!reader.CheckMap(root, "a file of goals", {"name"})) return goals;
//     goals.name = reader.Text(root, "name", YamlReader::Need::kRequired);
//     return goals;
//   });
//
// Not thread-safe.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace tidemark {

// The bytes of a file of at most `bytes_max`. Errors: kNotFound (cannot be opened), kIo (cannot be read: a directory),
// kLimitExceeded. Each names the file.
Result<std::string> ReadTextFile(const std::string& path, size_t bytes_max);

// "FILE:LINE:COLUMN: reason". yaml-cpp counts from 0 and gives -1 where there is nothing to point at; people count
// from 1.
std::string YamlFault(std::string_view file, const YAML::Mark& mark, std::string_view reason);

// The one document of a text; nothing of it where there is none. kInvalidArgument: the first byte that is no UTF-8 (of
// a text without UTF-16's byte order mark), which the parser would hand on as it is; or where a second document begins,
// which nobody would read. Throws what the parser does.
Result<YAML::Node> LoadDocument(std::string_view text, std::string_view file);

class YamlReader {
 public:
  enum class Need { kOptional, kRequired };

  // `file`: its name, for the faults.
  explicit YamlReader(std::string file) : file_(std::move(file)) {}

  // What `walk(root)` makes of the text. kInvalidArgument: with all faults, those of YAML itself included; only with
  // the first byte that is no UTF-8 where there is one, since the parser would hand it on as it is.
  template <typename Walk>
  auto Read(std::string_view text, Walk&& walk) -> Result<std::invoke_result_t<Walk, const YAML::Node&>> {
    try {
      const Result<YAML::Node> root = LoadDocument(text, file_);
      if (!root.ok()) return root.error();
      auto made = walk(*root);
      if (faults_.empty()) return made;
    } catch (const YAML::Exception& error) {
      FaultAt(error.mark, error.msg);
    }
    return InvalidArgument(std::move(faults_));
  }

  // Something is wrong at `node`, which may be missing.
  void Fault(const YAML::Node& node, std::string_view reason);
  [[nodiscard]] bool good() const { return faults_.empty(); }

  // Whether `node` is a map; a fault if it is not, and one for each key that is not `known` or comes twice. `what`: "a
  // group".
  bool CheckMap(const YAML::Node& node, std::string_view what, std::initializer_list<std::string_view> known);

  // The elements of the list under `key`; none where it is missing or empty.
  std::vector<YAML::Node> List(const YAML::Node& map, const char* key);

  // The scalar under `key`; empty where it is missing or null, which is a fault if it is required.
  std::string Text(const YAML::Node& map, const char* key, Need need = Need::kOptional);

 private:
  void FaultAt(const YAML::Mark& mark, std::string_view reason);

  const std::string file_;
  std::string faults_;
};

}  // namespace tidemark
