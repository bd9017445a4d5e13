// What each instruction set brings: one table of functions.
#pragma once

#include <memory>

#include "scratch.h"
#include "tidegate.h"

namespace tidegate {

// One layer of a stream. It owns packed weights, which its copies share.
class StreamLayer {
 public:
  virtual ~StreamLayer() = default;
  // Takes one step: x [B, I] to y [B, P], and the state in place.
  virtual void step(const float *x, float *y, float *h, float *c) = 0;
  virtual std::unique_ptr<StreamLayer> copy() const = 0;
};

struct Kernels {
  const char *name;
  int units;  // floats in a vector, and hidden units in a block of gates
  void (*forward)(const tidegate_sequence &, Scratch &);
  void (*backward)(const tidegate_sequence &, const tidegate_gradient &, Scratch &);
  std::unique_ptr<StreamLayer> (*stream)(const tidegate_sequence &);
  // Multiply-adds in registers, `rounds` times; returns how many flops that was.
  double (*burn)(long rounds);
};

}  // namespace tidegate
