// The storage engine's public face: Store (write, administer) and View (read); documents.h has the small durable state
// beside them. Nothing outside `storage` includes anything else of it but base/ and model/.
//
//   StoreOptions options{.directory = "/var/lib/tidemark"};
//   TM_TRY_ASSIGN(std::unique_ptr<Store> store, Store::Open(std::move(options)));
//   TM_TRY_ASSIGN(WriteReport report, store->Write("default", batch));     // on disk when it returns
//   TM_TRY_ASSIGN(std::shared_ptr<const View> view, store->OpenView("default"));
//   TM_TRY_ASSIGN(auto refs, view->Select(matchers, range));
//   auto cursor = view->Scan(refs, range);
//   for (Column column; ...;) { TM_TRY_ASSIGN(bool more, cursor->Next(&column)); ... }
//
// What it promises is in storage/README.md; how the bytes lie on disk in storage/FORMAT.md.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "storage/backup.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "storage/base/scheduler.h"
#include "storage/database_options.h"
#include "storage/documents.h"
#include "storage/model/column.h"
#include "storage/model/finding.h"
#include "storage/model/ids.h"
#include "storage/model/labels.h"
#include "storage/model/matcher.h"
#include "storage/model/point_sink.h"
#include "storage/model/quantile_sketch.h"
#include "storage/model/series_part.h"
#include "storage/model/timestamp.h"
#include "storage/scrub.h"
#include "storage/series_filter.h"
#include "storage/store_stats.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::memory {
class Budget;
}

