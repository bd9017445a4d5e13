// The walk back through time, chunk by chunk.
//
// In a chunk of steps each thread first walks its own rows back and leaves the gradients of all
// pre-activations; then the threads share the gradients of the weights by their columns, and those
// of x by rows. The valid steps of a chunk stand one after another, the last step first, rows in
// the plan's order: that order, and so each sum over it, is the same for any number of threads.
#pragma once

#include "forward.h"

namespace TIDEGATE_TARGET {

// Where the values of one row stand at one step of the walk back.
struct BackSpot {
  Index b, t;
  bool reset;  // the state was put to zero before the step
  const float *dy;
  const float *gates, *cells, *dgates, *dcells;
  const float *h_old, *c_old;  // before the step; null for zero; H floats
  float *dh, *dc;              // in: of the states after the step; out: before it
  float *dg_h, *dg_x;          // gradients of the pre-activations, in the order of the panels;
                               // slots stand `lanes` of the plan apart
  float *peep;                 // sums of this row for the peephole weights
  float *blocks;               // the same gradients, block by block ...
  Index block_step;            // ... and how far apart the blocks are

  float *block(Index i) const { return blocks + i * block_step; }
};

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
TIDEGATE_INLINE Vec arrive(const Plan &p, const BackSpot &s, Index unit) {
  const Index left = p.units_left(unit);
  Vec d = load(s.dh + unit), direct = {};
  if (s.dy) d = d + load_some(s.dy + unit, left);
  split_zone(d, &direct, p.q.zone_hidden, p.q.zone_hidden_rate,
             (s.b * p.q.T + s.t) * p.q.P + unit, left);
  store(s.dh + unit, direct);
  return d;
}

// Packed weights for the way back: [gates][4W] for each four vectors of h, of x.
struct BackWeights {
  const float *h, *x;
  Index h_step, x_step;
};

template <class Cell>
class Backward {
 public:
  Backward(const Plan &plan, const Weights &weights, const BackWeights &back,
           const tidegate_gradient &gradient, const Team &team, Scratch &scratch)
      : p_(plan), w_(weights), back_(back), g_(gradient), team_(team), barrier_(team.threads) {
    const Index B = p_.q.B;
    GH_ = p_.blocks * p_.shape.h_count * W;
    gates_ = p_.gates(p_.shape.h_count);
    // GRU: not the same gates on both sides.
    same_ = p_.shape.x_first == p_.shape.h_first;
    chunk_ = std::clamp<Index>(768 / std::max<Index>(B, 1), 1, std::max<Index>(p_.steps, 1));
    room_ = chunk_ * B;
    Pp_ = round_up(std::max(p_.Hp, p_.q.P), 4 * W);
    dh_ = scratch.floats(B * Pp_);
    if (lstm()) dc_ = scratch.floats(B * p_.Hp);
    dg_h_ = scratch.floats(room_ * GH_);
    dg_x_ = same_ ? dg_h_ : scratch.floats(room_ * GH_);
    if (w_.peep) peep_ = scratch.floats(B * 3 * p_.Hp);
    if (!g_.dw_ih) dg_blocks_ = scratch.floats(team.threads * 4 * W);
    else weight_rooms(scratch);
  }

  // Called by every thread.
  void run(int thread) {
    const Share share(p_, team_, thread);
    clear(share);
    barrier_.wait();
    for (Index stop = p_.steps; stop > 0; stop = std::max<Index>(0, stop - chunk_)) {
      const Index start = std::max<Index>(0, stop - chunk_);
      Index at = 0;
      for (Index s = stop - 1; s >= start; at += p_.active[s], s--) step(share, s, at);
      barrier_.wait();
      if (g_.dx) input_gradient(share, start, stop, at);
      if (g_.dw_ih) weight_gradient(share, at);
      barrier_.wait();
    }
    finish(share);
  }

 private:
  bool lstm() const { return p_.q.kind == TIDEGATE_LSTM; }

