#include "tools/server/access/session_book.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/log.h"
#include "tools/server/access/session_document.h"

namespace tidemark::server::access {
namespace {

// Hexadecimal digits of a session's hash in its id: enough to tell kMaxSessions apart, too few to be of use.
constexpr size_t kIdDigits = 16;

bool MayOnlyRead(const Principal& principal) {
  return !principal.MaySomewhere(Access::kWrite) && !principal.MaySomewhere(Access::kAdmin);
}

}  // namespace

Status SessionBook::Load() {
  MutexLock change(change_mutex_);
  std::vector<SessionDocument> read;
  std::vector<std::string> ended;
  std::string after;
  for (;;) {
    const std::vector<storage::DocumentInfo> page = documents_->List(kSessionKind, {.after = after});
    if (page.empty()) break;
    for (const storage::DocumentInfo& info : page) {
      const Result<storage::Document> document = documents_->Get(kSessionKind, info.name);
      if (!document.ok()) return document.error();
      Result<SessionDocument> session = ReadSession(document->bytes);
      if (session.ok()) {
        read.push_back(std::move(session).value());
      } else {
        TM_LOG(kWarn, "the session {} is ended: {}", info.name, session.error().message);
        ended.push_back(info.name);
      }
    }
    after = page.back().name;
  }
  for (const std::string& id : ended) TM_RETURN_IF_ERROR(documents_->Delete(kSessionKind, id, "tidemarkd"));
  MutexLock lock(mutex_);
  for (SessionDocument& session : read) {
    std::shared_ptr<const Principal> principal = tokens_->FindHash(session.token_sha256);
    if (principal == nullptr || session.info.expires_ns <= clock_->NowNs()) continue;
    by_hash_[session.sha256] = std::make_shared<SessionCaller>(std::move(principal), std::move(session.info),
                                                               std::move(session.forgery_value), clock_);
  }
  return {};
}

void SessionBook::MakeRoom() {
  std::vector<std::shared_ptr<SessionCaller>> gone;
  {
    MutexLock lock(mutex_);
    std::erase_if(by_hash_, [&](const auto& entry) {
      if (entry.second->revoked()) gone.push_back(entry.second);
      return entry.second->revoked();
    });
    while (by_hash_.size() >= kMaxSessions) {
      const auto oldest =
          std::ranges::min_element(by_hash_, {}, [](const auto& entry) { return entry.second->info().created_ns; });
      oldest->second->Revoke();
      gone.push_back(oldest->second);
      by_hash_.erase(oldest);
    }
  }
  for (const auto& caller : gone) {
    // It has ended all the same: what is left is read, and left out, at the next start.
    static_cast<void>(documents_->Delete(kSessionKind, caller->info().id, "tidemarkd"));
  }
}

Result<SessionBook::Opened> SessionBook::Open(std::string_view token_secret, bool kiosk, std::string_view peer,
                                              std::string_view agent) {
  const std::shared_ptr<const Principal> principal = tokens_->Find(token_secret);
  if (principal == nullptr) return NotFound("the token is not known, has ended or was revoked");
  if (kiosk && !MayOnlyRead(*principal)) {
    return InvalidArgument(fmt::format(
        "a screen that stays signed in needs a token that may only read; \"{}\" may more", principal->name()));
  }
  TM_TRY_ASSIGN(std::string secret, MakeSecret(""));
  TM_TRY_ASSIGN(std::string forgery_value, MakeSecret(""));
  const int64_t now_ns = clock_->NowNs();
  SessionDocument session;
  session.sha256 = HashOf(secret);
  session.token_sha256 = HashOf(token_secret);
  session.forgery_value = forgery_value;
  SessionInfo& info = session.info;
  info.id = PrintHash(session.sha256).substr(0, kIdDigits);
  info.token = principal->name();
  info.peer = peer;
  info.agent = agent.substr(0, kMaxAgentBytes);
  info.created_ns = now_ns;
  const int64_t lifetime_ns = kiosk ? kiosk_lifetime_ns_ : lifetime_ns_.load(std::memory_order_relaxed);
  info.expires_ns = std::min(principal->end_ns(), now_ns + lifetime_ns);
  info.kiosk = kiosk;
  auto caller = std::make_shared<SessionCaller>(principal, info, std::move(forgery_value), clock_);
  MutexLock change(change_mutex_);
  MakeRoom();
  TM_RETURN_IF_ERROR(documents_->Put(kSessionKind, info.id, PrintSession(session), info.token, 0));
  MutexLock lock(mutex_);
  by_hash_[session.sha256] = caller;
  return Opened{std::move(secret), std::move(caller)};
}

Status SessionBook::Revoke(std::string_view id, std::string_view author) {
  MutexLock change(change_mutex_);
  {
    MutexLock lock(mutex_);
    const auto found =
        std::ranges::find_if(by_hash_, [id](const auto& entry) { return entry.second->info().id == id; });
    if (found == by_hash_.end()) return NotFound(fmt::format("there is no session \"{}\"", id));
    // In force before it is written: a session that somebody wants ended must not live on because a disk is full.
    found->second->Revoke();
    by_hash_.erase(found);
  }
  return documents_->Delete(kSessionKind, id, author).ok()
             ? Status()
             : Status(
                   MakeError(ErrorCode::kIo,
                             fmt::format("the session {} is ended, but that could not be written: it comes back with "
                                         "a restart; revoke its token",
                                         id)));
}

std::shared_ptr<const SessionCaller> SessionBook::Find(std::string_view secret) const {
  const SecretHash hash = HashOf(secret);
  std::shared_ptr<const SessionCaller> found;
  {
    MutexLock lock(mutex_);
    const auto entry = by_hash_.find(hash);
    if (entry == by_hash_.end()) return nullptr;
    found = entry->second;
  }
  if (found->revoked()) return nullptr;
  found->principal().NoteUse();
  return found;
}

std::vector<SessionInfo> SessionBook::List() const {
  std::vector<SessionInfo> all;
  {
    MutexLock lock(mutex_);
    for (const auto& [hash, caller] : by_hash_) {
      if (!caller->revoked()) all.push_back(caller->info());
    }
  }
  std::ranges::sort(all, [](const SessionInfo& a, const SessionInfo& b) { return a.created_ns > b.created_ns; });
  return all;
}

}  // namespace tidemark::server::access
