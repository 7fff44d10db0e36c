// Any bytes as a remote read request: with a first byte that is even as the message inside of the snappy block, which
// the fuzzer could not make by itself, with an odd one as the block. What is accepted keeps its bounds.
#include <snappy.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "query/api/remote_read.h"
#include "storage/base/check.h"

namespace tidemark::query::api {
namespace {

void Run(std::string_view body) {
  const auto request = ParseReadRequest(body);
  if (!request.ok()) {
    TM_CHECK(!request.error().message.empty());
    TM_CHECK(request.error().code == ErrorCode::kInvalidArgument || request.error().code == ErrorCode::kUnsupported);
    return;
  }
  TM_CHECK(request->queries.size() <= 100);
  const auto again = ParseReadRequest(body);
  TM_CHECK(again.ok() && again->chunks == request->chunks && again->queries.size() == request->queries.size());
  for (size_t i = 0; i < request->queries.size(); ++i) {
    TM_CHECK(again->queries[i].matchers == request->queries[i].matchers);
  }
}

}  // namespace
}  // namespace tidemark::query::api

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string block;
  if (data[0] % 2 == 0) snappy::Compress(input.data(), input.size(), &block);
  tidemark::query::api::Run(data[0] % 2 == 0 ? std::string_view(block) : input);
  return 0;
}