namespace tidemark::storage {

// The database that "" names.
inline constexpr std::string_view kDefaultDatabase = "default";

struct StoreOptions {
  std::string directory;
  // Both outlive the store. Null: the system's clock; everything on the calling thread.
  Clock* clock = nullptr;
  Scheduler* scheduler = nullptr;
  // Options that a database gets when its first write creates it.
  DatabaseOptions new_database;
  // Whether a write to an unknown database creates it. false: it is refused with kNotFound.
  bool create_databases = true;
  // Bytes in heads after which they are transposed into compressed slabs in memory. More costs memory, less CPU.
  uint64_t staged_bytes = uint64_t{96} << 20;
  // A checkpoint is taken after this many points or this much time since the last, whichever comes first.
  uint64_t checkpoint_points = 128'000'000;
  int64_t checkpoint_interval_ns = 600'000'000'000;
  // What a checkpoint or a fold writes of one partition gets a file of its own when it has at least so many bytes. Less
  // lies together with the small pages of other partitions, so that scattered old points do not make thousands of
  // files.
  uint64_t small_epoch_bytes = uint64_t{64} << 10;
  // When a partition has more epochs than this, background work folds the newest of them into one. Fewer make queries
  // cheaper and writing dearer. At least 2.
  uint32_t max_epochs = 12;
  // A partition is sealed (one epoch, smallest codecs, rollup tiers) when it has been past for so long, and no epoch of
  // it is younger than the second time.
  int64_t seal_grace_ns = 3'600'000'000'000;
  int64_t seal_quiet_ns = 600'000'000'000;
  // Bytes of pages that sealing reads per second at most, on average.
  uint64_t seal_bytes_per_second = uint64_t{32} << 20;
  // Partitions that are past and have few rows a series are merged into longer ones, 8 and 64 times as long as the
  // database's, at most so long. 0: none are.
  int64_t longest_merge_ns = 64 * kNsPerDay;
  // Working memory of a fold at most, whatever it folds; what it makes beyond that waits in a file of `staging`. At
  // least 8 MiB.
  uint64_t fold_memory_bytes = uint64_t{64} << 20;
  // Size of one pre-written journal segment.
  uint64_t journal_segment_bytes = uint64_t{64} << 20;
  // Size of RocksDB's block cache, which holds compressed pages.
  uint64_t cache_bytes = uint64_t{256} << 20;
  // Table files that RocksDB keeps open, at most: each takes a file descriptor of the process.
  int max_open_files = 4096;
  // Rows older or newer than these limits allow are refused; rows in the future are taken.
  uint64_t max_series_per_database = 50'000'000;
  // Fields of all measurements of a database together. Rows that bring one more are refused, the others are taken.
  uint64_t max_fields_per_database = 1'000'000;
  // Databases beyond these are not created; a write to one more is refused with kInvalidArgument.
  uint64_t max_databases = 10'000;
  // The memory budget of the process: new names, databases among them, are refused where its names are at their wall.
  // Outlives the store and its views. Null: none.
  memory::Budget* memory = nullptr;
  // Kept free of the disk for what gives space back when it is full: at least this, twice the largest change of meta
  // where that is more, and never more than a sixteenth of the disk. 0: nothing. Made by the background.
  uint64_t reserve_bytes = uint64_t{32} << 20;
  // The file layer under journal and RocksDB alike; null: the system's. Tests hand in one that fails or forgets.
  std::shared_ptr<rocksdb::FileSystem> file_system;
  // Kinds of documents that have other limits than DocumentKind's.
  std::vector<DocumentKind> document_kinds = {};
  // Of the time since the machine was started: what was written by a process of the same run of the machine is in the
  // files whether it was synced or not. "": what the system says (/proc/sys/kernel/random/boot_id).
  std::string boot_id = {};
  // Whether background jobs (slabs, checkpoints, retention) start by themselves. Tests say false and call
  // RunMaintenance.
  bool background = true;
};

// Which fields a selection may name.
struct SelectOptions {
  bool numeric = true;   // float, integer, unsigned, boolean: what PromQL sees
  bool strings = false;  // what /api/v1/events sees
  // More series than this are kLimitExceeded. 0: no limit.
  size_t max_series = 0;
};

struct FieldDescription {
  std::string measurement;
  std::string field;
  std::string metric;  // model::MetricName
  model::FieldType type = model::FieldType::kFloat;
  uint64_t series = 0;
  model::FieldId id{};  // as in SeriesRef; {} in views that have no index
  // That had the name before it got another type: their rows, and series, count as its own (see View::NewestOf).
  std::vector<model::FieldId> older = {};
};

// A run of aggregate buckets of one series. Bucket i covers (first_start_ns + i*width_ns, first_start_ns +
// (i+1)*width_ns]. Every array has `buckets` entries.
struct TierColumn {
  model::SeriesRef ref;
  int64_t width_ns = 0;
  int64_t first_start_ns = 0;
  size_t buckets = 0;
  // 1 where the bucket may be used: the tier covers it and no newer data, delete or overwrite touches it. Where it
  // is 0 the other arrays say nothing and raw rows must be read. A trusted bucket without rows has count 0.
  const uint8_t* trusted = nullptr;
  const uint64_t* count = nullptr;
  const double* sum = nullptr;  // exact when sum_exact
  const double* min = nullptr;
  const double* max = nullptr;
  const double* first = nullptr;
  const double* last = nullptr;
  const int64_t* first_ns = nullptr;
  const int64_t* last_ns = nullptr;
  const double* increase = nullptr;  // reset-corrected, within the bucket; NaN where it is not kept
  bool sum_exact = false;
  // Of buckets that are all integers or decimals, the values times 10^scale, exact: what several buckets come to is
  // added up in these. Null otherwise.
  uint8_t scale = 0;
  const int64_t* sum_words = nullptr;
  const int64_t* first_words = nullptr;
  const int64_t* last_words = nullptr;
  const int64_t* increase_words = nullptr;
};

// One partition as it lies on disk.
struct PartitionInfo {
  model::TimeRange bounds;  // times that belong to it
  model::TimeRange rows;    // from the first to the last of its rows
  uint64_t row_count = 0;   // values of columns, in all epochs; 0 where raw rows have been dropped
  uint64_t bytes = 0;
  uint32_t epochs = 0;
  bool sealed = false;      // in its smallest form
  bool tiers_only = false;  // raw rows have been dropped
};

// Rows that are in memory, from where the next checkpoint brings them to disk.
struct StagedInfo {
  model::TimeRange rows{model::Timestamp::Max(), model::Timestamp::Min()};  // empty without any
  uint64_t series = 0;                                                      // with rows in heads
  uint64_t slabs = 0;
  uint64_t bytes = 0;
};

// Times whose raw rows have been dropped while rollup tiers of them live.
struct RawGone {
  // From the first to the last of them, within what was asked for.
  model::TimeRange range;
  // Of tiers that answer in all of it, ascending.
  std::vector<int64_t> widths_ns;
};

// Reads one column per SeriesRef that it was made with, in that order. Not thread-safe: one per worker.
class ColumnCursor {
 public:
  virtual ~ColumnCursor() = default;
  // Fills `column` with the rows of the next series inside the range, merged over heads, slabs and epochs, each time
  // once, the last write winning. It has no rows when there are none. Valid until the next call. false: no more.
  virtual Result<bool> Next(model::Column* column) = 0;
  // What had to be skipped (damaged pages), in words for the reply.
  [[nodiscard]] virtual const std::vector<std::string>& warnings() const = 0;
};

class TierCursor {
 public:
  virtual ~TierCursor() = default;
  virtual Result<bool> Next(TierColumn* column) = 0;
  // What had to be skipped (damaged pages where no raw rows are left), in words for the reply.
  [[nodiscard]] virtual std::vector<std::string> Warnings() const { return {}; }
};

// Sketches of a run of buckets of one series, where raw rows are gone. Bucket i covers times as in TierColumn and has
// the bins [ends[i - 1], ends[i]) (from 0 for the first), ascending by key; none where it has no rows, or where its
// rows are all still there. A bucket that has rows of both kinds has all of them in its bins.
struct SketchColumn {
  model::SeriesRef ref;
  int64_t width_ns = 0;
  int64_t first_start_ns = 0;
  size_t buckets = 0;
  const uint32_t* ends = nullptr;
  const model::SketchBin* bins = nullptr;
};

class SketchCursor {
 public:
  virtual ~SketchCursor() = default;
  virtual Result<bool> Next(SketchColumn* column) = 0;
  [[nodiscard]] virtual std::vector<std::string> Warnings() const { return {}; }
};

// A place in the history of what one database shows, for whoever keeps what was read from it.
struct ChangeMark {
  uint64_t history = 0;  // of which database, in this process; 0: no history is kept
  uint64_t number = 0;   // ascends
};

// An immutable picture of one database: everything acknowledged before it was opened and nothing that came after.
// Files it needs stay until it goes. Thread-safe. Label bytes that it hands out live as long as the view.
class View {
 public:
  virtual ~View() = default;

