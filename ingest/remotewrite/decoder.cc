#include "ingest/remotewrite/decoder.h"

#include <fmt/core.h>
#include <snappy.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <protozero/pbf_reader.hpp>
#include <span>
#include <utility>

#include "ingest/remotewrite/label_cache.h"
#include "ingest/remotewrite/labels.h"
#include "ingest/remotewrite/metric_shapes.h"
#include "storage/base/utf8.h"
#include "storage/model/timestamp.h"

namespace tidemark::remotewrite {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

constexpr uint32_t Varint(uint32_t field) { return protozero::tag_and_type(field, pbf_wire_type::varint); }
constexpr uint32_t Fixed64(uint32_t field) { return protozero::tag_and_type(field, pbf_wire_type::fixed64); }
constexpr uint32_t Bytes(uint32_t field) { return protozero::tag_and_type(field, pbf_wire_type::length_delimited); }

// Field numbers of prompb/remote.proto and prompb/types.proto.
constexpr uint32_t kRequestSeries = Bytes(1);
constexpr uint32_t kRequestMetadata = Bytes(3);
constexpr uint32_t kSeriesLabel = Bytes(1);
constexpr uint8_t kSeriesLabelTag = 0x0A;  // how kSeriesLabel is encoded
constexpr uint32_t kSeriesSample = Bytes(2);
constexpr uint32_t kSeriesExemplar = Bytes(3);
constexpr uint32_t kSeriesHistogram = Bytes(4);
constexpr uint32_t kSampleValue = Fixed64(1);
constexpr uint32_t kSampleTimestamp = Varint(2);
constexpr uint32_t kMetadataType = Varint(1);
constexpr uint32_t kMetadataFamily = Bytes(2);
constexpr uint32_t kMetadataHelp = Bytes(4);
constexpr uint32_t kMetadataUnit = Bytes(5);

// A buffer larger than this is not kept between requests.
constexpr size_t kKeptBufferBytes = size_t{8} << 20;

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kMinMs = model::kMinTime.ns / kNsPerMs;
constexpr int64_t kMaxMs = model::kMaxTime.ns / kNsPerMs;

struct Sample {
  uint64_t bits = 0;  // of the double: a NaN must not pass through a register that might change it
  int64_t ms = 0;
};

Sample ReadSample(protozero::data_view view) {
  Sample sample;
  // As every sender writes it: value, then timestamp.
  const char* const at = view.data();
  pbf_reader rest(view);
  if (view.size() > 10 && at[0] == static_cast<char>(Fixed64(1)) && at[9] == static_cast<char>(kSampleTimestamp)) {
    std::memcpy(&sample.bits, at + 1, sizeof(sample.bits));
    rest = pbf_reader(at + 9, view.size() - 9);
  }
  while (rest.next()) {
    switch (rest.tag_and_type()) {
      case kSampleValue: sample.bits = rest.get_fixed64(); break;
      case kSampleTimestamp: sample.ms = rest.get_int64(); break;
      default: rest.skip();
    }
  }
  return sample;
}

// The end of the run of Label fields at `at`, as far as they are shorter than 128 bytes: what nearly every series
// starts with, and most of its bytes.
const char* SkipShortLabels(const char* at, const char* end) {
  while (end - at >= 2 && at[0] == static_cast<char>(kSeriesLabelTag) && at[1] >= 0 && end - at >= 2 + at[1]) {
    at += 2 + at[1];
  }
  return at;
}

// Whole numbers become mantissas, which pack well; everything else keeps its bits.
void AppendValue(uint64_t bits, model::Batch* batch) {
  constexpr double kLimit = 9007199254740992.0;  // 2^53
  const double value = std::bit_cast<double>(bits);
  if (value > -kLimit && value < kLimit) {
    const auto whole = static_cast<int64_t>(value);
    if (static_cast<double>(whole) == value && !(whole == 0 && bits != 0)) {
      batch->values.push_back(whole);
      batch->scales.push_back(0);
      return;
    }
  }
  batch->values.push_back(std::bit_cast<int64_t>(bits));
  batch->scales.push_back(model::kBinaryScale);
}

std::string_view TypeName(int32_t type) {
  static constexpr std::string_view kNames[] = {"unknown",        "counter", "gauge", "histogram",
                                                "gaugehistogram", "summary", "info",  "stateset"};
  return type >= 0 && type < static_cast<int32_t>(std::size(kNames)) ? kNames[type] : kNames[0];
}

Result<Metadata> ReadMetadata(pbf_reader message) {
  Metadata out{.family = {}, .type = "unknown", .help = {}, .unit = {}};
  while (message.next()) {
    switch (message.tag_and_type()) {
      case kMetadataType: out.type = TypeName(message.get_int32()); break;
      case kMetadataFamily: out.family = message.get_string(); break;
      case kMetadataHelp: out.help = message.get_string(); break;
      case kMetadataUnit: out.unit = message.get_string(); break;
      default: message.skip();
    }
  }
  if (!IsUtf8(out.family) || !IsUtf8(out.help) || !IsUtf8(out.unit)) {
    return InvalidArgument("metadata is not valid UTF-8");
  }
  return out;
}

}  // namespace

