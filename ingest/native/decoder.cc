#include "ingest/native/decoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "ingest/native/dictionary_book.h"
#include "ingest/native/table_reader.h"
#include "ingest/native/times_reader.h"
#include "ingest/native/wire_access.h"

namespace tidemark::native {
namespace {

// Memory of a row and of a value that are decoded: their places in a batch, in the decoder and once resolved.
constexpr uint64_t kBytesPerRow = sizeof(model::Row) + 48;
constexpr uint64_t kBytesPerValue = 18;
// What the caller takes for each byte that UnpackedBytes says.
constexpr uint64_t kBatchBytesPerByte = 8;
// A dictionary of a batch's own that takes more is not kept between requests.
constexpr uint64_t kKeptDictionaryBytes = uint64_t{8} << 20;
// What a FlatBuffer is read at: its own alignment, that of the longest scalar.
constexpr size_t kAlignment = 8;
// An aligned copy larger than this is not kept between requests.
constexpr size_t kKeptCopyBytes = size_t{1} << 20;

class BatchDecoder final : public ingest::Decoder {
 public:
  explicit BatchDecoder(const Limits& limits) : limits_(limits) {}

  Result<ingest::Decoded> Decode(std::string_view body, const ingest::DecodeOptions& options,
                                 model::Batch* batch) override {
    batch->Clear();
    tables_.clear();
    shared_ = nullptr;
    total_rows_ = 0;
    decoded_ = {};
    auto decoded = DecodeMessage(body, options, batch);
    if (!decoded.ok()) {
      batch->Clear();
      return decoded;
    }
    decoded_ = {.lines_refused = decoded->lines_refused,
                .rows_refused = decoded->rows_refused,
                .faults_total = decoded->faults_total,
                .faults = decoded->faults,
                .metadata = {}};
    return decoded;
  }

  [[nodiscard]] std::string Describe(const model::WriteReport& report) const override {
    std::string text =
        fmt::format("partial write: {} of {} rows refused", decoded_.rows_refused + report.rows_rejected, total_rows_);
    const auto add = [&](uint32_t row, std::string_view reason) {
      if (row == 0) {
        text += fmt::format("\n{}", reason);
      } else {
        text += fmt::format("\nrow {}: {}", row, reason);
      }
    };
    constexpr size_t kMaxReasons = 5;
    for (size_t i = 0; i < std::min(kMaxReasons, decoded_.faults.size()); ++i) {
      add(decoded_.faults[i].number, decoded_.faults[i].message);
    }
    for (size_t i = 0; i < std::min(kMaxReasons, report.rejections.size()); ++i) {
      add(report.rejections[i].line, report.rejections[i].error.message);
    }
    // At the end, as line protocol says it: what clients count by.
    return text + fmt::format(" dropped={}", decoded_.rows_refused + report.rows_rejected);
  }

  [[nodiscard]] std::vector<ingest::Fault> FaultsOf(std::string_view /*body*/,
                                                    const model::WriteReport& report) const override {
    std::vector<ingest::Fault> out;
    for (const model::Rejection& rejection : report.rejections) {
      out.push_back({rejection.line, 0, rejection.error.message, SeriesText(rejection.line), {}});
    }
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    return out;
  }

  // A grid has rows that no byte of it stands for.
  [[nodiscard]] size_t UnpackedBytes(std::string_view body) const override {
    std::vector<uint64_t> copy;
    if (body.size() >= kAlignment && reinterpret_cast<uintptr_t>(body.data()) % kAlignment != 0) {
      copy.resize((body.size() + 7) / 8);
      std::memcpy(copy.data(), body.data(), body.size());
      body = {reinterpret_cast<const char*>(copy.data()), body.size()};
    }
    const auto message = Check(body);
    if (!message.ok() || (*message)->tables() == nullptr) return body.size();
    uint64_t rows = 0;
    uint64_t values = 0;
    for (const wire::DataTable* table : *(*message)->tables()) {
      const Result<uint64_t> times = TimesReader::CountOf(table->times());
      const uint64_t series = Numbers<uint32_t>(table->series()).size();
      // Beyond the limits it is refused before it takes memory.
      const uint64_t grid = table->layout() == wire::Layout::Grid && times.ok() ? *times : 1;
      const uint64_t more = std::min(series * std::min(grid, limits_.max_rows), limits_.max_rows);
      rows = std::min(rows + more, limits_.max_rows);
      const uint64_t width = table->columns() == nullptr ? 0 : table->columns()->size();
      values = std::min(values + more * width, limits_.max_values);
    }
    return std::max<size_t>(body.size(), (rows * kBytesPerRow + values * kBytesPerValue) / kBatchBytesPerByte);
  }

