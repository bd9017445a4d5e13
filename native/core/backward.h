// The walk back through time over tiles, chunk by chunk.
//
// In a chunk of steps each thread first walks its own rows back and leaves the gradients of all
// pre-activations; then the threads share the gradients of the weights, and those of x by rows. The
// valid steps of a chunk stand one after another, the last step first, rows in the plan's order:
// that order, and so each sum over it, is the same for any number of threads.
#pragma once

#include "back_walk.h"
#include "forward.h"
#include "weight_gradient.h"

namespace TIDEGATE_TARGET {

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
        sums_(plan, gradient, team.threads),
        states_(plan, round_up(std::max(plan.Hp, plan.q.P), 4 * W), scratch) {
    const Index B = p_.q.B;
    GH_ = p_.blocks * p_.shape.h_count * W;
    gates_ = words<Math>(p_.gates(p_.shape.h_count));
    // GRU: not the same gates on both sides.
    same_ = p_.shape.x_first == p_.shape.h_first;
    chunk_ = std::clamp<Index>(kChunkRows / std::max<Index>(B, 1), 1, std::max<Index>(p_.steps, 1));
    own_dx_ = sums_.in_halves() && !team.by_units && B >= 8 * team.threads;
    dg_h_ = scratch.array<Item>(chunk_ * B * GH_);
    dg_x_ = same_ ? dg_h_ : scratch.array<Item>(chunk_ * B * GH_);
    h0_ = Math::kItems > 1 ? rounded_h0(scratch) : items<Item>(p_.q.h0);
    if (w_.peep) peep_ = scratch.floats(B * peep_row());
    if (g_.dw_ih) sums_.make_room(chunk_, scratch);
    else nowhere_ = scratch.array<Item>(team.threads * 4 * W);
  }