class Decoder::State {
 public:
  Result<std::string_view> Uncompress(std::string_view body, const Limits& limits);
  Result<DecodeReport> DecodeMessage(std::string_view message, const Limits& limits, model::Batch* batch);

 private:
  // One TimeSeries message, taken apart.
  struct Series {
    uint32_t position = 0;
    model::SeriesKey key;  // its labels
    uint64_t histograms = 0;
    size_t first_sample = 0;  // in samples_
    size_t samples = 0;
  };

  // Series are read a group at a time, so that the cache entries of all of them are on their way before the first one
  // is needed.
  static constexpr size_t kGroup = 16;

  Result<void> ReadRequest(pbf_reader request, const Limits& limits, model::Batch* batch, DecodeReport* report);
  Series ReadSeries(pbf_reader message, model::Batch* batch, DecodeReport* report);
  void AppendGroup(const Limits& limits, model::Batch* batch, DecodeReport* report);
  void AppendSeries(const Series& series, const Limits& limits, model::Batch* batch, DecodeReport* report);
  static void Refuse(const Series& series, std::string_view reason, const Limits& limits, DecodeReport* report);

  LabelCache cache_;
  MetricShapes shapes_;
  std::unique_ptr<char[]> buffer_;
  size_t buffer_bytes_ = 0;
  std::vector<Series> group_;
  std::vector<Sample> samples_;  // of the group
};

Result<std::string_view> Decoder::State::Uncompress(std::string_view body, const Limits& limits) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
    return InvalidArgument("the body is not a snappy block");
  }
  if (size > limits.max_decoded_bytes) {
    return LimitExceeded(fmt::format("the body declares {} bytes after decompression, more than the limit of {}", size,
                                     limits.max_decoded_bytes));
  }
  if (size > buffer_bytes_ || buffer_bytes_ > kKeptBufferBytes) {
    buffer_ = std::make_unique_for_overwrite<char[]>(size);
    buffer_bytes_ = size;
  }
  if (!snappy::RawUncompress(body.data(), body.size(), buffer_.get())) {
    return InvalidArgument("the body is a damaged snappy block");
  }
  return std::string_view(buffer_.get(), size);
}

void Decoder::State::Refuse(const Series& series, std::string_view reason, const Limits& limits, DecodeReport* report) {
  ++report->errors_total;
  if (report->errors.size() >= limits.max_errors) return;
  report->errors.push_back({.position = series.position,
                            .reason = Printable(reason, limits.max_error_text_bytes),
                            .series = PrintLabels(series.key.bytes, limits.max_error_text_bytes)});
}

Decoder::State::Series Decoder::State::ReadSeries(pbf_reader message, model::Batch* batch, DecodeReport* report) {
  Series series;
  series.position = static_cast<uint32_t>(++report->series);
  series.first_sample = samples_.size();
  // Of the labels, as long as they are in one run.
  const char* run_begin = message.data().data();
  const char* run_end = SkipShortLabels(run_begin, run_begin + message.length());
  if (run_end == run_begin) {
    run_begin = run_end = nullptr;
  } else {
    message = pbf_reader(run_end, message.length() - static_cast<size_t>(run_end - run_begin));
  }
  std::string scattered;  // the labels when they are not
  while (true) {
    const char* const field_begin = message.data().data();
    if (!message.next()) break;
    switch (message.tag_and_type()) {
      case kSeriesLabel: {
        message.skip();
        const char* const field_end = message.data().data();
        if (run_end != nullptr && run_end != field_begin) {
          if (scattered.empty()) scattered.assign(run_begin, run_end);
          scattered.append(field_begin, field_end);
        } else if (run_begin == nullptr) {
          run_begin = field_begin;
        }
        // After the first gap run_end stays behind, so that every further label is appended.
        if (scattered.empty()) run_end = field_end;
        break;
      }
      case kSeriesSample: samples_.push_back(ReadSample(message.get_view())); break;
      case kSeriesExemplar:
        message.skip();
        ++report->exemplars_ignored;
        break;
      case kSeriesHistogram:
        message.skip();
        ++series.histograms;
        break;
      default: message.skip();
    }
  }
  series.samples = samples_.size() - series.first_sample;
  series.key.format = model::KeyFormat::kRemoteWrite;
  if (!scattered.empty()) {
    series.key.bytes = batch->arena.Copy(scattered);
  } else if (run_begin != nullptr) {
    series.key.bytes = {run_begin, static_cast<size_t>(run_end - run_begin)};
  }
  series.key.hash = model::HashSeriesKey(series.key.format, series.key.bytes);
  cache_.Prefetch(series.key.hash);
  return series;
}

