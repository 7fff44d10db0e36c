// PointEmitter: what the demo's generators give their points to.
#pragma once

#include <functional>
#include <string_view>

#include "clients/cpp/point.h"

namespace tidemark::demo {

// Takes a point with a time, for a database. The point is the generator's and is used again after the call.
using PointEmitter = std::function<void(const client::Point&, std::string_view database)>;

}  // namespace tidemark::demo
