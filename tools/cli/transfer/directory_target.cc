#include <fmt/core.h>
#include <sys/stat.h>

#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "executor/pool/thread_pool.h"
#include "query/promql/parser.h"
#include "storage/storage.h"
#include "tools/cli/transfer/target.h"
#include "tools/cli/transfer/view_pieces.h"
#include "tools/transfer/piece_batch.h"

namespace tidemark::cli {
namespace {

using transfer::ExportEnd;
using transfer::Piece;

constexpr size_t kWorkers = 2;
constexpr size_t kNamedMax = 100;

int64_t NsOf(int64_t ms, int64_t more) {
  int64_t ns = 0;
  if (__builtin_mul_overflow(ms, int64_t{1'000'000}, &ns) || __builtin_add_overflow(ns, more, &ns)) {
    return ms < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return ns;
}

class DirectoryTarget final : public Target {
 public:
  static Result<std::unique_ptr<Target>> Open(const std::string& directory, std::stop_token stop) {
    std::error_code error;
    // Opening would make a store where none is.
    if (!std::filesystem::is_directory(directory, error)) {
      return NotFound(fmt::format("{}: there is no such data directory", directory));
    }
    // What it makes is its owner's alone, as what a server makes.
    umask(S_IRWXG | S_IRWXO);
    auto opened = std::unique_ptr<DirectoryTarget>(new DirectoryTarget(std::move(stop)));
    opened->pool_ = std::make_unique<executor::ThreadPool>(executor::PoolOptions{.workers = kWorkers});
    storage::StoreOptions options;
    options.directory = directory;
    options.scheduler = opened->pool_.get();
    TM_TRY_ASSIGN(opened->store_, storage::Store::Open(std::move(options)));
    return opened;
  }

  Result<std::vector<std::string>> Databases() override {
    std::vector<std::string> names;
    for (const storage::DatabaseInfo& info : store_->Databases()) names.push_back(info.name);
    return names;
  }

  Result<ExportEnd> Read(const Wanted& wanted, const Take& take) override {
    std::vector<std::vector<model::Matcher>> selectors;
    for (const std::string& text : wanted.match) {
      auto matchers = query::promql::ParseSelector(text);
      if (!matchers.ok()) return matchers.error().Within("--match");
      selectors.push_back(std::move(matchers).value());
    }
    model::TimeRange range;
    if (wanted.start_ms) range.first.ns = NsOf(*wanted.start_ms, 0);
    if (wanted.end_ms) range.last.ns = NsOf(*wanted.end_ms, 999'999);
    TM_TRY_ASSIGN(const std::shared_ptr<const storage::View> view, store_->OpenView(wanted.database));
    TM_TRY_ASSIGN(const auto pieces, ViewPieces::Open(view, selectors, range));
    done_.all = pieces->series();
    ExportEnd end;
    Piece last;
    for (Piece piece;;) {
      if (stop_.stop_requested()) return MakeError(ErrorCode::kCancelled, "stopped");
      TM_TRY_ASSIGN(const bool more, pieces->Next(&piece));
      done_.done = pieces->series_done();
      if (!more) break;
      const bool same = last.field == piece.field && last.measurement == piece.measurement && last.tags == piece.tags;
      if (!same) {
        ++end.series;
        last = {.measurement = piece.measurement,
                .field = piece.field,
                .tags = piece.tags,
                .type = piece.type,
                .times_ns = {},
                .bits = {},
                .strings = {}};
      }
      end.rows += piece.size();
      TM_RETURN_IF_ERROR(take(&piece));
    }
    end.warnings = pieces->Warnings();
    return end;
  }
  [[nodiscard]] SeriesDone series_done() const override { return done_; }

  Result<Written> Write(const std::string& database, std::span<const Piece> pieces) override {
    written_ = true;
    Written out;
    model::BatchBuilder batch;
    for (const Piece& piece : pieces) {
      if (const Status added = AddTo(piece, &batch); !added.ok()) {
        out.rejected += piece.size();
        if (out.why.size() < kNamedMax) out.why.push_back(added.error().message);
      }
    }
    if (batch.batch().rows.empty()) return out;
    TM_TRY_ASSIGN(const model::WriteReport report, store_->Write(database, batch.batch()));
    out.points = report.points_written;
    out.rejected += report.rows_rejected;
    for (const model::Rejection& rejection : report.rejections) out.why.push_back(rejection.error.message);
    return out;
  }

  Status Drop(const std::string& database) override { return store_->DropDatabase(database); }

  // A directory that was only read is left without a checkpoint, as little changed as may be.
  Status Close() override { return written_ ? store_->Close() : Status(); }

 private:
  explicit DirectoryTarget(std::stop_token stop) : stop_(std::move(stop)) {}

  const std::stop_token stop_;
  std::unique_ptr<executor::ThreadPool> pool_;
  std::unique_ptr<storage::Store> store_;
  SeriesDone done_;
  bool written_ = false;
};

}  // namespace

Result<std::unique_ptr<Target>> OpenDirectory(const std::string& directory, std::stop_token stop) {
  return DirectoryTarget::Open(directory, std::move(stop));
}

}  // namespace tidemark::cli
