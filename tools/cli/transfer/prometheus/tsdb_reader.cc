#include "tools/cli/transfer/prometheus/tsdb_reader.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/base/text/instant.h"
#include "tools/cli/transfer/prometheus/block.h"
#include "tools/cli/transfer/prometheus/wal.h"
#include "tools/transfer/value_text.h"

namespace tidemark::cli::prometheus {
namespace {

namespace fs = std::filesystem;
using transfer::Piece;

constexpr int64_t kNsPerMs = 1'000'000;
// Samples of a piece; of the log, those that are held before pieces are made of them.
constexpr size_t kPieceSamples = 10'000;
constexpr size_t kHeldSamples = 1'000'000;

// Blocks in a folder, by name.
struct BlockFolders {
  std::vector<std::string> whole;
  std::vector<std::string> torn;  // "FOLDER: there is no index in it"
};

// Also of a link that leads nowhere, which is an error of whoever reads it then. Errors: kIo.
Result<bool> Exists(const std::string& path) {
  std::error_code error;
  const fs::file_type type = fs::symlink_status(path, error).type();
  if (type == fs::file_type::none) return IoError(fmt::format("{}: {}", path, error.message()));
  return type != fs::file_type::not_found;
}

// A ULID, as Prometheus calls its blocks: https://github.com/ulid/spec, 26 digits of Crockford's base 32.
bool IsUlid(std::string_view name) {
  return name.size() == 26 && name.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string_view::npos;
}

// Adds `path` when it is a block, or a part of one.
Status AddBlock(const std::string& path, BlockFolders* out) {
  TM_TRY_ASSIGN(const bool index, Exists(path + "/index"));
  TM_TRY_ASSIGN(const bool meta, Exists(path + "/meta.json"));
  TM_TRY_ASSIGN(const bool chunks, Exists(path + "/chunks"));
  if (index && meta) {
    out->whole.push_back(path);
  } else if (index || meta || chunks || IsUlid(fs::path(path).filename().string())) {
    out->torn.push_back(fmt::format("{}: there is no {} in it", path,
                                    index  ? "meta.json"
                                    : meta ? "index"
                                           : "index and no meta.json"));
  }
  return {};
}

Result<BlockFolders> FindBlocks(const std::string& folder) {
  BlockFolders out;
  TM_TRY_ASSIGN(const bool one, Exists(folder + "/index"));
  TM_TRY_ASSIGN(const bool torn, Exists(folder + "/meta.json"));
  if (one || torn) {
    TM_RETURN_IF_ERROR(AddBlock(folder, &out));
    return out;
  }
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    // Those that are being made or removed have .tmp-for-... behind their names.
    std::error_code ignored;
    if (at->path().filename().string().contains(".tmp") || !at->is_directory(ignored)) continue;
    TM_RETURN_IF_ERROR(AddBlock(at->path(), &out));
  }
  if (error) return IoError(fmt::format("{}: {}", folder, error.message()));
  std::sort(out.whole.begin(), out.whole.end());
  std::sort(out.torn.begin(), out.torn.end());
  return out;
}

void SetNames(const model::Labels& labels, Piece* piece) {
  piece->measurement.clear();
  piece->field = model::kValueField;
  piece->type = model::FieldType::kFloat;
  piece->tags.clear();
  for (const model::Label& label : labels) {
    if (label.name == model::kMetricNameLabel) {
      piece->measurement = label.value;
    } else if (!label.value.empty()) {
      piece->tags.push_back(label);
    }
  }
}

// Appends pieces of the samples.
void MakePieces(const model::Labels& labels, const std::vector<Sample>& samples, std::deque<Piece>* pieces) {
  for (size_t begin = 0; begin < samples.size(); begin += kPieceSamples) {
    Piece& piece = pieces->emplace_back();
    SetNames(labels, &piece);
    for (size_t i = begin; i < std::min(samples.size(), begin + kPieceSamples); ++i) {
      // Prometheus' times reach beyond what nanoseconds hold; the writer refuses what is at an end.
      int64_t ns = 0;
      if (__builtin_mul_overflow(samples[i].time_ms, kNsPerMs, &ns)) {
        ns = samples[i].time_ms < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
      }
      piece.times_ns.push_back(ns);
      piece.bits.push_back(samples[i].bits);
    }
  }
}

// The series of several blocks, by label, each once.
class Blocks {
 public:
  Status Open(const std::vector<std::string>& folders) {
    for (const std::string& folder : folders) {
      TM_TRY_ASSIGN(std::unique_ptr<Block> block, Block::Open(folder));
      end_ms_ = std::max(end_ms_, block->end_ms());
      all_ += block->size();
      sources_.push_back({.block = std::move(block), .at = 0, .labels = {}});
      TM_RETURN_IF_ERROR(Load(&sources_.back()));
    }
    return {};
  }

