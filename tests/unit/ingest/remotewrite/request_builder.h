// Builds remote write requests for tests, good ones and bad ones.
#pragma once

#include <snappy.h>

#include <bit>
#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tidemark::remotewrite {

using LabelList = std::vector<std::pair<std::string, std::string>>;

struct TestSample {
  double value = 0;
  int64_t ms = 0;
};

inline void AddLabel(protozero::pbf_writer* series, const std::string& name, const std::string& value) {
  protozero::pbf_writer label(*series, 1);
  if (!name.empty()) label.add_string(1, name);
  if (!value.empty()) label.add_string(2, value);
}

inline void AddSample(protozero::pbf_writer* series, const TestSample& sample) {
  protozero::pbf_writer message(*series, 2);
  // proto3 leaves zeros out; a negative zero is not one.
  if (std::bit_cast<uint64_t>(sample.value) != 0) message.add_fixed64(1, std::bit_cast<uint64_t>(sample.value));
  if (sample.ms != 0) message.add_int64(2, sample.ms);
}

class RequestBuilder {
 public:
  RequestBuilder& Series(const LabelList& labels, const std::vector<TestSample>& samples) {
    std::string bytes;
    protozero::pbf_writer series(bytes);
    for (const auto& [name, value] : labels) AddLabel(&series, name, value);
    for (const TestSample& sample : samples) AddSample(&series, sample);
    return RawSeries(bytes);
  }
  // A TimeSeries message as it stands.
  RequestBuilder& RawSeries(const std::string& message) {
    protozero::pbf_writer(message_).add_message(1, message);
    return *this;
  }
  RequestBuilder& Metadata(int32_t type, const std::string& family, const std::string& help, const std::string& unit) {
    protozero::pbf_writer request(message_);
    protozero::pbf_writer metadata(request, 3);
    metadata.add_enum(1, type);
    metadata.add_string(2, family);
    metadata.add_string(4, help);
    metadata.add_string(5, unit);
    return *this;
  }

  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] std::string body() const {
    std::string out;
    snappy::Compress(message_.data(), message_.size(), &out);
    return out;
  }

 private:
  std::string message_;
};

}  // namespace tidemark::remotewrite
