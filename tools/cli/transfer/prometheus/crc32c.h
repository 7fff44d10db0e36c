// CRC-32C (Castagnoli), as Prometheus' files have it: https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4
#pragma once

#include <cstdint>
#include <string_view>

namespace tidemark::cli::prometheus {

uint32_t Crc32c(std::string_view bytes);

}  // namespace tidemark::cli::prometheus
