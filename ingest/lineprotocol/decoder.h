// Line protocol as a way in: ingest/decoder.h over the parser, in the words of InfluxDB 1.x.
#pragma once

#include <memory>

#include "ingest/decoder.h"

namespace tidemark::lineprotocol {

std::unique_ptr<ingest::Decoder> MakeDecoder();

}  // namespace tidemark::lineprotocol
