// The walk through time.
#pragma once

#include "team.h"

namespace TIDEGATE_TARGET {

// Where the values of one row stand at one step.
struct Spot {
  Index b, t;
  bool reset_next;     // the state is put to zero before the next step
  float *y;            // the output of this step
  float *gates, *cells;  // what is kept of it, or null
  const float *h_old;  // h before the step, filled up to Hp
  float *h_seen;       // where the next step reads h as w_hh sees it
  float *h_next;       // where the next step reads h_old, if that is another place; or null
  const float *mask;   // of recurrent dropout, filled up; or null
  float *c;            // the cell state, filled up
};

// What all cells share of the packed weights.
struct Weights {
  const float *x, *h;        // panels of block 0
  Index x_step, h_step;      // to those of the next block
  const float *bias;         // [blocks][4W]
  const float *peep;         // [3][Hp], or null
};

TIDEGATE_INLINE Vec zone(Vec fresh, Vec old, const std::uint8_t *mask, float rate, Index at,
                         Index left) {
  if (mask) return select(load_flags(mask + at, left), old, fresh);
  return rate != 0 ? fma(splat(rate), old - fresh, fresh) : fresh;
}

// Sends a vector of new hidden units out, and to where the next step reads it.
TIDEGATE_INLINE void emit(const Plan &p, const Spot &s, Index unit, Vec h) {
  const Index left = p.units_left(unit);
  if (p.q.zone_hidden || p.q.zone_hidden_rate != 0)
    h = zone(h, load(s.h_old + unit), p.q.zone_hidden, p.q.zone_hidden_rate,
             (s.b * p.q.T + s.t) * p.q.P + unit, left);
  store_some(s.y + unit, h, left);
  if (s.reset_next) h = Vec{};
  if (s.h_next) store(s.h_next + unit, h);
  store(s.h_seen + unit, s.mask ? h * load(s.mask + unit) : h);
}

template <class Cell>
class Forward {
 public:
  Forward(const Plan &plan, const Weights &weights, const Team &team, Scratch &scratch)
      : p_(plan), w_(weights), team_(team), barrier_(team.threads) {
    const Index rows = p_.q.B;
    // Weights that no cache of a core holds are read for many steps at once, too.
    const bool heavy = rows < 24 * team.threads && w_.x_step * p_.blocks * 4 > (Index{1} << 20);
    few_ = team.by_units || ((rows < 4 * team.threads || heavy) && p_.steps > 1);
    x_room_ = few_ ? 0 : p_.q.I;
    lda_ = round_up(x_room_ + p_.Hp, 16) + 16;
    for (auto &half : seen_) half = scratch.floats(rows * lda_);
    if (p_.q.recurrent_mask) {
      for (auto &half : old_) half = scratch.floats(rows * p_.Hp);
      mask_ = scratch.floats(rows * p_.Hp);
    }
    if (p_.q.kind == TIDEGATE_LSTM) c_ = scratch.floats(rows * p_.Hp);
    spots_ = scratch.array<Spot>(rows * team.threads);
    chunk_ = few_ ? chunk_steps() : 1;
    most_ = team.by_units ? rows : (rows + team.threads - 1) / team.threads;
    if (few_) {
      inputs_ = scratch.floats(team.threads * chunk_ * most_ * p_.q.I);
      ready_ = scratch.floats(team.threads * chunk_ * most_ * p_.G4());
    }
  }

  // Called by every thread.
  void run(int thread) {
    const Share share(p_, team_, thread);
    clear_ends(thread);
    begin(share);
    if (share.waits) barrier_.wait();
    for (Index s = 0; s < p_.steps; s++) {
      const Index n = share.rows_of(p_.active[s]);
      if (n == 0) break;
      if (few_ && s % chunk_ == 0) prepare(share, s);
      step(share, s, n);
      finish(share, s, n);
      if (share.waits) barrier_.wait();
    }
  }

 private:
  // Rows are so few that the product with x is taken for many steps at once; how many.
  Index chunk_steps() const {
    const Index bytes = p_.q.B * p_.G4() * 4;
    return std::clamp<Index>((Index{512} << 10) / std::max<Index>(bytes, 1), 1, 64);
  }

  float *seen(Index place, Index s) const { return seen_[s & 1] + place * lda_; }

  float *h_seen(Index place, Index s) const { return seen(place, s) + x_room_; }

  float *h_old(Index place, Index s) const {
    return p_.q.recurrent_mask ? old_[s & 1] + place * p_.Hp : h_seen(place, s);
  }

  bool resets(Index b, Index t) const { return p_.q.resets && p_.q.resets[b * p_.q.T + t]; }