  // The series that satisfy all matchers and may have rows in `range` (a superset is allowed: some may turn out
  // empty), sorted by (field, series). Errors: kInvalidArgument for a bad regular expression.
  [[nodiscard]] virtual Result<std::vector<model::SeriesRef>> Select(std::span<const model::Matcher> matchers,
                                                                     model::TimeRange range,
                                                                     const SelectOptions& options = {}) const = 0;

  // Those of `refs` (sorted, as Select gives them) that have rows in `range`, as far as that is known without reading
  // rows: on disk by partition (more exactly, by what one checkpoint or fold wrote of it), in memory by series. Deleted
  // rows count no more where a deletion covers all that lies there in `range`. What it leaves out has no rows.
  [[nodiscard]] virtual std::vector<model::SeriesRef> Present(std::vector<model::SeriesRef> refs,
                                                              model::TimeRange range) const {
    return range.empty() ? std::vector<model::SeriesRef>() : refs;
  }

  // A part of what Select and Present give, which costs what the part costs. Where few series satisfy the matchers or
  // are present it may look at all of them; so that the caller can look at his deadline meanwhile, such a search ends
  // now and then with a part that is short or empty and says where it goes on. What is written between two parts may
  // be in the second. Errors: those of Select.
  [[nodiscard]] virtual Result<model::SeriesPart> SelectPart(std::span<const model::Matcher> matchers,
                                                             model::TimeRange range,
                                                             const model::PartWanted& wanted) const;
  // The values that `refs` (sorted) have of a label: sorted, each once.
  [[nodiscard]] virtual std::vector<std::string> ValuesOf(std::string_view label,
                                                          std::span<const model::SeriesRef> refs) const;
  // The names of the labels of `refs` (sorted), __name__ included: sorted, each once.
  [[nodiscard]] virtual std::vector<std::string> NamesOf(std::span<const model::SeriesRef> refs) const;
  // Names that labels of any series have, sorted; some may be of series that no selection of this view gives.
  [[nodiscard]] virtual std::vector<std::string> KnownNames() const;

