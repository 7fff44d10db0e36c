// The native batch as a way in: ingest/decoder.h over a verified FlatBuffer. What a batch is, what is refused and how
// it is answered: README.md beside this file.
#pragma once

#include <memory>
#include <string_view>

#include "ingest/decoder.h"
#include "ingest/native/limits.h"

namespace tidemark::native {

std::unique_ptr<ingest::Decoder> MakeDecoder();
std::unique_ptr<ingest::Decoder> MakeDecoderWith(const Limits& limits);

// Of a batch over HTTP, by which clients say what they send; it is not asked for.
inline constexpr std::string_view kMediaType = "application/vnd.tidemark.batch";

}  // namespace tidemark::native
