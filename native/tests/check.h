/* Counts what fails, and says it in one line. */
#ifndef TIDEGATE_TESTS_CHECK_H
#define TIDEGATE_TESTS_CHECK_H

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace tests {

inline int failures = 0;
inline std::string where; /* what every line names: instruction set, number of the case */

inline void fail(const std::string &what) {
  if (++failures <= 50) std::printf("FAILED [%s] %s\n", where.c_str(), what.c_str());
}

inline std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

/* Where the program was when it crashed; good enough for a test that ends here anyway. */
inline void on_crash(int signal) {
  std::printf("CRASHED [%s] by signal %d\n", where.c_str(), signal);
  std::fflush(nullptr);
  std::_Exit(101);
}

/* Not under a sanitizer, which says more than that. */
inline void name_crashes() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  for (int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGILL}) std::signal(signal, on_crash);
#endif
}

/* What main returns: the number of failures, as far as an exit code can hold it. */
inline int report(const char *program) {
  std::printf("%s: %d failures\n", program, failures);
  return std::min(failures, 100);
}

}  // namespace tests

#define CHECK(condition, what)                                                     \
  do {                                                                             \
    if (!(condition)) tests::fail(std::string(#condition " is false: ") + (what)); \
  } while (0)

#endif
