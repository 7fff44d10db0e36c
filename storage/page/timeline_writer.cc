#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "storage/base/check.h"
#include "storage/base/hash.h"
#include "storage/base/mutex.h"
#include "storage/codec/ints.h"
#include "storage/model/batch.h"
#include "storage/page/page_builder.h"
#include "storage/page/page_format.h"
#include "storage/page/page_writer.h"

namespace tidemark::page {
namespace {

std::string_view BytesOf(std::span<const int64_t> times) {
  return {reinterpret_cast<const char*>(times.data()), times.size_bytes()};
}

// Times are a sender's choice. The hash is keyed per process so that nobody can make two timelines look the same.
Hash128 ContentHash(std::span<const int64_t> times) { return HashBytes(BytesOf(times), model::SeriesHashSeed()); }

struct HashOfHash {
  size_t operator()(const Hash128& hash) const { return hash.low; }
};

}  // namespace

struct TimelineWriter::Impl {
  WriterOptions options;
  Mutex mutex;  // over all that follows
  std::unordered_map<Hash128, uint32_t, HashOfHash> numbers;
  uint32_t last_number = 0;
  PageBuilder open{PageKind::kTimelines, model::FieldType::kInt, kTimelineField};
  std::vector<EncodedPage> pages;
  std::string frame;
};

TimelineWriter::TimelineWriter(const WriterOptions& options) : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
}

TimelineWriter::~TimelineWriter() = default;

uint32_t TimelineWriter::Intern(std::span<const int64_t> times) {
  TM_CHECK(times.size() >= 2 && times.size() <= kMaxFrameRows);
  const Hash128 hash = ContentHash(times);
  MutexLock lock(impl_->mutex);
  if (impl_->numbers.size() >= kKnownTimelines) impl_->numbers.clear();
  const auto [found, added] = impl_->numbers.try_emplace(hash, impl_->last_number + 1);
  if (!added) return found->second;
  ++impl_->last_number;
  impl_->frame.clear();
  const codec::Since since = codec::EncodeInts(times, &impl_->frame, impl_->options.effort);
  impl_->open.Add({.series = model::SeriesId{impl_->last_number},
                   .rows = static_cast<uint32_t>(times.size()),
                   .range = {{times.front()}, {times.back()}}},
                  impl_->frame, since);
  if (impl_->open.frame_bytes() >= impl_->options.target_bytes) impl_->pages.push_back(impl_->open.Seal());
  return impl_->last_number;
}

std::vector<EncodedPage> TimelineWriter::TakeFull() {
  MutexLock lock(impl_->mutex);
  return std::exchange(impl_->pages, {});
}

std::vector<EncodedPage> TimelineWriter::Finish() {
  MutexLock lock(impl_->mutex);
  if (!impl_->open.empty()) impl_->pages.push_back(impl_->open.Seal());
  impl_->numbers.clear();
  impl_->last_number = 0;
  return std::exchange(impl_->pages, {});
}

}  // namespace tidemark::page
