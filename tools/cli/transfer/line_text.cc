// Line protocol, one line a value, and exports of `influx_inspect`, which are line protocol with a head.
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "ingest/lineprotocol/parser.h"
#include "storage/model/series_key.h"
#include "tools/cli/line_chunks.h"
#include "tools/cli/transfer/formats.h"
#include "tools/transfer/value_text.h"

namespace tidemark::cli {
namespace {

using transfer::Piece;

void AppendEscaped(std::string* out, std::string_view text, std::string_view special) {
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) *out += '\\';
    *out += c;
  }
}

// Why a name cannot be written; "" when it can. Line protocol has no escape for a backslash: one that an escapable
// character follows, or the end of the name, would be read as another name.
std::string_view WhyNot(std::string_view text, std::string_view special, bool tag_value) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (tag_value ? byte == '\n' || byte == '\r' : byte < 0x20 || byte == 0x7f) return "has a control character in it";
    if (text[i] != '\\') continue;
    if (i + 1 == text.size()) return "ends in a backslash";
    if (special.find(text[i + 1]) != std::string_view::npos) return "has a backslash in front of a separator";
  }
  return {};
}

class LineWriter final : public PieceWriter {
 public:
  void Write(const Piece& piece, std::string* out) override {
    if (const std::string why = WhyNotSeries(piece); !why.empty()) {
      Leave(piece, piece.size(), why);
      return;
    }
    std::string front;
    AppendEscaped(&front, piece.measurement, model::kMeasurementEscapes);
    for (const model::Label& tag : piece.tags) {
      front += ',';
      AppendEscaped(&front, tag.name, model::kTagEscapes);
      front += '=';
      AppendEscaped(&front, tag.value, model::kTagEscapes);
    }
    front += ' ';
    AppendEscaped(&front, piece.field, model::kTagEscapes);
    front += '=';
    for (size_t row = 0; row < piece.size(); ++row) {
      if (piece.type == model::FieldType::kFloat && transfer::IsSpecial(piece.bits[row])) {
        Leave(piece, 1, "it has values that are not finite");
        continue;
      }
      *out += front;
      AppendValue(piece, row, out);
      *out += ' ';
      transfer::AppendDigits(out, piece.times_ns[row]);
      *out += '\n';
    }
  }

 private:
  void Leave(const Piece& piece, size_t points, std::string_view why) {
    if (left_out_.points == 0) left_out_.first = fmt::format("{}: {}", Describe(piece), why);
    left_out_.points += points;
  }

  static std::string WhyNotSeries(const Piece& piece) {
    const auto name = [](std::string_view what, std::string_view text, std::string_view special,
                         bool tag_value) -> std::string {
      const std::string_view why = WhyNot(text, special, tag_value);
      return why.empty() ? std::string() : fmt::format("{} {}", what, why);
    };
    if (piece.measurement.starts_with('#')) return "the measurement begins as a comment does";
    if (piece.field == "time") return "line protocol has no field named time";
    std::string why = name("the measurement", piece.measurement, model::kMeasurementEscapes, false);
    if (why.empty()) why = name("the field", piece.field, model::kTagEscapes, false);
    for (const model::Label& tag : piece.tags) {
      if (why.empty()) why = name("the tag", tag.name, model::kTagEscapes, false);
      if (why.empty()) why = name("the value of the tag " + tag.name, tag.value, model::kTagEscapes, true);
    }
    return why;
  }

  static void AppendValue(const Piece& piece, size_t row, std::string* out) {
    if (piece.is_text()) {
      *out += '"';
      AppendEscaped(out, piece.strings[row], "\"\\");
      *out += '"';
      return;
    }
    transfer::AppendValue(out, piece.type, piece.bits[row]);
    if (piece.type == model::FieldType::kInt) *out += 'i';
    if (piece.type == model::FieldType::kUInt) *out += 'u';
  }
};

// What InfluxDB 1.x calls the policy that a database has by itself, since 1.0 and before.
constexpr std::string_view kUsualPolicies[] = {"autogen", "default"};

