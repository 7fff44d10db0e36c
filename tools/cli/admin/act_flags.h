// ActFlags: what the flags of an act were given.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/check.h"
#include "tools/admin/acts.h"

namespace tidemark::cli {

struct ActFlags {
  struct Value {
    const admin::Parameter* parameter;
    std::string text = {};
    std::vector<std::string> list = {};
    uint64_t count = 0;
    bool on = false;
  };

  std::string server = "http://127.0.0.1:8086";
  bool json = false;         // the answer as the server sent it
  std::deque<Value> values;  // in the order of the row's parameters; their addresses stay

  // Of a flag that the row has.
  [[nodiscard]] const Value& operator[](std::string_view flag) const {
    for (const Value& value : values) {
      if (value.parameter->flag == flag) return value;
    }
    TM_CHECK(false);
    return values.front();
  }
};

}  // namespace tidemark::cli
