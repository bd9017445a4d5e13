// What the walks through time share, the one over tiles and the one over rows: where the numbers of
// a row stand at a step, how its new state goes out, and how it ends.
#pragma once

#include "plan.h"

namespace TIDEGATE_TARGET {

// Where the values of one row stand at one step.
template <class Item>
struct SpotOf {
  Index b, t;
  bool reset_next;  // the state is put to zero before the next step
  Item *y;          // the output of this step
  Item *gates;      // what is kept of it, or null
  float *cells;
  const float *h_old;  // h before the step, filled up
  Item *h_seen;        // where the next step reads h as w_hh sees it
  float *h_next;       // where the next step reads h_old, if that is another place; or null
  const float *mask;   // of recurrent dropout, filled up; or null
  float *c;            // the cell state, filled up
};

using Spot = SpotOf<float>;

// The caller's pointers say float, whatever they point to.
template <class Item>
const Item *items(const float *p) {
  return reinterpret_cast<const Item *>(p);
}
template <class Item>
Item *items(float *p) {
  return reinterpret_cast<Item *>(p);
}

template <class Item>
TIDEGATE_INLINE Item *y_at(const Plan &p, Index b, Index t) {
  return items<Item>(p.q.y) + b * p.q.y_row + t * p.q.y_step;
}

template <class Item>
TIDEGATE_INLINE const Item *x_at(const Plan &p, Index place, Index s) {
  return items<Item>(p.q.x) + p.rows[place] * p.q.x_row + p.time(place, s) * p.q.x_step;
}

// Fills in what the caller's own arrays have of the row in a place at step s.
template <class Item>
TIDEGATE_INLINE void locate(const Plan &p, Index place, Index s, SpotOf<Item> &spot) {
  const tidegate_sequence &q = p.q;
  const Index b = p.rows[place], t = p.time(place, s);
  spot.b = b, spot.t = t;
  // A row's last step leaves its state as it is.
  spot.reset_next = s + 1 < p.lengths[place] && p.resets(b, p.time(place, s + 1));
  spot.y = y_at<Item>(p, b, t);
  if (q.gates) spot.gates = items<Item>(q.gates) + (b * q.T + t) * p.G;
  if (q.cells) spot.cells = q.cells + (b * q.T + t) * q.H;
}

TIDEGATE_INLINE Vec zone(Vec fresh, Vec old, const std::uint8_t *mask, float rate, Index at,
                         Index left) {
  if (mask) return select(load_flags(mask + at, left), old, fresh);
  return rate != 0 ? fma(splat(rate), old - fresh, fresh) : fresh;
}

// Sends a vector of new hidden units out, and to where the next step reads it. With a projection
// there are fewer of them than units of the cell: P, not H.
template <class Item>
TIDEGATE_INLINE void emit(const Plan &p, const SpotOf<Item> &s, Index unit, Vec h) {
  const Index left = p.q.P - unit;
  if (p.q.zone_hidden || p.q.zone_hidden_rate != 0)
    h = zone(h, load(s.h_old + unit), p.q.zone_hidden, p.q.zone_hidden_rate,
             (s.b * p.q.T + s.t) * p.q.P + unit, left);
  store_some(s.y + unit, h, left);
  if (s.reset_next) h = Vec{};
  if (s.h_next) store(s.h_next + unit, h);
  // The backward pass has what was kept: let the weights see the same.
  store(s.h_seen + unit, s.mask ? as_kept<Item>(h) * load(s.mask + unit) : h);
}

// Copies units [u0, u1) of a row of states.
inline void copy_units(const float *from, Index u0, Index u1, float *to) {
  if (u0 < u1) std::copy(from + u0, from + u1, to + u0);
}

// Hands out units [u0, u1) of the states that row b ends with; c is null without a cell state.
inline void leave(const Plan &p, Index b, Index u0, Index u1, const float *h, const float *c) {
  copy_units(h, u0, std::min(u1, p.q.P), p.q.h_n + b * p.q.P);
  if (c) copy_units(c, u0, std::min(u1, p.q.H), p.q.c_n + b * p.q.H);
}

// Outputs are zero past each row's end; an empty row ends where it begins.
template <class Item>
void clear_ends(const Plan &p, int thread, int threads) {
  const tidegate_sequence &q = p.q;
  for (Index place = thread; place < q.B; place += threads) {
    const Index b = p.rows[place];
    for (Index t = p.lengths[place]; t < q.T; t++) std::fill_n(y_at<Item>(p, b, t), q.P, Item{});
    if (p.lengths[place] == 0)
      leave(p, b, 0, p.Hp, q.h0 + b * q.P, p.has_cell ? q.c0 + b * q.H : nullptr);
  }
}

}  // namespace TIDEGATE_TARGET
