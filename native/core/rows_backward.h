// The walk back through time, row by row, chunk by chunk.
//
// Before each chunk the threads share its rows: they write down what the weights saw and, with
// layer normalisation, make its products anew, many rows at once. Then each walks its own rows
// of the batch back; then all share the gradients of the weights and of x. As in `Backward`, the
// rows of a chunk stand the last step first, and in each step in the plan's order.
#pragma once

#include "backward.h"
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

// As `arrive`, for states that may be smaller than the cell.
TIDEGATE_INLINE Vec receive(const Plan &p, const BackSpot &s, Index unit) {
  const Index left = p.q.P - unit;
  Vec d = load(s.dh + unit), direct = {};
  if (s.dy) d = d + load_some(s.dy + unit, left);
  split_zone(d, &direct, p.q.zone_hidden, p.q.zone_hidden_rate,
             (s.b * p.q.T + s.t) * p.q.P + unit, left);
  store(s.dh + unit, direct);
  return d;
}

// Always inlined: GCC takes a function that only fetches for one that does nothing.
TIDEGATE_INLINE void fetch(const float *from, Index size) {
  for (Index i = 0; i < size; i += 16) __builtin_prefetch(from + i);
}

template <class Cell>
class RowsBackward {
 public:
  RowsBackward(const Plan &plan, const Parts &parts, const tidegate_gradient &gradient,
               int threads, Scratch &scratch)
      : p_(plan), parts_(parts), g_(gradient), norm_(plan.has(TIDEGATE_LAYER_NORM)),
        team_{threads, false}, barrier_(threads), chunk_(chunk_steps(plan)),
        flows_(plan, parts, gradient, chunk_ * plan.q.B, threads, scratch) {
    const tidegate_sequence &q = p_.q;
    most_ = (q.B + threads - 1) / threads;
    P_ = round_up(q.P, W);
    wide_ = p_.G4() + W;
    dh_ = scratch.floats(q.B * P_);
    if (q.kind == TIDEGATE_LSTM) dc_ = scratch.floats(q.B * p_.Hp);
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
    auto zero = [&](float *at, Index size) {
      const Index from = cut(size, thread, team_.threads);
      std::fill(at + from, at + cut(size, thread + 1, team_.threads), 0.0f);
    };
    zero(dh_, p_.q.B * P_);
    if (dc_) zero(dc_, p_.q.B * p_.Hp);
    flows_.clear(thread, team_.threads);
    for (Index place = thread; place < p_.q.B && g_.dx; place += team_.threads) {
      const Index b = p_.rows[place];
      for (Index t = p_.lengths[place]; t < p_.q.T; t++)
        std::fill_n(g_.dx + b * g_.dx_row + t * g_.dx_step, p_.q.I, 0.0f);
    }
  }

  bool reset(Index b, Index t) const { return p_.q.resets && p_.q.resets[b * p_.q.T + t]; }

  // Prepares rows [from, to) of a chunk.
  void open(Index start, Index stop, Index from, Index to) {
    for (Index s = stop - 1, at = 0; s >= start; at += p_.active[s], s--)
      for (Index r = std::max(from - at, Index{0}); r < std::min(to - at, p_.active[s]); r++) {
        places_[at + r] = {r, s};
        if (flows_.needs_seen()) remember(r, s, at + r);
      }
    if (!norm_ || from == to) return;
    for (int i = 0; i < flows_.count; i++) {
      const Flow &flow = flows_.flows[i];
      if (!flow.m->norm.gain) continue;
      const Left left = {flows_.seen + from * flows_.lda + flow.in, flows_.lda, 1};
      products(*flow.m, to - from, left, nullptr, 0, flow.d + from * flow.m->stride());
    }
  }

  // What the weights saw.
  void remember(Index place, Index s, Index at) const {
    const tidegate_sequence &q = p_.q;
    const Index b = p_.rows[place];
    float *to = flows_.seen + at * flows_.lda;
    std::copy_n(q.x + b * q.x_row + p_.time(place, s) * q.x_step, q.I, to);
    const float *h = h_before(place, s);
    to += q.I;
    if (!h) std::fill_n(to, q.P, 0.0f);
    else if (!q.recurrent_mask) std::copy_n(h, q.P, to);
    else
      for (Index u = 0; u < q.P; u++) to[u] = h[u] * q.recurrent_mask[b * q.P + u];
    if (parts_.inner) Cell::remember_inner(p_, row(place, s, at));
  }

