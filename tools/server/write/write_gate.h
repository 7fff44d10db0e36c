// WriteGate: what a write has to pass between its decoder and the store: the filter of who sends it, and the quotas of
// him and of the database.
//
//   WriteGate gate(message.caller, quotas, target.database);
//   if (auto refusal = gate.AdmitBytes(body.size())) return TooMuch(*refusal);
//   ... decode ...
//   model::WriteReport held;
//   if (auto refusal = gate.Admit(&batch, &held)) return TooMuch(*refusal);
//   ... write, which asks Batch::names; add `held` to the report ...
//   gate.Note(report);
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/model/batch.h"
#include "storage/model/point_sink.h"
#include "tools/server/http/caller.h"
#include "tools/server/quota/quota_book.h"
#include "tools/server/write/batch_names.h"

namespace tidemark::server {

// Of one write, on one thread. Costs two loads where there is neither a filter nor a quota. What is taken of a quota
// and was not used is given back: points that were not written, bytes of what was refused as a whole for a quota or for
// want of room.
class WriteGate {
 public:
  // Null: of nobody, and no quotas of databases. Both outlive it.
  WriteGate(const http::Caller* caller, const quota::QuotaBook* quotas, std::string_view database);
  ~WriteGate();
  WriteGate(const WriteGate&) = delete;
  WriteGate& operator=(const WriteGate&) = delete;

  // Whether a body of so many bytes may be read. nullopt: it may.
  std::optional<quota::Refusal> AdmitBytes(uint64_t bytes);
  // The body was read for good, whatever it was.
  void KeepBytes() { bytes_used_ = true; }

  // Gives the rows of `batch` the labels that the filter implies, takes out those that it does not accept, and puts
  // those into `held`; then asks whether the points that are left may be written, and has the batch ask for its names.
  // The gate outlives the write.
  std::optional<quota::Refusal> Admit(model::Batch* batch, model::WriteReport* held);

  // Tells the quotas what was written. The refusal that the sender is to be told, when rows were refused for a quota.
  [[nodiscard]] std::optional<quota::Refusal> Note(const model::WriteReport& report);

 private:
  // Asks all accounts; when one refuses, those before it get back what they gave.
  template <typename Ask, typename Return>
  std::optional<quota::Refusal> AskAll(const Ask& ask, const Return& give_back);

  const storage::SeriesFilter* filter_ = nullptr;
  // Of the caller and of the database; null ones at the end.
  BatchNames::Accounts accounts_ = {nullptr, nullptr};
  std::optional<BatchNames> names_;
  // Taken, and not settled yet.
  uint64_t bytes_ = 0;
  uint64_t points_ = 0;
  bool bytes_used_ = false;
};

}  // namespace tidemark::server
