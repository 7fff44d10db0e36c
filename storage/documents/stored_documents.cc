#include "storage/documents/stored_documents.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "storage/base/check.h"
#include "storage/base/failure_point.h"
#include "storage/base/hash.h"
#include "storage/base/utf8.h"

namespace tidemark::storage::documents {
namespace {

bool IsKindWord(std::string_view word) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (word.empty() || word.size() > kMaxDocumentKindBytes || !letter(word.front())) return false;
  return std::all_of(word.begin(), word.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

bool IsText(std::string_view text) {
  return IsUtf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<uint8_t>(c);
           return byte < 0x20 || byte == 0x7f;
         });
}

Result<void> CheckChange(const DocumentChange& change) {
  if (!IsKindWord(change.kind)) {
    return InvalidArgument(
        fmt::format("the kind of a document is 1 to {} of a-z, 0-9, - and _, a letter first", kMaxDocumentKindBytes));
  }
  if (change.name.empty() || change.name.size() > kMaxDocumentNameBytes || !IsText(change.name)) {
    return InvalidArgument(fmt::format("the name of a document is 1 to {} bytes of UTF-8 without control characters",
                                       kMaxDocumentNameBytes));
  }
  if (change.author.size() > kMaxDocumentAuthorBytes || !IsText(change.author)) {
    return InvalidArgument(fmt::format(
        "the author of a document is at most {} bytes of UTF-8 without control characters", kMaxDocumentAuthorBytes));
  }
  if (change.bytes.has_value() && change.bytes->size() > kMaxDocumentBytes) {
    return LimitExceeded(fmt::format("{} \"{}\" would have {} bytes, a document has at most {}", change.kind,
                                     change.name, change.bytes->size(), kMaxDocumentBytes));
  }
  return {};
}

Result<void> CheckBatch(std::span<const DocumentChange> changes) {
  if (changes.size() > kMaxDocumentChanges) {
    return InvalidArgument(fmt::format("{} changes at once, at most {} are made", changes.size(), kMaxDocumentChanges));
  }
  std::set<std::pair<std::string_view, std::string_view>> named;
  size_t bytes = 0;
  for (const DocumentChange& change : changes) {
    TM_RETURN_IF_ERROR(CheckChange(change));
    if (!named.emplace(change.kind, change.name).second) {
      return InvalidArgument(fmt::format("{} \"{}\" is changed twice at once", change.kind, change.name));
    }
    bytes += change.bytes.has_value() ? change.bytes->size() : 0;
  }
  if (bytes > kMaxDocumentChangeBytes) {
    return InvalidArgument(fmt::format("{} bytes at once, at most {} are written", bytes, kMaxDocumentChangeBytes));
  }
  return {};
}

// That `current` (null: no such document) is what the change was made from.
Result<void> CheckExpected(const DocumentChange& change, const KindIndex::Version* current) {
  const uint64_t found = current == nullptr ? 0 : current->version;
  if (change.expected.has_value() && *change.expected != found) {
    const std::string document = fmt::format("{} \"{}\"", change.kind, change.name);
    std::string text;
    if (found == 0) {
      text = fmt::format("{} does not exist, version {} was expected", document, *change.expected);
    } else if (*change.expected == 0) {
      text = fmt::format("{} exists already, at version {}", document, found);
    } else {
      text = fmt::format("{} is at version {}, version {} was expected", document, found, *change.expected);
    }
    return MakeError(ErrorCode::kConflict, std::move(text));
  }
  if (!change.bytes.has_value() && current == nullptr) {
    return NotFound(fmt::format("{} \"{}\" does not exist", change.kind, change.name));
  }
  return {};
}

DocumentInfo InfoOf(const std::string& name, const KindIndex::Version& version) {
  return {name, version.version, version.change, version.time_ns, version.author, version.deleted, version.bytes};
}

DocumentInfo InfoOf(const DocumentRecord& header) {
  return {header.name, header.version, header.change, header.time_ns, header.author, header.deleted, header.bytes};
}

}  // namespace

StoredDocuments::StoredDocuments(StoredDocumentsOptions options) : options_(std::move(options)) {}

const KindIndex* StoredDocuments::FindKind(std::string_view word) const {
  const auto found = kinds_.find(word);
  return found == kinds_.end() ? nullptr : &found->second;
}

KindIndex& StoredDocuments::KindOf(std::string_view word) {
  const auto found = kinds_.find(word);
  if (found != kinds_.end()) return found->second;
  return kinds_.emplace(word, KindIndex(Allowed(word))).first->second;
}

