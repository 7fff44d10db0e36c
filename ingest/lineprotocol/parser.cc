#include "ingest/lineprotocol/parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "ingest/lineprotocol/key_cache.h"
#include "ingest/lineprotocol/line.h"
#include "ingest/lineprotocol/line_shape_cache.h"
#include "ingest/lineprotocol/row.h"
#include "ingest/lineprotocol/text.h"
#include "storage/base/utf8.h"
#include "storage/model/series_key.h"

namespace tidemark::lineprotocol {
namespace {

using model::FieldType;

// The end of a body is parsed in a copy with room behind it, so that ReadRow may look ahead there as well.
constexpr size_t kTailBytes = 2048;
constexpr size_t kTailPadding = 4 * kRowSlack;

// A line with more fields does not keep its memory beyond the call.
constexpr size_t kMaxKeptFields = 4096;

constexpr uint32_t kNoShape = KeyCache::kNoShape;

// The unescaped space behind the key at `at`, or nullptr when none comes before the end of the line or of the input.
const char* FindKeyEnd(const char* at, const char* end) {
  while (true) {
    at = FindKeyStop(at, end);
    if (at == end || *at == '\n') return nullptr;
    if (*at == ' ') return at;
    at += end - at > 1 && at[1] == ' ' ? 2 : 1;
  }
}

size_t CountNewlines(const char* begin, const char* end) { return static_cast<size_t>(std::count(begin, end, '\n')); }

}  // namespace

// What a parser remembers, and the batch it is filling.
class Parser::State {
 public:
  ParseReport Parse(std::string_view body, const ParseOptions& options, model::Batch* batch);

 private:
  // Reads the line at at_. False: it is not like one before, or not good; nothing happened.
  bool ReadQuickly();
  bool TryShape(uint32_t index, std::string_view key, Hash128 hash);
  void ReadCarefully();
  // The shape that the row of `key` probably has, or kNoShape.
  [[nodiscard]] uint32_t ExpectedShape(const KeyCache::Entry& entry, std::string_view key);
  void NoteShape(uint32_t index);
  void MoveTail();
  void AddError(const Problem& problem);
  // The index in the batch of the shape of a line that was read carefully; remembers the shape for its key.
  uint32_t BatchShapeOf(const Line& line, Hash128 key_hash);
  // The index in the batch of a remembered shape.
  uint32_t BatchShape(uint32_t index);
  model::Shape NewShape(std::string_view raw_measurement);
  void AddField(std::string_view raw_name, FieldType type, model::Shape* shape);
  RowTarget Reserve(size_t fields);
  void AddRow(std::string_view key, Hash128 hash, model::Timestamp time, uint32_t batch_shape, size_t fields);

  KeyCache keys_;
  LineShapeCache shapes_;
  uint32_t previous_ = kNoShape;  // the shape of the row before
  uint64_t batch_number_ = 0;
  size_t last_values_ = 0;  // how many values the last batch had

