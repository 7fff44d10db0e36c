// Batch: parsed rows on their way to the store; what every protocol parser makes and the write path takes.
//
// A row is all fields of one series at one time. Rows of the same measurement and field list share a Shape, so that a
// row itself is only a series key, a time and a run of 8-byte values. Rows keep the order of arrival: of two rows with
// the same series and time, the later one wins.
//
// Lifetime: the views in a Batch (series keys, names, strings) point either into the input buffer or into the batch's
// arena. Both must live until Write() has returned.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/arena.h"
#include "storage/base/hash.h"
#include "storage/model/field.h"
#include "storage/model/ids.h"
#include "storage/model/labels.h"
#include "storage/model/timestamp.h"

namespace tidemark::model {

class NameQuota;

// The seed of every series-key hash in this process's batches and tables. Drawn once at start.
uint64_t SeriesHashSeed();

// How the bytes of a SeriesKey are to be read when the store does not know its hash yet.
enum class KeyFormat : uint8_t {
  // Line protocol as it was written: `measurement,tag=value,...`, escapes and tag order as received.
  kLineProtocol,
  // The label messages of a remote-write series: a run of protobuf fields, each tag 0x0A, length, Label message
  // (1 = name, 2 = value). The measurement is the value of __name__.
  kRemoteWrite,
  // Tidemark's own: varint-length strings: measurement, then name and value of each tag, sorted by name.
  kCanonical,
};

// The bytes that name a series and their hash. The same series may have several spellings, each with its own hash;
// the store maps them all to one id. The format is part of the hash: see HashSeriesKey.
struct SeriesKey {
  std::string_view bytes;
  Hash128 hash;
  KeyFormat format = KeyFormat::kLineProtocol;
};

// Hash of a key's bytes under SeriesHashSeed(), different for each format.
Hash128 HashSeriesKey(KeyFormat format, std::string_view bytes);

// One field of a shape. The name is unescaped.
struct ShapeField {
  std::string_view name;
  FieldType type = FieldType::kFloat;
};

// A measurement and its fields in the order in which rows carry them. Field names are unique within a shape.
struct Shape {
  std::string_view measurement;  // unescaped
  std::vector<ShapeField> fields;
};

// What the 8 bytes of a value are, with the field's type:
//   kInt, kUInt   the number (uint64 as its bit pattern)
//   kBool         0 or 1
//   kString       an index into Batch::strings
//   kFloat        scale <= kMaxScale: mantissa, |mantissa| < 2^53, and the double is mantissa / 10^scale, which is
//                 exact (Clinger 1990); scale == kBinaryScale: the bit pattern of the double.
// Negative zero is always kBinaryScale.
inline constexpr uint8_t kMaxScale = 22;
inline constexpr uint8_t kBinaryScale = 255;

struct Row {
  SeriesKey key;
  Timestamp time;
  uint32_t shape = 0;        // index into Batch::shapes
  uint32_t first_value = 0;  // index into Batch::values and scales; shape.fields.size() values follow
  uint32_t line = 0;         // 1-based line or row number in the input, for messages
  uint32_t number = 0;       // what Batch::known calls the series; without meaning where that is null
};

// What ids the series have that a sender calls by numbers, remembered beside the sender's names for them, so that a row
// of a series that was written before costs no search for its key. An index is told from all others by
// index::Index::instance. Thread-safe.
class KnownSeries {
 public:
  virtual ~KnownSeries() = default;

  // ids[i] = the id of rows[i].number in that index. False, with ids of no meaning, when it is not known of all.
  virtual bool Find(uint64_t index, std::span<const Row> rows, SeriesId* ids) const = 0;
  // Remembers ids that this index has for rows[i].key; 0: it has none.
  virtual void Learn(uint64_t index, std::span<const Row> rows, const SeriesId* ids) = 0;
};

struct Batch {
  std::vector<Shape> shapes;
  std::vector<Row> rows;
  std::vector<int64_t> values;
  std::vector<uint8_t> scales;  // as long as values; 0 for all types but kFloat
  std::vector<std::string_view> strings;
  Arena arena;
  // Which series and new names the sender may bring; null: any. Outlives Write().
  NameQuota* names = nullptr;
  // Whose numbers the rows have; null: they have none. Whoever changes the key of a row takes it away. Outlives
  // Write().
  KnownSeries* known = nullptr;
  // By which way the rows came, as "line protocol": a short word of a fixed set, under which what is refused of them is
  // counted and logged. "": made by this process. Outlives Write(), as the views do.
  std::string_view source;
  // Who sent them, for the log of rejections: address and port, or a token's name.
  std::string_view sender;

  // Points in all rows (= values.size()).
  [[nodiscard]] size_t points() const { return values.size(); }
  // Empties the batch and keeps its memory for the next one.
  void Clear();
};

// 10^scale for scale in [0, kMaxScale]; exact.
double PowerOfTen(uint8_t scale);

// The double of a kFloat value.
double FloatOf(int64_t value, uint8_t scale);

// Value i of the batch as an owned, typed value.
FieldValue ValueOf(const Batch& batch, FieldType type, size_t index);

// BatchBuilder makes batches from names and typed values, for writers inside the process (host sampler, executor,
// rules) and for tests. Everything is copied into the batch.
//
//   BatchBuilder builder;
//   builder.Row("cpu", {{"host", "a"}}, now).Field("usage_user", 12.5).Field("cores", int64_t{2});
//   sink.Write("_host", builder.batch());
class BatchBuilder {
 public:
  // Starts a row; the tags may be in any order and must have unique names. Tags with empty values are left out.
  // A row without fields is dropped.
  BatchBuilder& Row(std::string_view measurement, std::span<const LabelView> tags, Timestamp time);
  BatchBuilder& Row(std::string_view measurement, std::initializer_list<LabelView> tags, Timestamp time) {
    return Row(measurement, std::span<const LabelView>(tags.begin(), tags.size()), time);
  }
  BatchBuilder& Field(std::string_view name, double value);
  BatchBuilder& Field(std::string_view name, int64_t value);
  BatchBuilder& Field(std::string_view name, uint64_t value);
  BatchBuilder& Field(std::string_view name, bool value);
  BatchBuilder& Field(std::string_view name, std::string_view value);
  BatchBuilder& Field(std::string_view name, const char* value) { return Field(name, std::string_view(value)); }

  // The batch so far, valid until the next call. Finishes the row that is open.
  Batch& batch();
  void Clear();

 private:
  void FinishRow();
  BatchBuilder& Add(std::string_view name, FieldType type, int64_t value, uint8_t scale);

  Batch batch_;
  bool open_ = false;
  std::string_view measurement_;
  SeriesKey key_;
  Timestamp time_;
  std::vector<ShapeField> fields_;
  std::vector<int64_t> values_;
  std::vector<uint8_t> scales_;
};

}  // namespace tidemark::model
