#include "storage/rescue/page_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "storage/base/text/instant.h"
#include "storage/page/page_reader.h"
#include "storage/partition/page_kinds.h"
#include "storage/rescue/page_names.h"

namespace tidemark::storage::rescue {
namespace {

using partition::PageInfo;

// Series that a finding names; all are counted.
constexpr size_t kSeriesNamed = 8;

bool IsTimes(const PageInfo& page) { return page.tier == rocks::kRawTier && page.field == page::kTimelineField; }
bool IsValues(const PageInfo& page) { return page.tier == rocks::kRawTier && page.field != page::kTimelineField; }

// Numbers of timelines that are lost.
class LostTimes {
 public:
  void Add(const PageInfo& page) {
    spans_.emplace_back(model::Number(page.first_series), model::Number(page.last_series));
  }
  // All but those that `pages` have, which are ascending.
  void AddAllBut(const std::vector<PageInfo>& pages) {
    uint32_t next = 1;
    for (const PageInfo& page : pages) {
      if (!IsTimes(page)) continue;
      if (model::Number(page.first_series) > next) spans_.emplace_back(next, model::Number(page.first_series) - 1);
      next = std::max(next, model::Number(page.last_series) + 1);
    }
    spans_.emplace_back(next, std::numeric_limits<uint32_t>::max());
  }
  [[nodiscard]] bool empty() const { return spans_.empty(); }
  // Whether a page of values has an entry whose times are among them. One that cannot be told counts as one.
  [[nodiscard]] bool Touch(std::string_view bytes) const {
    const auto reader = page::PageReader::Open(bytes, page::Checksum::kTrusted);
    if (!reader.ok()) return true;
    std::vector<page::Entry> entries;
    if (!reader->ReadEntries({0, reader->entries()}, &entries, page::Zones::kLeave).ok()) return true;
    return std::any_of(entries.begin(), entries.end(), [this](const page::Entry& entry) {
      return entry.timeline != 0 && std::any_of(spans_.begin(), spans_.end(), [&](const auto& span) {
               return entry.timeline >= span.first && entry.timeline <= span.second;
             });
    });
  }

