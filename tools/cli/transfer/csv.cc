// CSV after RFC 4180, one row a value. A quoted cell may hold line feeds.
#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "storage/base/text/json_string.h"
#include "tools/cli/transfer/formats.h"
#include "tools/transfer/value_text.h"

namespace tidemark::cli {
namespace {

using transfer::Piece;

constexpr std::string_view kHeader = "measurement,field,type,tags,time_ns,value";
enum Cell : uint8_t { kMeasurement, kField, kType, kTags, kTime, kValue, kCells };

void AppendCell(std::string* out, std::string_view text) {
  // An empty text gets quotes too, so that no cell of nothing is taken for one.
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    *out += text;
    return;
  }
  *out += '"';
  for (const char c : text) {
    if (c == '"') *out += '"';
    *out += c;
  }
  *out += '"';
}

class CsvWriter final : public PieceWriter {
 public:
  void Begin(std::string* out) override { *out += fmt::format("{}\n", kHeader); }

  void Write(const Piece& piece, std::string* out) override {
    std::string tags = "{";
    for (const model::Label& tag : piece.tags) {
      if (tags.size() > 1) tags += ',';
      text::AppendJsonString(&tags, tag.name);
      tags += ':';
      text::AppendJsonString(&tags, tag.value);
    }
    tags += '}';
    std::string front;
    AppendCell(&front, piece.measurement);
    front += ',';
    AppendCell(&front, piece.field);
    front += ',';
    front += model::Name(piece.type);
    front += ',';
    AppendCell(&front, tags);
    front += ',';
    for (size_t row = 0; row < piece.size(); ++row) {
      *out += front;
      transfer::AppendDigits(out, piece.times_ns[row]);
      *out += ',';
      if (piece.is_text()) {
        AppendCell(out, piece.strings[row]);
      } else {
        transfer::AppendValue(out, piece.type, piece.bits[row]);
      }
      *out += '\n';
    }
  }
};

class CsvReader final : public PieceReader {
 public:
  explicit CsvReader(std::unique_ptr<InFile> file) : lines_(std::move(file)) {}

  Result<bool> Next(Piece* piece) override {
    piece->ClearValues();
    if (!header_) TM_RETURN_IF_ERROR(ReadHeader());
    for (;;) {
      if (!held_) {
        TM_TRY_ASSIGN(const bool more, ReadRow());
        if (!more) return !piece->times_ns.empty();
      }
      const bool first = piece->times_ns.empty();
      if (!first && (!SameSeries() || piece->size() == transfer::kPieceRows)) {
        held_ = true;
        return true;
      }
      held_ = false;
      if (first) {
        if (const Status names = TakeNames(piece); !names.ok()) return lines_.At(names.error());
      }
      if (const Status taken = TakeValue(piece); !taken.ok()) return lines_.At(taken.error());
    }
  }
  [[nodiscard]] Progress progress() const override { return lines_.progress(); }
  [[nodiscard]] std::vector<std::string> remarks() const override {
    return lines_.open_end() ? std::vector<std::string>{kNoEnd} : std::vector<std::string>();
  }

 private:
  Status ReadHeader() {
    std::string_view line;
    TM_TRY_ASSIGN(const bool more, lines_.Next(&line));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!more || line != kHeader) return InvalidArgument(fmt::format("line 1: it is not the header {}", kHeader));
    header_ = true;
    return {};
  }

