#include "storage/rocks/rocks_logger.h"

#include <rocksdb/env.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "storage/base/log.h"
#include "storage/base/printable.h"

namespace tidemark::storage::rocks {
namespace {

class RocksLogger final : public rocksdb::Logger {
 public:
  RocksLogger() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    Print(rocksdb::InfoLogLevel::INFO_LEVEL, format, arguments);
  }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    Print(level, format, arguments);
  }
  // The base class writes the database's name and options here.
  void LogHeader(const char*, va_list) override {}

 private:
  static void Print(rocksdb::InfoLogLevel level, const char* format, va_list arguments)
      __attribute__((format(printf, 2, 0))) {
    char line[1024];
    std::vsnprintf(line, sizeof(line), format, arguments);
    for (size_t end = std::strlen(line); end > 0 && line[end - 1] == '\n'; --end) line[end - 1] = '\0';
    switch (level) {
      case rocksdb::InfoLogLevel::WARN_LEVEL: TM_LOG(kDebug, "rocksdb: {}", Printable(line)); break;
      case rocksdb::InfoLogLevel::ERROR_LEVEL:
      case rocksdb::InfoLogLevel::FATAL_LEVEL: TM_LOG(kError, "rocksdb: {}", Printable(line)); break;
      default: TM_LOG(kTrace, "rocksdb: {}", Printable(line)); break;
    }
  }
};

}  // namespace

std::shared_ptr<rocksdb::Logger> MakeRocksLogger() { return std::make_shared<RocksLogger>(); }

}  // namespace tidemark::storage::rocks
