// What the row-wise path needs to know of a cell: its matrices, and what is normalised apart.
//
// The path is for the variants whose units depend on one another within a step (layer
// normalisation, projection, the reset gate before the product): it makes whole rows of
// pre-activations, and then walks over each row.
#pragma once

#include "forward.h"
#include "matrix.h"

namespace TIDEGATE_TARGET {

struct Parts {
  // What multiplies x and what multiplies h: all gates, or those of the last blocks apart.
  Matrix x[2], h[2];
  int x_count = 1, h_count = 1;
  // Within a step: the projection, or the last blocks where they wait for the others' gates.
  Matrix inner;
  bool inner_adds = false;  // to the product of x[1]
  Norm cell = {};           // of the cell state; its gain is null without layer norm
  Weights shared = {};      // the peephole weights alone

  Parts(const Plan &p, bool backward, bool back_to_x, Scratch &scratch) {
    const tidegate_sequence &q = p.q;
    const bool norm = p.has(TIDEGATE_LAYER_NORM);
    const int apart = p.shape.apart, first = tidegate::count_names(p.shape.blocks) - apart;
    x[0] = of_x(p, 0, first), h[0] = of_h(p, 0, first);
    if (apart > 0) {
      inner_adds = p.shape.inner;
      x_count = 2, h_count = inner_adds ? 1 : 2;
      x[1] = of_x(p, first, apart);
      (inner_adds ? inner : h[1]) = of_h(p, first, apart);
    }
    if (q.w_hr) inner.rows = {q.P, 1}, inner.K = q.H, inner.w = q.w_hr;
    for (int i = 0; i < x_count; i++) {
      complete(x[i], q.w_ih, norm ? q.norm_ih : nullptr, q.b_ih, norm ? nullptr : q.b_hh, scratch);
      x[i].make_room(!backward || norm, back_to_x, scratch);
    }
    for (Matrix *m : {h, h + 1, &inner}) {
      if (!*m) continue;
      if (m == &inner && q.w_hr) complete(*m, q.w_hr, nullptr, nullptr, nullptr, scratch);
      else complete(*m, q.w_hh, norm ? q.norm_hh : nullptr, q.b_hh, nullptr, scratch);
      m->make_room(!backward || norm, backward, scratch);
    }
    if (norm && p.has_cell)
      cell = {
          {q.H, 1}, fill_up(p, q.norm_cell, 1, scratch), fill_up(p, q.norm_cell_bias, 1, scratch)};
    shared.peep = fill_up(p, q.w_ch, p.shape.peepholes, scratch);
  }

  void pack(int thread, int threads) const {
    for (const Matrix *m : {x, x + 1, h, h + 1, &inner})
      if (*m) m->pack(thread, threads);
  }

 private:
  static Matrix of_x(const Plan &p, int first, int gates) {
    Matrix m;
    m.rows = {p.q.H, gates}, m.K = p.q.I, m.w = p.q.w_ih + first * p.q.H * p.q.I;
    return m;
  }

  static Matrix of_h(const Plan &p, int first, int gates) {
    Matrix m;
    m.rows = {p.q.H, gates}, m.K = p.q.P, m.w = p.q.w_hh + first * p.q.H * p.q.P;
    return m;
  }

  // `all` is the matrix that m is a part of; gain and biases have a number for each of its rows.
  // Without norms every product adds to that of x, which so takes both biases.
  static void complete(Matrix &m, const float *all, const float *gain, const float *bias,
                       const float *other, Scratch &scratch) {
    const Index first = (m.w - all) / m.K;
    auto lay_out = [&](std::initializer_list<const float *> sources) {
      float *to = scratch.floats(m.rows.width());
      std::fill_n(to, m.rows.width(), 0.0f);
      for (const float *from : sources)
        if (from) spread(m.rows, from + first, to);
      return to;
    };
    m.norm = {m.rows, gain ? lay_out({gain}) : nullptr, lay_out({bias, other})};
  }
};

}  // namespace TIDEGATE_TARGET
