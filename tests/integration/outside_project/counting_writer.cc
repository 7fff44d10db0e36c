// Writes the points count,writer=NAME v=1i,n=<i>i at the times base + i seconds, for i from FIRST to LAST - 1.
//
//   counting_writer URL SPOOL NAME BASE_S FIRST LAST PER_SECOND CLOSE_WAIT_MS [untimed]
//
// With `untimed` the points have no times of their own: the writer gives them some.
// Prints "persisted I" whenever all points before I are safe on disk or at the server, and its counters at the end.
#include <clients/cpp/writer.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace client = tidemark::client;

int main(int argc, char** argv) {
  if (argc != 9 && argc != 10) {
    std::fprintf(stderr, "counting_writer URL SPOOL NAME BASE_S FIRST LAST PER_SECOND CLOSE_WAIT_MS [untimed]\n");
    return 2;
  }
  client::WriterOptions options;
  options.url = argv[1];
  options.spool_directory = argv[2];
  options.batch_points = 20;
  options.batch_age = std::chrono::milliseconds(50);
  options.backoff = {std::chrono::milliseconds(20), std::chrono::milliseconds(200)};
  options.on_rejected = [](const client::Rejection& rejection) {
    std::printf("rejected %llu: %s\n", static_cast<unsigned long long>(rejection.points),
                rejection.refusal.text.c_str());
    for (const client::RejectedLine& line : rejection.refusal.lines) {
      std::printf("line %u: %s: %s\n", line.number, line.reason.c_str(), line.line.c_str());
    }
  };
  auto writer = client::Writer::Open(options);
  if (!writer.ok()) {
    std::fprintf(stderr, "counting_writer: %s\n", writer.error().message.c_str());
    return 1;
  }
  const std::string name = argv[3];
  const int64_t base_s = std::atoll(argv[4]);
  const int64_t first = std::atoll(argv[5]);
  const int64_t last = std::atoll(argv[6]);
  const int64_t per_second = std::atoll(argv[7]);
  client::Point point("count");
  auto next = std::chrono::steady_clock::now();
  for (int64_t i = first; i < last; ++i) {
    point.Reset("count").Tag("writer", name).Field("v", 1).Field("n", i);
    if (argc == 9) point.Time((base_s + i) * 1'000'000'000);
    if (const client::Status written = (*writer)->Write(point); !written.ok()) {
      std::fprintf(stderr, "counting_writer: %s\n", written.error().message.c_str());
      return 1;
    }
    if ((i + 1) % 50 == 0 && (*writer)->Persist(std::chrono::seconds(30)).ok()) {
      std::printf("persisted %lld\n", static_cast<long long>(i + 1));
      std::fflush(stdout);
    }
    next += std::chrono::microseconds(1'000'000 / per_second);
    std::this_thread::sleep_until(next);
  }
  const client::Status closed = (*writer)->Close(std::chrono::milliseconds(std::atoll(argv[8])));
  const client::WriterStats stats = (*writer)->stats();
  std::printf("delivered %llu recovered %llu rejected %llu lost %llu repeats %llu spooled %llu\n",
              static_cast<unsigned long long>(stats.delivered), static_cast<unsigned long long>(stats.recovered),
              static_cast<unsigned long long>(stats.rejected), static_cast<unsigned long long>(stats.lost),
              static_cast<unsigned long long>(stats.repeats), static_cast<unsigned long long>(stats.spool_points));
  if (!closed.ok()) std::printf("%s\n", closed.error().message.c_str());
  return 0;
}