  // Appends the pieces of the next series; false: there are no more.
  Result<bool> Next(std::deque<Piece>* pieces, NotTaken* not_taken) {
    const Source* first = nullptr;
    for (const Source& source : sources_) {
      if (source.at < source.block->size() && (first == nullptr || source.labels < first->labels)) first = &source;
    }
    if (first == nullptr) return false;
    const model::Labels labels = first->labels;
    std::vector<Sample> all;
    for (Source& source : sources_) {
      if (source.at == source.block->size() || source.labels != labels) continue;
      std::vector<Sample> some;
      if (const Status read = source.block->ReadSamples(source.at, &some, not_taken); !read.ok()) {
        return read.error().Within(source.block->name());
      }
      Merge(labels, source.block->name(), std::move(some), &all);
      ++source.at;
      ++done_;
      TM_RETURN_IF_ERROR(Load(&source));
    }
    MakePieces(labels, all, pieces);
    return true;
  }

  [[nodiscard]] int64_t end_ms() const { return end_ms_; }
  [[nodiscard]] PieceReader::Progress progress() const { return {done_, all_}; }
  [[nodiscard]] uint64_t overlaps() const { return overlaps_; }
  [[nodiscard]] uint64_t repeats() const { return repeats_; }
  [[nodiscard]] const std::vector<std::string>& conflicts() const { return conflicts_; }

 private:
  struct Source {
    std::unique_ptr<Block> block;
    size_t at;
    model::Labels labels;  // of the series at `at`
  };

  static Status Load(Source* source) {
    if (source->at == source->block->size()) return {};
    if (const Status read = source->block->ReadLabels(source->at, &source->labels); !read.ok()) {
      return read.error().Within(source->block->name());
    }
    return {};
  }

  // Of two samples at one time the later block's counts.
  void Merge(const model::Labels& labels, const std::string& block, std::vector<Sample> later,
             std::vector<Sample>* all) {
    std::vector<Sample> out;
    out.reserve(all->size() + later.size());
    auto old = all->begin();
    for (const Sample& sample : later) {
      for (; old != all->end() && old->time_ms < sample.time_ms; ++old) out.push_back(*old);
      if (old != all->end() && old->time_ms == sample.time_ms) {
        if (old->bits != sample.bits) NameConflict(labels, block, *old, sample);
        ++(old->bits == sample.bits ? repeats_ : overlaps_);
        ++old;
      }
      out.push_back(sample);
    }
    out.insert(out.end(), old, all->end());
    *all = std::move(out);
  }

  void NameConflict(const model::Labels& labels, const std::string& block, const Sample& old, const Sample& later) {
    if (conflicts_.size() == PieceReader::kConflictsMax) return;
    std::string text = model::ToString(labels) + " at ";
    text += text::PrintInstant(text::Instant::FromMs(old.time_ms));
    text += ": an earlier block has ";
    transfer::AppendValue(&text, model::FieldType::kFloat, old.bits);
    text += fmt::format(", block {} ", block);
    transfer::AppendValue(&text, model::FieldType::kFloat, later.bits);
    conflicts_.push_back(std::move(text));
  }

