// The walk back through time, chunk by chunk.
//
// In a chunk of steps each thread first walks its own rows back and leaves the gradients of all
// pre-activations; then the threads share the gradients of the weights, and those of x by rows. The
// valid steps of a chunk stand one after another, the last step first, rows in the plan's order:
// that order, and so each sum over it, is the same for any number of threads.
#pragma once

#include "forward.h"
#include "weight_gradient.h"

namespace TIDEGATE_TARGET {

// Where the values of one row stand at one step of the walk back.
template <class Item>
struct BackSpotOf {
  Index b, t;
  bool reset;  // the state was put to zero before the step
  const Item *dy;
  const Item *gates, *dgates;
  const float *cells, *dcells;
  const Item *h_old;           // before the step; null for zero; H numbers
  const float *c_old;
  float *dh, *dc;              // in: of the states after the step; out: before it
  Item *dg_h, *dg_x;           // gradients of the pre-activations, in the order of the panels;
                               // slots stand `lanes` of the plan apart
  float *peep;                 // sums of this row for the peephole weights
  Item *blocks;                // the same gradients, block by block ...
  Index block_step;            // ... and how far apart the blocks are

  Item *block(Index i) const { return blocks + i * block_step; }
};

using BackSpot = BackSpotOf<float>;

// Splits the gradient of a state after zoneout: what is left of it belongs to the fresh value,
// `direct` to the old one.
TIDEGATE_INLINE void split_zone(Vec &d, Vec *direct, const std::uint8_t *mask, float rate,
                                Index at, Index left) {
  if (mask) {
    const IVec old = load_flags(mask + at, left);
    *direct = select(old, d, Vec{});
    d = select(old, Vec{}, d);
  } else if (rate != 0) {
    *direct = d * splat(rate);
    d = d - *direct;
  }
}

// The gradient of a vector of fresh hidden units; what goes straight to the old ones is left in dh.
template <class Item>
TIDEGATE_INLINE Vec arrive(const Plan &p, const BackSpotOf<Item> &s, Index unit) {
  const Index left = p.units_left(unit);
  Vec d = load(s.dh + unit), direct = {};
  if (s.dy) d = d + load_some(s.dy + unit, left);
  split_zone(d, &direct, p.q.zone_hidden, p.q.zone_hidden_rate,
             (s.b * p.q.T + s.t) * p.q.P + unit, left);
  store(s.dh + unit, direct);
  return d;
}

// Packed weights for the way back: [words of gates][4W] for each four vectors of h, of x.
struct BackWeights {
  const float *h, *x;
  Index h_step, x_step;
};

template <class Cell, class Math>
class alignas(tidegate::kApart) Backward {
  using Item = typename Math::Item;

 public:
  Backward(const Plan &plan, const Weights &weights, const BackWeights &back,
           const tidegate_gradient &gradient, const Team &team, Scratch &scratch)
      : p_(plan), w_(weights), back_(back), g_(gradient), team_(team), barrier_(team.threads),
        sums_(plan, gradient, team.threads) {
    const Index B = p_.q.B;
    GH_ = p_.blocks * p_.shape.h_count * W;
    gates_ = words<Math>(p_.gates(p_.shape.h_count));
    // GRU: not the same gates on both sides.
    same_ = p_.shape.x_first == p_.shape.h_first;
    chunk_ = std::clamp<Index>(kChunkRows / std::max<Index>(B, 1), 1, std::max<Index>(p_.steps, 1));
    own_dx_ = sums_.in_halves() && !team.by_units && B >= 8 * team.threads;
    Pp_ = round_up(std::max(p_.Hp, p_.q.P), 4 * W);
    dh_ = scratch.floats(B * Pp_);
    if (lstm()) dc_ = scratch.floats(B * p_.Hp);
    dg_h_ = scratch.array<Item>(chunk_ * B * GH_);
    dg_x_ = same_ ? dg_h_ : scratch.array<Item>(chunk_ * B * GH_);
    if (Math::kItems > 1) begin_h(scratch);
    if (w_.peep) peep_ = scratch.floats(B * 3 * p_.Hp);
    if (g_.dw_ih) sums_.make_room(chunk_, scratch);
    else nowhere_ = scratch.array<Item>(team.threads * 4 * W);
  }