  void Rest() override {
    // A dictionary that was forgotten meanwhile, or whose connection ends.
    shared_ = nullptr;
    series_ = nullptr;
    tables_.clear();
    if (own_.bytes() > kKeptDictionaryBytes) own_ = {};
    if (total_rows_ * sizeof(uint64_t) > kKeptCopyBytes) reader_ = {};
  }

 private:
  // Where the rows of a table begin, to find the series of a row that was refused.
  struct TableRows {
    uint64_t first = 0;
    uint64_t rows = 0;
    const wire::DataTable* table = nullptr;
  };

  Result<const wire::Batch*> Verify(std::string_view body) {
    if (reinterpret_cast<uintptr_t>(body.data()) % kAlignment != 0) {
      copy_.assign((body.size() + 7) / 8, 0);
      std::memcpy(copy_.data(), body.data(), body.size());
      body = {reinterpret_cast<const char*>(copy_.data()), body.size()};
    } else if (copy_.capacity() * sizeof(uint64_t) > kKeptCopyBytes) {
      copy_ = {};
    }
    return Check(body);
  }

  // Of a body that lies at an address that suits it.
  Result<const wire::Batch*> Check(std::string_view body) const {
    if (body.size() < 8) return InvalidArgument(fmt::format("a batch has at least 8 bytes, and not {}", body.size()));
    const auto* const bytes = reinterpret_cast<const uint8_t*>(body.data());
    if (!wire::BatchBufferHasIdentifier(bytes)) {
      return InvalidArgument(
          fmt::format("the body is no native batch: bytes 5 to 8 are not \"{}\"", wire::BatchIdentifier()));
    }
    flatbuffers::Verifier verifier(bytes, body.size(), limits_.max_depth, limits_.max_tables);
    if (!wire::VerifyBatchBuffer(verifier)) {
      return InvalidArgument(
          "the body is damaged: an offset or a length leads out of it, or there are too many tables");
    }
    return wire::GetBatch(bytes);
  }

  Result<ingest::Decoded> DecodeMessage(std::string_view body, const ingest::DecodeOptions& options,
                                        model::Batch* batch) {
    TM_TRY_ASSIGN(const wire::Batch* const message, Verify(body));
    const wire::Dictionary* const run = message->dictionary();
    const std::string_view client = run == nullptr ? std::string_view() : TextOf(run->client());
    if (client.empty() && options.connection == nullptr) {
      own_.Clear();
      if (run != nullptr) TM_RETURN_IF_ERROR(Own(*run));
      series_ = &own_;
      return ReadTables(*message, body.size(), own_, false, options.now.ns, batch);
    }
    if (client.empty()) {
      series_ = options.connection;
      if (run != nullptr) {
        TM_RETURN_IF_ERROR(options.connection->Add(*run, limits_, SeriesDictionary::Keys::kCopied, &known_));
      }
      return ReadTables(*message, body.size(), *options.connection, true, options.now.ns, batch);
    }
    return DecodeShared(*message, body.size(), client, options, batch);
  }

  Result<void> Own(const wire::Dictionary& run) {
    if (run.first() != 0) return InvalidArgument("dictionary: first is not 0, in a batch without a client");
    return own_.Add(run, limits_, SeriesDictionary::Keys::kViewed, &known_);
  }

