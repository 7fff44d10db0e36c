// Between the replies of query/api and HTTP's.
#pragma once

#include <string_view>

#include "query/api/api.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// Streams what the reply has not put together yet.
http::Response FromReply(query::api::Reply reply);

query::api::ApiRequest ToApi(const http::Request& request);

// A refusal in Prometheus' envelope.
http::Response RefuseAsPrometheus(int status, std::string_view text);

}  // namespace tidemark::server