 private:
  std::vector<std::pair<uint32_t, uint32_t>> spans_;
};

// What is lost of one field, or of the rollups of it.
struct LostField {
  uint64_t pages = 0;
  uint64_t rows = 0;
  model::TimeRange range{model::Timestamp::Max(), model::Timestamp::Min()};
  std::vector<std::pair<model::SeriesId, model::SeriesId>> series;
  PageInfo first;
  void Add(const PageInfo& page) {
    if (pages++ == 0) first = page;
    rows += page.rows;
    range.first = std::min(range.first, page.range.first);
    range.last = std::max(range.last, page.range.last);
    series.emplace_back(page.first_series, page.last_series);
  }
};

// `cpu_usage{host="a"}, cpu_usage{host="b"} and 3 more series`; "" without names.
std::string SeriesNames(const LostField& lost, const index::Index* index) {
  const uint32_t field = model::Number(lost.first.field);
  if (index == nullptr || field == 0 || field > index->Stats().fields) return {};
  std::string out;
  size_t count = 0;
  for (const model::SeriesRef ref : index->SeriesOf(lost.first.field)) {
    const bool in = std::any_of(lost.series.begin(), lost.series.end(), [&](const auto& span) {
      return ref.series >= span.first && ref.series <= span.second;
    });
    if (!in) continue;
    if (++count <= kSeriesNamed) out += (out.empty() ? "" : ", ") + SeriesText(*index, ref);
  }
  if (count > kSeriesNamed) out += fmt::format(" and {} more series", count - kSeriesNamed);
  return out;
}

model::Finding FindingOf(const LostField& lost, const std::string& place, const index::Index* index, bool rows_lost) {
  model::Finding finding{.area = model::FindingArea::kPages, .place = place};
  const std::string names = SeriesNames(lost, index);
  const std::string what = names.empty() ? NameOf(lost.first, index) : names;
  const std::string_view kind = partition::KindOf(lost.first).name;
  finding.what = fmt::format("{} of {} from {} to {} cannot be read",
                             rows_lost ? fmt::format("{} value{}", lost.rows, lost.rows == 1 ? "" : "s")
                                       : fmt::format("{} page{} of {}", lost.pages, lost.pages == 1 ? "" : "s", kind),
                             what, text::PrintSecond(lost.range.first.ns), text::PrintSecond(lost.range.last.ns));
  if (rows_lost) finding.loss = model::Loss{.records = {}, .rows = lost.rows, .since = {}, .until = {}, .proven = true};
  return finding;
}

// The series of `field` that have rows by the list and of which no page of `pages` tells.
LostField Unseen(model::FieldId field, const partition::SeriesList& list,
                 const std::vector<partition::PartitionPage>& pages) {
  std::set<model::SeriesId> seen;
  for (const partition::PartitionPage& page : pages) {
    if (page.tier != rocks::kRawTier || page.page.field != field) continue;
    std::vector<model::SeriesId> series;
    const auto reader = page::PageReader::Open(page.page.bytes, page::Checksum::kTrusted);
    if (reader.ok() && reader->ReadSeries(&series).ok()) seen.insert(series.begin(), series.end());
  }
  LostField lost;
  lost.first.field = field;
  for (const partition::SeriesRun& run : list.RunsOf(field)) {
    for (uint64_t id = run.first; id <= run.last; ++id) {
      const model::SeriesId series{static_cast<uint32_t>(id)};
      if (!seen.contains(series)) lost.series.emplace_back(series, series);
    }
  }
  return lost;
}

// What is lost with pages that nothing lists any more: how much, and the series that have nothing left.
void TellOfUnlisted(const partition::Epoch& epoch, const std::string& place, const index::Index* index,
                    ReadablePages* out) {
  const meta::EpochRecord& record = epoch.record();
  uint64_t rows = 0;
  for (const partition::PartitionPage& page : out->pages.pages) {
    if (page.tier == rocks::kRawTier && page.page.field != page::kTimelineField) rows += page.page.rows;
  }
  model::Finding finding{.area = model::FindingArea::kPages, .place = place};
  if (rows >= record.rows && !record.tiers_only) {
    finding.what = epoch.Loss() + "; they are of rollups, which will be made again of the rows, which are all there";
    out->lost.push_back(std::move(finding));
    return;
  }
  finding.what = fmt::format("{}, of times from {} to {}", epoch.Loss(), text::PrintSecond(record.range.first.ns),
                             text::PrintSecond(record.range.last.ns));
  finding.loss = model::Loss{
      .records = {}, .rows = record.rows - std::min(record.rows, rows), .since = {}, .until = {}, .proven = true};
  out->lost.push_back(std::move(finding));
  const auto list = epoch.Series();
  if (!list.ok() || *list == nullptr || record.tiers_only) return;
  for (const model::FieldId field : (*list)->Fields()) {
    const LostField unseen = Unseen(field, **list, out->pages.pages);
    if (unseen.series.empty()) continue;
    const std::string names = SeriesNames(unseen, index);
    out->lost.push_back(
        {.area = model::FindingArea::kPages,
         .place = place,
         .what = fmt::format(
             "of {} nothing is left from {} to {}",
             names.empty() ? fmt::format("{} series of field {}", unseen.series.size(), model::Number(field)) : names,
             text::PrintSecond(record.range.first.ns), text::PrintSecond(record.range.last.ns))});
  }
}

}  // namespace

Result<rocks::PageBytes> CheckPage(const partition::PageSet& epoch, size_t index) {
  TM_TRY_ASSIGN(const partition::PageDirectory* const directory, epoch.Directory());
  const PageInfo& info = directory->pages()[index];
  TM_TRY_ASSIGN(rocks::PageBytes bytes, epoch.Read(index));
  if (bytes.bytes.size() != info.bytes) {
    return Corruption(fmt::format("{} bytes, the directory of the epoch says {}", bytes.bytes.size(), info.bytes));
  }
  TM_TRY_ASSIGN(const model::FieldId field, partition::KindOf(info).check(bytes.bytes, info.field));
  if (field != info.field) {
    return Corruption(
        fmt::format("it is of field {}, its key of field {}", model::Number(field), model::Number(info.field)));
  }
  return bytes;
}

Result<ReadablePages> ReadWhatIsWhole(const partition::Epoch& epoch, const std::string& place,
                                      const index::Index* index) {
  TM_TRY_ASSIGN(const partition::PageDirectory* const directory, epoch.Directory());
  const meta::EpochRecord& record = epoch.record();
  ReadablePages out;
  out.pages.partition_start_ns = record.partition_start_ns;
  out.pages.partition_ns = record.partition_ns;
  out.pages.rows_range = record.range;
  const std::vector<PageInfo>& pages = directory->pages();
  std::vector<Result<rocks::PageBytes>> bytes;
  bytes.reserve(pages.size());
  LostTimes lost_times;
  bool tier_lost = false;
  for (size_t i = 0; i < pages.size(); ++i) {
    bytes.push_back(CheckPage(epoch, i));
    if (bytes.back().ok()) continue;
    if (IsTimes(pages[i])) lost_times.Add(pages[i]);
    tier_lost |= pages[i].tier != rocks::kRawTier;
  }
  const bool unlisted = !epoch.Loss().empty();
  if (unlisted) lost_times.AddAllBut(pages);
  // Pages of rollups may be among those that nothing lists.
  const bool drop_tiers = (tier_lost || unlisted) && !record.tiers_only;
  if (!drop_tiers) out.pages.tier_widths_ns = directory->tier_widths_ns();
  std::map<std::pair<uint8_t, model::FieldId>, LostField> lost;
  for (size_t i = 0; i < pages.size(); ++i) {
    const PageInfo& info = pages[i];
    const bool whole = bytes[i].ok() && !(IsValues(info) && !lost_times.empty() && lost_times.Touch(bytes[i]->bytes));
    if (!whole && !IsTimes(info)) lost[{info.tier, info.field}].Add(info);
    if (!whole || (drop_tiers && info.tier != rocks::kRawTier)) continue;
    partition::PartitionPage& page = out.pages.pages.emplace_back();
    page.measurement = info.measurement;
    page.tier = info.tier;
    page.page.field = info.field;
    page.page.first_series = info.first_series;
    page.page.last_series = info.last_series;
    page.page.part = info.part;
    page.page.range = info.range;
    page.page.rows = info.rows;
    page.page.bytes = bytes[i]->bytes;
  }
  for (const auto& [key, field] : lost) {
    const bool raw = key.first == rocks::kRawTier;
    out.lost.push_back(FindingOf(field, place, index, raw || record.tiers_only));
    if (!raw && drop_tiers) {
      out.lost.back().what += "; they are made of rows that are there, and will be made of them again";
    }
  }
  if (unlisted) {
    TellOfUnlisted(epoch, place, index, &out);
  } else if (const std::string damage = epoch.DirectoryDamage(); !damage.empty()) {
    out.lost.push_back(
        {.area = model::FindingArea::kPages,
         .place = place,
         .what = "its list of pages is damaged, and was made anew of the pages, which are all there: " + damage});
  }
  if (auto series = epoch.Series(); series.ok()) {
    out.pages.series = std::move(series).value();
  } else {
    out.lost.push_back({.area = model::FindingArea::kPages,
                        .place = place,
                        .what = "the list of its series cannot be read; it costs no row, and is left out"});
  }
  return out;
}

}  // namespace tidemark::storage::rescue
