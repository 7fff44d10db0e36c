// Huffman: bytes as Huffman codes and nothing else, in a zstd frame (RFC 8878) without its magic number, so that any
// zstd reads it. Looking for matches among the noise of differences makes frames larger, not smaller.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::codec {

// How many bytes the codes of `bytes` take at least, by their entropy (Shannon), without the table and the frame's
// head. A stream of which zstd finds parts again may become shorter.
size_t LeastHuffmanBytes(std::string_view bytes);
// Appends the frame of at least one byte. Thread-safe; keeps a context per thread.
void AppendHuffman(std::string_view bytes, std::string* out);
// Reads a frame that holds exactly `size` bytes. Errors: kCorruption. Thread-safe.
Result<void> ReadHuffman(std::string_view frame, size_t size, char* out);

}  // namespace tidemark::codec