  // h before step s of a row, or null for zero.
  const float *h_before(Index place, Index s) const {
    const Index b = p_.rows[place];
    if (reset(b, p_.time(place, s))) return nullptr;
    if (s == 0) return p_.q.h0 + b * p_.q.P;
    return p_.q.y + b * p_.q.y_row + p_.time(place, s - 1) * p_.q.y_step;
  }

  BackRow row(Index place, Index s, Index at) const {
    const tidegate_sequence &q = p_.q;
    const Index b = p_.rows[place], t = p_.time(place, s), cell = b * q.T + t;
    BackRow row = {};
    row.b = b, row.t = t;
    row.reset = reset(b, t);
    if (g_.dy) row.dy = g_.dy + b * g_.dy_row + t * g_.dy_step;
    row.gates = q.gates + cell * p_.G;
    if (g_.dgates) row.dgates = g_.dgates + cell * p_.G;
    row.h_old = h_before(place, s);
    if (q.recurrent_mask) row.mask = q.recurrent_mask + b * q.P;
    row.dh = dh_ + place * P_;
    if (flows_.seen) row.inner_in = flows_.seen + at * flows_.lda + q.I + q.P;
    if (q.kind != TIDEGATE_LSTM) return row;
    row.cells = q.cells + cell * q.H;
    if (g_.dcells) row.dcells = g_.dcells + cell * q.H;
    if (!row.reset)
      row.c_old = s == 0 ? q.c0 + b * q.H : q.cells + (b * q.T + p_.time(place, s - 1)) * q.H;
    row.dc = dc_ + place * p_.Hp;
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
    for (Index r = share.rows_of(p_.active[s + 1]); r < n; r++) enter(share.place(r));
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
    if (g_.dy) fetch(g_.dy + b * g_.dy_row + t * g_.dy_step, q.P);
    if (q.kind == TIDEGATE_LSTM && s > 0)
      fetch(q.cells + (b * q.T + p_.time(place, s - 1)) * q.H, q.H);
  }

  // A row's last step: the gradients of its final states come in.
  void enter(Index place) const {
    const Index b = p_.rows[place];
    if (g_.dh_n) std::copy_n(g_.dh_n + b * p_.q.P, p_.q.P, dh_ + place * P_);
    if (dc_ && g_.dc_n) std::copy_n(g_.dc_n + b * p_.q.H, p_.q.H, dc_ + place * p_.Hp);
  }

  Left left_of(const Flow &flow, const Share &share, Index at) const {
    const Index row = flow.m->stride();
    return {flow.d + (at + share.first) * row, share.stride * row, 1};
  }

  // dh += what the products with h make of the gradients of their sums.
  void return_to_hidden(const Share &share, Index s, Index at, Index n) const {
    float *dh = dh_ + share.first * P_;
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
      if (reset(b, p_.time(share.place(r), s))) std::fill_n(dh + r * row, P_, 0.0f);
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
          float *dx = g_.dx + p_.rows[at.place] * g_.dx_row +
                      p_.time(at.place, at.step) * g_.dx_step + k;
          for (int v = 0; v < vectors; v++)
            store_some(dx + v * W, load(sums + r * width + v * W), I - k - v * W);
        }
      });
    }
  }

  void finish(const Share &share) {
    for (Index r = 0; r < share.rows_of(p_.q.B); r++) {
      const Index place = share.place(r);
      const Index b = p_.rows[place];
      if (p_.lengths[place] == 0) enter(place);
      if (g_.dh0) std::copy_n(dh_ + place * P_, p_.q.P, g_.dh0 + b * p_.q.P);
      if (dc_ && g_.dc0) std::copy_n(dc_ + place * p_.Hp, p_.q.H, g_.dc0 + b * p_.q.H);
    }
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
  Index most_, P_, wide_;
  float *dh_, *dc_ = nullptr, *inner_, *rooms_, *outs_ = nullptr, *returned_ = nullptr;
  Place *places_;
  BackRow *rows_;
};

}  // namespace TIDEGATE_TARGET