  // Called by every thread.
  void run(int thread) {
    const Share share(p_, team_, thread);
    clear(share);
    barrier_.wait();
    for (Index stop = p_.steps; stop > 0; stop = std::max<Index>(0, stop - chunk_)) {
      const Index start = std::max<Index>(0, stop - chunk_);
      Front front = {};
      for (Index s = stop - 1; s >= start; sums_.pass(front, p_.active[s]), s--)
        step(share, s, front);
      barrier_.wait();
      if (g_.dx && !own_dx_) input_gradient(share, start, stop, front.rows);
      if (g_.dw_ih) sums_.add(thread, front, barrier_);
      barrier_.wait();
    }
    finish(share);
  }

 private:
  static float *as_words(Item *items) { return reinterpret_cast<float *>(items); }
  static const Item *as_items(const float *p) { return reinterpret_cast<const Item *>(p); }
  static Item *as_items(float *p) { return reinterpret_cast<Item *>(p); }

  bool lstm() const { return p_.q.kind == TIDEGATE_LSTM; }

  // The initial h in the numbers of the outputs that come after it.
  void begin_h(Scratch &scratch) {
    const Index size = p_.q.B * p_.q.P;
    h0_ = scratch.array<Item>(size);
    for (Index i = 0; i < size; i += W) store_some(h0_ + i, load_some(p_.q.h0 + i, size - i), size - i);
  }

  // The threads share what has to be zero at first.
  void clear(const Share &share) {
    auto zero = [&](float *at, Index size) {
      const Index from = cut(size, share.thread, team_.threads);
      std::fill(at + from, at + cut(size, share.thread + 1, team_.threads), 0.0f);
    };
    zero(dh_, p_.q.B * Pp_);
    if (dc_) zero(dc_, p_.q.B * p_.Hp);
    if (peep_) zero(peep_, p_.q.B * 3 * p_.Hp);
    if (g_.dw_ih) sums_.clear(zero);
    for (Index place = share.thread; place < p_.q.B && g_.dx; place += team_.threads) {
      const Index b = p_.rows[place];
      for (Index t = p_.lengths[place]; t < p_.q.T; t++)
        std::fill_n(dx(b, t), p_.q.I, Item{});
    }
  }

  Index first_unit(const Share &share) const { return share.b0 * p_.shape.units; }
  Index units(const Share &share) const {
    return std::min(share.b1 * p_.shape.units, p_.q.H) - first_unit(share);
  }

  // `front` is where the step's rows begin in the chunk.
  void step(const Share &share, Index s, const Front &front) {
    const Index n = share.rows_of(p_.active[s]);
    for (Index r = share.rows_of(p_.active[s + 1]); r < n; r++) enter(share, share.place(r));
    for (Index r = 0; r < n; r++) {
      fetch_ahead(share, r + 8, s);
      const BackSpotOf<Item> here = spot(share, share.place(r), s, front);
      for (Index block = share.b0; block < share.b1; block++) Cell::backward(p_, w_, here, block);
    }
    if (share.waits) barrier_.wait();
    if (g_.dw_ih) remember(share, s, front);
    if (n == 0) return;
    return_to_hidden(share, s, front.rows, n);
    if (g_.dx && own_dx_) own_input_gradient(share, s, front.rows, n);
  }

  // Inlined by force: GCC drops the call of a function that only fetches.
  template <class Number>
  TIDEGATE_INLINE static void fetch(const Number *from, Index size) {
    for (Index i = 0; i < size; i += 64 / (Index)sizeof(Number)) __builtin_prefetch(from + i);
  }

