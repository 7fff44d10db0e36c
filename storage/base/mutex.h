// Mutex, SharedMutex and their locks, annotated for clang's thread-safety analysis (preset `clang`), which
// std::mutex is not. Source: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
//
//   Mutex mutex_;
//   int count_ TM_GUARDED_BY(mutex_) = 0;
//   void Add() { MutexLock lock(mutex_); ++count_; }
#pragma once

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define TM_ATTRIBUTE_(x) __attribute__((x))
#else
#define TM_ATTRIBUTE_(x)
#endif

#define TM_CAPABILITY(x) TM_ATTRIBUTE_(capability(x))
#define TM_SCOPED_CAPABILITY TM_ATTRIBUTE_(scoped_lockable)
#define TM_GUARDED_BY(x) TM_ATTRIBUTE_(guarded_by(x))
#define TM_PT_GUARDED_BY(x) TM_ATTRIBUTE_(pt_guarded_by(x))
#define TM_REQUIRES(...) TM_ATTRIBUTE_(requires_capability(__VA_ARGS__))
#define TM_REQUIRES_SHARED(...) TM_ATTRIBUTE_(requires_shared_capability(__VA_ARGS__))
#define TM_EXCLUDES(...) TM_ATTRIBUTE_(locks_excluded(__VA_ARGS__))
#define TM_ACQUIRE(...) TM_ATTRIBUTE_(acquire_capability(__VA_ARGS__))
#define TM_ACQUIRE_SHARED(...) TM_ATTRIBUTE_(acquire_shared_capability(__VA_ARGS__))
#define TM_RELEASE(...) TM_ATTRIBUTE_(release_capability(__VA_ARGS__))
#define TM_RELEASE_GENERIC(...) TM_ATTRIBUTE_(release_generic_capability(__VA_ARGS__))
#define TM_RETURN_CAPABILITY(x) TM_ATTRIBUTE_(lock_returned(x))
#define TM_NO_THREAD_SAFETY_ANALYSIS TM_ATTRIBUTE_(no_thread_safety_analysis)

namespace tidemark {

class TM_CAPABILITY("mutex") Mutex {
 public:
  void Lock() TM_ACQUIRE() { mutex_.lock(); }
  void Unlock() TM_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class TM_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TM_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() TM_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class TM_CAPABILITY("shared_mutex") SharedMutex {
 public:
  void Lock() TM_ACQUIRE() { mutex_.lock(); }
  void Unlock() TM_RELEASE() { mutex_.unlock(); }
  void LockShared() TM_ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void UnlockShared() TM_RELEASE_GENERIC() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class TM_SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mutex) TM_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~WriterLock() TM_RELEASE() { mutex_.Unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class TM_SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) TM_ACQUIRE_SHARED(mutex) : mutex_(mutex) { mutex_.LockShared(); }
  ~ReaderLock() TM_RELEASE_GENERIC() { mutex_.UnlockShared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

// A condition variable that waits on Mutex. Spurious wake-ups happen: call Wait in a loop over the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) TM_REQUIRES(mutex) TM_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // Returns false when `timeout` passed without a notification.
  template <typename Duration>
  bool WaitFor(Mutex& mutex, Duration timeout) TM_REQUIRES(mutex) TM_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool notified = cv_.wait_for(lock, timeout) == std::cv_status::no_timeout;
    lock.release();
    return notified;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace tidemark