DocumentKind StoredDocuments::Allowed(std::string_view word) const {
  DocumentKind kind;
  for (const DocumentKind& told : options_.kinds) {
    if (told.word == word) kind = told;
  }
  kind.word = std::string(word);
  kind.history = std::max<uint32_t>(kind.history, 1);
  kind.deleted = std::max<uint32_t>(kind.deleted, 1);
  return kind;
}

Result<void> StoredDocuments::Load() {
  MutexLock commit(commit_mutex_);
  MutexLock lock(mutex_);
  TM_RETURN_IF_ERROR(options_.rocks->ForEach(rocks::Family::kMeta, rocks::kDocumentKindPrefix,
                                             [this](std::string_view key, std::string_view value)
                                                 TM_REQUIRES(mutex_) -> Result<void> {
                                                   TM_TRY_ASSIGN(const KindRecord record, DecodeKindRecord(key, value));
                                                   KindOf(record.kind).RaiseForgotten(record.forgotten_through);
                                                   return {};
                                                 }));
  TM_RETURN_IF_ERROR(
      options_.rocks->ForEach(rocks::Family::kMeta, rocks::kDocumentPrefix,
                              [this](std::string_view key, std::string_view value) TM_REQUIRES(mutex_) -> Result<void> {
                                TM_TRY_ASSIGN(const DocumentRecord record, DecodeDocumentRecord(key, value));
                                last_change_ = std::max(last_change_, record.change);
                                return KindOf(record.kind).Add(record);
                              }));
  for (auto& [word, kind] : kinds_) NoteSpent(kind, kind.TakeSpent({}));
  return {};
}

void StoredDocuments::NoteSpent(const KindIndex& kind, std::vector<SpentVersion> spent) {
  for (SpentVersion& version : spent) spent_.emplace_back(kind.kind().word, std::move(version));
}

Result<DocumentRecord> StoredDocuments::Header(std::string_view kind, std::string_view name,
                                               std::optional<uint64_t> version) const {
  MutexLock lock(mutex_);
  const KindIndex* const index = FindKind(kind);
  const KindIndex::Versions* const versions = index == nullptr ? nullptr : index->Find(name);
  if (versions == nullptr) return NotFound(fmt::format("{} \"{}\" does not exist", kind, name));
  const KindIndex::Version* found = nullptr;
  if (!version.has_value()) {
    found = &versions->back();
    if (found->deleted) {
      return NotFound(fmt::format("{} \"{}\" was deleted in version {}", kind, name, found->version));
    }
  } else {
    for (const KindIndex::Version& each : *versions) {
      if (each.version == *version) found = &each;
    }
    if (found == nullptr) return NotFound(fmt::format("{} is not kept", Describe(kind, name, *version)));
    if (found->deleted) return NotFound(fmt::format("{} is a deletion", Describe(kind, name, *version)));
  }
  return DocumentRecord{.kind = std::string(kind),
                        .name = std::string(name),
                        .version = found->version,
                        .change = found->change,
                        .time_ns = found->time_ns,
                        .author = found->author,
                        .bytes = found->bytes,
                        .hash = found->hash};
}

Result<Document> StoredDocuments::Get(std::string_view kind, std::string_view name) const {
  return Read(kind, name, std::nullopt);
}

Result<Document> StoredDocuments::GetVersion(std::string_view kind, std::string_view name, uint64_t version) const {
  return Read(kind, name, version);
}

Result<Document> StoredDocuments::Read(std::string_view kind, std::string_view name,
                                       std::optional<uint64_t> version) const {
  for (;;) {
    TM_TRY_ASSIGN(const DocumentRecord header, Header(kind, name, version));
    const std::string key = DocumentBytesKey(header.kind, header.name, header.version);
    TM_TRY_ASSIGN(const std::optional<std::string> value, options_.rocks->Get(rocks::Family::kMeta, key));
    if (value.has_value()) {
      TM_TRY_ASSIGN(const std::string_view bytes, DecodeDocumentBytes(header, *value));
      return Document{InfoOf(header), std::string(bytes)};
    }
    // It may have been spent since the header was looked up. Then another version is there, or an error.
    TM_TRY_ASSIGN(const DocumentRecord now, Header(kind, name, version));
    if (now == header) return Corruption(fmt::format("{}: its bytes are gone", Describe(kind, name, header.version)));
  }
}