  // What the row in place `r`, or of the step before if there is none, will read: nobody has
  // touched it since it was kept.
  TIDEGATE_INLINE void fetch_ahead(const Share &share, Index r, Index s) const {
    const Index n = share.rows_of(p_.active[s]);
    if (r >= n) r %= n, s--;
    if (s < 0) return;
    const tidegate_sequence &q = p_.q;
    const Index place = share.place(r), b = p_.rows[place], cell = b * q.T + p_.time(place, s);
    const Index u0 = first_unit(share);
    for (Index slot = 0; slot < p_.G; slot += p_.Hp)
      fetch(as_items(q.gates) + cell * p_.G + slot + u0, units(share));
    if (g_.dy) fetch(dy(b, p_.time(place, s)) + u0, units(share));
    if (lstm() && s > 0) fetch(q.cells + (b * q.T + p_.time(place, s - 1)) * q.H + u0, units(share));
    if (!g_.dw_ih) return;
    fetch(as_items(q.x) + b * q.x_row + p_.time(place, s) * q.x_step, q.I);
    if (const Item *h = h_before(place, s)) fetch(h, q.P);
  }

  // A row's last step: the gradients of its final states come in.
  void enter(const Share &share, Index place) {
    const Index b = p_.rows[place], u0 = first_unit(share);
    if (g_.dh_n) std::copy_n(g_.dh_n + b * p_.q.P + u0, units(share), dh_ + place * Pp_ + u0);
    if (dc_ && g_.dc_n)
      std::copy_n(g_.dc_n + b * p_.q.H + u0, units(share), dc_ + place * p_.Hp + u0);
  }

  bool reset(Index b, Index t) const { return p_.q.resets && p_.q.resets[b * p_.q.T + t]; }

  const Item *dy(Index b, Index t) const { return as_items(g_.dy) + b * g_.dy_row + t * g_.dy_step; }
  Item *dx(Index b, Index t) const { return as_items(g_.dx) + b * g_.dx_row + t * g_.dx_step; }

  // h before step s of a row, or null for zero.
  const Item *h_before(Index place, Index s) const {
    const Index b = p_.rows[place];
    if (reset(b, p_.time(place, s))) return nullptr;
    if (s == 0) return (h0_ ? h0_ : as_items(p_.q.h0)) + b * p_.q.P;
    return as_items(p_.q.y) + b * p_.q.y_row + p_.time(place, s - 1) * p_.q.y_step;
  }

  BackSpotOf<Item> spot(const Share &share, Index place, Index s, const Front &front) const {
    const tidegate_sequence &q = p_.q;
    const Index b = p_.rows[place], t = p_.time(place, s), cell = b * q.T + t;
    BackSpotOf<Item> spot = {};
    spot.b = b, spot.t = t;
    spot.reset = reset(b, t);
    if (g_.dy) spot.dy = dy(b, t);
    spot.gates = as_items(q.gates) + cell * p_.G;
    if (g_.dgates) spot.dgates = as_items(g_.dgates) + cell * p_.G;
    spot.h_old = h_before(place, s);
    if (lstm()) {
      spot.cells = q.cells + cell * q.H;
      if (g_.dcells) spot.dcells = g_.dcells + cell * q.H;
      if (!spot.reset)
        spot.c_old = s == 0 ? q.c0 + b * q.H : q.cells + (b * q.T + p_.time(place, s - 1)) * q.H;
      spot.dc = dc_ + place * p_.Hp;
    }
    spot.dh = dh_ + place * Pp_;
    spot.dg_h = dg_h_ + (front.rows + place) * GH_;
    spot.dg_x = dg_x_ + (front.rows + place) * GH_;
    if (peep_) spot.peep = peep_ + place * 3 * p_.Hp;
    spot.blocks = g_.dw_ih ? sums_.gates(place, front) : nowhere_ + share.thread * 4 * W;
    spot.block_step = g_.dw_ih ? sums_.block_step() : 0;
    return spot;
  }