  // Replaces `labels` with the labels of a series, __name__ included, sorted by name.
  virtual void LabelsOf(model::SeriesRef ref, model::LabelViews* labels) const = 0;
  [[nodiscard]] virtual model::FieldType TypeOf(model::FieldId field) const = 0;
  // The field that writes of the same name get now: a younger one than `field` where the name has got another type
  // since, else `field` itself. Rows of both have equal labels; of rows at one time that of the younger field counts.
  [[nodiscard]] virtual model::FieldId NewestOf(model::FieldId field) const { return field; }

  // `refs` sorted, as Select gives them; any sub-range of them for a worker. They must live as long as the cursor.
  [[nodiscard]] virtual std::unique_ptr<ColumnCursor> Scan(std::span<const model::SeriesRef> refs,
                                                           model::TimeRange range) const = 0;

  // Widths of the rollup tiers that this database has, ascending; empty when there are none.
  [[nodiscard]] virtual std::vector<int64_t> Tiers() const = 0;
  // What of `range` only tiers can tell; {} when raw rows of all of it are there (or there never were any).
  [[nodiscard]] virtual std::optional<RawGone> RawGoneIn(model::TimeRange) const { return std::nullopt; }
  // Buckets that lie whole inside `range` (first < bucket start + 1, bucket end <= last).
  [[nodiscard]] virtual std::unique_ptr<TierCursor> ScanTier(std::span<const model::SeriesRef> refs,
                                                             model::TimeRange range, int64_t width_ns) const = 0;

  // The same of sketches; width_ns out of RawGone. Null for a view without any.
  [[nodiscard]] virtual std::unique_ptr<SketchCursor> ScanSketches(std::span<const model::SeriesRef>, model::TimeRange,
                                                                   int64_t) const {
    return nullptr;
  }

  // Sorted, unique. With matchers: of the series that satisfy them. Of those that are present in `range`, see Present;
  // with all time and nothing deleted, of all that there ever were.
  [[nodiscard]] virtual Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers,
                                                                    model::TimeRange range) const = 0;
  [[nodiscard]] virtual Result<std::vector<std::string>> LabelValues(std::string_view name,
                                                                     std::span<const model::Matcher> matchers,
                                                                     model::TimeRange range) const = 0;
  // All fields of the database, each name once, as NewestOf has it; `series` counts those of older ones too.
  [[nodiscard]] virtual std::vector<FieldDescription> Fields() const = 0;

  // Ascending by time.
  [[nodiscard]] virtual std::vector<PartitionInfo> Partitions() const { return {}; }
  [[nodiscard]] virtual StagedInfo Staged() const { return {}; }

  // What a reader of any answer from this view must be told: rows that the store has lost, or cannot read.
  [[nodiscard]] virtual std::vector<std::string> Warnings() const { return {}; }

  // The name of the filter that this view is held to; "": none. What is kept of its answers is for views of an equal
  // one only.
  [[nodiscard]] virtual std::string_view FilterText() const { return {}; }

  // Where this view stands: it shows every change up to there, perhaps some later ones.
  [[nodiscard]] virtual ChangeMark Changes() const { return {}; }
  // The times at which this view may show other rows than a view that stood at `since`, whichever was opened first:
  // ascending, disjoint, to the second; all time where it is not known. For a `since` up to Changes().
  [[nodiscard]] virtual std::vector<model::TimeRange> ChangedSince(ChangeMark) const { return {model::TimeRange{}}; }
};

// What to delete: the points of all series that satisfy every matcher of at least one selector, in `range`, of the
// fields named (none named: of all).
struct DeleteRequest {
  std::vector<std::vector<model::Matcher>> selectors = {};
  model::TimeRange range{};
  std::vector<std::string> fields = {};
  // Says what would go and changes nothing.
  bool dry_run = false;
};