  void weight_rooms(Scratch &scratch) {
    lda_ = round_up(p_.q.I + p_.q.P, 16) + 16;
    seen_ = scratch.floats(room_ * lda_);
    dg_blocks_ = scratch.floats(p_.blocks * room_ * 4 * W);
    dw_x_ = scratch.floats(p_.blocks * p_.q.I * p_.shape.x_count * W);
    dw_h_ = scratch.floats(p_.blocks * p_.q.P * p_.shape.h_count * W);
    db_ = scratch.floats(p_.G4());
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
    if (g_.dw_ih) {
      zero(dw_x_, p_.blocks * p_.q.I * p_.shape.x_count * W);
      zero(dw_h_, p_.blocks * p_.q.P * p_.shape.h_count * W);
      zero(db_, p_.G4());
    }
    for (Index place = share.thread; place < p_.q.B && g_.dx; place += team_.threads) {
      const Index b = p_.rows[place];
      for (Index t = p_.lengths[place]; t < p_.q.T; t++)
        std::fill_n(g_.dx + b * g_.dx_row + t * g_.dx_step, p_.q.I, 0.0f);
    }
  }

  Index first_unit(const Share &share) const { return share.b0 * p_.shape.units; }
  Index units(const Share &share) const {
    return std::min(share.b1 * p_.shape.units, p_.q.H) - first_unit(share);
  }

  // `at` is where the step's rows begin in the chunk.
  void step(const Share &share, Index s, Index at) {
    const Index n = share.rows_of(p_.active[s]);
    for (Index r = share.rows_of(p_.active[s + 1]); r < n; r++) enter(share, share.place(r));
    for (Index r = 0; r < n; r++) {
      fetch_ahead(share, r + 8, s);
      const BackSpot here = spot(share, share.place(r), s, at + share.place(r));
      for (Index block = share.b0; block < share.b1; block++) Cell::backward(p_, w_, here, block);
    }
    if (share.waits) barrier_.wait();
    if (g_.dw_ih) remember(share, s, at);
    if (n > 0) return_to_hidden(share, s, at, n);
  }

  // Inlined by force: GCC drops the call of a function that only fetches.
  TIDEGATE_INLINE static void fetch(const float *from, Index size) {
    for (Index i = 0; i < size; i += 16) __builtin_prefetch(from + i);
  }

  // What the row in place `r`, or of the step before if there is none, will read: nobody has
  // touched it since it was kept.
  TIDEGATE_INLINE void fetch_ahead(const Share &share, Index r, Index s) const {
    const Index n = share.rows_of(p_.active[s]);
    if (r >= n) r %= n, s--;
    if (s < 0) return;
    const tidegate_sequence &q = p_.q;
    const Index place = share.place(r), b = p_.rows[place], cell = b * q.T + p_.time(place, s);
    const Index block = p_.shape.slots * W, u0 = first_unit(share);
    fetch(q.gates + cell * p_.G + share.b0 * block, (share.b1 - share.b0) * block);
    if (g_.dy) fetch(g_.dy + b * g_.dy_row + p_.time(place, s) * g_.dy_step + u0, units(share));
    if (lstm() && s > 0) fetch(q.cells + (b * q.T + p_.time(place, s - 1)) * q.H + u0, units(share));
  }

  // A row's last step: the gradients of its final states come in.
  void enter(const Share &share, Index place) {
    const Index b = p_.rows[place], u0 = first_unit(share);
    if (g_.dh_n) std::copy_n(g_.dh_n + b * p_.q.P + u0, units(share), dh_ + place * Pp_ + u0);
    if (dc_ && g_.dc_n)
      std::copy_n(g_.dc_n + b * p_.q.H + u0, units(share), dc_ + place * p_.Hp + u0);
  }

  bool reset(Index b, Index t) const { return p_.q.resets && p_.q.resets[b * p_.q.T + t]; }

  // h before step s of a row, or null for zero.
  const float *h_before(Index place, Index s) const {
    const Index b = p_.rows[place];
    if (reset(b, p_.time(place, s))) return nullptr;
    if (s == 0) return p_.q.h0 + b * p_.q.P;
    return p_.q.y + b * p_.q.y_row + p_.time(place, s - 1) * p_.q.y_step;
  }

