#include "storage/head/head_set.h"

#include <algorithm>
#include <bit>
#include <boost/sort/spreadsort/integer_sort.hpp>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>

#include "storage/base/check.h"
#include "storage/base/mutex.h"
#include "storage/head/head_shard.h"

namespace tidemark::head {
namespace {

constexpr uint64_t kAllTickets = std::numeric_limits<uint64_t>::max();

// The shapes that the rows of a set have, each once.
class ShapeTable {
 public:
  const HeadShape* Intern(const model::ResolvedShape& shape) {
    MutexLock lock(mutex_);
    for (size_t i = 0; i < std::min(kFew, shapes_.size()); ++i) {
      if (Same(*shapes_[i], shape)) return shapes_[i].get();
    }
    const size_t hash = HashOf(shape);
    for (auto [at, end] = by_hash_.equal_range(hash); at != end; ++at) {
      if (Same(*at->second, shape)) return at->second;
    }
    auto made = std::make_unique<HeadShape>();
    made->measurement = shape.measurement;
    made->fields = shape.fields;
    made->by_field.resize(shape.fields.size());
    for (uint32_t i = 0; i < made->by_field.size(); ++i) made->by_field[i] = i;
    std::sort(made->by_field.begin(), made->by_field.end(),
              [&](uint32_t a, uint32_t b) { return made->fields[a].id < made->fields[b].id; });
    made->has_floats = std::any_of(shape.fields.begin(), shape.fields.end(),
                                   [](const model::ResolvedField& f) { return f.type == model::FieldType::kFloat; });
    by_hash_.emplace(hash, made.get());
    shapes_.push_back(std::move(made));
    // The latest shapes are asked for most.
    std::swap(shapes_.front(), shapes_.back());
    return shapes_.front().get();
  }

  [[nodiscard]] bool HasField(model::FieldId field) const {
    MutexLock lock(mutex_);
    return std::any_of(shapes_.begin(), shapes_.end(), [field](const auto& shape) { return shape->Find(field) >= 0; });
  }

 private:
  static bool Same(const HeadShape& known, const model::ResolvedShape& shape) {
    return known.measurement == shape.measurement &&
           std::equal(known.fields.begin(), known.fields.end(), shape.fields.begin(), shape.fields.end(),
                      [](const model::ResolvedField& a, const model::ResolvedField& b) { return a.id == b.id; });
  }

  static size_t HashOf(const model::ResolvedShape& shape) {
    uint64_t hash = Number(shape.measurement);
    for (const model::ResolvedField& field : shape.fields) {
      hash = (std::rotl(hash, 5) ^ Number(field.id)) * 0x9E3779B97F4A7C15U;
    }
    return hash;
  }

  static constexpr size_t kFew = 8;
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<HeadShape>> shapes_ TM_GUARDED_BY(mutex_);
  std::unordered_multimap<size_t, const HeadShape*> by_hash_ TM_GUARDED_BY(mutex_);
};

class HeadSetImpl final : public HeadSet {
 public:
  HeadSetImpl(uint32_t shards, NoteFieldsFn note_fields, const std::shared_ptr<BlockPool>& pool)
      : note_fields_(std::move(note_fields)) {
    TM_CHECK(std::has_single_bit(shards));
    for (uint32_t i = 0; i < shards; ++i) {
      shards_.push_back(std::make_unique<HeadShard>(static_cast<uint32_t>(std::countr_zero(shards)), pool));
    }
  }

  void Append(const model::ResolvedBatch& batch, uint64_t ticket) override {
    std::vector<const HeadShape*> shapes;
    shapes.reserve(batch.shapes.size());
    for (const model::ResolvedShape& shape : batch.shapes) shapes.push_back(table_.Intern(shape));
    std::vector<std::vector<uint32_t>> rows(shards_.size());
    const auto mask = static_cast<uint32_t>(shards_.size() - 1);
    for (auto& list : rows) list.reserve(batch.rows.size() / shards_.size() + 16);
    for (uint32_t i = 0; i < batch.rows.size(); ++i) rows[Number(batch.rows[i].series) & mask].push_back(i);

    std::vector<std::vector<model::SeriesId>> to_note(batch.shapes.size());
    for (size_t s = 0; s < shards_.size(); ++s) {
      shards_[s]->Append(batch, shapes, rows[s], ticket, &to_note);
      if (s + 1 < shards_.size()) shards_[s]->EndTurn();
    }
    for (size_t s = 0; s < to_note.size(); ++s) {
      if (to_note[s].empty()) continue;
      std::sort(to_note[s].begin(), to_note[s].end());
      note_fields_(to_note[s], batch.shapes[s].fields);
    }
    // Only now a view sees the batch: it finds new series and fields by what has just been noted, or a part of it.
    shards_.back()->EndTurn();
  }

  void SkipTicket(uint64_t ticket) override { Append({}, ticket); }

  [[nodiscard]] HeadMark Mark() const override {
    // Shards take tickets in order and the last shard takes each one last.
    return {shards_.back()->applied()};
  }