  std::deque<Source> sources_;
  int64_t end_ms_ = std::numeric_limits<int64_t>::min();
  uint64_t all_ = 0;
  uint64_t done_ = 0;
  uint64_t overlaps_ = 0;
  uint64_t repeats_ = 0;
  std::vector<std::string> conflicts_;
};

// The samples of a log, as they come, some of each series together.
class Log {
 public:
  // `begin_ms`: older samples are in blocks.
  Status Open(std::vector<std::string> files, int64_t begin_ms) {
    files_ = std::move(files);
    begin_ms_ = begin_ms;
    // Deletions hold for what was written before them and after, as when Prometheus starts on the log.
    WalSink sink;
    sink.on_tombstone = [this](uint64_t series, Interval interval) { deleted_[series].push_back(interval); };
    for (const std::string& file : files_) TM_RETURN_IF_ERROR(ReadWalFile(file, &file == &files_.back(), sink));
    return {};
  }

  Result<bool> Next(std::deque<Piece>* pieces, NotTaken* not_taken) {
    while (at_ < files_.size() && held_ < kHeldSamples) {
      TM_RETURN_IF_ERROR(ReadFile(files_[at_], at_ + 1 == files_.size(), not_taken));
      ++at_;
    }
    if (held_ == 0) return false;
    for (auto& [series, samples] : samples_) {
      std::stable_sort(samples.begin(), samples.end(),
                       [](const Sample& a, const Sample& b) { return a.time_ms < b.time_ms; });
      const auto labels = labels_.find(series);
      if (labels == labels_.end()) {
        // Its record was lost; what it is called is not known.
        nameless_ += samples.size();
      } else {
        MakePieces(labels->second, samples, pieces);
      }
    }
    samples_.clear();
    held_ = 0;
    return true;
  }

  [[nodiscard]] uint64_t nameless() const { return nameless_; }
  [[nodiscard]] PieceReader::Progress progress() const { return {at_, files_.size()}; }

 private:
  Status ReadFile(const std::string& file, bool last, NotTaken* not_taken) {
    WalSink sink;
    sink.not_taken = not_taken;
    sink.on_series = [this](uint64_t series, model::Labels labels) { labels_[series] = std::move(labels); };
    sink.on_sample = [&](uint64_t series, Sample sample) -> Status {
      if (sample.time_ms < begin_ms_) {
        ++not_taken->in_blocks;
        return {};
      }
      if (const auto hidden = deleted_.find(series);
          hidden != deleted_.end() && Hides(hidden->second, sample.time_ms)) {
        ++not_taken->deleted;
        return {};
      }
      samples_[series].push_back(sample);
      ++held_;
      return {};
    };
    return ReadWalFile(file, last, sink);
  }

  std::vector<std::string> files_;
  size_t at_ = 0;
  int64_t begin_ms_ = 0;
  Tombstones deleted_;
  std::unordered_map<uint64_t, model::Labels> labels_;
  std::map<uint64_t, std::vector<Sample>> samples_;
  size_t held_ = 0;
  uint64_t nameless_ = 0;
};

class TsdbReader final : public PieceReader {
 public:
  Status Open(const std::string& folder) {
    TM_TRY_ASSIGN(BlockFolders found, FindBlocks(folder));
    torn_blocks_ = std::move(found.torn);
    TM_RETURN_IF_ERROR(blocks_.Open(found.whole));
    TM_TRY_ASSIGN(std::vector<std::string> files, WalFiles(folder + "/wal"));
    if (found.whole.empty() && files.empty()) {
      if (!torn_blocks_.empty()) return Corruption(torn_blocks_.front() + ": it is no whole block");
      return NotFound(fmt::format("{}: there is neither a block nor a log of Prometheus in it", folder));
    }
    std::error_code error;
    out_of_order_ = fs::exists(folder + "/wbl", error) && !fs::is_empty(folder + "/wbl", error);
    return log_.Open(std::move(files), blocks_.end_ms());
  }

