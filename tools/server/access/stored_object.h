// StoredObject: a JSON object that this room wrote into a document, read back. Whatever is missing or of another type
// is kCorruption, and named.
#pragma once

#include <fmt/core.h>
#include <simdjson.h>

#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "tools/server/access/secret.h"

namespace tidemark::server::access {

class StoredObject {
 public:
  // `parser` owns what is read, and outlives the object. `what` says what it is: "token".
  static Result<StoredObject> Parse(simdjson::dom::parser* parser, std::string_view text, std::string_view what) {
    simdjson::dom::element root;
    if (parser->parse(simdjson::padded_string(text)).get(root) != simdjson::SUCCESS) {
      return Corruption(fmt::format("a stored {} is no JSON", what));
    }
    return StoredObject(root, what);
  }
  StoredObject(simdjson::dom::element element, std::string_view what) : element_(element), what_(what) {}

  template <typename T>
  [[nodiscard]] Result<T> Get(std::string_view key) const {
    T value;
    if (element_[key].get(value) != simdjson::SUCCESS) return Wrong(key);
    return value;
  }
  // Whether there is such a key: of what was added since the first of these objects were written.
  [[nodiscard]] bool Has(std::string_view key) const { return element_[key].error() == simdjson::SUCCESS; }
  [[nodiscard]] Result<std::string> Text(std::string_view key) const {
    TM_TRY_ASSIGN(const std::string_view text, Get<std::string_view>(key));
    return std::string(text);
  }
  [[nodiscard]] Result<SecretHash> Hash(std::string_view key) const {
    TM_TRY_ASSIGN(const std::string_view text, Get<std::string_view>(key));
    return ParseHash(text);
  }
  [[nodiscard]] Error Wrong(std::string_view key) const {
    return Corruption(fmt::format("of a stored {}, \"{}\" is missing or wrong", what_, key));
  }

 private:
  simdjson::dom::element element_;
  std::string_view what_;
};

}  // namespace tidemark::server::access