  [[nodiscard]] model::Column Read(model::SeriesRef ref, const HeadMark& mark, model::TimeRange range,
                                   model::ColumnBuffer* buffer) const override {
    return ShardOf(ref.series).Read(ref, mark.tickets, range, buffer);
  }

  [[nodiscard]] bool Touches(model::SeriesId series, const HeadMark&, model::TimeRange range) const override {
    return ShardOf(series).Touches(series, range);
  }

  [[nodiscard]] bool HasField(model::FieldId field) const override { return table_.HasField(field); }

  [[nodiscard]] Result<void> Visit(model::TimeRange range, const VisitFn& visit) const override {
    // With the keys beside the pointers, or sorting a million heads is a million cache misses many times over.
    struct Entry {
      uint64_t order;  // measurement, then series
      const Head* head;
    };
    std::vector<Entry> heads;
    for (const auto& shard : shards_) {
      for (const Head& head : shard->frozen_heads()) {
        if (head.rows == 0 || !range.Overlaps({{head.min_ns}, {head.max_ns}})) continue;
        const uint64_t measurement = Number(head.first->shape->measurement);
        heads.push_back({measurement << 32U | Number(head.series), &head});
      }
    }
    boost::sort::spreadsort::integer_sort(
        heads.begin(), heads.end(), [](const Entry& entry, unsigned shift) { return entry.order >> shift; },
        [](const Entry& left, const Entry& right) { return left.order < right.order; });

    std::vector<model::ColumnBuffer> buffers;
    std::vector<model::Column> columns;
    HeadRows rows;
    for (const Entry& entry : heads) {
      const Head* const head = entry.head;
      if (rows.Read(*head, range)) {
        if (rows.columns().empty()) continue;
        TM_RETURN_IF_ERROR(visit(head->first->shape->measurement, head->series, rows.columns()));
        continue;
      }
      columns.clear();
      ReadFields(*head, range, &buffers, [&](model::Column column) {
        ShareTimes(columns, &column);
        columns.push_back(column);
      });
      if (columns.empty()) continue;
      TM_RETURN_IF_ERROR(visit(head->first->shape->measurement, head->series, columns));
    }
    return {};
  }

  [[nodiscard]] std::vector<int64_t> Partitions(int64_t partition_ns) const override {
    std::set<int64_t> starts;
    for (const auto& shard : shards_) {
      for (const Head& head : shard->frozen_heads()) {
        if (head.rows == 0) continue;
        const int64_t low = Start(head.min_ns, partition_ns);
        const int64_t high = Start(head.max_ns, partition_ns);
        if (low == high) {
          starts.insert(low);
          continue;
        }
        for (const HeadChunk* chunk = head.first; chunk != nullptr; chunk = chunk->next) {
          for (uint32_t i = 0; i < chunk->rows; ++i) starts.insert(Start(LoadWord(chunk->row(i)), partition_ns));
        }
      }
    }
    return {starts.begin(), starts.end()};
  }

  [[nodiscard]] HeadStats Stats() const override {
    HeadStats stats;
    for (const auto& shard : shards_) {
      const HeadShard::Totals totals = shard->totals();
      stats.bytes += totals.bytes;
      stats.rows += totals.rows;
      stats.points += totals.points;
      stats.series += totals.series;
    }
    return stats;
  }

  [[nodiscard]] model::TimeRange Range() const override {
    model::TimeRange range{model::Timestamp::Max(), model::Timestamp::Min()};
    for (const auto& shard : shards_) {
      const model::TimeRange some = shard->range();
      range = {std::min(range.first, some.first), std::max(range.last, some.last)};
    }
    return range;
  }

 private:
  [[nodiscard]] const HeadShard& ShardOf(model::SeriesId series) const {
    return *shards_[Number(series) & (shards_.size() - 1)];
  }

  static int64_t Start(int64_t ns, int64_t length) {
    const int64_t quotient = ns / length - (ns % length < 0 ? 1 : 0);
    int64_t start = 0;
    // The first partition of all begins where time does.
    if (__builtin_mul_overflow(quotient, length, &start)) return std::numeric_limits<int64_t>::min();
    return start;
  }

  // Lets a column use the times of an earlier one when they are the same, so that a page stores them once.
  static void ShareTimes(const std::vector<model::Column>& before, model::Column* column) {
    constexpr ptrdiff_t kLooks = 64;  // of a million columns not each is held against all others
    if (column->times.regular()) return;
    for (auto it = before.rbegin(); it != before.rend() && it - before.rbegin() < kLooks; ++it) {
      if (it->times.regular() || it->times.size != column->times.size) continue;
      if (std::equal(it->times.explicit_ns, it->times.explicit_ns + it->times.size, column->times.explicit_ns)) {
        column->times.explicit_ns = it->times.explicit_ns;
        return;
      }
    }
  }

  NoteFieldsFn note_fields_;
  ShapeTable table_;
  std::vector<std::unique_ptr<HeadShard>> shards_;
};

}  // namespace

std::unique_ptr<HeadSet> HeadSet::Create(uint32_t shards, NoteFieldsFn note_fields, std::shared_ptr<BlockPool> pool) {
  return std::make_unique<HeadSetImpl>(shards, std::move(note_fields), pool);
}

}  // namespace tidemark::head
