#include "storage/rollup/tier_writer.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "storage/base/bytes.h"
#include "storage/base/check.h"
#include "storage/codec/ints.h"
#include "storage/page/page_format.h"
#include "storage/rollup/tier_format.h"
#include "storage/rollup/tier_words.h"

namespace tidemark::rollup {
namespace {

template <size_t Count>
std::string EncodeColumns(const std::array<std::vector<int64_t>, Count>& columns) {
  std::array<std::string, Count> frames;
  std::array<std::string_view, Count> views;
  for (size_t i = 0; i < Count; ++i) {
    const bool zero = std::all_of(columns[i].begin(), columns[i].end(), [](int64_t value) { return value == 0; });
    if (!zero) codec::EncodeInts(columns[i], &frames[i]);
    views[i] = frames[i];
  }
  std::string out;
  page::AppendColumns(views.data(), Count, &out);
  return out;
}

// One field's pages.
class FieldTier {
 public:
  FieldTier(model::FieldId field, model::FieldType type, int64_t width_ns)
      : field_(field), type_(type), width_ns_(width_ns) {}

  void Add(const BucketArrays& buckets, uint32_t max_buckets) {
    TM_CHECK(buckets.type == type_ && buckets.ref.series > last_series_ && buckets.size() <= kMaxPageBuckets);
    last_series_ = buckets.ref.series;
    if (rows() > 0 && rows() + buckets.size() > max_buckets) Close();
    const uint8_t flags =
        static_cast<uint8_t>((buckets.exact_sum ? kExactSum : 0) | (buckets.has_increase ? kHasIncrease : 0) |
                             (buckets.exact_increase ? kExactIncrease : 0));
    AppendWords(buckets);
    directory(TierDirectory::kSeries).push_back(model::Number(buckets.ref.series));
    directory(TierDirectory::kEnd).push_back(static_cast<int64_t>(rows()));
    directory(TierDirectory::kFirstBucket).push_back(buckets.bucket.front());
    directory(TierDirectory::kScale).push_back(buckets.scale);
    directory(TierDirectory::kFlags).push_back(flags);
    first_bucket_ = std::min(first_bucket_, buckets.bucket.front());
    last_bucket_ = std::max(last_bucket_, buckets.bucket.back());
  }

  std::vector<page::EncodedPage> Finish() {
    if (rows() > 0) Close();
    return std::exchange(pages_, {});
  }

 private:
  std::vector<int64_t>& directory(TierDirectory column) { return directory_[static_cast<size_t>(column)]; }
  std::vector<int64_t>& column(BucketColumn column) { return columns_[static_cast<size_t>(column)]; }
  [[nodiscard]] size_t rows() const { return columns_[0].size(); }

  void AppendWords(const BucketArrays& b) {
    int64_t last_before = 0;
    for (size_t i = 0; i < b.size(); ++i) {
      const int64_t first = b.first[i];
      const int64_t last = b.last[i];
      column(BucketColumn::kGap).push_back(Minus(Minus(b.bucket[i], b.bucket[0]), static_cast<int64_t>(i)));
      column(BucketColumn::kCount).push_back(b.count[i]);
      column(BucketColumn::kFirstGap).push_back(Minus(b.first_ns[i], Times(b.bucket[i] - 1, width_ns_)));
      column(BucketColumn::kLastGap).push_back(Minus(Times(b.bucket[i], width_ns_), b.last_ns[i]));
      column(BucketColumn::kFirst).push_back(Minus(first, last_before));
      column(BucketColumn::kLast).push_back(Minus(last, first));
      column(BucketColumn::kMin).push_back(Minus(std::min(first, last), b.min[i]));
      column(BucketColumn::kMax).push_back(Minus(b.max[i], std::max(first, last)));
      column(BucketColumn::kSum)
          .push_back(b.exact_sum ? Minus(b.sum[i], Times(b.count[i], Middle(b.min[i], b.max[i]))) : b.sum[i]);
      int64_t increase = b.has_increase ? b.increase[i] : 0;
      if (b.has_increase && b.exact_increase) increase = Minus(increase, Minus(last, first));
      column(BucketColumn::kIncrease).push_back(increase);
      last_before = last;
    }
  }

  void Close() {
    const auto& series = directory(TierDirectory::kSeries);
    std::string head;
    PutVarint(&head, static_cast<uint64_t>(width_ns_));
    PutVarint(&head, rows());
    head += EncodeColumns(directory_);
    page::EncodedPage page;
    page.kind = page::PageKind::kTier;
    page.field = field_;
    page.first_series = model::SeriesId{static_cast<uint32_t>(series.front())};
    page.last_series = model::SeriesId{static_cast<uint32_t>(series.back())};
    page.range = {{Plus(Times(first_bucket_ - 1, width_ns_), 1)}, {BucketEnd(last_bucket_, width_ns_)}};
    page.rows = rows();
    page.bytes = page::SealPage(
        {.kind = page.kind, .type = type_, .field = field_, .entries = static_cast<uint32_t>(series.size())}, head,
        EncodeColumns(columns_));
    pages_.push_back(std::move(page));
    directory_ = {};
    columns_ = {};
    first_bucket_ = std::numeric_limits<int64_t>::max();
    last_bucket_ = std::numeric_limits<int64_t>::min();
  }

  model::FieldId field_;
  model::FieldType type_;
  int64_t width_ns_;
  model::SeriesId last_series_{};
  std::array<std::vector<int64_t>, kTierDirectoryColumns> directory_;
  std::array<std::vector<int64_t>, kBucketColumns> columns_;
  int64_t first_bucket_ = std::numeric_limits<int64_t>::max();
  int64_t last_bucket_ = std::numeric_limits<int64_t>::min();
  std::vector<page::EncodedPage> pages_;
};

}  // namespace

struct TierWriter::Impl {
  int64_t width_ns;
  TierOptions options;
  std::map<model::FieldId, FieldTier> fields;
};

TierWriter::TierWriter(int64_t width_ns, const TierOptions& options)
    : impl_(std::make_unique<Impl>(width_ns, options)) {}

TierWriter::~TierWriter() = default;

void TierWriter::Add(const BucketArrays& buckets) {
  if (buckets.size() == 0) return;
  TM_CHECK(buckets.width_ns == impl_->width_ns);
  impl_->fields.try_emplace(buckets.ref.field, buckets.ref.field, buckets.type, impl_->width_ns)
      .first->second.Add(buckets, impl_->options.max_buckets);
}

std::vector<page::EncodedPage> TierWriter::Finish() {
  std::vector<page::EncodedPage> pages;
  for (auto& [id, field] : impl_->fields) {
    std::vector<page::EncodedPage> closed = field.Finish();
    std::move(closed.begin(), closed.end(), std::back_inserter(pages));
  }
  impl_->fields.clear();
  return pages;
}

}  // namespace tidemark::rollup
