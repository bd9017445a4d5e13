// What the walks back through time share, the one over tiles and the one over rows.
#pragma once

#include "walk.h"

namespace TIDEGATE_TARGET {

// Where the values of one row stand at one step of the walk back.
template <class Item>
struct BackSpotOf {
  Index b, t;
  bool reset;  // the state was put to zero before the step
  const Item *dy;
  const Item *gates, *dgates;
  const float *cells, *dcells;
  const Item *h_old;  // before the step; null for zero; P numbers
  const float *c_old;
  float *dh, *dc;     // in: of the states after the step; out: before it
  Item *dg_h, *dg_x;  // gradients of the pre-activations, in the order of the panels;
                      // slots stand `lanes` of the plan apart
  float *peep;        // sums of this row for the peephole weights
  Item *blocks;       // the same gradients, block by block ...
  Index block_step;   // ... and how far apart the blocks are

  Item *block(Index i) const { return blocks + i * block_step; }
};

using BackSpot = BackSpotOf<float>;

// Splits the gradient of a state after zoneout: what is left of it belongs to the fresh value,
// `direct` to the old one.
TIDEGATE_INLINE void split_zone(Vec &d, Vec *direct, const std::uint8_t *mask, float rate, Index at,
                                Index left) {
  if (mask) {
    const IVec old = load_flags(mask + at, left);
    *direct = select(old, d, Vec{});
    d = select(old, Vec{}, d);
  } else if (rate != 0) {
    *direct = d * splat(rate);
    d = d - *direct;
  }
}

// The gradient of a vector of fresh hidden units, P of them as in `emit`; what goes straight to the
// old ones is left in dh.
template <class Item>
TIDEGATE_INLINE Vec arrive(const Plan &p, const BackSpotOf<Item> &s, Index unit) {
  const Index left = p.q.P - unit;
  Vec d = load(s.dh + unit), direct = {};
  if (s.dy) d = d + load_some(s.dy + unit, left);
  split_zone(d, &direct, p.q.zone_hidden, p.q.zone_hidden_rate, (s.b * p.q.T + s.t) * p.q.P + unit,
             left);
  store(s.dh + unit, direct);
  return d;
}

// The gradients of the states between a step and the one before it, a row for each place.
struct StateGradients {
  float *dh, *dc = nullptr;  // dc is null without a cell state
  Index dh_row, dc_row;

  StateGradients(const Plan &p, Index width, Scratch &scratch) : dh_row(width), dc_row(p.Hp) {
    dh = scratch.floats(p.q.B * dh_row);
    if (p.has_cell) dc = scratch.floats(p.q.B * dc_row);
  }

  void clear(const Plan &p, int thread, int threads) const {
    clear_part(dh, p.q.B * dh_row, thread, threads);
    if (dc) clear_part(dc, p.q.B * dc_row, thread, threads);
  }

  // A row's last step: the gradients of its final states come in, for units [u0, u1).
  void enter(const Plan &p, const tidegate_gradient &g, Index place, Index u0, Index u1) const {
    const tidegate_sequence &q = p.q;
    const Index b = p.rows[place];
    if (g.dh_n) copy_units(g.dh_n + b * q.P, u0, std::min(u1, q.P), dh + place * dh_row);
    if (dc && g.dc_n) copy_units(g.dc_n + b * q.H, u0, std::min(u1, q.H), dc + place * dc_row);
  }

