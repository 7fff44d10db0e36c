#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/cli/transfer/files.h"

namespace tidemark::cli {
namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;
constexpr int kGzipWindow = 15 + 16;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

// The bytes of a file as they lie there, through a buffer.
class Raw {
 public:
  Raw(std::string path, int file) : path_(std::move(path)), file_(file) {
    struct stat state = {};
    if (::fstat(file_, &state) == 0 && S_ISREG(state.st_mode)) all_ = static_cast<uint64_t>(state.st_size);
  }
  ~Raw() {
    if (file_ != STDIN_FILENO) ::close(file_);
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  // Reads more when nothing is left, or when there are fewer than `least`. Nothing is left at the end.
  Status Fill(size_t least = 1) {
    if (left().size() >= least || ended_) return {};
    buffer_.erase(0, at_);
    at_ = 0;
    while (buffer_.size() < least && !ended_) {
      const size_t size = buffer_.size();
      buffer_.resize(size + kBufferBytes);
      ssize_t got = 0;
      do {
        got = ::read(file_, buffer_.data() + size, kBufferBytes);
      } while (got < 0 && errno == EINTR);
      buffer_.resize(size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
      if (got < 0) return IoError(fmt::format("{}: {}", path_, std::strerror(errno)));
      ended_ = got == 0;
      read_ += static_cast<uint64_t>(got);
    }
    return {};
  }
  [[nodiscard]] std::string_view left() const { return std::string_view(buffer_).substr(at_); }
  void Take(size_t count) { at_ += count; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] uint64_t all() const { return all_; }
  [[nodiscard]] uint64_t read() const { return read_ - left().size(); }

 private:
  const std::string path_;
  const int file_;
  std::string buffer_;
  size_t at_ = 0;
  uint64_t read_ = 0;
  uint64_t all_ = 0;
  bool ended_ = false;
};

class File : public InFile {
 public:
  explicit File(std::unique_ptr<Raw> raw) : raw_(std::move(raw)) {}
  Result<size_t> Read(char* to, size_t size) override {
    size_t done = 0;
    while (done < size) {
      TM_RETURN_IF_ERROR(raw_->Fill());
      if (raw_->left().empty() && !Holds()) break;
      TM_TRY_ASSIGN(const size_t some, Unpack(to + done, size - done));
      done += some;
      if (some == 0 && raw_->left().empty()) {
        TM_RETURN_IF_ERROR(raw_->Fill());
        if (raw_->left().empty()) break;
      }
    }
    if (done < size && Cut()) {
      return Corruption(
          fmt::format("{}: it ends in the midst of what was packed: a part of it is missing", raw_->path()));
    }
    return done;
  }
  [[nodiscard]] uint64_t bytes_all() const override { return raw_->all(); }
  [[nodiscard]] uint64_t bytes_read() const override { return raw_->read(); }

 protected:
  // Takes bytes of raw() and writes at most `size`; 0 when it needs more.
  virtual Result<size_t> Unpack(char* to, size_t size) = 0;
  // Whether bytes are to come without any more to read.
  [[nodiscard]] virtual bool Holds() const { return false; }
  // Whether the end is none.
  [[nodiscard]] virtual bool Cut() const { return false; }
  [[nodiscard]] Raw& raw() { return *raw_; }
  [[nodiscard]] Error Damaged(std::string_view what) const {
    return Corruption(fmt::format("{}: what is packed is damaged: {}", raw_->path(), what));
  }

 private:
  const std::unique_ptr<Raw> raw_;
};

class PlainFile final : public File {
 public:
  using File::File;

 private:
  Result<size_t> Unpack(char* to, size_t size) override {
    const size_t count = std::min(size, raw().left().size());
    std::memcpy(to, raw().left().data(), count);
    raw().Take(count);
    return count;
  }
};

class GzipFile final : public File {
 public:
  explicit GzipFile(std::unique_ptr<Raw> raw) : File(std::move(raw)) { inflateInit2(&stream_, kGzipWindow); }
  ~GzipFile() override { inflateEnd(&stream_); }
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;

 private:
  Result<size_t> Unpack(char* to, size_t size) override {
    const std::string_view left = raw().left();
    if (!within_ && !left.empty()) {
      // Several in one file are one after the other.
      inflateReset(&stream_);
      within_ = true;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(left.data()));
    stream_.avail_in = static_cast<uInt>(left.size());
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(std::min(size, kBufferBytes));
    const uInt wanted = stream_.avail_out;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    raw().Take(left.size() - stream_.avail_in);
    if (code == Z_STREAM_END) within_ = false;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return Damaged(stream_.msg != nullptr ? stream_.msg : "no gzip");
    }
    full_ = stream_.avail_out == 0;
    return static_cast<size_t>(wanted - stream_.avail_out);
  }
  [[nodiscard]] bool Holds() const override { return full_ && within_; }
  [[nodiscard]] bool Cut() const override { return within_; }

  z_stream stream_{};
  bool within_ = false;
  bool full_ = false;
};

class ZstdFile final : public File {
 public:
  explicit ZstdFile(std::unique_ptr<Raw> raw)
      : File(std::move(raw)), stream_(ZSTD_createDStream(), &ZSTD_freeDStream) {}

 private:
  Result<size_t> Unpack(char* to, size_t size) override {
    const std::string_view left = raw().left();
    ZSTD_inBuffer in{left.data(), left.size(), 0};
    ZSTD_outBuffer out{to, size, 0};
    const size_t more = ZSTD_decompressStream(stream_.get(), &out, &in);
    raw().Take(in.pos);
    if (ZSTD_isError(more) != 0) return Damaged(ZSTD_getErrorName(more));
    within_ = more != 0;
    full_ = out.pos == out.size;
    return out.pos;
  }
  [[nodiscard]] bool Holds() const override { return full_ && within_; }
  [[nodiscard]] bool Cut() const override { return within_; }

  std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream_;
  bool within_ = false;
  bool full_ = false;
};

}  // namespace

Result<std::unique_ptr<InFile>> InFile::Open(const std::string& path) {
  const int file = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return MakeError(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                     fmt::format("{}: {}", path, std::strerror(errno)));
  }
  auto raw = std::make_unique<Raw>(path == "-" ? "standard input" : path, file);
  TM_RETURN_IF_ERROR(raw->Fill(kZstdMagic.size()));
  if (raw->left().starts_with(kGzipMagic)) return std::make_unique<GzipFile>(std::move(raw));
  if (raw->left().starts_with(kZstdMagic)) return std::make_unique<ZstdFile>(std::move(raw));
  // What is packed is never empty.
  const bool cut = (path.ends_with(".gz") && kGzipMagic.starts_with(raw->left())) ||
                   (path.ends_with(".zst") && kZstdMagic.starts_with(raw->left()));
  if (cut)
    return Corruption(fmt::format("{}: the packed file is cut: {} bytes of it are there", path, raw->left().size()));
  return std::make_unique<PlainFile>(std::move(raw));
}

}  // namespace tidemark::cli
