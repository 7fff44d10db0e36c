#include "storage/rocks/ingest_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace tidemark::storage::rocks {
namespace {

TEST(IngestGateTest, ShutWaitsForWhoIsInside) {
  IngestGate gate;
  std::atomic<bool> inside = true;
  std::latch entered(1);
  const std::jthread visitor([&] {
    const IngestGate::Visit visit(&gate);
    entered.count_down();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    inside = false;
  });
  entered.wait();
  gate.Shut();
  EXPECT_FALSE(inside);
  gate.Open();
}

TEST(IngestGateTest, NobodyEntersUntilItIsOpen) {
  IngestGate gate;
  gate.Shut();
  std::atomic<bool> open = false;
  std::atomic<int> early = 0;
  {
    std::jthread first([&] {
      const IngestGate::Visit visit(&gate);
      if (!open) ++early;
    });
    std::jthread second([&] {
      const IngestGate::Visit visit(&gate);
      if (!open) ++early;
    });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    open = true;
    gate.Open();
  }
  EXPECT_EQ(early, 0);
  gate.Open();  // again is nothing
  const IngestGate::Visit visit(&gate);
}

}  // namespace
}  // namespace tidemark::storage::rocks
