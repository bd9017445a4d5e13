/* Calls from several threads at once, numbers of threads that change from call to call, threads
 * that end, and a fork. Meant to run under ThreadSanitizer, too.
 *
 *   test_threads [rounds] [seed]
 */
#include <cstdlib>
#include <mutex>
#include <thread>

#if !defined(_WIN32)
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "check.h"
#include "problem.h"

#if defined(__SANITIZE_THREAD__)
#define UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER 1
#endif
#endif
#ifndef UNDER_THREAD_SANITIZER
#define UNDER_THREAD_SANITIZER 0
#endif

namespace tests {
namespace {

/* A problem, and what it gives on one thread alone. */
struct Sample {
  Problem problem;
  Results alone;
};

std::vector<Sample> draw_samples(uint64_t seed, int64_t count) {
  std::vector<Sample> samples;
  Random random(seed);
  while (int64_t(samples.size()) < count) {
    Case c = draw_case(random);
    const int64_t way = int64_t(samples.size()) % 6;
    if (way < 3) stretch(c, Stretch(way), random);
    if (tidegate_supports(c.kind, c.options, c.H, c.P) != TIDEGATE_OK) continue;
    c.threads = 1;
    Problem problem(c, random);
    Results alone = train(library, problem);
    samples.push_back({problem, alone});
  }
  return samples;
}

Problem with_threads(const Sample &sample, int32_t threads) {
  Problem problem = sample.problem;
  problem.c.threads = threads;
  return problem;
}

/* One line for what differs; empty if nothing does. */
std::string compare(const Sample &sample, const Problem &problem, const Results &results) {
  std::string wrong = results.damage;
  for (const auto &[name, value] : results.values)
    if (!same_bits(value, *sample.alone.find(name))) wrong += " " + name;
  return wrong.empty() ? "" : wrong + " differ: " + problem.c.text();
}

std::string compare(const Sample &sample, int32_t threads) {
  const Problem problem = with_threads(sample, threads);
  return compare(sample, problem, train(library, problem));
}

void check_changing(const std::vector<Sample> &samples, int64_t rounds) {
  where = "changing threads";
  Random random(7);
  for (int64_t round = 0; round < rounds; ++round)
    for (const Sample &sample : samples) {
      const std::string wrong = compare(sample, int32_t(random.whole(1, 5)));
      CHECK(wrong.empty(), wrong);
    }
}

/* Several problems in one call. */
void check_together(const std::vector<Sample> &samples, int64_t rounds) {
  where = "together";
  Random random(11);
  for (int64_t round = 0; round < rounds; ++round)
    for (size_t first = 0; first < samples.size(); ++first) {
      const int32_t threads = int32_t(random.whole(1, 4));
      const size_t count = size_t(random.whole(1, 3));
      std::vector<Problem> problems;
      auto sample = [&](size_t i) -> const Sample & {
        return samples[(first + 5 * i) % samples.size()];
      };
      for (size_t i = 0; i < count; ++i) problems.push_back(with_threads(sample(i), threads));
      const std::vector<Results> results = train_together(problems);
      for (size_t i = 0; i < count; ++i) {
        const std::string wrong = compare(sample(i), problems[i], results[i]);
        CHECK(wrong.empty(), wrong);
      }
    }
}

/* `callers` threads, each through all samples from another one on. */
void check_concurrent(const std::vector<Sample> &samples, int64_t rounds, int callers,
                      const std::string &what) {
  where = what;
  std::mutex lock;
  auto work = [&](int caller) {
    Random random{uint64_t(caller)};
    for (int64_t n = 0; n < rounds * int64_t(samples.size()); ++n) {
      const Sample &sample = samples[(n + caller * 5) % samples.size()];
      const std::string wrong = compare(sample, int32_t(random.whole(1, 3)));
      if (wrong.empty()) continue;
      std::lock_guard<std::mutex> guard(lock);
      fail(wrong);
    }
  };
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller) threads.emplace_back(work, caller);
  for (std::thread &thread : threads) thread.join();
}

/* Threads that come and go, each with scratch memory of its own to free. */
void check_short_lived(const std::vector<Sample> &samples) {
  for (int round = 0; round < 10; ++round)
    check_concurrent({samples[size_t(round) % samples.size()]}, 1, 3, "short-lived threads");
}

#if !defined(_WIN32)
/* What the child found: 0 for nothing wrong, or that it never came back. */
int wait_for(pid_t child) {
  for (int tenths = 0; tenths < 600; ++tenths) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    usleep(100000);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return -1;
}

/* The child has none of the threads of the parent's pool, and must get along. */
void check_fork(const std::vector<Sample> &samples, int depth) {
  where = "fork, depth " + std::to_string(depth);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    failures = 0;
    check_changing(samples, 1);
    if (depth < 2) check_fork(samples, depth + 1);
    std::fflush(nullptr);
    _exit(std::min(failures, 100));
  }
  CHECK(child > 0, "fork");
  const int status = child > 0 ? wait_for(child) : 0;
  CHECK(status == 0, "exit status of the child: " + std::to_string(status));
  check_changing(samples, 1); /* the parent's pool works on */
}

/* A fork while another thread is in the middle of calls. */
void check_fork_while_busy(const std::vector<Sample> &samples) {
  std::thread busy([&] { check_concurrent(samples, 2, 1, "busy while forking"); });
  const pid_t child = fork();
  if (child == 0) {
    const std::string wrong = compare(samples.front(), 2);
    _exit(wrong.empty() ? 0 : 1);
  }
  const int status = child > 0 ? wait_for(child) : 0;
  busy.join();
  where = "fork while busy";
  CHECK(status == 0, "exit status of the child: " + std::to_string(status));
}
#endif

int run_all(int64_t rounds, uint64_t seed) {
  const std::vector<Sample> samples = draw_samples(seed, 12);
  check_changing(samples, rounds);
  check_together(samples, rounds);
  check_concurrent(samples, rounds, 4, "concurrent calls");
  check_short_lived(samples);
#if !defined(_WIN32)
  /* ThreadSanitizer cannot follow the threads of a forked child. */
  if (!UNDER_THREAD_SANITIZER) {
    check_fork(samples, 1);
    check_fork_while_busy(samples);
  }
#endif
  check_concurrent(samples, 1, 3, "concurrent calls at the end");
  return report("test_threads");
}

}  // namespace
}  // namespace tests

int main(int count, char **words) {
  const int64_t rounds = count > 1 ? std::atoll(words[1]) : 3;
  const uint64_t seed = count > 2 ? std::strtoull(words[2], nullptr, 10) : 1;
  tests::name_crashes();
  return tests::run_all(rounds, seed);
}
