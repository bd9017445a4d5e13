// What everything but its equations has to be known of a family of cells: the descriptor that its
// header in native/cells/ gives, from which the checks, the plans and the kernels follow.
#pragma once

#include <cstdint>
#include <memory>

#include "scratch.h"
#include "tidegate.h"

namespace tidegate {

// How the gates of one variant of a cell stand in the weights, in a tile and in `gates`.
struct Shape {
  const char *blocks;  // names of the blocks of H rows of w_ih and w_hh, in order
  const char *kept;    // names of the gates in the slots of `gates`, in order; who keeps something
                       // else beside them has that behind them, without a name

  // A block of `units` hidden units, one vector of them or four, has `slots` vectors of sums in a
  // tile; the product with x adds to x_count of them from x_first on, the one with h likewise.
  int slots, x_first, x_count, h_first, h_count, units;
  int x_rows[4], h_rows[4];  // which block of weight rows each of those vectors takes

  // The row-wise walk: the last `apart` blocks have products of their own, and where `inner` is
  // set the one with h comes within the step, after the gates that the other blocks make. That is
  // more than the walk over tiles can do.
  int apart;
  bool inner;

  int peepholes;  // weights of each unit in w_ch, which is there if this is not 0
};

// One layer of a stream. It owns packed weights, which its copies share.
class StreamLayer {
 public:
  virtual ~StreamLayer() = default;
  // Takes one step: x [B, I] to y [B, P], and the state in place.
  virtual void step(const float *x, float *y, float *h, float *c) = 0;
  virtual std::unique_ptr<StreamLayer> copy() const = 0;
};

// A family as an instruction set computes it.
struct Family {
  const char *name;
  const char *options;  // names of its own options, in the order of their bits from TIDEGATE_OWN
  bool has_cell;        // a cell state c beside h
  bool projects;        // may send out w_hr h in place of h
  Shape (*shape)(std::int32_t options);

  void (*forward)(const tidegate_sequence &, Scratch &);
  void (*backward)(const tidegate_sequence &, const tidegate_gradient &, Scratch &);
  std::unique_ptr<StreamLayer> (*stream)(const tidegate_sequence &);
};

// How many names there are in a list with spaces between them.
inline int count_names(const char *names) {
  int count = *names != 0;
  for (; *names; names++) count += *names == ' ';
  return count;
}

// Whether a sequence needs the row-wise walk, because units depend on one another within a step.
inline bool needs_rows(const tidegate_sequence &q, const Shape &shape) {
  return (q.options & TIDEGATE_LAYER_NORM) || q.w_hr || shape.inner;
}

}  // namespace tidegate
