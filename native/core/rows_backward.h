// The walk back through time, row by row, chunk by chunk.
//
// Before each chunk the threads share its rows: they write down what the weights saw and, with
// layer normalisation, make its products anew, many rows at once. Then each walks its own rows
// of the batch back; then all share the gradients of the weights and of x. As in `Backward`, the
// rows of a chunk stand the last step first, and in each step in the plan's order.
#pragma once

#include "back_walk.h"
#include "flows.h"

namespace TIDEGATE_TARGET {

// One row at one step.
struct BackRow : BackSpot {
  const float *mask;  // of recurrent dropout, P floats; or null
  float *out[4];      // where the gradients of the sums go; out[3]: of the projection's
  float *inner;       // the gradient of what the inner matrix saw; LSTM without: of the fresh h
  float *inner_in;    // where what it saw is kept; or null
  float *d_cell_gain, *d_cell_shift;  // this row's sums for the norm of the cell state
  float *rooms;                       // for the cell, Hp floats each
  Index room_step;

  float *room(int i) const { return rooms + i * room_step; }
};

template <class Cell>
class RowsBackward {
 public:
  RowsBackward(const Plan &plan, const Parts &parts, const tidegate_gradient &gradient, int threads,
               Scratch &scratch)
      : p_(plan), parts_(parts), g_(gradient), norm_(plan.has(TIDEGATE_LAYER_NORM)),
        team_{threads, false}, barrier_(threads), chunk_(chunk_steps(plan)),
        flows_(plan, parts, gradient, chunk_ * plan.q.B, threads, scratch),
        states_(plan, round_up(plan.q.P, W), scratch) {
    const tidegate_sequence &q = p_.q;
    most_ = (q.B + threads - 1) / threads;
    P_ = round_up(q.P, W);
    wide_ = p_.G4() + W;
    inner_ = scratch.floats(threads * most_ * p_.Hp);
    rooms_ = scratch.floats(threads * BATCH * 3 * p_.Hp);
    if (norm_) outs_ = scratch.floats(threads * 3 * most_ * wide_);
    if (q.recurrent_mask) returned_ = scratch.floats(threads * most_ * P_);
    places_ = scratch.array<Place>(chunk_ * q.B);
    rows_ = scratch.array<BackRow>(threads * most_);
  }

  // Called by every thread.
  void run(int thread) {
    const Share share(p_, team_, thread);
    clear(thread);
    barrier_.wait();
    for (Index stop = p_.steps; stop > 0; stop = std::max<Index>(0, stop - chunk_)) {
      const Index start = std::max<Index>(0, stop - chunk_);
      Index count = 0;
      for (Index s = start; s < stop; s++) count += p_.active[s];
      const Index from = cut(count, thread, team_.threads);
      const Index to = cut(count, thread + 1, team_.threads);
      open(start, stop, from, to);
      barrier_.wait();
      for (Index s = stop - 1, at = 0; s >= start; at += p_.active[s], s--) step(share, s, at);
      barrier_.wait();
      if (g_.dx) input_gradient(from, to);
      if (g_.dw_ih) flows_.add_chunk(thread, team_.threads, count);
      barrier_.wait();
    }
    finish(share);
  }

 private:
  // A row of a chunk.
  struct Place {
    Index place, step;
  };

  // Some of a thread's rows at one step, from `first` on; the step's begin at `at` in the chunk.
  struct Batch {
    const Share &share;
    Index at, first;
    int count;
    Index place(int r) const { return share.place(first + r); }
  };

  static Index chunk_steps(const Plan &p) {
    return std::clamp<Index>(256 / std::max<Index>(p.q.B, 1), 1, std::max<Index>(p.steps, 1));
  }

  void clear(int thread) const {
    states_.clear(p_, thread, team_.threads);
    flows_.clear(thread, team_.threads);
    clear_dx<float>(p_, g_, thread, team_.threads);
  }

  // Prepares rows [from, to) of a chunk.
  void open(Index start, Index stop, Index from, Index to) {
    for (Index s = stop - 1, at = 0; s >= start; at += p_.active[s], s--)
      for (Index r = std::max(from - at, Index{0}); r < std::min(to - at, p_.active[s]); r++) {
        places_[at + r] = {r, s};
        if (flows_.needs_seen()) remember_row(r, s, at + r);
      }
    if (!norm_ || from == to) return;
    for (int i = 0; i < flows_.count; i++) {
      const Flow &flow = flows_.flows[i];
      if (!flow.m->norm.gain) continue;
      const Left left = {flows_.seen + from * flows_.lda + flow.in, flows_.lda, 1};
      products(*flow.m, to - from, left, nullptr, 0, flow.d + from * flow.m->stride());
    }
  }