  // What the weights saw at this step: x, and h with its dropout.
  void remember(const Share &share, Index s, const Front &front) {
    const tidegate_sequence &q = p_.q;
    const Index n = share.waits ? p_.active[s] : share.rows_of(p_.active[s]);
    for (Index r = share.waits ? share.thread : 0; r < n; r += share.waits ? team_.threads : 1) {
      const Index place = share.place(r), b = p_.rows[place];
      Item *to = sums_.seen(place, front);
      std::copy_n(as_items(q.x) + b * q.x_row + p_.time(place, s) * q.x_step, q.I, to);
      const Item *h = h_before(place, s);
      const float *mask = q.recurrent_mask ? q.recurrent_mask + b * q.P : nullptr;
      to += q.I;
      if (!h) std::fill_n(to, q.P, Item{});
      else if (!mask) std::copy_n(h, q.P, to);
      else
        for (Index u = 0; u < q.P; u += W)
          store_some(to + u, load_some(h + u, q.P - u) * load_some(mask + u, q.P - u), q.P - u);
    }
  }

  // dh += dg * w_hh, for the share's units.
  void return_to_hidden(const Share &share, Index s, Index at, Index n) {
    const Index width = 4 * W, u0 = first_unit(share), u1 = u0 + units(share);
    const Left left = {as_words(dg_h_ + (at + share.first) * GH_),
                       share.stride * GH_ / Math::kItems, 1};
    const Index row = share.stride * Pp_;
    alignas(64) float sums[MAX_M * 4 * W];
    alignas(64) static const float zeros[4 * W] = {};
    for (Index u = u0; u < u1; u += width) {
      const int vectors = (int)std::min<Index>(4, (u1 - u + W - 1) / W);
      const Panel panel = {back_.h + u / width * back_.h_step, width};
      float *dh = dh_ + share.first * Pp_ + u;
      for_tiles(n, [&](Index first, int height) {
        const Left part = {left.a + first * left.row, left.row, 1};
        float *out = dh + first * row;
        if (!p_.q.recurrent_mask)
          return tile_of<Math>(height, vectors)(part, panel, gates_, {out, row, out, row});
        tile_of<Math>(height, vectors)(part, panel, gates_, {zeros, 0, sums, width});
        for (int m = 0; m < height; m++)
          mask(share.place(first + m), u, vectors, sums + m * width, out + m * row);
      });
    }
    if (!p_.q.resets) return;
    for (Index r = 0; r < n; r++) {
      const Index place = share.place(r);
      if (reset(p_.rows[place], p_.time(place, s))) std::fill_n(dh_ + place * Pp_ + u0, u1 - u0, 0.0f);
    }
  }

  void mask(Index place, Index u, int vectors, const float *sums, float *out) const {
    const float *mask = p_.q.recurrent_mask + p_.rows[place] * p_.q.P;
    for (int v = 0; v < vectors; v++, u += W, out += W)
      store(out, fma(load_some(mask + u, p_.q.P - u), load(sums + v * W), load(out)));
  }

  // Sends out the gradients of x, `vectors` from column i on.
  void put_dx(Index place, Index s, Index i, int vectors, const float *sums) {
    Item *out = dx(p_.rows[place], p_.time(place, s)) + i;
    for (int v = 0; v < vectors; v++)
      store_some(out + v * W, load(sums + v * W), p_.q.I - i - v * W);
  }

