#include "tools/cli/exec/exec_reports.h"

#include <fmt/core.h>

#include <chrono>

#include "tools/cli/http_client.h"
#include "tools/cli/say.h"

namespace tidemark::cli {
namespace {

// What somebody who has seen the run end still waits for reports.
constexpr std::chrono::seconds kFinishWait{2};

}  // namespace

std::string SpoolRoot(const std::string& state_directory, const std::string& server) {
  if (state_directory.empty()) return {};
  std::string_view address = server;
  while (address.ends_with('/')) address.remove_suffix(1);
  return state_directory + "/spool/" + UrlEncode(address);
}

Result<std::unique_ptr<ExecReports>> ExecReports::Open(const ReportPlace& place) {
  std::unique_ptr<ExecReports> reports(new ExecReports());
  if (!place.server.empty() && !place.data.empty()) {
    return InvalidArgument("reports go to a server or to a data directory, not to both");
  }
  if (!place.data.empty()) {
    auto opened = EmbeddedStore::Open(place.data);
    if (!opened.ok() && opened.error().code == ErrorCode::kUnavailable) {
      return MakeError(ErrorCode::kUnavailable,
                       fmt::format("{}; when a server has it, report to that: --server", opened.error().message));
    }
    TM_TRY_ASSIGN(reports->embedded_, std::move(opened));
  } else if (!place.server.empty()) {
    TM_TRY_ASSIGN(reports->remote_, AskServer(place.server));
    reports->spool_root_ = SpoolRoot(place.state_directory, place.server);
    sink::SpooledSinkOptions options{
        .server = place.server, .spool_root = reports->spool_root_, .spool_bytes = place.spool_bytes};
    auto opened = sink::SpooledSink::Open(options);
    if (!opened.ok() && opened.error().code != ErrorCode::kInvalidArgument) {
      Say(stderr, "no reports can wait on disk: {}\n", opened.error().message);
      options.spool_root.clear();
      opened = sink::SpooledSink::Open(options);
    }
    TM_TRY_ASSIGN(reports->spooled_, std::move(opened));
  }
  return reports;
}

model::PointSink* ExecReports::sink() {
  if (embedded_) return &embedded_->sink();
  return spooled_.get();
}

ApiSource* ExecReports::api() {
  if (embedded_) return embedded_.get();
  return remote_.get();
}

void ExecReports::DeliverWaiting() {
  if (spooled_) static_cast<void>(spooled_->Flush(kFinishWait));
}

void ExecReports::Finish(std::FILE* err) {
  if (embedded_) {
    if (const auto closed = embedded_->Close(); !closed.ok()) Say(err, "reports: {}\n", closed.error().message);
  }
  if (!spooled_) return;
  const sink::SpooledSink::Balance balance = spooled_->Close(kFinishWait);
  if (balance.waiting > 0) {
    Say(err, "{} reports wait in {} for the server: {}\n", balance.waiting, spool_root_, balance.last_error);
  }
  if (balance.rejected > 0) {
    Say(err, "the server refused {} reports: {}\n", balance.rejected, balance.first_refusal);
  }
  if (balance.lost > 0) Say(err, "{} reports are lost: {}\n", balance.lost, balance.last_error);
}

}  // namespace tidemark::cli
