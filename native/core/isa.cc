// The choice of the instruction set: by TIDEGATE_ISA, by the caller, or the best that the machine runs.
#include "dispatch.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

namespace tidegate {

extern const Kernels kernels_portable;
#if defined(TIDEGATE_HAVE_AVX2)
extern const Kernels kernels_avx2;
#endif
#if defined(TIDEGATE_HAVE_AVX512)
extern const Kernels kernels_avx512;
#endif
#if defined(TIDEGATE_HAVE_AVX512BF16)
extern const Kernels kernels_avx512bf16;
#endif
#if defined(TIDEGATE_HAVE_NEON)
extern const Kernels kernels_neon;
#endif

namespace {

// Best first: all that there are, built here or not.
constexpr const char *kNames[] = {"avx512bf16", "avx512", "avx2", "neon", "portable"};

// Those that this build has and this machine runs, best first.
const std::vector<const Kernels *> &all() {
  static const std::vector<const Kernels *> list = [] {
    std::vector<const Kernels *> found;
#if defined(TIDEGATE_HAVE_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
#if defined(TIDEGATE_HAVE_AVX512BF16)
      if (__builtin_cpu_supports("avx512bf16")) found.push_back(&kernels_avx512bf16);
#endif
      found.push_back(&kernels_avx512);
    }
#endif
#if defined(TIDEGATE_HAVE_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      found.push_back(&kernels_avx2);
#endif
#if defined(TIDEGATE_HAVE_NEON)
    found.push_back(&kernels_neon);
#endif
    found.push_back(&kernels_portable);
    return found;
  }();
  return list;
}

const Kernels *find(const std::string &name) {
  for (const Kernels *kernels : all())
    if (kernels->name == name) return kernels;
  return nullptr;
}

// The names of all(), with something between them.
std::string choices(const char *between) {
  std::string text;
  for (const Kernels *kernels : all())
    text += (text.empty() ? "" : between) + std::string(kernels->name);
  return text;
}

// Why there is no instruction set `name`, which `asker` asked for.
std::string fault_of(const std::string &asker, const std::string &name) {
  const bool known = std::count(std::begin(kNames), std::end(kNames), name) > 0;
  return asker + " must be one of " + choices(", ") + "; got '" + name + "', " +
         (known ? "which this build or this machine does not have" : "which is no instruction set");
}

struct Choice {
  std::atomic<const Kernels *> kernels;
  std::string fault;

  Choice() {
    const char *name = std::getenv("TIDEGATE_ISA");
    const bool asked = name && *name;
    kernels = asked ? find(name) : all().front();
    if (!kernels) fault = fault_of("TIDEGATE_ISA", name);
  }
};

Choice &choice() {
  static Choice made;
  return made;
}

}  // namespace

const Kernels *kernels() { return choice().kernels; }

const char *isa_fault() { return kernels() ? nullptr : choice().fault.c_str(); }

}  // namespace tidegate

using namespace tidegate;

const char *tidegate_isa(void) {
  if (const Kernels *chosen = kernels()) return chosen->name;
  fail(TIDEGATE_BAD_ARGUMENT, isa_fault());
  return nullptr;
}

const char *tidegate_isas(void) {
  static const std::string names = choices(",");
  return names.c_str();
}

int tidegate_choose_isa(const char *name) {
  const Kernels *wanted = name ? find(name) : nullptr;
  if (!wanted)
    return fail(TIDEGATE_BAD_ARGUMENT, fault_of("the instruction set", name ? name : ""));
  choice().kernels = wanted;
  return TIDEGATE_OK;
}
