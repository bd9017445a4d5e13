// The row-wise path from end to end, beside the one that keeps its sums in registers.
#pragma once

#include "rows_backward.h"
#include "rows_forward.h"

namespace TIDEGATE_TARGET {

template <class Cell>
struct Rows {
  using Family = Cell;
  using Equations = typename Cell::ByRows;

  static void forward(const tidegate_sequence &sequence, Scratch &scratch) {
    const tidegate::Lease lease(sequence.threads);
    const int threads = lease.threads();
    const Plan plan(Cell{}, sequence, scratch);
    const Parts parts(plan, false, false, scratch);
    prefer_large_outputs(plan);
    RowsForward<Equations> forward(plan, parts, threads, scratch);
    Barrier packed(threads);
    auto work = [&](int thread) {
      parts.pack(thread, threads);
      packed.wait();
      forward.run(thread);
    };
    lease.run(work);
  }

  static void backward(const tidegate_sequence &sequence, const tidegate_gradient &gradient,
                       Scratch &scratch) {
    const tidegate::Lease lease(sequence.threads);
    const int threads = lease.threads();
    const Plan plan(Cell{}, sequence, scratch);
    const Parts parts(plan, true, gradient.dx != nullptr, scratch);
    RowsBackward<Equations> backward(plan, parts, gradient, threads, scratch);
    auto work = [&](int thread) {
      parts.pack(thread, threads);
      backward.run(thread);  // waits for the others before it reads
    };
    lease.run(work);
  }

  // What the layers of a stream share.
  struct Packed {
    explicit Packed(const Plan &plan) : parts(plan, false, false, memory) { parts.pack(0, 1); }
    Scratch memory;
    Parts parts;
  };

  using Walk = RowsForward<Equations>;
  static Walk walk(const Plan &plan, const Packed &packed, Scratch &scratch) {
    return Walk(plan, packed.parts, 1, scratch);
  }
};

}  // namespace TIDEGATE_TARGET
