#include "pool.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <pthread.h>
#endif

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace tidegate {

namespace {

// How long to spin before a waiting thread yields, or a worker without work goes to sleep.
constexpr int kSpins = 4000;

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class Pool {
 public:
  static Pool &get();

  std::mutex busy;

  void grow(int workers) {
    while ((int)threads_.size() < workers) {
      const int index = (int)threads_.size() + 1;
      threads_.emplace_back([this, index, seen = job_.load()] { serve(index, seen); });
    }
  }

  void run(int threads, void (*work)(void *, int), void *self) {
    work_ = work;
    self_ = self;
    wanted_ = threads;
    // Those that have no part in it answer too: none can come late and mistake the next job for this.
    left_.store((int)threads_.size(), std::memory_order_relaxed);
    {
      // Under the lock, so that no worker misses it between its last look and falling asleep.
      std::lock_guard<std::mutex> lock(mutex_);
      job_.fetch_add(1, std::memory_order_release);
    }
    if (asleep_.load() > 0) wake_.notify_all();
    work(self, 0);
    for (int spins = 0; left_.load(std::memory_order_acquire) > 0; spins++)
      spins < kSpins ? pause() : std::this_thread::yield();
  }

  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
      job_.fetch_add(1);
    }
    wake_.notify_all();
    for (auto &thread : threads_) thread.join();
  }

 private:
  void serve(int index, std::uint64_t seen) {
    for (;;) {
      seen = await(seen);
      if (stop_) return;
      if (index < wanted_) work_(self_, index);
      left_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::uint64_t await(std::uint64_t seen) {
    for (int spins = 0; spins < kSpins; spins++) {
      const std::uint64_t now = job_.load(std::memory_order_acquire);
      if (now != seen) return now;
      pause();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    asleep_.fetch_add(1);
    wake_.wait(lock, [&] { return job_.load() != seen; });
    asleep_.fetch_sub(1);
    return job_.load();
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> job_{0};
  std::atomic<int> asleep_{0};
  std::atomic<int> left_{0};
  void (*work_)(void *, int) = nullptr;
  void *self_ = nullptr;
  int wanted_ = 0;
  bool stop_ = false;
};

std::unique_ptr<Pool> &instance() {
  static std::unique_ptr<Pool> pool = std::make_unique<Pool>();
  return pool;
}

// Null until somebody shares it; null again in a forked child, where its threads are gone.
std::atomic<const OpenMP *> openmp{nullptr};

#if !defined(_WIN32)
// A child process has none of its parent's threads: it leaves their pool alone and makes its own.
void forget_in_child() {
  openmp = nullptr;
  (void)instance().release();
  instance() = std::make_unique<Pool>();
}
#endif

void watch_forks() {
#if !defined(_WIN32)
  static const int once = pthread_atfork(nullptr, nullptr, forget_in_child);
  (void)once;
#endif
}

Pool &Pool::get() {
  watch_forks();
  return *instance();
}

// What the threads of OpenMP are called with; each draws its number.
struct Job {
  void (*work)(void *, int);
  void *self;
  std::atomic<int> drawn{0};

  static void enter(void *data) {
    Job &job = *static_cast<Job *>(data);
    job.work(job.self, job.drawn.fetch_add(1));
  }
};

}  // namespace

void share(const OpenMP &entries) {
  watch_forks();
  static OpenMP kept;
  openmp = nullptr;
  kept = entries;
  if (kept.parallel && kept.in_parallel) openmp = &kept;
}

Lease::Lease(int threads) : threads_(threads < 1 ? 1 : threads) {
  if (threads_ == 1) return;
  if (const OpenMP *library = openmp) {
    // Within a parallel region of somebody else there are no more threads to be had.
    if (library->in_parallel()) threads_ = 1;
    else shared_ = true;
    return;
  }
  held_ = Pool::get().busy.try_lock();
  if (!held_) {
    threads_ = 1;
    return;
  }
  Pool::get().grow(threads_ - 1);
}

Lease::~Lease() {
  if (held_) Pool::get().busy.unlock();
}

void Lease::run(void (*work)(void *, int), void *self) const {
  if (threads_ == 1) return work(self, 0);
  if (shared_) {
    Job job{work, self};
    return openmp.load()->parallel(Job::enter, &job, static_cast<unsigned>(threads_), 0);
  }
  Pool::get().run(threads_, work, self);
}

void Barrier::wait() {
  if (threads_ == 1) return;
  const std::uint32_t round = round_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads_ - 1) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; round_.load(std::memory_order_acquire) == round; spins++)
    spins < kSpins ? pause() : std::this_thread::yield();
}

}  // namespace tidegate
