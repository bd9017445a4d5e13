#include "scratch.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tidegate {

namespace {

constexpr std::size_t kAlign = kApart;
constexpr std::size_t kHugePage = std::size_t{1} << 21;

std::atomic<bool> poisoned{false};

void *allocate(std::size_t size) {
  const std::size_t align = size >= kHugePage ? kHugePage : kAlign;
#if defined(_WIN32)
  void *p = _aligned_malloc(size, align);
#else
  void *p = nullptr;
  if (posix_memalign(&p, align, size) != 0) p = nullptr;
#endif
  if (p == nullptr) throw std::bad_alloc();
  prefer_large_pages(p, static_cast<std::ptrdiff_t>(size));
  return p;
}

}  // namespace

void prefer_large_pages(void *p, std::ptrdiff_t bytes) {
#if defined(__linux__)
  const auto at = (reinterpret_cast<std::uintptr_t>(p) + kHugePage - 1) / kHugePage * kHugePage;
  const auto end = (reinterpret_cast<std::uintptr_t>(p) + bytes) / kHugePage * kHugePage;
  if (p && at < end) madvise(reinterpret_cast<void *>(at), end - at, MADV_HUGEPAGE);
#else
  (void)p, (void)bytes;
#endif
}

void Scratch::Free::operator()(void *p) const {
#if defined(_WIN32)
  _aligned_free(p);
#else
  std::free(p);
#endif
}

Scratch &Scratch::of_this_thread() {
  thread_local Scratch scratch;
  return scratch;
}

void Scratch::poison(bool on) { poisoned = on; }

void Scratch::rewind() {
  // Several blocks mean that the last call outgrew the first: take one of the whole size instead.
  if (blocks_.size() > 1) {
    blocks_.clear();
    const std::size_t size = total_ + total_ / 8;
    blocks_.push_back({std::unique_ptr<void, Free>(allocate(size)), size});
  }
  used_ = total_ = 0;
}

void *Scratch::bytes(std::ptrdiff_t count) {
  const std::size_t size = (static_cast<std::size_t>(count) + kAlign) / kAlign * kAlign;
  if (blocks_.empty() || used_ + size > blocks_.back().size) {
    const std::size_t room = size > 65536 ? size : 65536;
    blocks_.push_back({std::unique_ptr<void, Free>(allocate(room)), room});
    used_ = 0;
  }
  char *p = static_cast<char *>(blocks_.back().memory.get()) + used_;
  used_ += size;
  total_ += size;
  if (poisoned) std::memset(p, 0xff, size);  // a NaN in every float
  return p;
}

}  // namespace tidegate