Result<std::vector<DocumentInfo>> StoredDocuments::History(std::string_view kind, std::string_view name,
                                                           size_t limit) const {
  MutexLock lock(mutex_);
  const KindIndex* const index = FindKind(kind);
  const KindIndex::Versions* const versions = index == nullptr ? nullptr : index->Find(name);
  if (versions == nullptr) return NotFound(fmt::format("{} \"{}\" does not exist", kind, name));
  std::vector<DocumentInfo> out;
  for (auto it = versions->rbegin(); it != versions->rend() && out.size() < limit; ++it) {
    out.push_back(InfoOf(std::string(name), *it));
  }
  return out;
}

std::vector<DocumentInfo> StoredDocuments::List(std::string_view kind, const DocumentListOptions& options) const {
  MutexLock lock(mutex_);
  std::vector<DocumentInfo> out;
  const KindIndex* const index = FindKind(kind);
  if (index == nullptr) return out;
  const size_t limit = std::clamp<size_t>(options.limit, 1, kMaxDocumentListPage);
  const KindIndex::Names& names = index->names();
  auto it = options.after >= options.prefix && !options.after.empty() ? names.upper_bound(options.after)
                                                                      : names.lower_bound(options.prefix);
  for (; it != names.end() && it->first.starts_with(options.prefix) && out.size() < limit; ++it) {
    const KindIndex::Version& newest = it->second.back();
    if (!newest.deleted || options.deleted) out.push_back(InfoOf(it->first, newest));
  }
  return out;
}

std::vector<DocumentKindUsage> StoredDocuments::Kinds() const {
  MutexLock lock(mutex_);
  std::vector<DocumentKindUsage> out;
  for (const auto& [word, kind] : kinds_) out.push_back({word, kind.documents(), kind.bytes(), kind.kept_bytes()});
  return out;
}

Result<std::vector<DocumentRecord>> StoredDocuments::Plan(std::span<const DocumentChange> changes) const {
  const int64_t now_ns = options_.clock->NowNs();
  std::vector<DocumentRecord> records;
  std::map<std::string_view, Amount> after;
  for (const DocumentChange& change : changes) {
    const KindIndex* const index = FindKind(change.kind);
    const KindIndex::Version* const current = index == nullptr ? nullptr : index->Current(change.name);
    TM_RETURN_IF_ERROR(CheckExpected(change, current));
    DocumentRecord& record = records.emplace_back();
    record.kind = change.kind;
    record.name = change.name;
    record.version = index == nullptr ? 1 : index->NextVersion(change.name);
    record.change = last_change_ + records.size();
    record.time_ns = now_ns;
    record.author = change.author;
    record.deleted = !change.bytes.has_value();
    const Amount before = index == nullptr ? Amount() : Amount{index->documents(), index->bytes()};
    Amount& amount = after.try_emplace(change.kind, before).first->second;
    if (current != nullptr) {
      --amount.documents;
      amount.bytes -= current->bytes;
    }
    if (record.deleted) continue;
    record.bytes = change.bytes->size();
    record.hash = Hash64(*change.bytes, 0);
    ++amount.documents;
    amount.bytes += record.bytes;
  }
  TM_RETURN_IF_ERROR(CheckLimits(after));
  return records;
}

Result<void> StoredDocuments::CheckLimits(const std::map<std::string_view, Amount>& after) const {
  size_t kinds = kinds_.size();
  for (const auto& [word, amount] : after) {
    const KindIndex* const index = FindKind(word);
    if (index == nullptr) ++kinds;
    const Amount before = index == nullptr ? Amount() : Amount{index->documents(), index->bytes()};
    const DocumentKind kind = Allowed(word);
    // What is over a limit that has been lowered may still become less.
    if (amount.documents > kind.max_documents && amount.documents > before.documents) {
      return LimitExceeded(fmt::format("there would be {} documents of kind \"{}\", the limit is {}: delete some first",
                                       amount.documents, word, kind.max_documents));
    }
    if (amount.bytes > kind.max_bytes && amount.bytes > before.bytes) {
      return LimitExceeded(
          fmt::format("the documents of kind \"{}\" would take {} bytes, the limit is {}: delete some first", word,
                      amount.bytes, kind.max_bytes));
    }
  }
  if (kinds > kMaxKinds && kinds > kinds_.size()) {
    return LimitExceeded(fmt::format("there would be {} kinds of documents, the limit is {}", kinds, kMaxKinds));
  }
  return {};
}