  // What the weights saw, and what the inner matrix saw.
  void remember_row(Index place, Index s, Index at) const {
    remember(p_, p_.q.h0, place, s, flows_.seen + at * flows_.lda);
    if (parts_.inner) Cell::remember_inner(p_, row(place, s, at));
  }

  BackRow row(Index place, Index s, Index at) const {
    const tidegate_sequence &q = p_.q;
    BackRow row = {};
    locate(p_, g_, states_, q.h0, place, s, row);
    if (q.recurrent_mask) row.mask = q.recurrent_mask + row.b * q.P;
    if (flows_.seen) row.inner_in = flows_.seen + at * flows_.lda + q.I + q.P;
    row.peep = flows_.peep(place);
    row.d_cell_gain = flows_.cell_gain(place);
    if (row.d_cell_gain) row.d_cell_shift = row.d_cell_gain + p_.Hp;
    return row;
  }

  // Where row r of a batch puts what the step alone needs. If no row has to wait for the others,
  // all batches have the same rooms, which so stay in the nearest cache.
  void give_rooms(const Batch &batch, int r, BackRow &row) const {
    const Index thread = batch.share.thread;
    const Index own = thread * most_ + (parts_.inner ? batch.first : 0) + r;
    row.inner = inner_ + own * p_.Hp;
    row.rooms = rooms_ + (thread * BATCH + r) * 3 * p_.Hp, row.room_step = p_.Hp;
    for (int i = 0; i < flows_.count; i++) {
      const Flow &flow = flows_.flows[i];
      row.out[flow.out] = flow.m->norm.gain
                              ? outs_ + (own * 3 + flow.out) * wide_
                              : flow.d + (batch.at + batch.place(r)) * flow.m->stride();
    }
  }

  // `at` is where the step's rows begin in the chunk.
  void step(const Share &share, Index s, Index at) {
    const Index n = share.rows_of(p_.active[s]);
    for (Index r = share.rows_of(p_.active[s + 1]); r < n; r++)
      states_.enter(p_, g_, share.place(r), 0, p_.Hp);
    for (Index r = 0; r < n; r += BATCH) {
      const Batch batch = {share, at, r, (int)std::min<Index>(BATCH, n - r)};
      begin_batch(batch, s);
      if (parts_.inner) settle(batch, flows_.count - 1);
      else end_batch(batch);
    }
    if (parts_.inner) {
      const Flow &flow = flows_.flows[flows_.count - 1];
      multiply_back(*flow.m, n, left_of(flow, share, at), nullptr, 0,
                    inner_ + share.thread * most_ * p_.Hp, p_.Hp);
      for (Index r = 0; r < n; r += BATCH)
        end_batch({share, at, r, (int)std::min<Index>(BATCH, n - r)});
    }
    return_to_hidden(share, s, at, n);
  }

  BackRow *rows_of(const Batch &batch) const {
    return rows_ + batch.share.thread * most_ + batch.first;
  }

  void begin_batch(const Batch &batch, Index s) const {
    BackRow *rows = rows_of(batch);
    for (int r = 0; r < batch.count; r++) {
      const Index place = batch.place(r);
      fetch_ahead(batch, batch.first + r + BATCH, s);
      rows[r] = row(place, s, batch.at + place);
      give_rooms(batch, r, rows[r]);
      Cell::back_first(p_, parts_, rows[r]);
    }
  }

  void end_batch(const Batch &batch) const {
    Cell::back_second(p_, parts_, rows_of(batch), batch.count);
    for (int i = 0; i < flows_.count - (parts_.inner ? 1 : 0); i++) settle(batch, i);
  }

  // Takes the gradients of a sum back through its norm, if it has one.
  void settle(const Batch &batch, int i) const {
    const Flow &flow = flows_.flows[i];
    const float *out[BATCH];
    if (!flow.m->norm.gain) return;
    for (int r = 0; r < batch.count; r++) out[r] = rows_of(batch)[r].out[flow.out];
    const Index place = batch.place(0);
    flows_.settle(flow, batch.count, out, batch.at + place, place, batch.share.stride);
  }