// What goes with a deletion or a retention. Rows are values of one field; rows and bytes are estimates from the
// directories of pages: bytes that fall free on disk at the next fold.
struct DeleteReport {
  uint64_t series = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// What a retention drops: whole partitions, the raw rows of partitions of which tiers stay, and points of the selectors
// in those that stay.
struct RetentionReport {
  uint64_t partitions = 0;
  uint64_t partition_bytes = 0;
  uint64_t partitions_reduced = 0;  // to tiers that are kept longer, or to fewer tiers
  uint64_t reduced_bytes = 0;       // that fall free there, about
  DeleteReport selected = {};
  // All values older than the retention of the whole database, as estimated as those: they are not seen any more (but
  // for what tiers say of them) as soon as it is in force.
  struct Expired {
    uint64_t rows = 0;
    uint64_t staged_rows = 0;  // of them in memory, and in the journal
    uint64_t bytes = 0;        // of those on disk
    friend bool operator==(const Expired&, const Expired&) = default;
  };
  Expired expired = {};
  // When the last of them, and of what is counted by partitions, will have been dropped at the latest, in nanoseconds
  // since 1970: a partition goes once its youngest possible row is too old. 0: there is none of them.
  int64_t gone_by_ns = 0;
};

// The time by which rows grow old, and the machine's, which is another one after it was set wrong, or right.
struct RetentionTime {
  model::Timestamp trusted;
  model::Timestamp machine;
  // The machine's clock is more than an hour off, and that is not confirmed: rows grow old by the earlier of both.
  bool jumped = false;
  // For how long it has gone on since, while this was running; it is confirmed after the second.
  int64_t agreed_ns = 0;
  int64_t confirmed_after_ns = 0;
};

// Partitions that a compaction has left as they were.
struct PartitionLeft {
  model::TimeRange bounds;
  std::string why;  // a clause
};

struct CompactionProgress {
  uint64_t partitions_done = 0;
  uint64_t partitions_total = 0;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  // What could not be read, or has rows that cannot; ascending. Everything else was done all the same.
  std::vector<PartitionLeft> left = {};
};

// Thread-safe. Destruction closes: it syncs the journal but takes no checkpoint (call Close for that).
class Store : public model::PointSink {
 public:
  // Opens the store, or makes one where there is none, and replays the journal. An open that fails because of what it
  // found has changed nothing. Errors: kUnsupported for an unknown format version, kCorruption for files that are
  // damaged or missing (RepairJournal of verify.h mends the journal), kIo, kUnavailable when another process has the
  // directory.
  static Result<std::unique_ptr<Store>> Open(StoreOptions options);

  // model::PointSink::Write, see there.

  // A view of `database`; kNotFound when there is none.
  [[nodiscard]] virtual Result<std::shared_ptr<const View>> OpenView(std::string_view database) const = 0;
  // The same, held to `filter`: as a view of a database that has no other series. Whoever answers requests opens views
  // by this one only (a rule of tests/layering).
  [[nodiscard]] Result<std::shared_ptr<const View>> OpenView(std::string_view database,
                                                             const SeriesFilter& filter) const;

  // Names: 1 to 64 bytes, no '/', no control characters. kAlreadyExists / kNotFound as the words say. Options of an
  // existing database: partition_ns applies to ranges that have no data yet.
  virtual Result<void> CreateDatabase(std::string_view name, const DatabaseOptions& options) = 0;
  virtual Result<void> DropDatabase(std::string_view name) = 0;
  // Gives a database another name. Views that are open keep their picture. `with`: changes of documents that are of the
  // same act: after a crash all of it has happened, or nothing; other documents that name it are not changed. Errors:
  // kNotFound, kAlreadyExists, kInvalidArgument as CreateDatabase, those of DocumentStore::Apply, kUnavailable, kIo.
  virtual Result<void> RenameDatabase(std::string_view, std::string_view, std::span<const DocumentChange> /*with*/) {
    return Unsupported("a rename");
  }
  Result<void> RenameDatabase(std::string_view from, std::string_view to) { return RenameDatabase(from, to, {}); }
  virtual Result<void> SetDatabaseOptions(std::string_view name, const DatabaseOptions& options) = 0;
  // Sets what `change` makes of the options in force, and returns that. Nobody else changes them meanwhile, so that of
  // two changes at once both are in force after them. `change` may refuse, and then nothing has changed; it may ask the
  // store, but must not change it.
  using OptionsChange = std::function<Status(DatabaseOptions*)>;
  virtual Result<DatabaseOptions> ChangeDatabaseOptions(std::string_view name, const OptionsChange& change) = 0;
  [[nodiscard]] virtual std::vector<DatabaseInfo> Databases() const = 0;
  [[nodiscard]] virtual bool HasDatabase(std::string_view name) const = 0;

