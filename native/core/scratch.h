// Memory that a calling thread keeps from call to call.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace tidegate {

// Bytes between what one thread writes and what another reads: two lines of a cache, for they are
// fetched in pairs.
constexpr std::size_t kApart = 128;

// Hands out pieces that live until the next `rewind`. Throws std::bad_alloc.
class Scratch {
 public:
  static Scratch &of_this_thread();
  static void poison(bool on);

  void rewind();
  float *floats(std::ptrdiff_t count) { return static_cast<float *>(bytes(count * 4)); }
  template <class T>
  T *array(std::ptrdiff_t count) {
    return static_cast<T *>(bytes(count * (std::ptrdiff_t)sizeof(T)));
  }

 private:
  struct Free {
    void operator()(void *p) const;
  };
  struct Block {
    std::unique_ptr<void, Free> memory;
    std::size_t size;
  };

  void *bytes(std::ptrdiff_t count);

  std::vector<Block> blocks_;
  std::size_t used_ = 0;   // of the last block
  std::size_t total_ = 0;  // handed out since the last rewind
};

// Asks for large pages behind memory of the caller that is about to be written for the first time:
// with small ones the page faults of a training step take a tenth of its time.
void prefer_large_pages(void *p, std::ptrdiff_t bytes);

}  // namespace tidegate