  Result<ingest::Decoded> DecodeShared(const wire::Batch& message, size_t bytes_sent, std::string_view client,
                                       const ingest::DecodeOptions& options, model::Batch* batch) {
    if (options.dictionaries == nullptr) return MakeError(ErrorCode::kUnsupported, "no dictionaries are kept here");
    if (client.size() > limits_.max_client_bytes) {
      return LimitExceeded(fmt::format("the name of the client has more than {} bytes", limits_.max_client_bytes));
    }
    const wire::Dictionary& run = *message.dictionary();
    const bool brings = run.key_ends() != nullptr && run.key_ends()->size() > 0;
    const DictionaryBook::Name name{options.sender, client, run.generation()};
    shared_ = options.dictionaries->Find(name, brings && run.first() == 0);
    if (shared_ == nullptr) {
      return MakeError(
          ErrorCode::kNotFound,
          fmt::format("generation {} of the dictionary of this client is not known here; define its series anew",
                      run.generation()));
    }
    if (brings) {
      uint64_t bytes = 0;
      {
        WriterLock lock(shared_->mutex);
        TM_RETURN_IF_ERROR(shared_->series.Add(run, limits_, SeriesDictionary::Keys::kCopied, &known_));
        bytes = shared_->series.bytes();
      }
      options.dictionaries->Grew(name, bytes);
    }
    series_ = nullptr;
    ReaderLock lock(shared_->mutex);
    return ReadTables(message, bytes_sent, shared_->series, true, options.now.ns, batch);
  }

  Result<ingest::Decoded> ReadTables(const wire::Batch& message, size_t bytes_sent, const SeriesDictionary& dictionary,
                                     bool remembered, int64_t now_ns, model::Batch* batch) {
    ingest::Decoded out;
    if (message.tables() == nullptr) return out;
    TableReader::Progress progress{
        .table = 0, .rows = 0, .values = 0, .text_bytes = 0, .text_bytes_max = bytes_sent, .out = &out};
    for (const wire::DataTable* table : *message.tables()) {
      ++progress.table;
      const uint64_t before = progress.rows;
      TM_RETURN_IF_ERROR(reader_.Read(*table, dictionary, remembered, limits_, now_ns, &progress, batch));
      tables_.push_back({before, progress.rows - before, table});
    }
    total_rows_ = progress.rows;
    batch->known = dictionary.ids();
    return out;
  }

  // The series of a row of the last batch.
  [[nodiscard]] std::string SeriesText(uint32_t line) const {
    const uint64_t row = uint64_t{line} - 1;
    for (const TableRows& rows : tables_) {
      if (row < rows.first || row >= rows.first + rows.rows) continue;
      const Numbers<uint32_t> series(rows.table->series());
      const uint64_t repeat = rows.table->layout() == wire::Layout::Grid ? rows.rows / series.size() : 1;
      const uint32_t number = series[(row - rows.first) / repeat];
      if (shared_ == nullptr) return PrintKey((*series_)[number].key.bytes);
      ReaderLock lock(shared_->mutex);
      return PrintKey(shared_->series[number].key.bytes);
    }
    return {};
  }

  const Limits limits_;
  TableReader reader_;
  KnownKeys known_;
  SeriesDictionary own_;
  // Of the last input. The keys of its rows are in `own_`, a connection's dictionary, or `shared_`.
  const SeriesDictionary* series_ = nullptr;
  std::shared_ptr<SharedDictionary> shared_;
  std::vector<TableRows> tables_;
  std::vector<uint64_t> copy_;
  uint64_t total_rows_ = 0;
  ingest::Decoded decoded_;
};

}  // namespace

std::unique_ptr<ingest::Decoder> MakeDecoder() { return MakeDecoderWith({}); }
std::unique_ptr<ingest::Decoder> MakeDecoderWith(const Limits& limits) {
  return std::make_unique<BatchDecoder>(limits);
}

}  // namespace tidemark::native
