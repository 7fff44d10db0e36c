// Lines of an export and chunks of Prometheus out of any bytes: neither crashes, and what is taken comes back the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/check.h"
#include "tools/cli/transfer/prometheus/chunk.h"
#include "tools/transfer/exact_lines.h"
#include "tools/transfer/logical_hash.h"

namespace tidemark {
namespace {

void TryLine(std::string_view line) {
  transfer::LineReader reader;
  transfer::Piece piece;
  transfer::ExportEnd end;
  const auto kind = reader.Read(line, &piece, &end);
  if (!kind.ok() || *kind == transfer::LineReader::Kind::kEnd) return;
  transfer::LogicalHash hash;
  std::string lines;
  AppendLines(piece, &lines);
  for (std::string_view rest = lines; !rest.empty();) {
    const size_t size = rest.find('\n');
    transfer::Piece again;
    TM_CHECK(reader.Read(rest.substr(0, size), &again, &end).ok());
    hash.Add(HashOf(again));
    rest.remove_prefix(size + 1);
  }
  TM_CHECK(hash == HashOf(piece));
}

void TryChunk(std::string_view data) {
  std::vector<cli::prometheus::Sample> samples;
  const Status read = cli::prometheus::ReadXorChunk(data, &samples);
  TM_CHECK(!read.ok() || samples.size() == cli::prometheus::SamplesIn(data));
}

}  // namespace
}  // namespace tidemark

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.starts_with('{')) {
    tidemark::TryLine(bytes);
  } else {
    tidemark::TryChunk(bytes);
  }
  return 0;
}