  Result<bool> Next(Piece* piece) override {
    while (pieces_.empty()) {
      if (!in_log_) {
        TM_TRY_ASSIGN(const bool more, blocks_.Next(&pieces_, &not_taken_));
        in_log_ = !more;
        continue;
      }
      TM_TRY_ASSIGN(const bool more, log_.Next(&pieces_, &not_taken_));
      if (!more) return false;
    }
    *piece = std::move(pieces_.front());
    pieces_.pop_front();
    return true;
  }

  [[nodiscard]] Progress progress() const override { return in_log_ ? log_.progress() : blocks_.progress(); }

  [[nodiscard]] std::vector<std::string> conflicts() const override { return blocks_.conflicts(); }

  [[nodiscard]] std::vector<Skipped> skipped() const override {
    std::vector<Skipped> out;
    const auto add = [&out](uint64_t count, std::string_view what, bool harmless) {
      if (count > 0) out.push_back({std::string(what), count, harmless});
    };
    for (const std::string& block : torn_blocks_) add(1, "block: " + block, false);
    add(not_taken_.histograms, "native histograms (of the log: records of them), for which there is no type here",
        false);
    add(not_taken_.unknown, "chunks or records of a kind that this program does not know", false);
    add(log_.nameless(), "samples of the log whose series is not named in it", false);
    add(out_of_order_ ? 1 : 0, "log of samples out of order (wbl): let Prometheus compact it into blocks first", false);
    add(not_taken_.deleted, "samples that are deleted in the source", true);
    add(not_taken_.in_blocks, "samples of the log that are older than the newest block, which has them", true);
    add(not_taken_.torn_bytes, "bytes at the end of the log, of a record that was never finished", true);
    add(blocks_.repeats(), "samples that are in several blocks alike", true);
    add(blocks_.overlaps(), "samples that are in several blocks with different values: the later block's counts",
        false);
    return out;
  }

 private:
  Blocks blocks_;
  std::vector<std::string> torn_blocks_;
  Log log_;
  bool in_log_ = false;
  bool out_of_order_ = false;
  std::deque<Piece> pieces_;
  NotTaken not_taken_;
};

// A Prometheus at work removes blocks and files of its log while they are read.
Status CheckFree(const std::string& folder) {
  const int file = ::open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  // Without one nobody was at work, or was told to lock nothing.
  if (file < 0) return {};
  const bool taken = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  if (!taken) return {};
  return MakeError(ErrorCode::kUnavailable,
                   fmt::format("{}: a Prometheus is at work in it: stop it, or let it make a snapshot "
                               "(POST /api/v1/admin/tsdb/snapshot) and name its folder",
                               folder));
}

}  // namespace

Result<std::unique_ptr<PieceReader>> OpenTsdb(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return NotFound(fmt::format("{}: there is no such folder", folder));
  TM_RETURN_IF_ERROR(CheckFree(folder));
  auto reader = std::make_unique<TsdbReader>();
  TM_RETURN_IF_ERROR(reader->Open(folder));
  return reader;
}

Result<std::string> NameTsdb(const std::string& folder) {
  std::string out = "prometheus";
  TM_TRY_ASSIGN(const BlockFolders blocks, FindBlocks(folder));
  for (const std::string& block : blocks.whole) out += ' ' + fs::path(block).filename().string();
  TM_TRY_ASSIGN(const std::vector<std::string> files, WalFiles(folder + "/wal"));
  for (const std::string& file : files) {
    std::error_code error;
    out += fmt::format(" {}:{}", fs::path(file).filename().string(), fs::file_size(file, error));
  }
  return out;
}

}  // namespace tidemark::cli::prometheus
