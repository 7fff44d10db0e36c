// TokenBook: the tokens of a server. A change is in the documents before it is in force, and in force when the call
// returns.
//
//   TokenBook tokens(store->Documents(), &SystemClock::Get());
//   TM_RETURN_IF_ERROR(tokens.Load());
//   TM_TRY_ASSIGN(TokenBook::Made made, tokens.Make({.name = "telegraf", .grants = {{Access::kWrite, "metrics"}}},
//   "ada"));
//   ... made.secret is shown once ...
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/documents.h"
#include "tools/server/access/known_secrets.h"
#include "tools/server/access/principal.h"
#include "tools/server/access/token.h"
#include "tools/server/quota/account.h"

namespace tidemark::server::access {

// Thread-safe. Find never waits for the disk.
class TokenBook {
 public:
  // Both outlive it.
  TokenBook(storage::DocumentStore* documents, const Clock* clock) : TokenBook(documents, clock, nullptr) {}
  // The same; the queries of tokens hold parts of `query_memory`, which outlives it.
  TokenBook(storage::DocumentStore* documents, const Clock* clock, query::run::MemoryTotal* query_memory)
      : documents_(documents), clock_(clock), query_memory_(query_memory) {}

  // Reads all tokens. An Error of one that cannot be read names it; no other is in force then.
  Status Load() TM_EXCLUDES(mutex_);

  // Whether tokens are asked for. From the first token that is made on, for good: also when the last has gone.
  [[nodiscard]] bool on() const TM_EXCLUDES(mutex_);

  struct Made {
    std::string secret;  // nobody can ask for it again
    Token token;
  };
  struct NewToken {
    std::string name;
    std::vector<Grant> grants;
    int64_t expires_ns = 0;  // since 1970; 0: never
    std::string note = {};
    std::vector<std::string> certificate_names = {};
    std::vector<std::string> filters = {};
    quota::QuotaLimits quotas = {};
  };
  // Makes a token. Errors: kInvalidArgument (a name that is none, no or too many grants, a past end, a name of a
  // certificate or a filter that is none; the first one of all is not admin of everything, after which nobody could
  // make another),
  // kAlreadyExists (also for a certificate that shows another token), those of the documents.
  Result<Made> Make(const NewToken& wanted, std::string_view author) TM_EXCLUDES(mutex_);
  // Gives a token another secret. Those that it has are good for `overlap_ns` from now on at most, and no more than the
  // newest of them. kNotFound.
  Result<Made> Rotate(std::string_view name, int64_t overlap_ns, std::string_view author) TM_EXCLUDES(mutex_);
  // Takes a token away. kNotFound; kConflict when it is the last that is admin of everything, unless `last_too`.
  Status Revoke(std::string_view name, bool last_too, std::string_view author) TM_EXCLUDES(mutex_);

  // Gives a token other quotas, at once. kNotFound.
  Result<Token> SetQuotas(std::string_view name, const quota::QuotaLimits& quotas, std::string_view author)
      TM_EXCLUDES(mutex_);

  struct Entry {
    Token token;
    int64_t used_ns = 0;  // 0: not since the server started
    const quota::Account* account = nullptr;
  };
  // Sorted by name.
  [[nodiscard]] std::vector<Entry> List() const TM_EXCLUDES(mutex_);

  // Who shows `secret`; null: nobody, or one that is no longer good.
  [[nodiscard]] std::shared_ptr<const Principal> Find(std::string_view secret) const TM_EXCLUDES(mutex_);
  // The same, for who keeps hashes only.
  [[nodiscard]] std::shared_ptr<const Principal> FindHash(const SecretHash& hash) const TM_EXCLUDES(mutex_);

  // Who shows a certificate with one of `names`; null: nobody, or one that is no longer good.
  [[nodiscard]] std::shared_ptr<const Principal> FindCertificate(const std::vector<std::string>& names) const
      TM_EXCLUDES(mutex_);

 private:
  struct HashOfHash {
    // The beginning of a SHA-256 is as good a hash as any.
    size_t operator()(const SecretHash& hash) const noexcept;
  };
  struct Held {
    Token token;
    // One for each of token.secrets.
    std::vector<std::shared_ptr<Principal>> principals;
    // Of who shows a certificate; null when the token has no names of any.
    std::shared_ptr<Principal> certified;
  };

  // Puts `token` in force in place of the one of its name; callers that are still right stay.
  void Adopt(Token token) TM_REQUIRES(mutex_);
  void Forget(std::string_view name) TM_REQUIRES(mutex_);
  [[nodiscard]] Status Store(const Token& token, uint64_t expected, std::string_view author);
  [[nodiscard]] Result<Held*> HeldOf(std::string_view name) TM_REQUIRES(mutex_);

  // What a token takes is counted under its name, also when that is given anew.
  quota::Account* AccountOf(const std::string& name) TM_REQUIRES(mutex_);

  storage::DocumentStore* const documents_;
  const Clock* const clock_;
  query::run::MemoryTotal* const query_memory_;
  // Held while documents are changed, so that changes come into force in their order. Find does not take it.
  Mutex change_mutex_;
  mutable Mutex mutex_;
  bool on_ TM_GUARDED_BY(mutex_) = false;
  // Changes, under mutex_, with whatever Find would answer; read without it.
  std::atomic<uint64_t> generation_{KnownSecrets::NextGeneration()};
  // None goes before the book: see Account.
  std::unordered_map<std::string, std::unique_ptr<quota::Account>> accounts_ TM_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Held> tokens_ TM_GUARDED_BY(mutex_);
  std::unordered_map<SecretHash, std::shared_ptr<Principal>, HashOfHash> by_hash_ TM_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::shared_ptr<Principal>> by_certificate_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::server::access