  // The thread's row `ahead` of step s, or one of the step after if there are not so many, is next:
  // in memory that nobody has touched since it was kept.
  TIDEGATE_INLINE void fetch_ahead(const Batch &batch, Index ahead, Index s) const {
    const Index n = batch.share.rows_of(p_.active[s]);
    if (ahead >= n) ahead %= n, s--;
    if (s < 0) return;
    const Index place = batch.share.place(ahead);
    const tidegate_sequence &q = p_.q;
    const Index b = p_.rows[place], t = p_.time(place, s), cell = b * q.T + t;
    fetch(q.gates + cell * p_.G, p_.G);
    if (g_.dy) fetch(dy_at<float>(g_, b, t), q.P);
    if (p_.has_cell && s > 0) fetch(q.cells + (b * q.T + p_.time(place, s - 1)) * q.H, q.H);
  }

  Left left_of(const Flow &flow, const Share &share, Index at) const {
    const Index row = flow.m->stride();
    return {flow.d + (at + share.first) * row, share.stride * row, 1};
  }

  // dh += what the products with h make of the gradients of their sums.
  void return_to_hidden(const Share &share, Index s, Index at, Index n) const {
    float *dh = states_.dh + share.first * P_;
    const Index row = share.stride * P_;
    float *to = p_.q.recurrent_mask ? returned_ + share.thread * most_ * P_ : dh;
    const Index to_row = p_.q.recurrent_mask ? P_ : row;
    for (int i = 0; i < parts_.h_count; i++) {
      const Flow &flow = flows_.flows[parts_.x_count + i];
      const float *init = i == 0 && p_.q.recurrent_mask ? nullptr : to;
      multiply_back(*flow.m, n, left_of(flow, share, at), init, to_row, to, to_row);
    }
    for (Index r = 0; r < n; r++) {
      const Index b = p_.rows[share.place(r)];
      if (p_.q.recurrent_mask)
        for (Index u = 0; u < p_.q.P; u++)
          dh[r * row + u] += to[r * P_ + u] * p_.q.recurrent_mask[b * p_.q.P + u];
      if (p_.resets(b, p_.time(share.place(r), s))) std::fill_n(dh + r * row, P_, 0.0f);
    }
  }

  // dx, for rows [from, to) of a chunk.
  void input_gradient(Index from, Index to) const {
    const Index width = 4 * W, I = p_.q.I;
    alignas(64) float sums[MAX_M * 4 * W];
    for (Index k = 0; k < I; k += width) {
      const int vectors = (int)std::min<Index>(4, (I - k + W - 1) / W);
      for_tiles(to - from, [&](Index first, int height) {
        for (int i = 0; i < parts_.x_count; i++) {
          const Matrix &m = parts_.x[i];
          const Left left = {flows_.flows[i].d + (from + first) * m.stride(), m.stride(), 1};
          const Panel panel = {m.back + k / width * m.back_step(), width};
          const Sums out = {i ? sums : zeros(), i ? width : 0, sums, width};
          tile_of<Single>(height, vectors)(left, panel, m.rows.width(), out);
        }
        for (int r = 0; r < height; r++) {
          const Place &at = places_[from + first + r];
          float *dx = dx_at<float>(g_, p_.rows[at.place], p_.time(at.place, at.step)) + k;
          for (int v = 0; v < vectors; v++)
            store_some(dx + v * W, load(sums + r * width + v * W), I - k - v * W);
        }
      });
    }
  }

  void finish(const Share &share) {
    for (Index r = 0; r < share.rows_of(p_.q.B); r++)
      states_.leave(p_, g_, share.place(r), 0, p_.Hp);
    if (!g_.dw_ih) return;
    flows_.add_rows(share.thread, team_.threads);
    barrier_.wait();
    flows_.finish(share.thread, team_.threads);
  }

  const Plan &p_;
  const Parts &parts_;
  const tidegate_gradient &g_;
  const bool norm_;
  const Team team_;
  Barrier barrier_;
  const Index chunk_;
  Flows flows_;
  StateGradients states_;
  Index most_, P_, wide_;
  float *inner_, *rooms_, *outs_ = nullptr, *returned_ = nullptr;
  Place *places_;
  BackRow *rows_;
};

}  // namespace TIDEGATE_TARGET
