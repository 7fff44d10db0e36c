// What a generator emitted, as database and line.
#pragma once

#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/demo/point_emitter.h"

namespace tidemark::demo {

using Lines = std::vector<std::pair<std::string, std::string>>;

inline PointEmitter Into(Lines* lines) {
  return [lines](const client::Point& point, std::string_view database) {
    std::string line = point.error().empty() && point.has_time() ? "" : "BAD POINT: " + point.error();
    if (line.empty()) point.AppendTo(point.time_ns(), &line);
    lines->emplace_back(database, line);
  };
}

// The number behind `field=` in a line; NaN when it is not there.
inline double NumberOf(const std::string& line, std::string_view field) {
  const std::string name = std::string(field) + "=";
  for (const char before : {' ', ','}) {
    const size_t at = line.find(before + name);
    if (at != std::string::npos) return std::strtod(line.c_str() + at + 1 + name.size(), nullptr);
  }
  return std::nan("");
}

}  // namespace tidemark::demo
