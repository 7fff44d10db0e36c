#include "tools/bench/request_body.h"

#include <fmt/core.h>
#include <fmt/format.h>
#include <snappy.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <protozero/pbf_writer.hpp>

#include "tools/bench/native_body.h"

namespace tidemark::bench {
namespace {

class LineBody final : public RequestBody {
 public:
  explicit LineBody(const DevopsWorkload* workload) : workload_(workload) {
    for (uint32_t host = 0; host < workload->options().hosts; ++host) {
      std::string& head = heads_.emplace_back("cpu");
      for (const auto& [name, value] : workload->tags(host)) head += fmt::format(",{}={}", name, value);
      head += ' ';
    }
  }

  void Append(const DevopsRow& row) override {
    body_ += heads_[row.host];
    const auto at = std::back_inserter(body_);
    for (size_t f = 0; f < kDevopsFields; ++f) {
      const char* const comma = f > 0 ? "," : "";
      if (workload_->options().decimals) {
        fmt::format_to(at, "{}{}={:.2f}", comma, DevopsWorkload::FieldName(f), row.values[f]);
      } else {
        fmt::format_to(at, "{}{}={}i", comma, DevopsWorkload::FieldName(f), static_cast<int>(row.values[f]));
      }
    }
    fmt::format_to(at, " {}000000000\n", row.time_s);
  }

  std::string Take() override { return std::exchange(body_, std::string()); }
  std::string_view path() const override { return "/write"; }
  std::vector<std::pair<std::string, std::string>> headers() const override { return {}; }

 private:
  const DevopsWorkload* const workload_;
  std::vector<std::string> heads_;  // measurement and tags of each host
  std::string body_;
};

// A line for each field.
class SingleLineBody final : public RequestBody {
 public:
  explicit SingleLineBody(const DevopsWorkload* workload) : workload_(workload) {
    for (uint32_t host = 0; host < workload->options().hosts; ++host) {
      std::string& tags = tags_.emplace_back();
      for (const auto& [name, value] : workload->tags(host)) tags += fmt::format(",{}={}", name, value);
    }
  }

  void Append(const DevopsRow& row) override { rows_.push_back(row); }

  std::string Take() override {
    std::string body;
    const auto at = std::back_inserter(body);
    for (size_t f = 0; f < kDevopsFields; ++f) {
      for (const DevopsRow& row : rows_) {
        fmt::format_to(at, "cpu_{}{} value=", DevopsWorkload::FieldName(f), tags_[row.host]);
        if (workload_->options().decimals) {
          fmt::format_to(at, "{:.2f}", row.values[f]);
        } else {
          fmt::format_to(at, "{}i", static_cast<int>(row.values[f]));
        }
        fmt::format_to(at, " {}000000000\n", row.time_s);
      }
    }
    rows_.clear();
    return body;
  }
  std::string_view path() const override { return "/write"; }
  std::vector<std::pair<std::string, std::string>> headers() const override { return {}; }

 private:
  const DevopsWorkload* const workload_;
  std::vector<std::string> tags_;  // of each host
  std::vector<DevopsRow> rows_;
};

// https://prometheus.io/docs/specs/prw/remote_write_spec/
class RemoteWriteBody final : public RequestBody {
 public:
  explicit RemoteWriteBody(const DevopsWorkload* workload) : workload_(workload) {
    for (uint32_t host = 0; host < workload->options().hosts; ++host) {
      for (size_t f = 0; f < kDevopsFields; ++f) labels_.push_back(LabelsOf(workload->tags(host), f));
    }
  }

  void Append(const DevopsRow& row) override {
    for (size_t f = 0; f < kDevopsFields; ++f) {
      const double value = row.values[f];
      std::string sample;
      protozero::pbf_writer sample_writer(sample);
      sample_writer.add_double(1, workload_->options().decimals ? std::round(value * 100) / 100 : std::trunc(value));
      sample_writer.add_int64(2, row.time_s * 1000);
      std::string series = labels_[size_t{row.host} * kDevopsFields + f];
      protozero::pbf_writer series_writer(series);
      series_writer.add_message(2, sample);
      protozero::pbf_writer(message_).add_message(1, series);
    }
  }

  std::string Take() override {
    if (message_.empty()) return {};
    std::string body;
    snappy::Compress(message_.data(), message_.size(), &body);
    message_.clear();
    return body;
  }

  std::string_view path() const override { return "/api/v1/write"; }
  std::vector<std::pair<std::string, std::string>> headers() const override {
    return {{"Content-Encoding", "snappy"},
            {"Content-Type", "application/x-protobuf"},
            {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
  }

 private:
  // The labels of a TimeSeries message, sorted by name, as the protocol asks for.
  static std::string LabelsOf(const DevopsTags& tags, size_t field) {
    DevopsTags labels = tags;
    labels.emplace_back("__name__", fmt::format("cpu_{}", DevopsWorkload::FieldName(field)));
    std::ranges::sort(labels);
    std::string out;
    protozero::pbf_writer writer(out);
    for (const auto& [name, value] : labels) {
      std::string label;
      protozero::pbf_writer label_writer(label);
      label_writer.add_string(1, name);
      label_writer.add_string(2, value);
      writer.add_message(1, label);
    }
    return out;
  }

  const DevopsWorkload* const workload_;
  std::vector<std::string> labels_;  // of each host and field
  std::string message_;
};

}  // namespace

Result<std::unique_ptr<RequestBody>> MakeRequestBody(std::string_view protocol, const DevopsWorkload* workload) {
  if (protocol == "line") return std::unique_ptr<RequestBody>(std::make_unique<LineBody>(workload));
  if (protocol == "remote-write") return std::unique_ptr<RequestBody>(std::make_unique<RemoteWriteBody>(workload));
  if (protocol == "line-single") return std::unique_ptr<RequestBody>(std::make_unique<SingleLineBody>(workload));
  if (protocol == "native") return MakeNativeBody(workload, false, true);
  if (protocol == "native-whole") return MakeNativeBody(workload, false, false);
  if (protocol == "native-single") return MakeNativeBody(workload, true, true);
  return MakeError(ErrorCode::kInvalidArgument,
                   fmt::format("no protocol \"{}\": give `line`, `line-single`, `native`, `native-whole`, "
                               "`native-single` or `remote-write`",
                               protocol));
}

}  // namespace tidemark::bench
