#include "tools/server/access/token_book.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "tools/server/access/certificate_name.h"

namespace tidemark::server::access {
namespace {

// One with a filter may not do what concerns the whole server.
bool IsAdminOfAll(const Token& token) { return token.filters.empty() && MayEverywhere(token.grants, Access::kAdmin); }

// In its one spelling; empty for what is no name, which no certificate shows.
std::string SpelledName(std::string_view name) {
  Result<std::string> read = ReadCertificateName(name);
  return read.ok() ? std::move(read).value() : std::string();
}

Result<std::vector<std::string>> SpelledNames(const std::vector<std::string>& names) {
  std::vector<std::string> spelled;
  for (const std::string& name : names) {
    TM_TRY_ASSIGN(std::string read, ReadCertificateName(name));
    spelled.push_back(std::move(read));
  }
  return spelled;
}

Error NoSuchToken(std::string_view name) { return NotFound(fmt::format("there is no token \"{}\"", name)); }

Status CheckNew(const TokenBook::NewToken& wanted, int64_t now_ns) {
  TM_RETURN_IF_ERROR(CheckTokenName(wanted.name));
  if (wanted.grants.empty() || wanted.grants.size() > kMaxGrants) {
    return InvalidArgument(fmt::format("a token has 1 to {} grants such as read:metrics or admin:*", kMaxGrants));
  }
  if (wanted.note.size() > kMaxNoteBytes) {
    return InvalidArgument(fmt::format("a token's note has at most {} bytes", kMaxNoteBytes));
  }
  if (wanted.certificate_names.size() > kMaxCertificateNames) {
    return InvalidArgument(fmt::format("a token has at most {} names of certificates", kMaxCertificateNames));
  }
  if (const auto filter = FilterOf(wanted.filters); !filter.ok()) return filter.error();
  if (wanted.expires_ns != 0 && wanted.expires_ns <= now_ns)
    return InvalidArgument("the token would have ended already");
  return {};
}

}  // namespace

size_t TokenBook::HashOfHash::operator()(const SecretHash& hash) const noexcept {
  size_t value = 0;
  std::memcpy(&value, hash.data(), sizeof value);
  return value;
}

Status TokenBook::Load() {
  MutexLock change(change_mutex_);
  std::vector<Token> read;
  std::string after;
  for (;;) {
    const std::vector<storage::DocumentInfo> page = documents_->List(kTokenKind, {.after = after});
    if (page.empty()) break;
    for (const storage::DocumentInfo& info : page) {
      TM_TRY_ASSIGN(const storage::Document document, documents_->Get(kTokenKind, info.name));
      Result<Token> token = ReadToken(document.bytes);
      if (!token.ok()) return token.error().Within(fmt::format("token \"{}\"", info.name));
      read.push_back(std::move(token).value());
    }
    after = page.back().name;
  }
  MutexLock lock(mutex_);
  on_ = documents_->LastChange(kTokenKind) > 0;
  for (Token& token : read) Adopt(std::move(token));
  return {};
}

bool TokenBook::on() const {
  MutexLock lock(mutex_);
  return on_;
}

quota::Account* TokenBook::AccountOf(const std::string& name) {
  std::unique_ptr<quota::Account>& account = accounts_[name];
  if (!account)
    account = std::make_unique<quota::Account>(fmt::format("the token \"{}\"", name), clock_, query_memory_);
  return account.get();
}

void TokenBook::Adopt(Token token) {
  Held held;
  quota::Account* const account = AccountOf(token.name);
  account->SetLimits(token.quotas);
  // Both have been read before: a filter that is none is refused when the token is made, or loaded.
  const std::optional<storage::SeriesFilter> filter = *FilterOf(token.filters);
  const auto old = tokens_.find(token.name);
  for (const TokenSecret& secret : token.secrets) {
    std::shared_ptr<Principal> principal;
    if (old != tokens_.end() && old->second.token.grants == token.grants &&
        old->second.token.filters == token.filters) {
      const std::vector<TokenSecret>& before = old->second.token.secrets;
      const auto same = std::ranges::find(before, secret.sha256, &TokenSecret::sha256);
      if (same != before.end()) principal = old->second.principals[static_cast<size_t>(same - before.begin())];
    }
    const int64_t end_ns = EndOf(token, secret);
    if (principal) {
      principal->set_end_ns(end_ns);
    } else {
      principal = std::make_shared<Principal>(token.name, token.grants, end_ns, clock_, filter, account);
    }
    held.principals.push_back(std::move(principal));
  }
  // The names of a token stay as they were made, so its certified caller goes on.
  if (old != tokens_.end()) held.certified = old->second.certified;
  if (!held.certified && !token.certificate_names.empty()) {
    const int64_t end_ns = token.expires_ns == 0 ? INT64_MAX : token.expires_ns;
    held.certified = std::make_shared<Principal>(token.name, token.grants, end_ns, clock_, filter, account);
  }
  for (const std::string& name : token.certificate_names) by_certificate_[SpelledName(name)] = held.certified;
  held.token = std::move(token);
  if (old != tokens_.end()) {
    for (size_t i = 0; i < old->second.principals.size(); ++i) {
      const std::shared_ptr<Principal>& principal = old->second.principals[i];
      if (std::ranges::find(held.principals, principal) == held.principals.end()) principal->Revoke();
      by_hash_.erase(old->second.token.secrets[i].sha256);
    }
  }
  for (size_t i = 0; i < held.principals.size(); ++i) by_hash_[held.token.secrets[i].sha256] = held.principals[i];
  std::string name = held.token.name;
  tokens_.insert_or_assign(std::move(name), std::move(held));
  on_ = true;
  generation_.store(KnownSecrets::NextGeneration(), std::memory_order_release);
}

void TokenBook::Forget(std::string_view name) {
  const auto held = tokens_.find(std::string(name));
  if (held == tokens_.end()) return;
  for (const TokenSecret& secret : held->second.token.secrets) by_hash_.erase(secret.sha256);
  for (const std::shared_ptr<Principal>& principal : held->second.principals) principal->Revoke();
  for (const std::string& shown : held->second.token.certificate_names) by_certificate_.erase(SpelledName(shown));
  if (held->second.certified) held->second.certified->Revoke();
  tokens_.erase(held);
  generation_.store(KnownSecrets::NextGeneration(), std::memory_order_release);
}

Status TokenBook::Store(const Token& token, uint64_t expected, std::string_view author) {
  const Result<uint64_t> stored = documents_->Put(kTokenKind, token.name, PrintToken(token), author, expected);
  if (!stored.ok()) return stored.error();
  return {};
}

Result<TokenBook::Held*> TokenBook::HeldOf(std::string_view name) {
  const auto held = tokens_.find(std::string(name));
  if (held == tokens_.end()) return NoSuchToken(name);
  return &held->second;
}

Result<TokenBook::Made> TokenBook::Make(const NewToken& wanted, std::string_view author) {
  const int64_t now_ns = clock_->NowNs();
  TM_RETURN_IF_ERROR(CheckNew(wanted, now_ns));
  TM_TRY_ASSIGN(std::vector<std::string> certificate_names, SpelledNames(wanted.certificate_names));
  MutexLock change(change_mutex_);
  {
    MutexLock lock(mutex_);
    if (tokens_.contains(wanted.name)) {
      return MakeError(ErrorCode::kAlreadyExists,
                       fmt::format("there is a token \"{}\" already; rotate or revoke it", wanted.name));
    }
    for (const std::string& name : certificate_names) {
      const auto taken = by_certificate_.find(name);
      if (taken == by_certificate_.end()) continue;
      return MakeError(
          ErrorCode::kAlreadyExists,
          fmt::format("the certificate's name \"{}\" shows the token \"{}\" already", name, taken->second->name()));
    }
    const bool has_admin =
        std::ranges::any_of(tokens_, [](const auto& entry) { return IsAdminOfAll(entry.second.token); });
    if (!has_admin && (!wanted.filters.empty() || !MayEverywhere(wanted.grants, Access::kAdmin))) {
      return InvalidArgument("the first token must be admin of everything (admin:*): nobody could make another one");
    }
  }
  TM_TRY_ASSIGN(std::string secret, MakeSecret(kTokenPrefix));
  Token token{.name = wanted.name,
              .note = wanted.note,
              .grants = wanted.grants,
              .certificate_names = std::move(certificate_names),
              .filters = wanted.filters,
              .quotas = wanted.quotas,
              .created_ns = now_ns,
              .expires_ns = wanted.expires_ns,
              .secrets = {{.sha256 = HashOf(secret), .created_ns = now_ns}}};
  TM_RETURN_IF_ERROR(Store(token, 0, author));
  MutexLock lock(mutex_);
  Adopt(token);
  return Made{std::move(secret), std::move(token)};
}

Result<TokenBook::Made> TokenBook::Rotate(std::string_view name, int64_t overlap_ns, std::string_view author) {
  if (overlap_ns < 0) return InvalidArgument("the overlap of two secrets is not negative");
  MutexLock change(change_mutex_);
  Token token;
  {
    MutexLock lock(mutex_);
    TM_TRY_ASSIGN(const Held* held, HeldOf(name));
    token = held->token;
  }
  const int64_t now_ns = clock_->NowNs();
  TM_TRY_ASSIGN(std::string secret, MakeSecret(kTokenPrefix));
  while (token.secrets.size() >= kMaxSecrets) token.secrets.erase(token.secrets.begin());
  // 1 ns: a secret without an overlap has ended, and 0 would say that it never does.
  const int64_t end_ns = overlap_ns == 0 ? 1 : now_ns + std::min(overlap_ns, INT64_MAX - now_ns);
  for (TokenSecret& old : token.secrets)
    old.expires_ns = old.expires_ns == 0 ? end_ns : std::min(old.expires_ns, end_ns);
  token.secrets.push_back({.sha256 = HashOf(secret), .created_ns = now_ns});
  TM_TRY_ASSIGN(const storage::Document stored, documents_->Get(kTokenKind, name));
  TM_RETURN_IF_ERROR(Store(token, stored.info.version, author));
  MutexLock lock(mutex_);
  Adopt(token);
  return Made{std::move(secret), std::move(token)};
}

Result<Token> TokenBook::SetQuotas(std::string_view name, const quota::QuotaLimits& quotas, std::string_view author) {
  MutexLock change(change_mutex_);
  Token token;
  {
    MutexLock lock(mutex_);
    TM_TRY_ASSIGN(const Held* held, HeldOf(name));
    token = held->token;
  }
  token.quotas = quotas;
  TM_TRY_ASSIGN(const storage::Document stored, documents_->Get(kTokenKind, name));
  TM_RETURN_IF_ERROR(Store(token, stored.info.version, author));
  MutexLock lock(mutex_);
  Adopt(token);
  return token;
}

Status TokenBook::Revoke(std::string_view name, bool last_too, std::string_view author) {
  MutexLock change(change_mutex_);
  {
    MutexLock lock(mutex_);
    TM_TRY_ASSIGN(const Held* held, HeldOf(name));
    const int64_t now_ns = clock_->NowNs();
    const bool another = std::ranges::any_of(tokens_, [&](const auto& entry) {
      const Token& token = entry.second.token;
      return &entry.second != held && IsAdminOfAll(token) && (token.expires_ns == 0 || token.expires_ns > now_ns);
    });
    if (!last_too && IsAdminOfAll(held->token) && !another) {
      return MakeError(ErrorCode::kConflict,
                       fmt::format("\"{}\" is the last token that is admin of everything; make another one first, or "
                                   "rotate it",
                                   name));
    }
  }
  const Result<uint64_t> deleted = documents_->Delete(kTokenKind, name, author);
  if (!deleted.ok()) return deleted.error();
  MutexLock lock(mutex_);
  Forget(name);
  return {};
}

std::vector<TokenBook::Entry> TokenBook::List() const {
  std::vector<Entry> entries;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, held] : tokens_) {
      Entry& entry = entries.emplace_back(Entry{held.token, 0, accounts_.at(name).get()});
      for (const auto& principal : held.principals) entry.used_ns = std::max(entry.used_ns, principal->used_ns());
      if (held.certified) entry.used_ns = std::max(entry.used_ns, held.certified->used_ns());
    }
  }
  std::ranges::sort(entries, {}, [](const Entry& entry) -> const std::string& { return entry.token.name; });
  return entries;
}

