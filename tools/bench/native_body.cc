#include "tools/bench/native_body.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include <wire/batch_generated.h>
#include "storage/base/bytes.h"

namespace tidemark::bench {
namespace {

class NativeBody final : public RequestBody {
 public:
  NativeBody(const DevopsWorkload* workload, bool single, bool remembered)
      : workload_(workload), single_(single), remembered_(remembered) {
    for (uint32_t host = 0; host < workload->options().hosts; ++host) {
      for (size_t f = 0; f < (single ? kDevopsFields : 1); ++f) keys_.push_back(KeyOf(workload->tags(host), f));
    }
  }

  void Append(const DevopsRow& row) override { rows_.push_back(row); }

  std::string Opening() override {
    if (!remembered_) return {};
    flatbuffers::FlatBufferBuilder builder;
    const auto dictionary = Dictionary(&builder, true);
    return Finish(&builder, dictionary, {});
  }

  std::string Take() override {
    if (rows_.empty()) return {};
    flatbuffers::FlatBufferBuilder builder;
    const auto dictionary = Dictionary(&builder, !remembered_);
    std::vector<flatbuffers::Offset<wire::DataTable>> tables = {single_ ? Single(&builder) : Wide(&builder)};
    rows_.clear();
    return Finish(&builder, dictionary, tables);
  }

  std::string_view path() const override { return "/api/v1/native"; }
  std::vector<std::pair<std::string, std::string>> headers() const override {
    return {{"Content-Type", "application/vnd.tidemark.batch"}};
  }

 private:
  [[nodiscard]] std::string KeyOf(DevopsTags tags, size_t field) const {
    std::ranges::sort(tags);
    std::string out;
    PutString(&out, single_ ? fmt::format("cpu_{}", DevopsWorkload::FieldName(field)) : "cpu");
    for (const auto& [name, value] : tags) {
      PutString(&out, name);
      PutString(&out, value);
    }
    return out;
  }

  flatbuffers::Offset<wire::Dictionary> Dictionary(flatbuffers::FlatBufferBuilder* builder, bool brings) const {
    std::vector<uint32_t> ends;
    std::string bytes;
    for (const std::string& key : keys_) {
      if (!brings) break;
      bytes += key;
      ends.push_back(static_cast<uint32_t>(bytes.size()));
    }
    const auto keys = builder->CreateVector(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    const auto key_ends = builder->CreateVector(ends);
    const auto client = remembered_ ? builder->CreateString("bench") : 0;
    return wire::CreateDictionary(*builder, client, workload_->options().seed, 0, key_ends, keys);
  }

  // Integers, or two decimals.
  flatbuffers::Offset<wire::Column> Column(flatbuffers::FlatBufferBuilder* builder, std::string_view name,
                                           const std::vector<int32_t>& values) const {
    const auto vector = builder->CreateVector(values);
    const auto text = builder->CreateString(name.data(), name.size());
    if (workload_->options().decimals) {
      return wire::CreateColumn(*builder, text, wire::Values::Decimal32Values,
                                wire::CreateDecimal32Values(*builder, vector, 2).Union());
    }
    return wire::CreateColumn(*builder, text, wire::Values::Int32Values,
                              wire::CreateInt32Values(*builder, vector).Union());
  }
  [[nodiscard]] int32_t Mantissa(double value) const {
    return static_cast<int32_t>(workload_->options().decimals ? std::round(value * 100) : std::trunc(value));
  }

  flatbuffers::Offset<wire::Times> Times(flatbuffers::FlatBufferBuilder* builder,
                                         const std::vector<int64_t>& seconds) const {
    std::vector<uint32_t> deltas;
    for (size_t i = 1; i < seconds.size(); ++i) deltas.push_back(static_cast<uint32_t>(seconds[i] - seconds[i - 1]));
    const auto vector = builder->CreateVector(deltas);
    return wire::CreateTimes(*builder, 0, seconds.front() * 1'000'000'000, vector, 1'000'000'000);
  }

  flatbuffers::Offset<wire::DataTable> Wide(flatbuffers::FlatBufferBuilder* builder) const {
    std::vector<uint32_t> series;
    std::vector<int64_t> seconds;
    std::vector<int32_t> values;
    for (const DevopsRow& row : rows_) {
      series.push_back(row.host);
      seconds.push_back(row.time_s);
    }
    std::vector<flatbuffers::Offset<wire::Column>> columns;
    for (size_t f = 0; f < kDevopsFields; ++f) {
      values.clear();
      for (const DevopsRow& row : rows_) values.push_back(Mantissa(row.values[f]));
      columns.push_back(Column(builder, DevopsWorkload::FieldName(f), values));
    }
    const auto numbers = builder->CreateVector(series);
    const auto times = Times(builder, seconds);
    const auto all = builder->CreateVector(columns);
    return wire::CreateDataTable(*builder, wire::Layout::Rows, numbers, times, all);
  }

  // Measurement by measurement, all with the one field.
  flatbuffers::Offset<wire::DataTable> Single(flatbuffers::FlatBufferBuilder* builder) const {
    std::vector<uint32_t> series;
    std::vector<int64_t> times;
    std::vector<int32_t> values;
    for (size_t f = 0; f < kDevopsFields; ++f) {
      for (const DevopsRow& row : rows_) {
        series.push_back(static_cast<uint32_t>(row.host * kDevopsFields + f));
        times.push_back(row.time_s * 1'000'000'000);
        values.push_back(Mantissa(row.values[f]));
      }
    }
    const std::vector<flatbuffers::Offset<wire::Column>> columns = {Column(builder, "value", values)};
    const auto numbers = builder->CreateVector(series);
    const auto moments = builder->CreateVector(times);
    const auto all_times = wire::CreateTimes(*builder, moments);
    const auto all = builder->CreateVector(columns);
    return wire::CreateDataTable(*builder, wire::Layout::Rows, numbers, all_times, all);
  }

  static std::string Finish(flatbuffers::FlatBufferBuilder* builder, flatbuffers::Offset<wire::Dictionary> dictionary,
                            const std::vector<flatbuffers::Offset<wire::DataTable>>& tables) {
    const auto all = builder->CreateVector(tables);
    wire::FinishBatchBuffer(*builder, wire::CreateBatch(*builder, dictionary, all));
    return {reinterpret_cast<const char*>(builder->GetBufferPointer()), builder->GetSize()};
  }

  const DevopsWorkload* const workload_;
  const bool single_;
  const bool remembered_;
  std::vector<std::string> keys_;
  std::vector<DevopsRow> rows_;
};

}  // namespace

std::unique_ptr<RequestBody> MakeNativeBody(const DevopsWorkload* workload, bool single, bool remembered) {
  return std::make_unique<NativeBody>(workload, single, remembered);
}

}  // namespace tidemark::bench