  // The walk is over: those of the initial states go out. Of an empty row they are the same.
  void leave(const Plan &p, const tidegate_gradient &g, Index place, Index u0, Index u1) const {
    const tidegate_sequence &q = p.q;
    const Index b = p.rows[place];
    if (p.lengths[place] == 0) enter(p, g, place, u0, u1);
    if (g.dh0) copy_units(dh + place * dh_row, u0, std::min(u1, q.P), g.dh0 + b * q.P);
    if (dc && g.dc0) copy_units(dc + place * dc_row, u0, std::min(u1, q.H), g.dc0 + b * q.H);
  }
};

template <class Item>
TIDEGATE_INLINE const Item *dy_at(const tidegate_gradient &g, Index b, Index t) {
  return items<Item>(g.dy) + b * g.dy_row + t * g.dy_step;
}

template <class Item>
TIDEGATE_INLINE Item *dx_at(const tidegate_gradient &g, Index b, Index t) {
  return items<Item>(g.dx) + b * g.dx_row + t * g.dx_step;
}

// The gradient of x is zero past each row's end.
template <class Item>
void clear_dx(const Plan &p, const tidegate_gradient &g, int thread, int threads) {
  for (Index place = thread; place < p.q.B && g.dx; place += threads)
    for (Index t = p.lengths[place]; t < p.q.T; t++)
      std::fill_n(dx_at<Item>(g, p.rows[place], t), p.q.I, Item{});
}

// h before step s of a row, or null for zero; h0 has the initial ones, [B, P].
template <class Item>
TIDEGATE_INLINE const Item *h_before(const Plan &p, const Item *h0, Index place, Index s) {
  const Index b = p.rows[place];
  if (p.resets(b, p.time(place, s))) return nullptr;
  return s == 0 ? h0 + b * p.q.P : y_at<Item>(p, b, p.time(place, s - 1));
}

// The same of c.
inline const float *c_before(const Plan &p, Index place, Index s) {
  const tidegate_sequence &q = p.q;
  const Index b = p.rows[place];
  if (p.resets(b, p.time(place, s))) return nullptr;
  return s == 0 ? q.c0 + b * q.H : q.cells + (b * q.T + p.time(place, s - 1)) * q.H;
}

// Fills in what the caller's own arrays have of the row in a place at step s, and its gradients.
template <class Item>
TIDEGATE_INLINE void locate(const Plan &p, const tidegate_gradient &g, const StateGradients &states,
                            const Item *h0, Index place, Index s, BackSpotOf<Item> &spot) {
  const tidegate_sequence &q = p.q;
  const Index b = p.rows[place], t = p.time(place, s), cell = b * q.T + t;
  spot.b = b, spot.t = t;
  spot.reset = p.resets(b, t);
  if (g.dy) spot.dy = dy_at<Item>(g, b, t);
  spot.gates = items<Item>(q.gates) + cell * p.G;
  if (g.dgates) spot.dgates = items<Item>(g.dgates) + cell * p.G;
  spot.h_old = h_before(p, h0, place, s);
  spot.dh = states.dh + place * states.dh_row;
  if (!states.dc) return;
  spot.cells = q.cells + cell * q.H;
  if (g.dcells) spot.dcells = g.dcells + cell * q.H;
  spot.c_old = c_before(p, place, s);
  spot.dc = states.dc + place * states.dc_row;
}

// What the weights saw of a row at step s: x, and h with its dropout.
template <class Item>
void remember(const Plan &p, const Item *h0, Index place, Index s, Item *to) {
  const tidegate_sequence &q = p.q;
  std::copy_n(x_at<Item>(p, place, s), q.I, to);
  const Item *h = h_before(p, h0, place, s);
  const float *mask = q.recurrent_mask ? q.recurrent_mask + p.rows[place] * q.P : nullptr;
  to += q.I;
  if (!h) std::fill_n(to, q.P, Item{});
  else if (!mask) std::copy_n(h, q.P, to);
  else
    for (Index u = 0; u < q.P; u += W)
      store_some(to + u, load_some(h + u, q.P - u) * load_some(mask + u, q.P - u), q.P - u);
}

// Always inlined: GCC takes a function that only fetches for one that does nothing.
template <class Number>
TIDEGATE_INLINE void fetch(const Number *from, Index size) {
  for (Index i = 0; i < size; i += 64 / (Index)sizeof(Number)) __builtin_prefetch(from + i);
}

}  // namespace TIDEGATE_TARGET