  // One row into cells_. A cell's line feed makes it go on in the next line of the file.
  Result<bool> ReadRow() {
    std::string_view line;
    do {
      TM_TRY_ASSIGN(const bool more, lines_.Next(&line));
      if (!more) return false;
    } while (line.empty() || line == "\r");
    size_t cell = 0;
    cells_[0].clear();
    for (size_t at = 0;;) {
      if (at < line.size() && line[at] == '"' && cells_[cell].empty()) {
        TM_RETURN_IF_ERROR(ReadQuoted(&line, &at, &cells_[cell]));
      } else {
        const size_t end = std::min(line.find(',', at), line.size());
        cells_[cell].assign(line.substr(at, end - at));
        if (end == line.size() && cells_[cell].ends_with('\r')) cells_[cell].pop_back();
        at = end;
      }
      // The end of the line may be that of a Windows file.
      if (at + 1 == line.size() && line[at] == '\r') break;
      if (at == line.size()) break;
      if (line[at] != ',')
        return lines_.At(InvalidArgument(fmt::format("column {}: something stands behind a quote", at + 1)));
      ++at;
      if (++cell == kCells)
        return lines_.At(InvalidArgument(fmt::format("there are more than {} cells", size_t{kCells})));
      cells_[cell].clear();
    }
    if (cell + 1 != kCells) {
      return lines_.At(InvalidArgument(fmt::format("there are {} cells in place of {}", cell + 1, size_t{kCells})));
    }
    return true;
  }

  Status ReadQuoted(std::string_view* line, size_t* at, std::string* out) {
    for (size_t from = *at + 1;;) {
      const size_t quote = line->find('"', from);
      if (quote == std::string_view::npos) {
        out->append(line->substr(from));
        *out += '\n';
        TM_TRY_ASSIGN(const bool more, lines_.Next(line));
        if (!more) return lines_.At(InvalidArgument("a quote is not closed"));
        from = 0;
        continue;
      }
      out->append(line->substr(from, quote - from));
      if (quote + 1 < line->size() && (*line)[quote + 1] == '"') {
        *out += '"';
        from = quote + 2;
        continue;
      }
      *at = quote + 1;
      return {};
    }
  }

  [[nodiscard]] bool SameSeries() const { return std::equal(names_.begin(), names_.end(), cells_.begin()); }

  Status TakeNames(Piece* piece) {
    std::copy_n(cells_.begin(), names_.size(), names_.begin());
    const auto type = transfer::ParseType(cells_[kType]);
    if (!type) {
      return InvalidArgument(
          fmt::format("\"{}\" is no type: float, integer, unsigned, boolean or string", cells_[kType]));
    }
    piece->type = *type;
    piece->measurement = cells_[kMeasurement];
    piece->field = cells_[kField];
    piece->tags.clear();
    simdjson::dom::object object;
    if (parser_.parse(cells_[kTags]).get(object) != simdjson::SUCCESS) {
      return InvalidArgument("the tags are no JSON object");
    }
    for (const auto& [name, value] : object) {
      std::string_view text;
      if (value.get(text) != simdjson::SUCCESS) return InvalidArgument(fmt::format("the tag \"{}\" is no text", name));
      piece->tags.push_back({std::string(name), std::string(text)});
    }
    std::sort(piece->tags.begin(), piece->tags.end());
    return {};
  }

  Status TakeValue(Piece* piece) {
    const std::string& time = cells_[kTime];
    int64_t ns = 0;
    const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), ns);
    if (error != std::errc() || end != time.data() + time.size()) {
      return InvalidArgument(fmt::format("the time \"{}\" is no whole number of nanoseconds", time));
    }
    if (piece->is_text()) {
      piece->strings.push_back(cells_[kValue]);
    } else {
      const std::optional<uint64_t> bits = transfer::ParseValue(piece->type, cells_[kValue]);
      if (!bits) {
        return InvalidArgument(fmt::format("the value \"{}\" is no {}", cells_[kValue], model::Name(piece->type)));
      }
      piece->bits.push_back(*bits);
    }
    piece->times_ns.push_back(ns);
    return {};
  }

  FileLines lines_;
  bool header_ = false;
  std::array<std::string, kCells> cells_;
  std::array<std::string, kTime> names_;  // of the series at hand
  bool held_ = false;                     // cells_ are of the next piece
  simdjson::dom::parser parser_;
};

}  // namespace

std::unique_ptr<PieceWriter> MakeCsvWriter() { return std::make_unique<CsvWriter>(); }
std::unique_ptr<PieceReader> MakeCsvReader(std::unique_ptr<InFile> file) {
  return std::make_unique<CsvReader>(std::move(file));
}

}  // namespace tidemark::cli
