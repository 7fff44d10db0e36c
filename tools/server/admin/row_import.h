// Rows that come back from an export: the act "import rows".
#pragma once

#include <string_view>

#include "storage/model/point_sink.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// Writes lines of JSON (tools/transfer/exact_lines.h) into `database`, in pieces, so that no batch is larger than some
// megabytes whatever the body's size. Answers how many points were written and which were refused; 400 with the number
// of the line when one is none: those in front of it are written then. Sending it all again changes nothing. Of a field
// that has integers and floats in the body the integers are written first: each value keeps the type it came with.
http::Response ImportRows(model::PointSink* sink, std::string_view database, std::string_view body);

}  // namespace tidemark::server