// As far as a chunk of lines may grow.
constexpr ChunkLimits kChunk{.lines = 10'000, .bytes = size_t{4} << 20, .age = std::chrono::hours(24 * 365)};

class LineProtocolReader final : public PieceReader {
 public:
  explicit LineProtocolReader(std::unique_ptr<InFile> file)
      : file_(std::move(file)),
        chunks_([this](char* to, size_t size, std::chrono::milliseconds) { return Fill(to, size); }, kChunk,
                SystemClock::Get()) {}

  Result<bool> Next(Piece* piece) override {
    while (pieces_.empty()) {
      const std::string_view chunk = chunks_.Next();
      if (!failed_.ok()) return failed_.error();
      for (const LongLine& line : chunks_.TakeLongLines()) {
        if (bad_++ == 0)
          first_bad_ = fmt::format("line {} has {} bytes, more than one may have", line.number, line.bytes);
      }
      if (chunk.empty()) return false;
      TM_RETURN_IF_ERROR(ReadChunk(chunk));
    }
    *piece = std::move(pieces_.front());
    pieces_.pop_front();
    return true;
  }
  [[nodiscard]] std::string database() const override { return database_; }
  [[nodiscard]] std::string policy() const override { return policy_; }
  [[nodiscard]] Progress progress() const override { return {file_->bytes_read(), file_->bytes_all()}; }
  [[nodiscard]] std::vector<std::string> remarks() const override {
    return last_byte_ == '\n' ? std::vector<std::string>() : std::vector<std::string>{kNoEnd};
  }
  [[nodiscard]] std::vector<Skipped> skipped() const override {
    std::vector<Skipped> out;
    if (bad_ > 0) {
      out.push_back({(bad_ == 1 ? "line that is no line protocol: " : "lines that are no line protocol; the first: ") +
                         first_bad_,
                     bad_, false});
    }
    if (statements_ > 0)
      out.push_back(
          {statements_ == 1 ? "statement (CREATE DATABASE)" : "statements (CREATE DATABASE)", statements_, true});
    return out;
  }

 private:
  std::optional<size_t> Fill(char* to, size_t size) {
    const Result<size_t> got = file_->Read(to, size);
    if (got.ok() && *got > 0) last_byte_ = to[*got - 1];
    if (got.ok()) return *got;
    failed_ = got.error();
    return size_t{0};
  }

  Status ReadChunk(std::string_view chunk) {
    database_ = chunks_.database();
    policy_ = chunks_.policy();
    if (std::find(std::begin(kUsualPolicies), std::end(kUsualPolicies), policy_) != std::end(kUsualPolicies)) {
      policy_.clear();
    }
    if (!chunks_.untimed().empty()) {
      const std::string_view before = chunk.substr(0, chunks_.untimed().front().at);
      const auto lines = static_cast<uint64_t>(std::count(before.begin(), before.end(), '\n'));
      return InvalidArgument(
          fmt::format("line {} has no time, and would get another one each time that it is imported: `tidemark write` "
                      "gives lines the time at which they come",
                      chunks_.lines_before() + lines + 1));
    }
    const lineprotocol::ParseReport report = parser_.Parse(chunk, {.limits = {.max_errors = 10'000}}, &batch_);
    for (const lineprotocol::LineError& error : report.errors) CountBad(error);
    bad_ += report.lines_bad - report.errors.size();
    std::unordered_map<std::string, size_t> places;  // in pieces_, which is empty
    for (const model::Row& row : batch_.rows) TM_RETURN_IF_ERROR(TakeRow(row, &places));
    return {};
  }

  void CountBad(const lineprotocol::LineError& error) {
    // The head of an export of influx_inspect: the database comes into being with its first point.
    if (error.text.starts_with("CREATE DATABASE ") || error.text.starts_with("CREATE RETENTION POLICY ")) {
      ++statements_;
      return;
    }
    if (bad_++ == 0) {
      first_bad_ =
          fmt::format("line {}, column {}: {}", chunks_.lines_before() + error.line, error.column, error.reason);
    }
  }

  Status TakeRow(const model::Row& row, std::unordered_map<std::string, size_t>* places) {
    const model::Shape& shape = batch_.shapes[row.shape];
    for (size_t i = 0; i < shape.fields.size(); ++i) {
      const model::ShapeField& field = shape.fields[i];
      std::string key(row.key.bytes);
      key += '\n';
      key += field.name;
      key += static_cast<char>(field.type);
      const auto [at, added] = places->try_emplace(std::move(key), pieces_.size());
      if (added) {
        Arena arena;
        TM_TRY_ASSIGN(const model::ParsedKey parsed, model::ParseSeriesKey(row.key.format, row.key.bytes, &arena));
        Piece& piece = pieces_.emplace_back();
        piece.measurement = parsed.measurement;
        piece.field = field.name;
        piece.tags = model::ToLabels(parsed.tags);
        piece.type = field.type;
      }
      Piece& piece = pieces_[at->second];
      const size_t value = row.first_value + i;
      piece.times_ns.push_back(row.time.ns);
      if (field.type == model::FieldType::kString) {
        piece.strings.emplace_back(batch_.strings[static_cast<size_t>(batch_.values[value])]);
      } else if (field.type == model::FieldType::kFloat) {
        piece.bits.push_back(std::bit_cast<uint64_t>(model::FloatOf(batch_.values[value], batch_.scales[value])));
      } else {
        piece.bits.push_back(std::bit_cast<uint64_t>(batch_.values[value]));
      }
    }
    return {};
  }

  const std::unique_ptr<InFile> file_;
  Status failed_;
  char last_byte_ = '\n';  // of the file, as far as it is read
  LineChunks chunks_;
  lineprotocol::Parser parser_;
  model::Batch batch_;
  std::deque<Piece> pieces_;
  std::string database_;
  std::string policy_;
  uint64_t bad_ = 0;
  std::string first_bad_;
  uint64_t statements_ = 0;
};

}  // namespace

std::unique_ptr<PieceWriter> MakeLineProtocolWriter() { return std::make_unique<LineWriter>(); }
std::unique_ptr<PieceReader> MakeLineProtocolReader(std::unique_ptr<InFile> file) {
  return std::make_unique<LineProtocolReader>(std::move(file));
}

}  // namespace tidemark::cli
