// AsioPool: a ThreadPool as an execution context of Asio, so that post, co_spawn, strands and any_io_executor run on
// it:
//
//   AsioPool asio(pool, TaskKind::kQuery);
//   boost::asio::post(asio.get_executor(), [] { ... });
//   auto strand = boost::asio::make_strand(asio.get_executor());
//
// What is submitted may wait for room in the pool's queue, as in ThreadPool::Submit; from a worker it never waits.
// There is no reactor here: sockets and timers need an io_context of their own, whose handlers may be bound to this
// executor.
//
// Source: Asio's executor requirements,
// https://www.boost.org/doc/libs/1_81_0/doc/html/boost_asio/reference/Executor1.html and the properties of
// boost/asio/execution.
#pragma once

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/is_executor.hpp>
#include <utility>

#include "executor/pool/thread_pool.h"

namespace tidemark::executor {

// The pool outlives it; it outlives what runs on it. Handlers must not throw.
class AsioPool final : public boost::asio::execution_context {
 public:
  // Cheap to copy. Thread-safe.
  class executor_type {  // NOLINT(readability-identifier-naming): the name that Asio looks for
   public:
    executor_type(AsioPool& context, TaskKind kind) noexcept : context_(&context), kind_(kind) {}

    // Runs `function` on a worker, later, and never before this returns - but for a worker with full queues.
    template <typename Function>
    void execute(Function&& function) const {  // NOLINT(readability-identifier-naming)
      context_->pool_.Submit(kind_, std::forward<Function>(function));
    }

    // NOLINTBEGIN(readability-identifier-naming): Asio's names
    [[nodiscard]] AsioPool& query(boost::asio::execution::context_t) const noexcept { return *context_; }
    static constexpr boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) noexcept {
      return boost::asio::execution::blocking.never;
    }
    static constexpr boost::asio::execution::mapping_t query(boost::asio::execution::mapping_t) noexcept {
      return boost::asio::execution::mapping.thread;
    }
    // The same pool for work of another kind.
    [[nodiscard]] executor_type of_kind(TaskKind kind) const noexcept { return {*context_, kind}; }
    [[nodiscard]] TaskKind kind() const noexcept { return kind_; }
    // NOLINTEND(readability-identifier-naming)

    friend bool operator==(const executor_type&, const executor_type&) noexcept = default;

   private:
    AsioPool* context_;
    TaskKind kind_;
  };

  AsioPool(ThreadPool& pool, TaskKind kind) : pool_(pool), kind_(kind) {}
  // Services, as those of strands, go first.
  ~AsioPool() {
    shutdown();
    destroy();
  }

  [[nodiscard]] executor_type get_executor() noexcept { return {*this, kind_}; }  // NOLINT

 private:
  ThreadPool& pool_;
  const TaskKind kind_;
};

static_assert(boost::asio::execution::is_executor_v<AsioPool::executor_type>);

}  // namespace tidemark::executor
