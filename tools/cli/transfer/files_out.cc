#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/cli/transfer/files.h"

namespace tidemark::cli {
namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;
constexpr int kZstdLevel = 3;
constexpr int kGzipLevel = 6;
// Of deflate with the header and the checksum of gzip (zlib.h, deflateInit2).
constexpr int kGzipWindow = 15 + 16;

Error SystemError(const std::string& path) {
  return MakeError(errno == ENOSPC ? ErrorCode::kResourceExhausted : ErrorCode::kIo,
                   fmt::format("{}: {}", path, std::strerror(errno)));
}

// What stands between the text and the file.
class Packer {
 public:
  virtual ~Packer() = default;
  // Packs all of `bytes`; with `last`, ends. `out` gets what comes of it.
  virtual void Pack(std::string_view bytes, bool last, std::string* out) = 0;
};

class Plain final : public Packer {
 public:
  void Pack(std::string_view bytes, bool, std::string* out) override { out->append(bytes); }
};

class Gzip final : public Packer {
 public:
  Gzip() { deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY); }
  ~Gzip() override { deflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  void Pack(std::string_view bytes, bool last, std::string* out) override {
    // zlib does not write to what it reads.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    std::array<Bytef, 64 << 10> buffer{};
    do {
      stream_.next_out = buffer.data();
      stream_.avail_out = buffer.size();
      deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      out->append(reinterpret_cast<const char*>(buffer.data()), buffer.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
};

class Zstd final : public Packer {
 public:
  Zstd() : stream_(ZSTD_createCCtx(), &ZSTD_freeCCtx) {
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1);
  }
  void Pack(std::string_view bytes, bool last, std::string* out) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::array<char, 64 << 10> buffer{};
    for (;;) {
      ZSTD_outBuffer piece{buffer.data(), buffer.size(), 0};
      const size_t left = ZSTD_compressStream2(stream_.get(), &piece, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      out->append(buffer.data(), piece.pos);
      if (last ? left == 0 : in.pos == in.size) return;
    }
  }

 private:
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> stream_;
};

std::unique_ptr<Packer> PackerFor(std::string_view path) {
  if (path.ends_with(".gz")) return std::make_unique<Gzip>();
  if (path.ends_with(".zst")) return std::make_unique<Zstd>();
  return std::make_unique<Plain>();
}

class File final : public OutFile {
 public:
  File(std::string path, int file) : path_(std::move(path)), file_(file), packer_(PackerFor(path_)) {}
  ~File() override {
    if (finished_ || path_ == "-") return;
    ::close(file_);
    ::unlink(Part().c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  Status Write(std::string_view bytes) override {
    in_ += bytes.size();
    packer_->Pack(bytes, /*last=*/false, &buffer_);
    return buffer_.size() < kBufferBytes ? Status() : Drain();
  }

  Status Finish() override {
    packer_->Pack({}, /*last=*/true, &buffer_);
    TM_RETURN_IF_ERROR(Drain());
    if (path_ == "-") return {};
    if (::fsync(file_) != 0) return SystemError(path_);
    // With link and not rename: a file that somebody has made meanwhile is not written over.
    if (::link(Part().c_str(), path_.c_str()) != 0) return SystemError(path_);
    ::unlink(Part().c_str());
    ::close(file_);
    finished_ = true;
    return {};
  }

  [[nodiscard]] uint64_t bytes_in() const override { return in_; }
  [[nodiscard]] uint64_t bytes_out() const override { return out_; }

 private:
  [[nodiscard]] std::string Part() const { return path_ + ".part"; }

  Status Drain() {
    for (std::string_view rest = buffer_; !rest.empty();) {
      const ssize_t written = ::write(file_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError(path_ == "-" ? "standard output" : path_);
      rest.remove_prefix(static_cast<size_t>(written));
    }
    out_ += buffer_.size();
    buffer_.clear();
    return {};
  }

  const std::string path_;
  const int file_;
  const std::unique_ptr<Packer> packer_;
  std::string buffer_;
  uint64_t in_ = 0;
  uint64_t out_ = 0;
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<OutFile>> OutFile::Create(const std::string& path) {
  if (path == "-") return std::make_unique<File>(path, STDOUT_FILENO);
  if (::access(path.c_str(), F_OK) == 0) {
    return MakeError(ErrorCode::kAlreadyExists, path + " is there already: name another file, or remove it");
  }
  const int file = ::open((path + ".part").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return SystemError(path + ".part");
  return std::make_unique<File>(path, file);
}

std::string_view WithoutPacking(std::string_view path) {
  for (const std::string_view packing : {".gz", ".zst"}) {
    if (path.ends_with(packing)) return path.substr(0, path.size() - packing.size());
  }
  return path;
}

}  // namespace tidemark::cli
