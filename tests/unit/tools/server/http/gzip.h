// Gzip: a text as a member of gzip (RFC 1952), as a client would pack it.
#pragma once

#include <libdeflate.h>

#include <string>

namespace tidemark::http {

inline std::string Gzip(const std::string& text) {
  libdeflate_compressor* const compressor = libdeflate_alloc_compressor(6);
  std::string out(libdeflate_gzip_compress_bound(compressor, text.size()), '\0');
  out.resize(libdeflate_gzip_compress(compressor, text.data(), text.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

}  // namespace tidemark::http
