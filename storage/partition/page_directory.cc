#include "storage/partition/page_directory.h"

#include <algorithm>
#include <tuple>

#include "storage/base/bytes.h"
#include "storage/meta/meta_records.h"
#include "storage/page/encoded_page.h"

namespace tidemark::storage::partition {
namespace {

constexpr uint8_t kLayout = 1;

auto FieldKey(const PageInfo& page) { return std::make_tuple(page.tier, page.measurement, page.field); }
auto SortKey(const PageInfo& page) {
  return std::make_tuple(page.tier, page.measurement, page.field, page.first_series, page.part);
}

}  // namespace

PageDirectory::PageDirectory(std::vector<PageInfo> pages, std::vector<int64_t> tier_widths_ns)
    : pages_(std::move(pages)), tier_widths_ns_(std::move(tier_widths_ns)) {
  for (const PageInfo& page : pages_) {
    bytes_ += page.bytes;
    if (page.tier != rocks::kRawTier || page.field == page::kTimelineField) continue;
    rows_ += page.rows;
    range_.first = std::min(range_.first, page.range.first);
    range_.last = std::max(range_.last, page.range.last);
  }
}

PageRange PageDirectory::OfField(uint8_t tier, model::MeasurementId measurement, model::FieldId field) const {
  const auto key = std::make_tuple(tier, measurement, field);
  const auto begin =
      std::partition_point(pages_.begin(), pages_.end(), [&](const PageInfo& page) { return FieldKey(page) < key; });
  const auto end =
      std::partition_point(begin, pages_.end(), [&](const PageInfo& page) { return FieldKey(page) == key; });
  return {static_cast<size_t>(begin - pages_.begin()), static_cast<size_t>(end - pages_.begin())};
}

PageRange PageDirectory::OfSeries(PageRange field, model::SeriesId series) const {
  const auto first = pages_.begin() + static_cast<std::ptrdiff_t>(field.begin);
  const auto last = pages_.begin() + static_cast<std::ptrdiff_t>(field.end);
  // Pages are disjoint in series, but for the parts of one long series, so both ends are sorted alike.
  const auto begin = std::partition_point(first, last, [&](const PageInfo& page) { return page.last_series < series; });
  const auto end = std::partition_point(begin, last, [&](const PageInfo& page) { return page.first_series <= series; });
  return {static_cast<size_t>(begin - pages_.begin()), static_cast<size_t>(end - pages_.begin())};
}

std::string PageDirectory::Encode() const {
  std::string out(1, static_cast<char>(kLayout));
  PutVarint(&out, tier_widths_ns_.size());
  for (const int64_t width : tier_widths_ns_) PutSignedVarint(&out, width);
  PutVarint(&out, pages_.size());
  PageInfo previous;
  previous.range = {};
  int64_t previous_first_ns = 0;
  for (const PageInfo& page : pages_) {
    out.push_back(static_cast<char>(page.tier));
    PutVarint(&out, model::Number(page.measurement));
    PutVarint(&out, model::Number(page.field));
    PutSignedVarint(&out, int64_t{model::Number(page.first_series)} - int64_t{model::Number(previous.first_series)});
    PutVarint(&out, model::Number(page.last_series) - model::Number(page.first_series));
    PutVarint(&out, page.part);
    PutVarint(&out, page.bytes);
    PutVarint(&out, page.rows);
    // Wraps around on purpose: times may lie anywhere in int64.
    PutSignedVarint(&out, static_cast<int64_t>(static_cast<uint64_t>(page.range.first.ns) -
                                               static_cast<uint64_t>(previous_first_ns)));
    PutVarint(&out, static_cast<uint64_t>(page.range.last.ns) - static_cast<uint64_t>(page.range.first.ns));
    previous = page;
    previous_first_ns = page.range.first.ns;
  }
  meta::Seal(&out);
  return out;
}

Result<PageDirectory> PageDirectory::Decode(std::string_view bytes) {
  TM_TRY_ASSIGN(const std::string_view body, meta::Unseal(bytes, "the directory of an epoch"));
  ByteReader reader(body);
  if (reader.Little<uint8_t>() != kLayout) return Unsupported("the directory of an epoch has an unknown layout");
  std::vector<int64_t> widths;
  const uint64_t width_count = reader.Varint();
  for (uint64_t i = 0; i < width_count && reader.ok(); ++i) widths.push_back(reader.SignedVarint());
  const uint64_t count = reader.Varint();
  // A page takes at least ten bytes here, which bounds what damage can make us reserve.
  if (!reader.ok() || count > reader.remaining() / 10) return Corruption("the directory of an epoch is cut short");
  std::vector<PageInfo> pages;
  pages.reserve(count);
  int64_t previous_series = 0;
  uint64_t previous_first_ns = 0;
  for (uint64_t i = 0; i < count; ++i) {
    PageInfo page;
    page.tier = reader.Little<uint8_t>();
    page.measurement = model::MeasurementId{static_cast<uint32_t>(reader.Varint())};
    page.field = model::FieldId{static_cast<uint32_t>(reader.Varint())};
    previous_series += reader.SignedVarint();
    page.first_series = model::SeriesId{static_cast<uint32_t>(previous_series)};
    page.last_series = model::SeriesId{static_cast<uint32_t>(static_cast<uint64_t>(previous_series) + reader.Varint())};
    page.part = static_cast<uint32_t>(reader.Varint());
    page.bytes = static_cast<uint32_t>(reader.Varint());
    page.rows = reader.Varint();
    previous_first_ns += static_cast<uint64_t>(reader.SignedVarint());
    page.range.first.ns = static_cast<int64_t>(previous_first_ns);
    page.range.last.ns = static_cast<int64_t>(previous_first_ns + reader.Varint());
    pages.push_back(page);
  }
  if (!reader.ok() || !reader.empty()) return Corruption("the directory of an epoch has a wrong length");
  const auto unsorted = [](const PageInfo& a, const PageInfo& b) { return SortKey(a) >= SortKey(b); };
  if (std::adjacent_find(pages.begin(), pages.end(), unsorted) != pages.end()) {
    return Corruption("the directory of an epoch is not sorted");
  }
  return PageDirectory(std::move(pages), std::move(widths));
}

}  // namespace tidemark::storage::partition