  BackSpot spot(const Share &share, Index place, Index s, Index at) const {
    const tidegate_sequence &q = p_.q;
    const Index b = p_.rows[place], t = p_.time(place, s), cell = b * q.T + t;
    BackSpot spot = {};
    spot.b = b, spot.t = t;
    spot.reset = reset(b, t);
    if (g_.dy) spot.dy = g_.dy + b * g_.dy_row + t * g_.dy_step;
    spot.gates = q.gates + cell * p_.G;
    if (g_.dgates) spot.dgates = g_.dgates + cell * p_.G;
    spot.h_old = h_before(place, s);
    if (lstm()) {
      spot.cells = q.cells + cell * q.H;
      if (g_.dcells) spot.dcells = g_.dcells + cell * q.H;
      if (!spot.reset)
        spot.c_old = s == 0 ? q.c0 + b * q.H : q.cells + (b * q.T + p_.time(place, s - 1)) * q.H;
      spot.dc = dc_ + place * p_.Hp;
    }
    spot.dh = dh_ + place * Pp_;
    spot.dg_h = dg_h_ + at * GH_;
    spot.dg_x = dg_x_ + at * GH_;
    if (peep_) spot.peep = peep_ + place * 3 * p_.Hp;
    // Without gradients of weights the blocks go to a place that nobody reads.
    spot.blocks = dg_blocks_ + (g_.dw_ih ? at : share.thread) * 4 * W;
    spot.block_step = g_.dw_ih ? room_ * 4 * W : 0;
    return spot;
  }

  // What the weights saw at this step: x, and h with its dropout.
  void remember(const Share &share, Index s, Index at) {
    const tidegate_sequence &q = p_.q;
    for (Index place = share.thread; place < p_.active[s]; place += team_.threads) {
      const Index b = p_.rows[place];
      float *to = seen_ + (at + place) * lda_;
      std::copy_n(q.x + b * q.x_row + p_.time(place, s) * q.x_step, q.I, to);
      const float *h = h_before(place, s);
      to += q.I;
      if (!h) std::fill_n(to, q.P, 0.0f);
      else if (!q.recurrent_mask) std::copy_n(h, q.P, to);
      else
        for (Index u = 0; u < q.P; u++) to[u] = h[u] * q.recurrent_mask[b * q.P + u];
    }
  }

