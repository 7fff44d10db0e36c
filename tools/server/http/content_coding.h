// gzip in and out (RFC 1952), through libdeflate, with the limits that keep a small body from filling the memory.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "tools/server/http/body_buffer.h"

namespace tidemark::http {

struct DecodeLimits {
  size_t decoded_bytes = size_t{64} << 20;
  // Decoded bytes for each byte received.
  size_t ratio = 200;
};

// Asked for memory before it is taken: whether what comes out may take so many bytes in all.
using DecodeGrant = std::function<bool(size_t)>;

// The content of a gzip file of one or more members. kLimitExceeded when what comes out is over a limit, whatever size
// is declared: the smaller limit is the most memory that it costs. kResourceExhausted when `grant` does not give it.
// kInvalidArgument when it is damaged. An empty `grant` gives all.
Result<BodyBuffer> GunzipBody(std::string_view bytes, const DecodeLimits& limits, const DecodeGrant& grant = {});

// `bytes` as a gzip file, compressed for speed. Thread-safe; each thread keeps a compressor.
std::string Gzip(std::string_view bytes);

}  // namespace tidemark::http
