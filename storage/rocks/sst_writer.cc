#include <fmt/core.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table_properties.h>

#include <string>
#include <utility>

#include "storage/rocks/rocks_handles.h"
#include "storage/rocks/rocks_options.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::rocks {
namespace {

using Properties = std::vector<std::pair<std::string, std::string>>;

class PropertyWriter final : public rocksdb::TablePropertiesCollector {
 public:
  explicit PropertyWriter(Properties properties) : properties_(std::move(properties)) {}
  rocksdb::Status AddUserKey(const rocksdb::Slice&, const rocksdb::Slice&, rocksdb::EntryType, rocksdb::SequenceNumber,
                             uint64_t) override {
    return rocksdb::Status::OK();
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    for (const auto& [name, value] : properties_) properties->emplace(name, value);
    return rocksdb::Status::OK();
  }
  [[nodiscard]] rocksdb::UserCollectedProperties GetReadableProperties() const override {
    return {properties_.begin(), properties_.end()};
  }
  [[nodiscard]] const char* Name() const override { return "tidemark"; }

 private:
  Properties properties_;
};

class PropertyWriterFactory final : public rocksdb::TablePropertiesCollectorFactory {
 public:
  explicit PropertyWriterFactory(Properties properties) : properties_(std::move(properties)) {}
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context) override {
    return new PropertyWriter(properties_);
  }
  [[nodiscard]] const char* Name() const override { return "tidemark"; }

 private:
  Properties properties_;
};

}  // namespace

struct SstWriter::Impl {
  Impl(const rocksdb::Options& options_in, std::string path_in)
      : options(options_in), path(std::move(path_in)), writer(rocksdb::EnvOptions(), options) {}
  rocksdb::Options options;
  std::string path;
  rocksdb::SstFileWriter writer;
};

SstWriter::SstWriter() = default;
SstWriter::~SstWriter() = default;

Result<std::unique_ptr<SstWriter>> SstWriter::Open(RocksStore* store, std::string path, Properties properties) {
  rocksdb::Options options;
  {
    ReaderLock lock(store->mutex_);
    TM_RETURN_IF_ERROR(store->CheckOpen());
    options = rocksdb::Options(MakeDbOptions(store->handles_->env.get(), {}), MakeDataOptions(store->handles_->cache));
  }
  options.table_properties_collector_factories.push_back(
      std::make_shared<PropertyWriterFactory>(std::move(properties)));
  std::unique_ptr<SstWriter> writer(new SstWriter());
  writer->impl_ = std::make_unique<Impl>(options, std::move(path));
  TM_RETURN_IF_ERROR(
      FromRocks(writer->impl_->writer.Open(writer->impl_->path), fmt::format("creating {}", writer->impl_->path)));
  return writer;
}

Result<void> SstWriter::Put(std::string_view key, std::string_view value) {
  return FromRocks(impl_->writer.Put({key.data(), key.size()}, {value.data(), value.size()}),
                   fmt::format("writing {}", impl_->path));
}

Result<uint64_t> SstWriter::Finish() {
  rocksdb::ExternalSstFileInfo info;
  TM_RETURN_IF_ERROR(FromRocks(impl_->writer.Finish(&info), fmt::format("finishing {}", impl_->path)));
  return info.file_size;
}

}  // namespace tidemark::storage::rocks