  // dh += dg * w_hh, for the share's units.
  void return_to_hidden(const Share &share, Index s, Index at, Index n) {
    const Index width = 4 * W, u0 = first_unit(share), u1 = u0 + units(share);
    const Left left = {dg_h_ + (at + share.first) * GH_, share.stride * GH_, 1};
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
          return tile_of(height, vectors)(part, panel, gates_, {out, row, out, row});
        tile_of(height, vectors)(part, panel, gates_, {zeros, 0, sums, width});
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

  // dx = dg * w_ih for the `count` rows of the chunk.
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
        const Left left = {dg_x_ + (from + first) * GH_, GH_, 1};
        tile_of(height, vectors)(left, panel, gates_, {zeros, 0, sums, width});
        for (int m = 0; m < height; m++) {
          const Index at = from + first + m;
          while (s > start && at - before >= p_.active[s]) before += p_.active[s--];
          const Index place = at - before;
          float *out = g_.dx + p_.rows[place] * g_.dx_row + p_.time(place, s) * g_.dx_step + i;
          for (int v = 0; v < vectors; v++)
            store_some(out + v * W, load(sums + m * width + v * W), I - i - v * W);
        }
      });
    }
  }

  // dw += dg' * [x, h] over the `count` rows of the chunk: a run of them at a time that the first
  // cache holds, for the share's columns of each block.
  void weight_gradient(const Share &share, Index count) {
    constexpr Index kRun = 128;
    const Index columns = p_.q.I + p_.q.P, jobs = (columns + MAX_M - 1) / MAX_M;
    const Index from = cut(p_.blocks * jobs, share.thread, team_.threads);
    const Index to = cut(p_.blocks * jobs, share.thread + 1, team_.threads);
    for (Index k = 0; k < count; k += kRun) {
      const Index K = std::min(kRun, count - k);
      for (Index job = from; job < to; job++) {
        const Index block = job / jobs;
        const float *gates = dg_blocks_ + (block * room_ + k) * 4 * W;
        if (job % jobs == 0) add_bias(block, gates, K);
        column_tile(block, job % jobs * MAX_M, seen_ + k * lda_, gates, K);
      }
    }
  }

  void add_bias(Index block, const float *gates, Index K) {
    for (int v = 0; v < p_.shape.slots; v++) {
      float *at = db_ + block * 4 * W + v * W;
      Vec sum = load(at);
      for (Index k = 0; k < K; k++) sum = sum + load(gates + k * 4 * W + v * W);
      store(at, sum);
    }
  }

  // MAX_M columns of [x, h] from `column` on; some may be of x and some of h.
  void column_tile(Index block, Index column, const float *seen, const float *gates, Index K) {
    const Index I = p_.q.I, end = std::min(column + MAX_M, I + p_.q.P);
    const Shape &shape = p_.shape;
    auto run = [&](Index first, Index last, int slot, int count, float *dw, Index row) {
      if (first >= last) return;
      const Index step = (Index)count * W;
      float *out = dw + row * step;
      tile_of((int)(last - first), count)({seen + first, 1, lda_}, {gates + slot * W, 4 * W}, K,
                                          {out, step, out, step});
    };
    run(column, std::min(end, I), shape.x_first, shape.x_count, dw_x_, block * I + column);
    const Index h = std::max(column, I);
    run(h, end, shape.h_first, shape.h_count, dw_h_, block * p_.q.P + h - I);
  }

  void finish(const Share &share) {
    const Index u0 = first_unit(share), some = units(share);
    for (Index place = share.first; place < p_.q.B; place += share.stride) {
      const Index b = p_.rows[place];
      if (p_.lengths[place] == 0) enter(share, place);
      if (g_.dh0) std::copy_n(dh_ + place * Pp_ + u0, some, g_.dh0 + b * p_.q.P + u0);
      if (dc_ && g_.dc0) std::copy_n(dc_ + place * p_.Hp + u0, some, g_.dc0 + b * p_.q.H + u0);
    }
    if (!g_.dw_ih) return;
    const Index from = cut(p_.blocks, share.thread, team_.threads);
    const Index to = cut(p_.blocks, share.thread + 1, team_.threads);
    const Shape &shape = p_.shape;
    for (Index block = from; block < to; block++) {
      const float *db = db_ + block * 4 * W;
      auto of_x = [&](const float *from, Index K, float *out) {
        if (out) unpack_block(p_, from, K, shape.x_rows, shape.x_count, block, out);
      };
      auto of_h = [&](const float *from, Index K, float *out) {
        if (out) unpack_block(p_, from, K, shape.h_rows, shape.h_count, block, out);
      };
      of_x(dw_x_ + block * p_.q.I * shape.x_count * W, p_.q.I, g_.dw_ih);
      of_h(dw_h_ + block * p_.q.P * shape.h_count * W, p_.q.P, g_.dw_hh);
      of_x(db + shape.x_first * W, 1, g_.db_ih);
      of_h(db + shape.h_first * W, 1, g_.db_hh);
      if (peep_) add_peepholes(block);
    }
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
  bool same_;
  Index GH_, gates_, chunk_, room_, Pp_, lda_ = 0;
  float *dh_, *dc_ = nullptr, *dg_h_, *dg_x_, *dg_blocks_ = nullptr;
  float *seen_ = nullptr, *dw_x_ = nullptr, *dw_h_ = nullptr, *db_ = nullptr, *peep_ = nullptr;
};

}  // namespace TIDEGATE_TARGET
