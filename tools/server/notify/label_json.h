// Labels as a JSON object.
#pragma once

#include <string>

#include "storage/base/text/json_string.h"
#include "storage/model/labels.h"

namespace tidemark::server::notify {

// Appends {"a":"b","c":"d"}.
inline void AppendLabelsJson(std::string* out, const model::Labels& labels) {
  *out += '{';
  for (const model::Label& label : labels) {
    if (out->back() != '{') *out += ',';
    text::AppendJsonString(out, label.name);
    *out += ':';
    text::AppendJsonString(out, label.value);
  }
  *out += '}';
}

}  // namespace tidemark::server::notify
