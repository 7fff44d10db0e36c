#include "executor/pool/asio_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <latch>
#include <thread>

namespace tidemark::executor {
namespace {

namespace asio = boost::asio;
using Executor = AsioPool::executor_type;

static_assert(asio::execution::is_executor_v<Executor>);
static_assert(asio::can_require_v<Executor, asio::execution::blocking_t::never_t>);
static_assert(!asio::can_require_v<Executor, asio::execution::blocking_t::always_t>);
static_assert(asio::can_query_v<Executor, asio::execution::context_t>);
static_assert(asio::can_prefer_v<Executor, asio::execution::outstanding_work_t::tracked_t>);
static_assert(asio::can_prefer_v<Executor, asio::execution::relationship_t::fork_t>);
static_assert(std::is_convertible_v<Executor, asio::any_io_executor>);
static_assert(std::is_nothrow_copy_constructible_v<Executor>);
static_assert(std::is_base_of_v<asio::execution_context, AsioPool>);

TEST(AsioPool, PostDispatchAndDeferRunOnWorkers) {
  ThreadPool pool({.workers = 2});
  AsioPool asio_pool(pool, TaskKind::kRule);
  std::atomic<int> elsewhere = 0;
  std::latch done(3);
  const auto self = std::this_thread::get_id();
  const auto handler = [&] {
    elsewhere += std::this_thread::get_id() == self ? 0 : 1;
    done.count_down();
  };
  asio::post(asio_pool.get_executor(), handler);
  asio::dispatch(asio_pool.get_executor(), handler);
  asio::defer(asio_pool.get_executor(), handler);
  done.wait();
  EXPECT_EQ(elsewhere, 3);
  pool.Stop();
  EXPECT_EQ(pool.stats().of(TaskKind::kRule).tasks_finished, 3);
}

TEST(AsioPool, MoveOnlyHandlersAndFutures) {
  ThreadPool pool({.workers = 1});
  AsioPool asio_pool(pool, TaskKind::kQuery);
  auto value = std::make_unique<int>(41);
  std::future<int> answer =
      asio::post(asio_pool.get_executor(), asio::use_future([value = std::move(value)] { return *value + 1; }));
  EXPECT_EQ(answer.get(), 42);
}

TEST(AsioPool, AStrandOrdersWhatRunsOnIt) {
  ThreadPool pool({.workers = 4});
  AsioPool asio_pool(pool, TaskKind::kQuery);
  auto strand = asio::make_strand(asio_pool.get_executor());
  constexpr int kHandlers = 5'000;
  std::vector<int> order;  // by the strand alone
  std::latch done(kHandlers);
  for (int i = 0; i < kHandlers; ++i) {
    asio::post(strand, [&, i] {
      order.push_back(i);
      done.count_down();
    });
  }
  done.wait();
  ASSERT_EQ(order.size(), kHandlers);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

asio::awaitable<int> SumTo(int n) {
  int sum = 0;
  for (int i = 1; i <= n; ++i) {
    co_await asio::post(asio::use_awaitable);
    sum += i;
  }
  co_return sum;
}

TEST(AsioPool, CoroutinesRunOnIt) {
  ThreadPool pool({.workers = 3});
  AsioPool asio_pool(pool, TaskKind::kQuery);
  std::future<int> sum = asio::co_spawn(asio_pool.get_executor(), SumTo(100), asio::use_future);
  EXPECT_EQ(sum.get(), 5'050);
}

TEST(AsioPool, AnyIoExecutorKeepsContextAndKind) {
  ThreadPool pool({.workers = 1});
  AsioPool asio_pool(pool, TaskKind::kQuery);
  AsioPool other(pool, TaskKind::kQuery);
  const asio::any_io_executor any = asio_pool.get_executor();
  EXPECT_EQ(&asio::query(any, asio::execution::context), static_cast<asio::execution_context*>(&asio_pool));
  EXPECT_EQ(any, asio::any_io_executor(asio_pool.get_executor()));
  EXPECT_NE(asio_pool.get_executor(), other.get_executor());
  EXPECT_NE(asio_pool.get_executor(), asio_pool.get_executor().of_kind(TaskKind::kFlush));
  std::promise<void> ran;
  asio::post(any, [&] { ran.set_value(); });
  ran.get_future().get();
}

}  // namespace
}  // namespace tidemark::executor