std::shared_ptr<const Principal> TokenBook::Find(std::string_view secret) const {
  // Read before the book: what is found in a book that has changed meanwhile is noted for one that is past.
  const uint64_t generation = generation_.load(std::memory_order_acquire);
  if (auto known = KnownSecrets::Find(secret, generation)) {
    if (known->revoked()) return nullptr;
    known->NoteUse();
    return known;
  }
  std::shared_ptr<const Principal> found = FindHash(HashOf(secret));
  if (found != nullptr) KnownSecrets::Note(secret, generation, found);
  return found;
}

std::shared_ptr<const Principal> TokenBook::FindHash(const SecretHash& hash) const {
  std::shared_ptr<const Principal> found;
  {
    MutexLock lock(mutex_);
    const auto entry = by_hash_.find(hash);
    if (entry == by_hash_.end()) return nullptr;
    found = entry->second;
  }
  if (found->revoked()) return nullptr;
  found->NoteUse();
  return found;
}

std::shared_ptr<const Principal> TokenBook::FindCertificate(const std::vector<std::string>& names) const {
  std::shared_ptr<const Principal> found;
  {
    MutexLock lock(mutex_);
    for (const std::string& name : names) {
      const auto entry = by_certificate_.find(SpelledName(name));
      // One that has ended does not stand in the way of another.
      if (entry == by_certificate_.end() || entry->second->revoked()) continue;
      found = entry->second;
      break;
    }
  }
  if (found == nullptr) return nullptr;
  found->NoteUse();
  return found;
}

}  // namespace tidemark::server::access
