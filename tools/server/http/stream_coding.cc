#include "tools/server/http/stream_coding.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "storage/base/check.h"
#include "storage/base/mutex.h"

namespace tidemark::http {
namespace {

constexpr size_t kChunkBytes = size_t{32} << 10;

class GzipCoder final : public StreamCoder {
 public:
  GzipCoder() {
    constexpr int kGzipWindow = 15 + 16;  // 32 KiB, with the header of gzip
    constexpr int kMemory = 8;
    // Level 1: JSON shrinks to an eighth for a third of the time of level 6.
    TM_CHECK(deflateInit2(&state_, 1, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~GzipCoder() override { deflateEnd(&state_); }

  std::string Code(std::string_view bytes, bool last) override {
    std::string out;
    std::array<unsigned char, kChunkBytes> chunk;
    // zlib reads from there and takes no const.
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    state_.avail_in = static_cast<uInt>(bytes.size());
    TM_CHECK(state_.avail_in == bytes.size());
    do {
      state_.next_out = chunk.data();
      state_.avail_out = kChunkBytes;
      TM_CHECK(deflate(&state_, last ? Z_FINISH : Z_NO_FLUSH) != Z_STREAM_ERROR);
      out.append(reinterpret_cast<const char*>(chunk.data()), kChunkBytes - state_.avail_out);
    } while (state_.avail_out == 0);
    return out;
  }

 private:
  z_stream state_{};
};

class ZstdCoder final : public StreamCoder {
 public:
  ZstdCoder() : state_(ZSTD_createCStream()) {
    TM_CHECK(state_ != nullptr);
    ZSTD_CCtx_setParameter(state_.get(), ZSTD_c_compressionLevel, 1);
    // A browser takes windows of up to 8 MiB; JSON gains nothing beyond this one, and each stream holds it.
    ZSTD_CCtx_setParameter(state_.get(), ZSTD_c_windowLog, 18);
  }

  std::string Code(std::string_view bytes, bool last) override {
    std::string out;
    std::array<char, kChunkBytes> chunk;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer to{chunk.data(), chunk.size(), 0};
      const size_t left = ZSTD_compressStream2(state_.get(), &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      TM_CHECK(ZSTD_isError(left) == 0);
      out.append(chunk.data(), to.pos);
      if (last ? left == 0 : in.pos == in.size) return out;
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_CStream* state) const { ZSTD_freeCStream(state); }
  };
  const std::unique_ptr<ZSTD_CStream, Free> state_;
};

class CodedStream final : public ReplyStream {
 public:
  CodedStream(std::shared_ptr<ReplyStream> stream, std::shared_ptr<StreamCoder> coder)
      : stream_(std::move(stream)), coder_(std::move(coder)) {}

  bool Push(std::string bytes) override {
    MutexLock lock(mutex_);
    if (finished_ || stream_->closed()) return false;
    std::string coded = coder_->Code(bytes, false);
    return coded.empty() || stream_->Push(std::move(coded));
  }
  // What has gone through the coder cannot be taken back, so this waits too.
  bool TryPush(std::string bytes) override { return Push(std::move(bytes)); }
  void Finish() override {
    MutexLock lock(mutex_);
    if (std::exchange(finished_, true)) return;
    if (!stream_->closed()) stream_->Push(coder_->Code({}, true));
    stream_->Finish();
  }
  [[nodiscard]] bool closed() const override { return stream_->closed(); }

 private:
  const std::shared_ptr<ReplyStream> stream_;
  const std::shared_ptr<StreamCoder> coder_;
  Mutex mutex_;
  bool finished_ TM_GUARDED_BY(mutex_) = false;
};

// The weight behind a ';' (RFC 9110, 12.4.2); 1 without one or where it cannot be read.
double WeightOf(std::string_view parameters) {
  parameters = Trim(parameters);
  if (parameters.size() < 2 || (parameters[0] != 'q' && parameters[0] != 'Q')) return 1;
  parameters = Trim(parameters.substr(1));
  if (!parameters.starts_with('=')) return 1;
  parameters = Trim(parameters.substr(1));
  double weight = 1;
  const auto [end, error] = std::from_chars(parameters.data(), parameters.data() + parameters.size(), weight);
  return error == std::errc() && end == parameters.data() + parameters.size() ? weight : 1;
}

}  // namespace

std::string_view Name(Coding coding) {
  switch (coding) {
    case Coding::kIdentity: return "identity";
    case Coding::kGzip: return "gzip";
    case Coding::kZstd: return "zstd";
  }
  return "identity";
}

Coding CodingFor(std::string_view accept_encoding, bool zstd) {
  std::optional<double> for_gzip;
  std::optional<double> for_zstd;
  double for_others = 0;
  while (!accept_encoding.empty()) {
    const size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    const size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view name = Trim(item.substr(0, semicolon));
    const double weight = semicolon == item.size() ? 1 : WeightOf(item.substr(semicolon + 1));
    if (EqualsNoCase(name, "gzip") || EqualsNoCase(name, "x-gzip")) for_gzip = weight;
    if (EqualsNoCase(name, "zstd")) for_zstd = weight;
    if (name == "*") for_others = weight;
  }
  const double gzip_weight = for_gzip.value_or(for_others);
  const double zstd_weight = zstd ? for_zstd.value_or(for_others) : 0;
  if (zstd_weight > 0 && zstd_weight >= gzip_weight) return Coding::kZstd;
  return gzip_weight > 0 ? Coding::kGzip : Coding::kIdentity;
}

std::unique_ptr<StreamCoder> MakeStreamCoder(Coding coding) {
  switch (coding) {
    case Coding::kIdentity: return nullptr;
    case Coding::kGzip: return std::make_unique<GzipCoder>();
    case Coding::kZstd: return std::make_unique<ZstdCoder>();
  }
  return nullptr;
}

std::shared_ptr<ReplyStream> MakeCodedStream(std::shared_ptr<ReplyStream> stream, std::shared_ptr<StreamCoder> coder) {
  return std::make_shared<CodedStream>(std::move(stream), std::move(coder));
}

void CodeStream(std::string_view accept_encoding, Response* response) {
  const Coding coding = CodingFor(accept_encoding);
  response->Set("Vary", "Accept-Encoding");
  std::shared_ptr<StreamCoder> coder = MakeStreamCoder(coding);
  if (coder == nullptr) return;
  response->Set("Content-Encoding", std::string(Name(coding)));
  response->body = coder->Code(response->body, false);
  response->produce = [coder = std::move(coder),
                       produce = std::move(response->produce)](std::shared_ptr<ReplyStream> stream) mutable {
    produce(MakeCodedStream(std::move(stream), std::move(coder)));
  };
}

}  // namespace tidemark::http
