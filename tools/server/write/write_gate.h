// WriteGate: what a write has to pass between its decoder and the store: the filter of who sends it, and the quotas of
// him and of the database.
//
//   WriteGate gate(message.caller, quotas, target.database);
//   if (auto refusal = gate.AdmitBytes(body.size())) return TooMuch(*refusal);
//   ... decode ...
//   model::WriteReport held;
//   if (auto refusal = gate.Admit(&batch, &held)) return TooMuch(*refusal);
//   ... write; add `held` to the report ...
//   gate.Note(report);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/model/batch.h"
#include "storage/model/point_sink.h"
#include "tools/server/http/caller.h"
#include "tools/server/quota/quota_book.h"

namespace tidemark::server {

// Of one write. Costs two loads where there is neither a filter nor a quota.
class WriteGate {
 public:
  // Null: of nobody, and no quotas of databases. Both outlive it.
  WriteGate(const http::Caller* caller, const quota::QuotaBook* quotas, std::string_view database);

  // Whether a body of so many bytes may be read. nullopt: it may.
  std::optional<quota::Refusal> AdmitBytes(uint64_t bytes) const;

  // Gives the rows of `batch` the labels that the filter implies, takes out those that it does not accept and those of
  // series beyond a quota, and puts those into `held`; then asks whether the points that are left may be written, and
  // says how many new series they may make.
  std::optional<quota::Refusal> Admit(model::Batch* batch, model::WriteReport* held) const;

  // Tells the quotas what was written. The refusal that the sender is to be told, when rows were refused for a quota.
  [[nodiscard]] std::optional<quota::Refusal> Note(const model::WriteReport& report) const;

 private:
  [[nodiscard]] std::string TooManyNew() const;

  const storage::SeriesFilter* filter_ = nullptr;
  // Of the caller and of the database; null ones at the end.
  quota::Account* accounts_[2] = {nullptr, nullptr};
  uint64_t database_;  // hash of its name: a series of two databases is two
};

}  // namespace tidemark::server