  // Deletes what was written before, and only that: a point that is written afterwards is seen, also one with the same
  // time. Durable when it returns, and every view that is opened from then on shows it; views that are open keep their
  // picture. The space falls free when the partition is folded next. Errors: kInvalidArgument (no selector, a bad
  // regular expression), kNotFound, kUnavailable, kIo.
  virtual Result<DeleteReport> Delete(std::string_view database, const DeleteRequest& request) = 0;
  // What ApplyRetention and later folds would drop if `database` had these options.
  [[nodiscard]] virtual Result<RetentionReport> PlanRetention(std::string_view database,
                                                              const DatabaseOptions& options) const = 0;

  [[nodiscard]] virtual RetentionTime ReadClock() const { return {}; }
  // Somebody says that the machine's clock is right: rows grow old by it from now on, also after a restart. Errors:
  // kInvalidArgument for a clock that has never been set, kUnavailable, kIo.
  virtual Result<void> AcceptClock() { return {}; }

  // The documents of the store; null in a store that keeps none, as those of some tests.
  [[nodiscard]] virtual DocumentStore* Documents() const { return nullptr; }

  // Writes everything staged into pages on disk and lets go of the journal behind it.
  virtual Result<void> Checkpoint() = 0;
  // Seals every partition of `database` after a checkpoint: folds its epochs into one, as small as possible and without
  // deleted points. Those that are so already are left as they are, and so are those that cannot be read: they are
  // passed over, and told in the end (CompactionProgress::left, Findings). Errors: kNotFound, kUnavailable,
  // kResourceExhausted (the disk is full), kIo (it cannot be written to).
  // `progress` is called on the calling thread after each partition. Stops between partitions when asked.
  virtual Result<CompactionProgress> Compact(std::string_view database, std::stop_token stop,
                                             const std::function<void(const CompactionProgress&)>& progress) = 0;
  // Drops partitions that lie whole before the retention of their database (or their raw rows, where tiers are kept
  // longer), and the oldest while it is over its bytes. Returns of how many partitions something went.
  virtual Result<uint64_t> ApplyRetention() = 0;
  // Does what background jobs would do now: slabs, checkpoint when due, retention.
  virtual Result<void> RunMaintenance() = 0;

  // Copies everything that was acknowledged before the call into a backup of its own (backup.h has what reads them),
  // while the store is at work. One at a time; ends with kCancelled when the store is closed meanwhile. Errors:
  // kUnavailable (read-only, closed, another backup is being made), kResourceExhausted (the disk is full), kIo.
  virtual Result<BackupInfo> Backup(const BackupOptions&) { return Unsupported("this store cannot be copied"); }

  // Reads and checks pages of live epochs from `from` on, until `bytes` of them are read (one page at least) or the
  // last one is. What is damaged is a finding from then on, until its epoch is gone or the page is read and whole.
  // Errors: kUnavailable (closed).
  virtual Result<ScrubStep> Scrub(ScrubPlace, uint64_t /*bytes*/) { return Unsupported("a scrub"); }

  [[nodiscard]] virtual StoreStats Stats() const = 0;
  // What the open found that is not as it was written, what has happened to the store's files since, and what repairs
  // have accepted. Empty: all is well.
  [[nodiscard]] virtual std::vector<model::Finding> Findings() const { return {}; }

  // Says where a person finds who has the directory open, as "http://127.0.0.1:8428"; whoever wants to open it too is
  // told, with the number of this process.
  virtual void Announce(std::string_view) {}

  // Refuses writes from now on, syncs the journal, takes a checkpoint, closes. Idempotent. A checkpoint that is not
  // done at `deadline_ns` (on Clock::SteadyNs) is given up: the journal has what it would have written, and the next
  // open replays that. What cannot be cut short (a file being synced) ends later than that.
  virtual Result<void> Close(int64_t deadline_ns) = 0;
  Result<void> Close() { return Close(std::numeric_limits<int64_t>::max()); }
};

}  // namespace tidemark::storage
