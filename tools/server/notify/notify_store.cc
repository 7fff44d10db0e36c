#include "tools/server/notify/notify_store.h"

#include <fmt/core.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "storage/base/hash.h"
#include "storage/base/log.h"
#include "tools/server/notify/notify_document.h"

namespace tidemark::server::notify {
namespace {

constexpr std::string_view kAlerts = "alert";
constexpr std::string_view kGroups = "alert_group";
constexpr std::string_view kTold = "alert_told";
constexpr std::string_view kMessages = "alert_message";
constexpr std::string_view kSilences = "silence";

// The name of a document about something whose own name may be long.
std::string NameOf(std::string_view text) {
  const Hash128 hash = HashBytes(text, 0);
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}
std::string NameOf(const Channel& channel) {
  return NameOf(fmt::format("{}\n{}\n{}", channel.receiver, channel.integration, channel.group));
}

// Calls `take` with the bytes of each document of a kind.
Status ForEach(const storage::DocumentStore& documents, std::string_view kind,
               const std::function<Status(std::string_view)>& take) {
  std::string after;
  for (;;) {
    const std::vector<storage::DocumentInfo> page = documents.List(kind, {.after = after});
    if (page.empty()) return {};
    for (const storage::DocumentInfo& info : page) {
      const Result<storage::Document> document = documents.Get(kind, info.name);
      const Status taken = document.ok() ? take(document->bytes) : Status(document.error());
      if (!taken.ok() && taken.error().code != ErrorCode::kCorruption) return taken;
      if (!taken.ok())
        TM_LOG(kError, "the document {} of kind {} is left out: {}", info.name, kind, taken.error().message);
    }
    after = page.back().name;
  }
}

// Collects changes and commits them in pieces that one Apply takes.
class Commit {
 public:
  Commit(storage::DocumentStore* documents, std::string_view author) : documents_(documents), author_(author) {}

  // None: it is no more.
  Status Add(std::string_view kind, std::string name, std::optional<std::string> bytes) {
    if (!bytes) {
      // What was never stored needs no deletion.
      if (!documents_->Get(kind, name).ok()) return {};
    } else if (bytes->size() > storage::kMaxDocumentBytes) {
      TM_LOG(kWarn, "{} bytes of kind {} are too many to be kept over a restart", bytes->size(), kind);
      return {};
    }
    const size_t size = bytes ? bytes->size() : 0;
    if (changes_.size() == storage::kMaxDocumentChanges || bytes_ + size > storage::kMaxDocumentChangeBytes) {
      TM_RETURN_IF_ERROR(Finish());
    }
    bytes_ += size;
    changes_.push_back({.kind = std::string(kind),
                        .name = std::move(name),
                        .bytes = std::move(bytes),
                        .author = std::string(author_),
                        .expected = std::nullopt});
    return {};
  }
  Status Finish() {
    if (changes_.empty()) return {};
    const auto applied = documents_->Apply(changes_);
    changes_.clear();
    bytes_ = 0;
    TM_RETURN_IF_ERROR(applied);
    return {};
  }

 private:
  storage::DocumentStore* const documents_;
  const std::string_view author_;
  std::vector<storage::DocumentChange> changes_;
  size_t bytes_ = 0;
};

// What `print` makes of a thing that may be gone.
template <typename T, typename Print>
std::optional<std::string> Printed(const T* thing, const Print& print) {
  if (thing == nullptr) return std::nullopt;
  return print(*thing);
}

Status SaveAll(const Changes& changes, Notifier& notifier, Commit* commit) {
  for (const std::string& id : changes.silences) {
    TM_RETURN_IF_ERROR(commit->Add(kSilences, id, Printed(notifier.silences().Find(id), &PrintSilence)));
  }
  for (const uint64_t fingerprint : changes.alerts) {
    TM_RETURN_IF_ERROR(
        commit->Add(kAlerts, FingerprintText(fingerprint), Printed(notifier.FindAlert(fingerprint), &PrintAlert)));
  }
  for (const std::string& id : changes.groups) {
    TM_RETURN_IF_ERROR(commit->Add(kGroups, NameOf(id), Printed(notifier.FindGroup(id), [](const Group& group) {
                                     return PrintGroupTimes(group.id, {group.next_flush_ns, group.flushed});
                                   })));
  }
  for (const std::string& id : changes.messages) {
    TM_RETURN_IF_ERROR(commit->Add(kMessages, id, Printed(notifier.FindMessage(id), &PrintMessage)));
  }
  for (const Channel& channel : changes.told) {
    TM_RETURN_IF_ERROR(commit->Add(kTold, NameOf(channel), Printed(notifier.FindTold(channel), [&](const Told& told) {
                                     return PrintTold(channel, told);
                                   })));
  }
  return commit->Finish();
}

}  // namespace

std::vector<storage::DocumentKind> NotifyDocumentKinds() {
  const auto state = [](std::string_view word, uint64_t documents) {
    // Written at every change; what was before is of no use.
    return storage::DocumentKind{.word = std::string(word),
                                 .history = 1,
                                 .deleted = 1,
                                 .max_documents = documents,
                                 .max_bytes = uint64_t{256} << 20};
  };
  const NotifierOptions limits;
  return {state(kAlerts, limits.alerts_max), state(kGroups, limits.groups_max),
          // By each way of a receiver.
          state(kTold, 4 * limits.groups_max), state(kMessages, 4 * limits.groups_max),
          storage::DocumentKind{.word = std::string(kSilences), .max_documents = limits.silences.count_max}};
}

Status NotifyStore::Load(Notifier* notifier, int64_t now_ns) {
  TM_RETURN_IF_ERROR(ForEach(*documents_, kSilences, [&](std::string_view bytes) -> Status {
    TM_TRY_ASSIGN(Silence silence, ReadSilence(bytes));
    notifier->silences().Restore(std::move(silence));
    return {};
  }));
  TM_RETURN_IF_ERROR(ForEach(*documents_, kGroups, [&](std::string_view bytes) -> Status {
    TM_TRY_ASSIGN(auto group, ReadGroupTimes(bytes));
    notifier->RestoreGroup(std::move(group.first), group.second);
    return {};
  }));
  TM_RETURN_IF_ERROR(ForEach(*documents_, kTold, [&](std::string_view bytes) -> Status {
    TM_TRY_ASSIGN(auto told, ReadTold(bytes));
    notifier->RestoreTold(std::move(told.first), std::move(told.second));
    return {};
  }));
  TM_RETURN_IF_ERROR(ForEach(*documents_, kMessages, [&](std::string_view bytes) -> Status {
    TM_TRY_ASSIGN(Message message, ReadMessage(bytes));
    notifier->RestoreMessage(std::move(message));
    return {};
  }));
  return ForEach(*documents_, kAlerts, [&](std::string_view bytes) -> Status {
    TM_TRY_ASSIGN(Alert alert, ReadAlert(bytes));
    notifier->RestoreAlert(std::move(alert), now_ns);
    return {};
  });
}

Status NotifyStore::Save(Changes changes, Notifier& notifier, std::string_view author) {
  unsaved_.alerts.merge(changes.alerts);
  unsaved_.groups.merge(changes.groups);
  unsaved_.told.merge(changes.told);
  unsaved_.messages.merge(changes.messages);
  unsaved_.silences.merge(changes.silences);
  Commit commit(documents_, author);
  TM_RETURN_IF_ERROR(SaveAll(unsaved_, notifier, &commit));
  unsaved_ = {};
  return {};
}

}  // namespace tidemark::server::notify
