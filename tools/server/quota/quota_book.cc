#include "tools/server/quota/quota_book.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "storage/model/limits.h"
#include "storage/storage.h"

namespace tidemark::server::quota {
namespace {

constexpr std::string_view kKind = "quota";

// A limit a line, as people write it.
std::string TextOf(const QuotaLimits& limits) {
  std::string out;
  for (const std::string& quota : PrintQuotas(limits)) out += quota + '\n';
  return out;
}

Result<QuotaLimits> LimitsOf(std::string_view text) {
  QuotaLimits limits;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    TM_RETURN_IF_ERROR(ParseQuota(text.substr(0, end), &limits));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return limits;
}

}  // namespace

storage::DocumentKind QuotaDocuments() {
  return {.word = std::string(kKind),
          .history = 20,
          .deleted = 200,
          .max_documents = 10'000,
          .max_bytes = uint64_t{8} << 20};
}

void QuotaBook::Adopt(const std::string& database, const QuotaLimits& limits) {
  std::unique_ptr<Account>& account = accounts_[database];
  if (!account) account = std::make_unique<Account>(fmt::format("the database \"{}\"", database), clock_, nullptr);
  account->SetLimits(limits);
  bool any = false;
  for (const auto& [name, each] : accounts_) any = any || !each->limits().none();
  any_.store(any, std::memory_order_release);
}

Status QuotaBook::Load() {
  std::string after;
  for (;;) {
    const std::vector<storage::DocumentInfo> page = documents_->List(kKind, {.after = after});
    if (page.empty()) return {};
    for (const storage::DocumentInfo& info : page) {
      TM_TRY_ASSIGN(const storage::Document document, documents_->Get(kKind, info.name));
      const Result<QuotaLimits> limits = LimitsOf(document.bytes);
      if (!limits.ok()) return limits.error().Within(fmt::format("quotas of the database \"{}\"", info.name));
      MutexLock lock(mutex_);
      Adopt(info.name, *limits);
    }
    after = page.back().name;
  }
}

Account* QuotaBook::Find(std::string_view database) const {
  if (!any_.load(std::memory_order_acquire)) return nullptr;
  MutexLock lock(mutex_);
  const auto at = accounts_.find(database.empty() ? storage::kDefaultDatabase : database);
  return at == accounts_.end() ? nullptr : at->second.get();
}

Status QuotaBook::Set(std::string_view database, const QuotaLimits& limits, std::string_view author) {
  TM_RETURN_IF_ERROR(model::CheckDatabaseName(database));
  if (limits.query_memory_bytes != 0) {
    return InvalidArgument("query_memory is a quota of tokens; of all queries together it is query.memory");
  }
  MutexLock lock(mutex_);
  if (limits.none()) {
    const auto deleted = documents_->Delete(kKind, database, author);
    if (!deleted.ok() && deleted.error().code != ErrorCode::kNotFound) return deleted.error();
  } else {
    TM_TRY_ASSIGN([[maybe_unused]] const uint64_t version, documents_->Put(kKind, database, TextOf(limits), author));
  }
  Adopt(std::string(database), limits);
  return {};
}

Status QuotaBook::RenameDatabase(std::string_view from, std::string_view to, std::string_view author,
                                 const Commit& commit) {
  // Nobody who is inside the store asks for an account.
  MutexLock lock(mutex_);
  const auto known = accounts_.find(from);
  const QuotaLimits limits = known == accounts_.end() ? QuotaLimits{} : known->second->limits();
  if (limits.none() || from == to) return commit({});
  const auto change = [&](std::string_view name, std::optional<std::string> bytes) {
    return storage::DocumentChange{.kind = std::string(kKind),
                                   .name = std::string(name),
                                   .bytes = std::move(bytes),
                                   .author = std::string(author),
                                   .expected = std::nullopt};
  };
  TM_RETURN_IF_ERROR(commit({change(from, std::nullopt), change(to, TextOf(limits))}));
  Adopt(std::string(from), {});
  Adopt(std::string(to), limits);
  return {};
}

std::vector<QuotaBook::Entry> QuotaBook::List() const {
  MutexLock lock(mutex_);
  std::vector<Entry> out;
  for (const auto& [name, account] : accounts_) {
    const QuotaLimits limits = account->limits();
    if (!limits.none()) out.push_back({name, limits, account->usage()});
  }
  return out;
}

}  // namespace tidemark::server::quota