  // dx = dg * w_ih for the share's own rows of a step.
  void own_input_gradient(const Share &share, Index s, Index at, Index n) {
    const Index width = 4 * W, row = share.stride * GH_;
    alignas(64) float sums[MAX_M * 4 * W];
    alignas(64) static const float zeros[4 * W] = {};
    for (Index i = 0; i < p_.q.I; i += width) {
      const int vectors = (int)std::min<Index>(4, (p_.q.I - i + W - 1) / W);
      const Panel panel = {back_.x + i / width * back_.x_step, width};
      Item *from = dg_x_ + (at + share.first) * GH_;
      for_tiles(n, [&](Index first, int height) {
        const Left left = {as_words(from + first * row), row / Math::kItems, 1};
        tile_of<Math>(height, vectors)(left, panel, gates_, {zeros, 0, sums, width});
        for (int m = 0; m < height; m++)
          put_dx(share.place(first + m), s, i, vectors, sums + m * width);
      });
    }
  }

  // The same for the `count` rows of the chunk, where a step has few.
  void input_gradient(const Share &share, Index start, Index stop, Index count) {
    const Index width = 4 * W, I = p_.q.I;
    alignas(64) float sums[MAX_M * 4 * W];
    alignas(64) static const float zeros[4 * W] = {};
    const Index from = cut(count, share.thread, team_.threads);
    const Index to = cut(count, share.thread + 1, team_.threads);
    for (Index i = 0; i < I; i += width) {
      const int vectors = (int)std::min<Index>(4, (I - i + W - 1) / W);
      const Panel panel = {back_.x + i / width * back_.x_step, width};
      Index s = stop - 1, before = 0;  // rows of the chunk in later steps
      for_tiles(to - from, [&](Index first, int height) {
        const Left left = {as_words(dg_x_ + (from + first) * GH_), GH_ / Math::kItems, 1};
        tile_of<Math>(height, vectors)(left, panel, gates_, {zeros, 0, sums, width});
        for (int m = 0; m < height; m++) {
          const Index at = from + first + m;
          while (s > start && at - before >= p_.active[s]) before += p_.active[s--];
          put_dx(at - before, s, i, vectors, sums + m * width);
        }
      });
    }
  }

  void finish(const Share &share) {
    const Index u0 = first_unit(share), some = units(share);
    for (Index r = 0; r < share.rows_of(p_.q.B); r++) {
      const Index place = share.place(r);
      const Index b = p_.rows[place];
      if (p_.lengths[place] == 0) enter(share, place);
      if (g_.dh0) std::copy_n(dh_ + place * Pp_ + u0, some, g_.dh0 + b * p_.q.P + u0);
      if (dc_ && g_.dc0) std::copy_n(dc_ + place * p_.Hp + u0, some, g_.dc0 + b * p_.q.H + u0);
    }
    if (!g_.dw_ih) return;
    sums_.finish(share.thread);
    const Index to = cut(p_.blocks, share.thread + 1, team_.threads);
    for (Index block = cut(p_.blocks, share.thread, team_.threads); block < to && peep_; block++)
      add_peepholes(block);
  }

  // Rows of the batch in the plan's order.
  void add_peepholes(Index block) {
    const Index unit = block * W, left = std::min<Index>(W, p_.units_left(unit));
    const int count = p_.shape.slots - 1;
    for (int i = 0; i < count; i++) {
      Vec sum = {};
      for (Index place = 0; place < p_.q.B; place++)
        sum = sum + load(peep_ + (place * 3 + i) * p_.Hp + unit);
      store_some(g_.dw_ch + i * p_.q.H + unit, sum, left);
    }
  }

  const Plan &p_;
  const Weights &w_;
  const BackWeights &back_;
  const tidegate_gradient &g_;
  const Team team_;
  Barrier barrier_;
  WeightGradient<Math> sums_;
  bool same_, own_dx_;  // own_dx_: each thread takes its own rows, right after their step
  Index GH_, gates_, chunk_, Pp_;
  float *dh_, *dc_ = nullptr, *peep_ = nullptr;
  Item *dg_h_, *dg_x_, *h0_ = nullptr;
  Item *nowhere_ = nullptr;  // for what nobody reads where no gradients of weights are wanted
};

}  // namespace TIDEGATE_TARGET