void Decoder::State::AppendSeries(const Series& series, const Limits& limits, model::Batch* batch,
                                  DecodeReport* report) {
  const model::SeriesKey& key = series.key;
  if (key.bytes.size() > limits.max_key_bytes) {
    report->samples_refused += series.samples;
    report->histograms_refused += series.histograms;
    Refuse(series, fmt::format("{} bytes of labels, more than the limit of {}", key.bytes.size(), limits.max_key_bytes),
           limits, report);
    return;
  }
  std::string_view metric;
  if (const LabelCache::Entry* const known = cache_.Find(key.hash); known != nullptr) {
    metric = key.bytes.substr(known->name_offset, known->name_size);
  } else {
    auto checked = MetricNameOf(key.bytes, &batch->arena);
    if (!checked.ok()) {
      report->samples_refused += series.samples;
      report->histograms_refused += series.histograms;
      Refuse(series, checked.error().message, limits, report);
      return;
    }
    metric = *checked;
    cache_.Insert({.hash = key.hash,
                   .name_offset = static_cast<uint32_t>(metric.data() - key.bytes.data()),
                   .name_size = static_cast<uint32_t>(metric.size())});
  }
  if (series.histograms > 0) {
    report->histograms_refused += series.histograms;
    Refuse(series, fmt::format("native histograms are not stored yet ({} dropped)", series.histograms), limits, report);
  }
  if (series.samples == 0) return;
  const uint32_t shape = shapes_.Find(metric, batch);
  for (const Sample& sample : std::span(samples_).subspan(series.first_sample, series.samples)) {
    if (sample.ms < kMinMs || sample.ms > kMaxMs) [[unlikely]] {
      ++report->samples_refused;
      Refuse(series, fmt::format("timestamp {} ms is outside of {} to {}", sample.ms, kMinMs, kMaxMs), limits, report);
      continue;
    }
    batch->rows.push_back({.key = key,
                           .time = model::Timestamp::FromMs(sample.ms),
                           .shape = shape,
                           .first_value = static_cast<uint32_t>(batch->values.size()),
                           .line = series.position});
    AppendValue(sample.bits, batch);
    ++report->samples;
  }
}

void Decoder::State::AppendGroup(const Limits& limits, model::Batch* batch, DecodeReport* report) {
  for (const Series& series : group_) AppendSeries(series, limits, batch, report);
  group_.clear();
  samples_.clear();
}

Result<void> Decoder::State::ReadRequest(pbf_reader request, const Limits& limits, model::Batch* batch,
                                         DecodeReport* report) {
  while (request.next()) {
    switch (request.tag_and_type()) {
      case kRequestSeries: {
        group_.push_back(ReadSeries(request.get_message(), batch, report));
        if (batch->rows.size() + samples_.size() > limits.max_samples) {
          return LimitExceeded(fmt::format("more than {} samples in a request", limits.max_samples));
        }
        if (group_.size() == kGroup) AppendGroup(limits, batch, report);
        break;
      }
      case kRequestMetadata: {
        if (report->metadata.size() == limits.max_metadata) {
          return LimitExceeded(fmt::format("more than {} metadata entries in a request", limits.max_metadata));
        }
        TM_TRY_ASSIGN(Metadata metadata, ReadMetadata(request.get_message()));
        report->metadata.push_back(std::move(metadata));
        break;
      }
      default: request.skip();
    }
  }
  AppendGroup(limits, batch, report);
  return {};
}

Result<DecodeReport> Decoder::State::DecodeMessage(std::string_view message, const Limits& limits,
                                                   model::Batch* batch) {
  batch->Clear();
  shapes_.Clear();
  group_.clear();
  samples_.clear();
  DecodeReport report;
  Result<void> read;
  try {
    read = ReadRequest(pbf_reader(message.data(), message.size()), limits, batch, &report);
  } catch (const protozero::exception& error) {
    read = InvalidArgument(
        fmt::format("the body is not a remote write 1.0 request: series {}: {}", report.series, error.what()));
  }
  if (!read.ok()) {
    batch->Clear();
    return std::move(read).error();
  }
  return report;
}

Decoder::Decoder() : state_(std::make_unique<State>()) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Result<DecodeReport> Decoder::Decode(std::string_view body, const Limits& limits, model::Batch* batch) {
  batch->Clear();
  TM_TRY_ASSIGN(const std::string_view message, state_->Uncompress(body, limits));
  return state_->DecodeMessage(message, limits, batch);
}

Result<DecodeReport> Decoder::DecodeMessage(std::string_view message, const Limits& limits, model::Batch* batch) {
  return state_->DecodeMessage(message, limits, batch);
}

std::string ErrorText(const DecodeReport& report) {
  std::string out;
  for (const SeriesError& error : report.errors) {
    if (!out.empty()) out.push_back('\n');
    out += fmt::format("series {} ({}): {}", error.position, error.series, error.reason);
  }
  if (report.errors_total > report.errors.size()) {
    out += fmt::format("\nand {} more", report.errors_total - report.errors.size());
  }
  return out;
}

}  // namespace tidemark::remotewrite
