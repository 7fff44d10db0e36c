#include "tools/cli/support/tar.h"

#include <fmt/core.h>

#include <cstring>

#include "storage/base/check.h"

namespace tidemark::cli {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kNameMax = 100;

// Where the fields of a header begin.
constexpr size_t kMode = 100, kOwner = 108, kGroup = 116, kSize = 124, kTime = 136, kSum = 148, kType = 156,
                 kMagic = 257;

void Put(std::string* header, size_t at, std::string_view text) { header->replace(at, text.size(), text); }

}  // namespace

void AppendTarFile(std::string_view name, std::string_view bytes, int64_t time_s, std::string* out) {
  TM_CHECK(name.size() <= kNameMax);
  std::string header(kBlock, '\0');
  Put(&header, 0, name);
  Put(&header, kMode, "0000600");
  Put(&header, kOwner, "0000000");
  Put(&header, kGroup, "0000000");
  Put(&header, kSize, fmt::format("{:011o}", bytes.size()));
  Put(&header, kTime, fmt::format("{:011o}", time_s < 0 ? 0 : time_s));
  Put(&header, kSum, "        ");
  Put(&header, kType, "0");
  Put(&header, kMagic, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  Put(&header, kSum, fmt::format("{:06o}", sum));
  header[kSum + 6] = '\0';
  *out += header;
  *out += bytes;
  out->append((kBlock - bytes.size() % kBlock) % kBlock, '\0');
}

void AppendTarEnd(std::string* out) { out->append(2 * kBlock, '\0'); }

}  // namespace tidemark::cli
