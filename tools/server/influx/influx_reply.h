// The words and headers of InfluxDB's answers, of both generations, for writes and statements alike.
#pragma once

#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// The InfluxDB that 1.x clients are told they talk to.
inline constexpr std::string_view kInfluxVersion = "1.8.10";

// Adds the headers that every 1.x answer carries: version, build, request id (echoed when the client sent one).
void AddInfluxHeaders(const http::Request& request, http::Response* response);

// {"error":"..."} with X-Influxdb-Error, as 1.x answers; 503 and 429 say when to come again. `faults` go into `data`,
// one by one.
http::Response InfluxError(int status, std::string_view text, const std::vector<ingest::Fault>& faults = {});
// The same with `code` and `message` in front, as 2.x answers.
http::Response InfluxV2Error(int status, std::string_view text, const std::vector<ingest::Fault>& faults = {});
// What 2.x answers to who makes what is there already.
http::Response InfluxV2Conflict(std::string_view text);

// GET /api/v2/me: who the token belongs to, as InfluxDB 2 has it.
http::Response WhoAsks(const http::Request& request);
// For Flux, which is not spoken here: 422, and what to ask with instead.
http::Response RefuseFlux();

}  // namespace tidemark::server
