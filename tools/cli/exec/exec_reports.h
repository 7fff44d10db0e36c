// ExecReports: where `tidemark exec` reports to and learns about earlier runs: a server, or a data directory.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "clients/sink/spooled_sink.h"
#include "storage/model/point_sink.h"
#include "tools/cli/exec/api_source.h"
#include "tools/cli/exec/embedded_store.h"

namespace tidemark::cli {

struct ReportPlace {
  std::string server{};  // "": none
  std::string data{};    // "": none; not both
  // Where reports wait while the server is away, in a folder per server; "": nowhere.
  std::string state_directory{};
  uint64_t spool_bytes = uint64_t{256} << 20;
};

class ExecReports {
 public:
  // Neither a server nor a directory: nothing is reported and nothing is known. Errors: kInvalidArgument (both, or an
  // address that is none), those of EmbeddedStore::Open. A spool that cannot be used is told on standard error, and
  // reports then wait in memory.
  static Result<std::unique_ptr<ExecReports>> Open(const ReportPlace& place);

  // Both may be null. They live as long as this.
  [[nodiscard]] model::PointSink* sink();
  [[nodiscard]] ApiSource* api();

  // Waits a little until reports of earlier runs that found no server are with it, if it is there now.
  void DeliverWaiting();

  // Delivers what is left and says on `err` what was not delivered and why. Nothing is reported after it.
  void Finish(std::FILE* err);

 private:
  ExecReports() = default;

  std::unique_ptr<sink::SpooledSink> spooled_;
  std::unique_ptr<ApiSource> remote_;
  std::unique_ptr<EmbeddedStore> embedded_;
  std::string spool_root_;
};

// Where reports for this server wait: a folder below `state_directory`; "" without one.
std::string SpoolRoot(const std::string& state_directory, const std::string& server);

}  // namespace tidemark::cli
