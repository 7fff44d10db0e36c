#include "storage/codec/huffman.h"

// The parameters for literals and frame format are declared for static linking only; the shared library has them.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>

#include "storage/base/check.h"

namespace tidemark::codec {
namespace {

// Negative levels skip ahead between looks for a match: at this one almost none are found.
constexpr int kNoMatches = -200;
constexpr int kSmallestTable = 6;  // ZSTD_HASHLOG_MIN: matches are not wanted, so clearing their table is waste

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_CCtx* Compressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context = [] {
    std::unique_ptr<ZSTD_CCtx, FreeContext> made(ZSTD_createCCtx());
    TM_CHECK(made != nullptr);
    const auto set = [&](ZSTD_cParameter parameter, int value) {
      TM_CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(made.get(), parameter, value)) == 0);
    };
    set(ZSTD_c_compressionLevel, kNoMatches);
    set(ZSTD_c_hashLog, kSmallestTable);
    set(ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
    set(ZSTD_c_format, ZSTD_f_zstd1_magicless);
    set(ZSTD_c_contentSizeFlag, 0);
    set(ZSTD_c_checksumFlag, 0);
    return made;
  }();
  return context.get();
}

ZSTD_DCtx* Decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context = [] {
    std::unique_ptr<ZSTD_DCtx, FreeContext> made(ZSTD_createDCtx());
    TM_CHECK(made != nullptr);
    TM_CHECK(ZSTD_isError(ZSTD_DCtx_setParameter(made.get(), ZSTD_d_format, ZSTD_f_zstd1_magicless)) == 0);
    return made;
  }();
  return context.get();
}

}  // namespace

size_t LeastHuffmanBytes(std::string_view bytes) {
  std::array<uint32_t, 256> counts{};
  for (const char byte : bytes) ++counts[static_cast<uint8_t>(byte)];
  const double all = static_cast<double>(bytes.size());
  double bits = 0;
  for (const uint32_t count : counts) {
    if (count != 0) bits += count * std::log2(all / count);
  }
  return static_cast<size_t>(bits / 8);
}

void AppendHuffman(std::string_view bytes, std::string* out) {
  TM_CHECK(!bytes.empty());
  const size_t start = out->size();
  out->resize(start + ZSTD_compressBound(bytes.size()));
  const size_t size =
      ZSTD_compress2(Compressor(), out->data() + start, out->size() - start, bytes.data(), bytes.size());
  TM_CHECK(ZSTD_isError(size) == 0);
  out->resize(start + size);
}

Result<void> ReadHuffman(std::string_view frame, size_t size, char* out) {
  const size_t found = ZSTD_decompressDCtx(Decompressor(), out, size, frame.data(), frame.size());
  if (ZSTD_isError(found) != 0) {
    return Corruption(std::string("huffman frame: ") + ZSTD_getErrorName(found));
  }
  if (found != size) {
    return Corruption("huffman frame: " + std::to_string(found) + " bytes, expected " + std::to_string(size));
  }
  return {};
}

}  // namespace tidemark::codec