void StoredDocuments::DropSpent(std::vector<meta::RecordChange>* out) const {
  std::set<std::string_view> words;
  for (const auto& [word, spent] : spent_) {
    out->push_back({DocumentKey(word, spent.name, spent.version), std::nullopt, std::nullopt});
    out->push_back({DocumentBytesKey(word, spent.name, spent.version), std::nullopt, std::nullopt});
    words.insert(word);
  }
  // With the last version of a name goes what it is numbered behind.
  for (const std::string_view word : words) {
    const uint64_t forgotten = FindKind(word)->forgotten_through();
    if (forgotten == 0) continue;
    const std::string record = Encode(KindRecord{std::string(word), forgotten});
    out->push_back({DocumentKindKey(word), record, record});
  }
}

Result<std::vector<uint64_t>> StoredDocuments::Apply(std::span<const DocumentChange> changes) {
  return ApplyWith(changes, {});
}

Result<std::vector<uint64_t>> StoredDocuments::ApplyWith(std::span<const DocumentChange> changes,
                                                         meta::MetaChange change) {
  TM_RETURN_IF_ERROR(CheckBatch(changes));
  MutexLock commit(commit_mutex_);
  std::vector<DocumentRecord> records;
  {
    MutexLock lock(mutex_);
    TM_TRY_ASSIGN(records, Plan(changes));
    DropSpent(&change.documents);
  }
  if (records.empty()) return std::vector<uint64_t>();
  for (size_t i = 0; i < records.size(); ++i) {
    const DocumentRecord& record = records[i];
    change.documents.push_back({DocumentKey(record.kind, record.name, record.version), Encode(record), std::nullopt});
    if (record.deleted) continue;
    change.documents.push_back({DocumentBytesKey(record.kind, record.name, record.version),
                                EncodeDocumentBytes(*changes[i].bytes), std::nullopt});
  }
  if (auto committed = options_.meta->Commit(std::move(change)); !committed.ok()) {
    if (options_.on_error) options_.on_error(committed.error());
    return meta::InDoubt(std::move(committed).error());
  }
  FailurePoint("documents.committed");
  spent_.clear();
  std::vector<uint64_t> versions;
  MutexLock lock(mutex_);
  for (const DocumentRecord& record : records) {
    KindIndex& kind = KindOf(record.kind);
    const auto added = kind.Add(record);
    TM_CHECK(added.ok());
    NoteSpent(kind, kind.TakeSpent(record.name));
    versions.push_back(record.version);
  }
  last_change_ += records.size();
  changed_.NotifyAll();
  return versions;
}

uint64_t StoredDocuments::LastChangeLocked(std::string_view kind) const {
  if (kind.empty()) return last_change_;
  const KindIndex* const index = FindKind(kind);
  return index == nullptr ? 0 : index->last_change();
}

uint64_t StoredDocuments::LastChange(std::string_view kind) const {
  MutexLock lock(mutex_);
  return LastChangeLocked(kind);
}

uint64_t StoredDocuments::WaitForChange(std::string_view kind, uint64_t since, std::chrono::nanoseconds timeout,
                                        std::stop_token stop) const {
  const auto deadline =
      std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(timeout, std::chrono::hours(1));
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  MutexLock lock(mutex_);
  for (;;) {
    const uint64_t found = LastChangeLocked(kind);
    const auto left = deadline - std::chrono::steady_clock::now();
    if (found > since || stop.stop_requested() || left <= std::chrono::nanoseconds(0)) return found;
    changed_.WaitFor(mutex_, left);
  }
}

}  // namespace tidemark::storage::documents

namespace tidemark::storage {

Result<uint64_t> DocumentStore::Put(std::string_view kind, std::string_view name, std::string bytes,
                                    std::string_view author, std::optional<uint64_t> expected) {
  const DocumentChange change{std::string(kind), std::string(name), std::move(bytes), std::string(author), expected};
  TM_TRY_ASSIGN(const std::vector<uint64_t> versions, Apply({&change, 1}));
  return versions.front();
}

Result<uint64_t> DocumentStore::Delete(std::string_view kind, std::string_view name, std::string_view author,
                                       std::optional<uint64_t> expected) {
  const DocumentChange change{std::string(kind), std::string(name), std::nullopt, std::string(author), expected};
  TM_TRY_ASSIGN(const std::vector<uint64_t> versions, Apply({&change, 1}));
  return versions.front();
}

}  // namespace tidemark::storage
