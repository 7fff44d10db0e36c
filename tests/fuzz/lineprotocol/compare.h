// One round of differential testing of the line protocol parser.
#pragma once

#include <string>
#include <string_view>

#include "ingest/lineprotocol/parser.h"

namespace tidemark::lineprotocol {

// Parses `body` with the reference and with Parser: cold, again with what the first time taught it, and a third time
// behind `parser`, which lives on between calls. Returns "" or the first difference in words. `body` is copied to
// memory of exactly its size, so that a sanitizer sees reads beyond it.
std::string CompareWithReference(std::string_view body, const ParseOptions& options, Parser* parser);

// The options that a byte of fuzz input stands for: precision, default time, small limits.
ParseOptions OptionsFromByte(unsigned char byte);

}  // namespace tidemark::lineprotocol
