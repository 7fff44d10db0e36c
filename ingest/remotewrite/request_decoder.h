// Remote write as a way in: ingest/decoder.h over Decoder, in the words of a Prometheus receiver.
#pragma once

#include <memory>

#include "ingest/decoder.h"

namespace tidemark::remotewrite {

std::unique_ptr<ingest::Decoder> MakeDecoder();

}  // namespace tidemark::remotewrite
