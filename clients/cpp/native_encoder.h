// NativeEncoder: batches of line protocol as native batches (the server's ingest/native): a dictionary of series that
// the server is told once, and columns. Costs the server a fraction of what lines cost it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::client {

// One batch, encoded.
struct NativeBody {
  std::string bytes;
  // The line of each row, both from 0: rows are grouped by their fields.
  std::vector<uint32_t> line_of_row;
};

// Not thread-safe.
class NativeEncoder {
 public:
  // Series of one dictionary; with more, a new one is begun.
  static constexpr size_t kMaxSeries = 500'000;

  // `client`: a name that no other sender has, at most 64 bytes.
  explicit NativeEncoder(std::string client);
  ~NativeEncoder();

  // false when a line is none that can be encoded: the batch is to be sent as it is. `whole`: with all that its rows
  // need, and nothing of it remembered by the server.
  bool Encode(std::string_view lines, bool whole, NativeBody* body);
  // The server has taken what was encoded last, and knows the series in it.
  void Acknowledge();
  // The server does not know the series of before: the next batch names its own.
  void Forget();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace tidemark::client