  // Called by every thread.
  void run(int thread) {
    const Share share(p_, team_, thread);
    clear(thread);
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

  // The initial h in the numbers of the outputs that come after it.
  const Item *rounded_h0(Scratch &scratch) const {
    const Index size = p_.q.B * p_.q.P;
    Item *h0 = scratch.array<Item>(size);
    for (Index i = 0; i < size; i += W)
      store_some(h0 + i, load_some(p_.q.h0 + i, size - i), size - i);
    return h0;
  }

  // Floats that a row of the batch sums up for the peephole weights.
  Index peep_row() const { return p_.shape.peepholes * p_.Hp; }

  // The threads share what has to be zero at first.
  void clear(int thread) {
    auto zero = [&](float *at, Index size) { clear_part(at, size, thread, team_.threads); };
    states_.clear(p_, thread, team_.threads);
    if (peep_) zero(peep_, p_.q.B * peep_row());
    if (g_.dw_ih) sums_.clear(zero);
    clear_dx<Item>(p_, g_, thread, team_.threads);
  }

  Index first_unit(const Share &share) const { return share.b0 * p_.shape.units; }
  Index last_unit(const Share &share) const { return std::min(share.b1 * p_.shape.units, p_.q.H); }
  Index units(const Share &share) const { return last_unit(share) - first_unit(share); }

  // `front` is where the step's rows begin in the chunk.
  void step(const Share &share, Index s, const Front &front) {
    const Index n = share.rows_of(p_.active[s]);
    for (Index r = share.rows_of(p_.active[s + 1]); r < n; r++)
      states_.enter(p_, g_, share.place(r), first_unit(share), last_unit(share));
    for (Index r = 0; r < n; r++) {
      fetch_ahead(share, r + 8, s);
      const BackSpotOf<Item> here = spot(share, share.place(r), s, front);
      for (Index block = share.b0; block < share.b1; block++) Cell::backward(p_, w_, here, block);
    }
    if (share.waits) barrier_.wait();
    if (g_.dw_ih) remember_all(share, s, front);
    if (n == 0) return;
    return_to_hidden(share, s, front.rows, n);
    if (g_.dx && own_dx_) own_input_gradient(share, s, front.rows, n);
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
      fetch(items<Item>(q.gates) + cell * p_.G + slot + u0, units(share));
    if (g_.dy) fetch(dy_at<Item>(g_, b, p_.time(place, s)) + u0, units(share));
    if (p_.has_cell && s > 0)
      fetch(q.cells + (b * q.T + p_.time(place, s - 1)) * q.H + u0, units(share));
    if (!g_.dw_ih) return;
    fetch(x_at<Item>(p_, place, s), q.I);
    if (const Item *h = h_before(p_, h0_, place, s)) fetch(h, q.P);
  }

  BackSpotOf<Item> spot(const Share &share, Index place, Index s, const Front &front) const {
    BackSpotOf<Item> spot = {};
    locate(p_, g_, states_, h0_, place, s, spot);
    spot.dg_h = dg_h_ + (front.rows + place) * GH_;
    spot.dg_x = dg_x_ + (front.rows + place) * GH_;
    if (peep_) spot.peep = peep_ + place * peep_row();
    spot.blocks = g_.dw_ih ? sums_.gates(place, front) : nowhere_ + share.thread * 4 * W;
    spot.block_step = g_.dw_ih ? sums_.block_step() : 0;
    return spot;
  }

  // What the weights saw at this step. Where all threads take it together they split the rows.
  void remember_all(const Share &share, Index s, const Front &front) {
    const Index n = share.waits ? p_.active[s] : share.rows_of(p_.active[s]);
    for (Index r = share.waits ? share.thread : 0; r < n; r += share.waits ? team_.threads : 1) {
      const Index place = share.place(r);
      remember(p_, h0_, place, s, sums_.seen(place, front));
    }
  }

  // dh += dg * w_hh, for the share's units.
  void return_to_hidden(const Share &share, Index s, Index at, Index n) {
    const Index width = 4 * W, u0 = first_unit(share), u1 = u0 + units(share);
    const Left left = {as_words(dg_h_ + (at + share.first) * GH_),
                       share.stride * GH_ / Math::kItems, 1};
    const Index row = share.stride * states_.dh_row;
    alignas(64) float sums[MAX_M * 4 * W];
    alignas(64) static const float zeros[4 * W] = {};
    for (Index u = u0; u < u1; u += width) {
      const int vectors = (int)std::min<Index>(4, (u1 - u + W - 1) / W);
      const Panel panel = {back_.h + u / width * back_.h_step, width};
      float *dh = states_.dh + share.first * states_.dh_row + u;
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
      if (p_.resets(p_.rows[place], p_.time(place, s)))
        std::fill_n(states_.dh + place * states_.dh_row + u0, u1 - u0, 0.0f);
    }
  }

  void mask(Index place, Index u, int vectors, const float *sums, float *out) const {
    const float *mask = p_.q.recurrent_mask + p_.rows[place] * p_.q.P;
    for (int v = 0; v < vectors; v++, u += W, out += W)
      store(out, fma(load_some(mask + u, p_.q.P - u), load(sums + v * W), load(out)));
  }

  // Sends out the gradients of x, `vectors` from column i on.
  void put_dx(Index place, Index s, Index i, int vectors, const float *sums) {
    Item *out = dx_at<Item>(g_, p_.rows[place], p_.time(place, s)) + i;
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
    for (Index r = 0; r < share.rows_of(p_.q.B); r++)
      states_.leave(p_, g_, share.place(r), first_unit(share), last_unit(share));
    if (!g_.dw_ih) return;
    sums_.finish(share.thread);
    const Index to = cut(p_.blocks, share.thread + 1, team_.threads);
    for (Index block = cut(p_.blocks, share.thread, team_.threads); block < to && peep_; block++)
      add_peepholes(block);
  }

  // Rows of the batch in the plan's order.
  void add_peepholes(Index block) {
    const Index unit = block * W, left = std::min<Index>(W, p_.units_left(unit));
    for (int i = 0; i < p_.shape.peepholes; i++) {
      Vec sum = {};
      for (Index place = 0; place < p_.q.B; place++)
        sum = sum + load(peep_ + place * peep_row() + i * p_.Hp + unit);
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
  StateGradients states_;
  bool same_, own_dx_;  // own_dx_: each thread takes its own rows, right after their step
  Index GH_, gates_, chunk_;
  float *peep_ = nullptr;  // [B][peep_row()]
  Item *dg_h_, *dg_x_;
  const Item *h0_;
  Item *nowhere_ = nullptr;  // for what nobody reads where no gradients of weights are wanted
};

}  // namespace TIDEGATE_TARGET