  // Of the call that runs.
  const ParseOptions* options_ = nullptr;
  model::Timestamp default_time_;
  model::Batch* batch_ = nullptr;
  std::optional<LineReader> reader_;
  Line line_;
  ParseReport report_;
  size_t values_ = 0;  // used, of batch_->values and scales
  uint32_t expected_ = kNoShape;
  const char* begin_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  const char* readable_ = nullptr;  // end of what may be read: end_, or more in a copy
  uint32_t line_number_ = 1;
};

ParseReport Parser::State::Parse(std::string_view body, const ParseOptions& options, model::Batch* batch) {
  options_ = &options;
  default_time_ = Truncate(options.default_time, options.precision);
  batch_ = batch;
  if (!options.append) {
    batch_->Clear();
    ++batch_number_;
  }
  reader_.emplace(&batch->arena);
  report_ = {};
  values_ = batch_->values.size();
  begin_ = at_ = body.data();
  end_ = readable_ = begin_ + body.size();
  line_number_ = 1;
  // A line has at least four bytes per value.
  Reserve(std::min(last_values_, body.size() / 4));

  while (true) {
    const LineStart start = SkipToLine(at_, end_);
    line_number_ += start.newlines;
    at_ = start.at;
    if (start.kind == LineStart::Kind::kEnd) break;
    if (start.kind == LineStart::Kind::kProblem) {
      const auto byte = static_cast<uint8_t>(*start.problem);
      AddError({start.problem, start.problem, fmt::format("invalid character 0x{:02x} in comment", byte)});
      continue;
    }
    if (readable_ == end_ && static_cast<size_t>(end_ - at_) <= kTailBytes) MoveTail();
    if (!ReadQuickly()) ReadCarefully();
  }
  batch_->values.resize(values_);
  batch_->scales.resize(values_);
  last_values_ = values_;
  if (line_.fields.capacity() > kMaxKeptFields) line_ = {};
  return std::move(report_);
}

bool Parser::State::ReadQuickly() {
  expected_ = kNoShape;
  const char* const key_end = FindKeyEnd(at_, readable_);
  if (key_end == nullptr) return false;
  const std::string_view key(at_, static_cast<size_t>(key_end - at_));
  const Hash128 hash = model::HashSeriesKey(model::KeyFormat::kLineProtocol, key);
  if (keys_.At(hash).hash != hash) {
    if (reader_->ReadKey(at_, end_, &line_).has_value()) return false;
    keys_.CountMiss();
    keys_.At(hash) = {hash, kNoShape};
  }
  KeyCache::Entry& entry = keys_.At(hash);
  expected_ = ExpectedShape(entry, key);
  if (expected_ == kNoShape) return false;
  uint32_t found = expected_;
  if (!TryShape(found, key, hash)) {
    found = shapes_[expected_].instead;
    if (found == expected_ || !TryShape(found, key, hash)) return false;
  }
  entry.shape = found;
  NoteShape(found);
  return true;
}

uint32_t Parser::State::ExpectedShape(const KeyCache::Entry& entry, std::string_view key) {
  if (entry.shape != kNoShape) return entry.shape;
  if (previous_ == kNoShape) return kNoShape;
  const uint32_t index = shapes_[previous_].after;
  const std::string_view measurement = shapes_[index].raw_measurement;
  const bool same =
      key.starts_with(measurement) && (key.size() == measurement.size() || key[measurement.size()] == ',');
  return same ? index : kNoShape;
}

bool Parser::State::TryShape(uint32_t index, std::string_view key, Hash128 hash) {
  const CachedShape& shape = shapes_[index];
  if (key.size() + kKeySeparatorBytes + shape.longest_name > options_->limits.max_key_bytes) return false;
  const size_t strings = batch_->strings.size();
  const RowResult row =
      ReadRow(shape, at_ + key.size(), readable_, *options_, default_time_, Reserve(shape.fields.size()));
  if (row.next == nullptr || static_cast<size_t>(row.next - at_) > options_->limits.max_line_bytes) {
    batch_->strings.resize(strings);
    return false;
  }
  AddRow(key, hash, row.time, BatchShape(index), shape.fields.size());
  line_number_ += 1 + row.newlines;
  at_ = std::min(row.next, end_);
  return true;
}

void Parser::State::NoteShape(uint32_t index) {
  if (previous_ != kNoShape) shapes_[previous_].after = index;
  previous_ = index;
}

void Parser::State::ReadCarefully() {
  const std::optional<Problem> problem = reader_->Read(at_, end_, *options_, &line_);
  if (problem.has_value()) {
    AddError(*problem);
    return;
  }
  const RowTarget target = Reserve(line_.fields.size());
  for (size_t i = 0; i < line_.fields.size(); ++i) {
    const LineField& field = line_.fields[i];
    target.scales[i] = field.number.scale;
    target.values[i] = field.number.value;
    if (field.number.type == FieldType::kString) {
      target.values[i] = static_cast<int64_t>(batch_->strings.size());
      batch_->strings.push_back(field.text);
    }
  }
  const Hash128 hash = model::HashSeriesKey(model::KeyFormat::kLineProtocol, line_.key);
  AddRow(line_.key, hash, line_.time, BatchShapeOf(line_, hash), line_.fields.size());
  line_number_ += static_cast<uint32_t>(CountNewlines(at_, line_.next));
  at_ = line_.next;
}

uint32_t Parser::State::BatchShapeOf(const Line& line, Hash128 key_hash) {
  if (LineShapeCache::BytesOf(line) > LineShapeCache::kMaxShapeBytes) {
    model::Shape shape = NewShape(line.raw_measurement());
    for (const LineField& field : line.fields) AddField(field.raw_name, field.number.type, &shape);
    batch_->shapes.push_back(std::move(shape));
    return static_cast<uint32_t>(batch_->shapes.size() - 1);
  }
  if (shapes_.MakeRoom(line)) {
    keys_.ForgetShapes();
    previous_ = kNoShape;
    expected_ = kNoShape;
  }
  const uint32_t index = shapes_.FindOrAdd(line);
  if (expected_ != kNoShape) shapes_[expected_].instead = index;
  if (keys_.At(key_hash).hash != key_hash) keys_.CountMiss();
  keys_.At(key_hash) = {key_hash, index};
  NoteShape(index);
  return BatchShape(index);
}

uint32_t Parser::State::BatchShape(uint32_t index) {
  CachedShape& cached = shapes_[index];
  if (cached.batch_number == batch_number_) return cached.batch_shape;
  model::Shape shape = NewShape(cached.raw_measurement);
  shape.fields.reserve(cached.fields.size());
  for (size_t i = 0; i < cached.fields.size(); ++i) AddField(cached.name(i), cached.fields[i].type, &shape);
  batch_->shapes.push_back(std::move(shape));
  cached.batch_number = batch_number_;
  cached.batch_shape = static_cast<uint32_t>(batch_->shapes.size() - 1);
  return cached.batch_shape;
}

model::Shape Parser::State::NewShape(std::string_view raw_measurement) {
  Arena& arena = batch_->arena;
  return {model::UnescapeLineProtocol(arena.Copy(raw_measurement), model::kMeasurementEscapes, &arena), {}};
}

void Parser::State::AddField(std::string_view raw_name, FieldType type, model::Shape* shape) {
  Arena& arena = batch_->arena;
  shape->fields.push_back({model::UnescapeLineProtocol(arena.Copy(raw_name), model::kTagEscapes, &arena), type});
}

RowTarget Parser::State::Reserve(size_t fields) {
  if (values_ + fields > batch_->values.size()) {
    const size_t size = std::max(values_ + fields, 2 * batch_->values.size());
    batch_->values.resize(size);
    batch_->scales.resize(size);
  }
  return {batch_->values.data() + values_, batch_->scales.data() + values_, &batch_->strings, &batch_->arena};
}

void Parser::State::AddRow(std::string_view key, Hash128 hash, model::Timestamp time, uint32_t batch_shape,
                           size_t fields) {
  batch_->rows.push_back(
      {{key, hash, model::KeyFormat::kLineProtocol}, time, batch_shape, static_cast<uint32_t>(values_), line_number_});
  values_ += fields;
  ++report_.lines_ok;
}

void Parser::State::MoveTail() {
  // From the start of the physical line, so that columns stay right.
  const char* from = at_;
  while (from > begin_ && from[-1] != '\n') --from;
  const auto size = static_cast<size_t>(end_ - from);
  char* const copy = batch_->arena.Allocate(size + kTailPadding);
  std::memcpy(copy, from, size);
  std::memset(copy + size, 0, kTailPadding);
  copy[size] = '\n';
  at_ = copy + (at_ - from);
  begin_ = copy;
  end_ = copy + size;
  readable_ = end_ + kTailPadding;
}

void Parser::State::AddError(const Problem& problem) {
  ++report_.lines_bad;
  const char* const next = NextLine(problem.resume, end_);
  if (report_.errors.size() < options_->limits.max_errors) {
    const char* physical_start = problem.at;
    while (physical_start > begin_ && physical_start[-1] != '\n') --physical_start;
    std::string_view text(at_, static_cast<size_t>(next - at_));
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    const std::string_view kept = CutUtf8(text, options_->limits.max_error_text_bytes);
    report_.errors.push_back({line_number_ + static_cast<uint32_t>(CountNewlines(at_, problem.at)),
                              static_cast<uint32_t>(problem.at - physical_start) + 1, problem.reason,
                              std::string(kept) + (kept.size() < text.size() ? "..." : "")});
  }
  line_number_ += static_cast<uint32_t>(CountNewlines(at_, next));
  at_ = next;
}

Parser::Parser() : state_(std::make_unique<State>()) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

ParseReport Parser::Parse(std::string_view body, const ParseOptions& options, model::Batch* batch) {
  // A byte order mark, which editors put in front of a file, is no part of the first measurement's name.
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  return state_->Parse(body, options, batch);
}

ParseReport Parse(std::string_view body, const ParseOptions& options, model::Batch* batch) {
  return Parser().Parse(body, options, batch);
}

Result<Precision> ParsePrecision(std::string_view text) {
  if (text.empty() || text == "n" || text == "ns") return Precision::kNanosecond;
  if (text == "u" || text == "us" || text == "µ" || text == "µs") return Precision::kMicrosecond;
  if (text == "ms") return Precision::kMillisecond;
  if (text == "s") return Precision::kSecond;
  if (text == "m") return Precision::kMinute;
  if (text == "h") return Precision::kHour;
  return InvalidArgument(fmt::format("invalid precision \"{}\" (use n, u, ms, s, m or h)", text));
}

std::string ErrorText(const ParseReport& report) {
  std::string text;
  for (const LineError& error : report.errors) {
    if (!text.empty()) text += '\n';
    text += fmt::format("unable to parse '{}': {}", error.text, error.reason);
  }
  if (report.lines_bad > report.errors.size()) {
    if (!text.empty()) text += '\n';
    text += fmt::format("and {} more lines that could not be parsed", report.lines_bad - report.errors.size());
  }
  return text;
}

}  // namespace tidemark::lineprotocol