  // Outputs are zero past each row's end; an empty row ends where it begins.
  void clear_ends(int thread) const {
    for (Index place = thread; place < p_.q.B; place += team_.threads) {
      const Index b = p_.rows[place];
      for (Index t = p_.lengths[place]; t < p_.q.T; t++)
        std::fill_n(p_.q.y + b * p_.q.y_row + t * p_.q.y_step, p_.q.P, 0.0f);
      if (p_.lengths[place] > 0) continue;
      std::copy_n(p_.q.h0 + b * p_.q.P, p_.q.P, p_.q.h_n + b * p_.q.P);
      if (c_) std::copy_n(p_.q.c0 + b * p_.q.H, p_.q.H, p_.q.c_n + b * p_.q.H);
    }
  }

  // Puts the initial states of the share's rows and units where the first step reads them.
  void begin(const Share &share) const {
    const Index u0 = share.b0 * p_.shape.units, u1 = share.b1 * p_.shape.units;
    const Index some = std::max<Index>(0, std::min(u1, p_.q.H) - u0);
    for (Index place = share.first; place < p_.q.B; place += share.stride) {
      if (p_.lengths[place] == 0) break;
      const Index b = p_.rows[place];
      const bool zero = resets(b, p_.time(place, 0));
      auto put = [&](const float *from, Index size, float *to) {
        std::fill(to + u0, to + u1, 0.0f);
        if (!zero) std::copy_n(from + b * size + u0, some, to + u0);
      };
      if (c_) put(p_.q.c0, p_.q.H, c_ + place * p_.Hp);
      put(p_.q.h0, p_.q.P, h_old(place, 0));
      if (!p_.q.recurrent_mask) continue;
      float *mask = mask_ + place * p_.Hp, *to = h_seen(place, 0);
      std::fill(mask + u0, mask + u1, 0.0f);
      std::copy_n(p_.q.recurrent_mask + b * p_.q.P + u0, some, mask + u0);
      for (Index u = u0; u < u1; u++) to[u] = h_old(place, 0)[u] * mask[u];
    }
  }

  const float *x_at(Index place, Index s) const {
    return p_.q.x + p_.rows[place] * p_.q.x_row + p_.time(place, s) * p_.q.x_step;
  }

  // The product with x and the bias for the next steps of few rows.
  void prepare(const Share &share, Index first) {
    float *x = inputs_ + share.thread * chunk_ * most_ * p_.q.I;
    const Index steps = std::min(chunk_, p_.steps - first);
    for (Index i = 0; i < steps; i++)
      for (Index r = 0, n = share.rows_of(p_.active[first + i]); r < n; r++)
        std::copy_n(x_at(share.place(r), first + i), p_.q.I, x + (i * rows(share) + r) * p_.q.I);
    for (Index block = share.b0; block < share.b1; block++)
      for (Index i = 0; i < steps; i++) {
        // Whole rows of steps where no row has ended: that is one product.
        const Index n = share.rows_of(p_.active[first + i]);
        Index run = 1;
        while (n == rows(share) && i + run < steps && share.rows_of(p_.active[first + i + run]) == n)
          run++;
        input_product(share, block, i, run, n, x + i * rows(share) * p_.q.I);
        i += run - 1;
      }
  }

  Index rows(const Share &share) const { return share.rows_of(p_.q.B); }

  // Sums of a row after x, `i` steps into the chunk. Shares of rows have a room each.
  float *ready(const Share &share, Index i, Index row, Index block) const {
    const Index room = share.waits ? 0 : share.thread * chunk_ * most_;
    return ready_ + (room + i * rows(share) + row) * p_.G4() + block * 4 * W;
  }

  void input_product(const Share &share, Index block, Index i, Index run, Index n, const float *x) {
    const Left left = {x, p_.q.I, 1};
    const Panel panel = {w_.x + block * w_.x_step, (Index)p_.shape.x_count * W};
    float *out = ready(share, i, 0, block);
    const float *bias = w_.bias + block * 4 * W;
    const Index first = p_.shape.x_first * W;
    product(run * n, p_.shape.x_count, left, panel, p_.q.I, {bias + first, 0, out + first, p_.G4()});
    // A slot that x does not reach has its bias alone.
    for (int v = 0; v < p_.shape.slots; v++)
      if (v < p_.shape.x_first || v >= p_.shape.x_first + p_.shape.x_count)
        for (Index r = 0; r < run * n; r++) store(out + r * p_.G4() + v * W, load(bias + v * W));
  }

