#include "tools/server/http/content_coding.h"

#include <fmt/core.h>
#include <libdeflate.h>

#include <algorithm>
#include <memory>

#include "storage/base/bytes.h"
#include "storage/base/check.h"

namespace tidemark::http {
namespace {

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};
struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
};

// Header and trailer of a member without content.
constexpr size_t kMinMemberBytes = 18;

Error TooLarge(size_t limit) { return LimitExceeded(fmt::format("the decoded body is larger than {} bytes", limit)); }

}  // namespace

Result<BodyBuffer> GunzipBody(std::string_view bytes, const DecodeLimits& limits, const DecodeGrant& grant) {
  thread_local const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
      libdeflate_alloc_decompressor());
  TM_CHECK(decompressor != nullptr);
  if (bytes.size() < kMinMemberBytes) return InvalidArgument("the gzip body is cut short");
  if (!bytes.starts_with("\x1f\x8b")) return InvalidArgument("the body is not gzip");
  // A small body may be dense by nature: one page of room is always given.
  const size_t limit = std::min(limits.decoded_bytes, std::max(bytes.size() * limits.ratio, size_t{4096}));
  // The last member's trailer holds its size modulo 2^32: exact for the usual file of one member. It is a hint and no
  // more: in a body that was cut short these bytes are anything, and the client is to be told what is wrong.
  const size_t declared = LoadLittle<uint32_t>(bytes.data() + bytes.size() - 4);
  BodyBuffer out;
  const auto reserve = [&](size_t capacity) -> Result<void> {
    if (grant && !grant(capacity)) {
      return MakeError(ErrorCode::kResourceExhausted,
                       "there is no memory for unpacking the body: too many that grow so much are at work");
    }
    out.Reserve(capacity);
    return {};
  };
  // What is declared is not believed at first where it is much.
  const size_t likely = std::max(bytes.size() * 20, size_t{64} << 10);
  TM_RETURN_IF_ERROR(reserve(std::clamp(declared, size_t{1}, std::min(limit, likely))));
  while (!bytes.empty()) {
    size_t consumed = 0;
    size_t produced = 0;
    const libdeflate_result result =
        libdeflate_gzip_decompress_ex(decompressor.get(), bytes.data(), bytes.size(), out.data() + out.size(),
                                      out.capacity() - out.size(), &consumed, &produced);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (out.capacity() >= limit) return TooLarge(limit);
      TM_RETURN_IF_ERROR(reserve(std::min(limit, std::max({out.capacity() * 4, declared, size_t{64} << 10}))));
      continue;
    }
    if (result != LIBDEFLATE_SUCCESS) return InvalidArgument("the gzip body is damaged");
    bytes.remove_prefix(consumed);
    out.SetSize(out.size() + produced);
  }
  return out;
}

std::string Gzip(std::string_view bytes) {
  // Level 1 halves the bytes of JSON for a tenth of the time of level 6's last few percent.
  constexpr int kLevel = 1;
  thread_local const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(kLevel));
  TM_CHECK(compressor != nullptr);
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()), '\0');
  const size_t size = libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size());
  TM_CHECK(size != 0);
  out.resize(size);
  return out;
}

}  // namespace tidemark::http
