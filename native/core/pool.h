// Threads that wait for work, and the barrier between them.
#pragma once

#include <atomic>
#include <cstdint>

namespace tidegate {

// The entries of an OpenMP library whose threads are used in place of own ones.
struct OpenMP {
  void (*parallel)(void (*work)(void *), void *data, unsigned threads, unsigned flags);
  int (*in_parallel)();
};

void share(const OpenMP &openmp);

// The right to use threads for one call. Where own threads are used, whoever comes while another
// call has them gets one thread, its own, so that no call waits for another.
class Lease {
 public:
  explicit Lease(int threads);
  ~Lease();
  Lease(const Lease &) = delete;
  Lease &operator=(const Lease &) = delete;

  int threads() const { return threads_; }

  // Call work(0) ... work(threads - 1) at the same time; one of them runs on the caller.
  template <class Work>
  void run(Work &work) const {
    run([](void *self, int thread) { (*static_cast<Work *>(self))(thread); }, &work);
  }

 private:
  void run(void (*work)(void *, int), void *self) const;

  int threads_;
  bool held_ = false;    // own threads
  bool shared_ = false;  // those of OpenMP
};

// Waits by spinning: the threads of one call reach it within microseconds. One that waits longer,
// because the machine is busy with something else, gives its core away.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}
  void wait();

 private:
  const int threads_;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
};

}  // namespace tidegate