  void step(const Share &share, Index s, Index n) {
    Spot *spots = spots_ + share.thread * p_.q.B;
    for (Index r = 0; r < n; r++) spots[r] = spot(share.place(r), s);
    if (!few_)
      for (Index r = 0; r < n; r++) {
        const float *from = x_at(share.place(r), s);
        float *to = seen(share.place(r), s);
        for (Index k = 0; k < p_.q.I; k++) to[k] = from[k];
      }
    alignas(64) float sums[MAX_M * 4 * W];
    for (Index block = share.b0; block < share.b1; block++)
      for_tiles(n, [&](Index first, int height) {
        sum(share, s, block, first, height, sums);
        // In two goes over the rows: the chains of one row are long, those of several overlap.
        for (int m = 0; m < height; m++)
          Cell::gates(p_, w_, spots[first + m], block, sums + m * 4 * W);
        for (int m = 0; m < height; m++)
          Cell::output(p_, spots[first + m], block, sums + m * 4 * W);
      });
  }

  // The pre-activations of a block of units for a few rows.
  void sum(const Share &share, Index s, Index block, Index first, int height, float *sums) const {
    const Index stride = share.stride * lda_;
    const float *row = seen(share.place(first), s);
    const float *panel_x = w_.x + block * w_.x_step, *panel_h = w_.h + block * w_.h_step;
    const float *init = few_ ? ready(share, s % chunk_, first, block) : w_.bias + block * 4 * W;
    const Index init_row = few_ ? p_.G4() : 0, h_at = p_.shape.h_first * W;
    const int x_count = p_.shape.x_count, h_count = p_.shape.h_count;
    if (few_) {
      // Slots before the first that h reaches stay what x made of them.
      for (int v = 0; v < p_.shape.h_first; v++)
        for (int m = 0; m < height; m++)
          store(sums + m * 4 * W + v * W, load(init + m * init_row + v * W));
      tile_of(height, h_count)({row, stride, 1}, {panel_h, (Index)h_count * W}, p_.q.P,
                               {init + h_at, init_row, sums + h_at, 4 * W});
      return;
    }
    if (x_count == p_.shape.slots) {  // x and h reach the same slots: one chain over [x, h]
      tile_of(height, x_count)({row, stride, 1}, {panel_x, (Index)x_count * W}, p_.q.I + p_.q.P,
                               {init, 0, sums, 4 * W});
      return;
    }
    tile_of(height, x_count)({row, stride, 1}, {panel_x, (Index)x_count * W}, p_.q.I,
                             {init, 0, sums, 4 * W});
    for (int m = 0; m < height; m++)
      for (int v = x_count; v < p_.shape.slots; v++)
        store(sums + m * 4 * W + v * W, load(init + v * W));
    tile_of(height, h_count)({row + x_room_, stride, 1}, {panel_h, (Index)h_count * W}, p_.q.P,
                             {sums + h_at, 4 * W, sums + h_at, 4 * W});
  }

  Spot spot(Index place, Index s) const {
    const tidegate_sequence &q = p_.q;
    const Index b = p_.rows[place], t = p_.time(place, s);
    const bool last = s + 1 >= p_.lengths[place];
    Spot spot = {};
    spot.b = b, spot.t = t;
    spot.reset_next = !last && resets(b, p_.time(place, s + 1));
    spot.y = q.y + b * q.y_row + t * q.y_step;
    if (q.gates) spot.gates = q.gates + (b * q.T + t) * p_.G;
    if (q.cells) spot.cells = q.cells + (b * q.T + t) * q.H;
    spot.h_old = h_old(place, s);
    spot.h_seen = h_seen(place, s + 1);
    if (q.recurrent_mask) {
      spot.h_next = h_old(place, s + 1);
      spot.mask = mask_ + place * p_.Hp;
    }
    if (c_) spot.c = c_ + place * p_.Hp;
    return spot;
  }

  // The states of rows that end with this step.
  void finish(const Share &share, Index s, Index n) const {
    const Index u0 = share.b0 * p_.shape.units;
    const Index some = std::min(share.b1 * p_.shape.units, p_.q.H) - u0;
    for (Index r = share.rows_of(p_.active[s + 1]); r < n; r++) {
      const Spot end = spot(share.place(r), s);
      std::copy_n(end.y + u0, some, p_.q.h_n + end.b * p_.q.P + u0);
      if (c_) std::copy_n(end.c + u0, some, p_.q.c_n + end.b * p_.q.H + u0);
    }
  }

  const Plan &p_;
  const Weights &w_;
  const Team team_;
  Barrier barrier_;
  bool few_;
  Index x_room_, lda_, chunk_, most_;
  float *seen_[2], *old_[2] = {}, *mask_ = nullptr, *c_ = nullptr;
  float *inputs_ = nullptr, *ready_ = nullptr;
  Spot *spots_;
};

}  // namespace TIDEGATE_TARGET
