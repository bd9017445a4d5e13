/* One step of one row, forward and backward, in double. */
#ifndef TIDEGATE_TESTS_SCALAR_STEP_H
#define TIDEGATE_TESTS_SCALAR_STEP_H

#include <vector>

#include "tidegate.h"

namespace scalar {

using Vector = std::vector<double>;

/* What one product W v left behind: `in` is v, `out` the product with its bias, or normalised. */
struct Product {
  Vector in, out;
  Vector normal; /* (W v - mean) / deviation, with layer norm */
  double deviation = 1;
};

/* Everything that one step of one row computed. */
struct Step {
  int64_t row = 0, t = 0;
  Vector h_old, c_old;                 /* the state before the step, after a reset */
  Vector recurrent;                    /* h_old as w_hh sees it */
  std::vector<Product> from_x, from_h; /* one for each range of rows that is normalised apart */
  std::vector<Vector> gates;           /* by slot, as tidegate.h names them, [H] each */
  Vector c_raw, c_new;                 /* before and after the clip, before zoneout */
  Product read;                        /* c_new as the tanh sees it; `in` is not used */
  Vector squashed, unprojected;        /* tanh(read), o * tanh(read) */
  Vector h_new, h_after, c_after;      /* before and after zoneout */
};

/* Sums over all rows and steps, shaped like the weights. */
struct WeightSums {
  Vector w_ih, w_hh, b_ih, b_hh, w_ch, w_hr, norm_ih, norm_hh, norm_cell, norm_cell_bias;
  explicit WeightSums(const tidegate_sequence &s);
};

/* Gradients that flow through one step. */
struct Flow {
  Vector dh, dc;              /* in: of the state after the step; out: of that before it */
  std::vector<Vector> dgates; /* in: of the gates, by slot */
  Vector dx;                  /* out */
};

/* Take step.row, t, h_old and c_old, and compute the rest. */
void step_forward(const tidegate_sequence &s, Step &step);

void step_backward(const tidegate_sequence &s, const Step &step, Flow &flow, WeightSums &sums);

}  // namespace scalar
#endif
