// LentThread: a thread that serves others works for one of them, and says so when that will take long.
//
// An io thread answers a short query itself, since handing it to another thread would take as long as the query. When
// the query turns out to be long, or has to wait for a disk, the thread finds itself a substitute:
//
//   class Loan : public LentThread { void TakeBack() override { ... } };
//   { Loan loan; LentThread::Scope scope(&loan); Answer(); }       the owner
//   ThisThreadIsBusy();                                            anywhere below
#pragma once

namespace tidemark {

class LentThread {
 public:
  virtual ~LentThread() = default;
  // On the thread that was lent, once at most in a scope: it does nothing else for its owner until the scope ends.
  virtual void TakeBack() = 0;

  // While it lives, the calling thread is lent by `owner`. Scopes do not nest.
  class Scope {
   public:
    explicit Scope(LentThread* owner);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
  };
};

// To be called before the calling thread waits for a device, or computes for more than some hundred microseconds. Does
// nothing on a thread that nobody lent, or that was taken back; then it takes nanoseconds.
void ThisThreadIsBusy();
// Whether ThisThreadIsBusy would do something: for who can find out whether it will be busy.
[[nodiscard]] bool ThisThreadIsLent();

}  // namespace tidemark
