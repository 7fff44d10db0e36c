// The routes with their services over a store in memory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/engine/engine.h"
#include "tests/unit/query/api/memory_store.h"
#include "tools/server/routes/routes.h"

namespace tidemark::server {

using http::Method;
using http::Request;
using http::Response;

inline constexpr int64_t kNow = 1'700'000'000'000'000'000;

// A stream that keeps what is pushed.
class KeptStream final : public http::ReplyStream {
 public:
  bool Push(std::string bytes) override {
    text += bytes;
    return true;
  }
  bool TryPush(std::string bytes) override { return Push(std::move(bytes)); }
  void Finish() override { finished = true; }
  [[nodiscard]] bool closed() const override { return finished; }

  std::string text;
  bool finished = false;
};

class RoutesTest : public ::testing::Test {
 protected:
  RoutesTest() { job_book_.Start(); }

  Response Send(Method method, std::string_view target, std::string_view body = "",
                std::vector<http::HeaderField> headers = {}) {
    Request request;
    request.method = method;
    request.method_name = http::Name(method);
    request.target = target;
    request.headers = std::move(headers);
    request.headers.push_back({"Host", "localhost:8086"});
    http::Admission admission = router_.Admit(&request);
    if (admission.refusal) return std::move(*admission.refusal);
    request.body.Reserve(body.size() + 1);
    std::copy(body.begin(), body.end(), request.body.data());
    request.body.SetSize(body.size());
    return router_.Handle(&request);
  }
  Response Get(std::string_view target) { return Send(Method::kGet, target); }
  Response Post(std::string_view target, std::string_view body) { return Send(Method::kPost, target, body); }
  Response Form(std::string_view target, std::string_view body) {
    return Send(Method::kPost, target, body, {{"Content-Type", "application/x-www-form-urlencoded"}});
  }
  static std::string Header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  MemoryStore store_;
  ManualClock clock_{kNow};
  query::api::MetadataBook metadata_;
  query::api::EventTap events_{&store_};
  write_path::RejectionLog rejections_{8};
  PolicyBook policies_{nullptr};
  std::unique_ptr<WriteIdBook> write_ids_ = WriteIdBook::Open("").value();
  WriteService writes_{&events_,
                       &metadata_,
                       &clock_,
                       {.knows_policy = [this](std::string_view database,
                                               std::string_view policy) { return policies_.Knows(database, policy); },
                        .refused = [this](const write_path::RejectionLog::Place& place,
                                          const Error& error) { rejections_.Add({clock_.NowNs()}, place, error); },
                        .write_ids = write_ids_.get()}};
  InfluxService influx_{&store_, &policies_, &clock_, {}, "0.1.0"};
  BucketService buckets_{&store_, &policies_, {}};
  AdminService admin_{&store_, &rejections_, [this]() -> Result<Reloaded> {
                        if (reload_fails_with) return *reload_fails_with;
                        return Reloaded{.rules = 3, .changed = {"log.level"}, .need_restart = {"data", "pool.workers"}};
                      }};
  std::optional<Error> reload_fails_with;
  query::api::QueryApi api_{{.store = &store_,
                             .scheduler = nullptr,
                             .clock = &clock_,
                             .rules = nullptr,
                             .execute = &query::engine::Execute,
                             .metadata = &metadata_}};
  BatchService batches_{&api_, {}};
  // Of a store that is read-only.
  audit::AuditService audit_{nullptr};
  // Of a server that is given no folder for them.
  backup::BackupMaker backup_maker_{&store_, &clock_, {}};
  backup::BackupService backups_{&backup_maker_};
  jobs::JobBook job_book_{nullptr, &clock_, {jobs::CompactKind(&store_), jobs::VerifyKind(&store_)}};
  jobs::JobService jobs_{&store_, &job_book_};
  http::Router router_{MakeRoutes({.writes = &writes_,
                                   .influx = &influx_,
                                   .buckets = &buckets_,
                                   .admin = &admin_,
                                   .audit = &audit_,
                                   .backup = &backups_,
                                   .jobs = &jobs_,
                                   .api = &api_,
                                   .batches = &batches_,
                                   .events = &events_,
                                   .metrics = [] { return std::string("metrics\n"); }}),
                       {}};
};

}  // namespace tidemark::server
