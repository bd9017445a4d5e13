// The gradients of the weights on the row-wise path: one flow for each matrix.
//
// Sums over rows that belong to one row of the batch at a time (gains, biases of norms,
// peepholes) grow beside that row, step by step, and are added up over the rows at the end: so
// their order, too, is the same for any number of threads.
#pragma once

#include "parts.h"
#include "team.h"

namespace TIDEGATE_TARGET {

// A matrix on the way back.
struct Flow {
  const Matrix *m;
  int out;           // which gradients of sums of the cell are its own
  Index in;          // where a row of `seen` has what it multiplied
  float *d;          // [room][m->stride()]: the gradients of its product; before, with a norm, that
  float *dw;         // panels like those of the matrix
  float *db;         // laid out like the sums; or null
  bool owns_db;      // and not another flow
  Index gain, bias;  // where a row's own sums have those of its norm
  float *to_w, *to_b, *to_gain;  // what the caller gets, from the matrix's first row on
};

class Flows {
 public:
  // For `room` rows at a time; `lda` floats from one row of `seen` to the next.
  Flows(const Plan &plan, const Parts &parts, const tidegate_gradient &gradient, Index room,
        int threads, Scratch &scratch)
      : p_(plan), parts_(parts), g_(gradient), norm_(plan.has(TIDEGATE_LAYER_NORM)) {
    const tidegate_sequence &q = p_.q;
    lda = round_up(q.I + q.P + q.H, 16) + 16;
    for (int i = 0; i < parts.x_count; i++) add(parts.x[i], i, 0, i, room, scratch);
    for (int i = 0; i < parts.h_count; i++) add(parts.h[i], 2 * i, q.I, i ? -1 : 0, room, scratch);
    const bool adds = parts.inner_adds;
    if (parts.inner) add(parts.inner, adds ? 1 : 3, q.I + q.P, adds ? 1 : -1, room, scratch);
    if (q.w_ch) peep_ = take(p_.shape.peepholes * p_.Hp);
    if (parts.cell.gain) cell_ = take(2 * p_.Hp);
    own = scratch.floats(q.B * own_size);
    totals_ = scratch.floats(own_size);
    for (int i = 0; i < count; i++)
      if (flows[i].bias >= 0) flows[i].db = totals_ + flows[i].bias;
    if (needs_seen()) seen = scratch.floats(room * lda);
    if (g_.dw_ih) packed_ = scratch.floats(threads * kRun * 4 * W);
  }

  Flow flows[5] = {};
  int count = 0;
  float *seen = nullptr;  // [room][lda]: x, h as the weights saw it, what the inner matrix saw
  Index lda;
  float *own;  // [B][own_size]: each row's own sums
  Index own_size = 0;

  bool needs_seen() const { return norm_ || g_.dw_ih; }
  float *peep(Index place) const { return peep_ < 0 ? nullptr : own + place * own_size + peep_; }
  float *cell_gain(Index place) const {
    return cell_ < 0 ? nullptr : own + place * own_size + cell_;
  }

  // The threads share what has to be zero at first.
  void clear(int thread, int threads) const {
    auto zero = [&](float *at, Index size) { clear_part(at, size, thread, threads); };
    zero(own, p_.q.B * own_size);
    if (!g_.dw_ih) return;
    for (int i = 0; i < count; i++) {
      zero(flows[i].dw, flows[i].m->rows.width() * flows[i].m->K);
      if (flows[i].owns_db && !norm_) zero(flows[i].db, flows[i].m->rows.width());
    }
  }

  // Takes gradients of a normalised sum, `out`, back through the norm, for n <= BATCH rows:
  // at `at` + r * step in the chunk, and in place `place` + r * step of the batch.
  void settle(const Flow &flow, int n, const float *const *out, Index at, Index place,
              Index step) const {
    Moments m[BATCH];
    BackNorm rows[BATCH];
    for (int r = 0; r < n; r++, at += step, place += step) {
      float *sums = own + place * own_size;
      rows[r] = {out[r], flow.d + at * flow.m->stride(), sums + flow.gain,
                 flow.owns_db ? sums + flow.bias : nullptr};
    }
    moments(flow.m->norm.layout, n, [&](int r) { return rows[r].values; }, m);
    normalise_back(flow.m->norm, n, rows, m);
  }

  // dw += d' seen for `rows` rows of a chunk: a run of them at a time that the first cache holds,
  // for the thread's share of all columns.
  void add_chunk(int thread, int threads, Index rows) const {
    Index jobs = 0;
    for (int i = 0; i < count; i++) jobs += jobs_of(flows[i]);
    const Index from = cut(jobs, thread, threads), to = cut(jobs, thread + 1, threads);
    float *packed = packed_ + thread * kRun * 4 * W;
    for (Index k = 0; k < rows; k += kRun) {
      const Index K = std::min(kRun, rows - k);
      Index first = 0;
      for (int i = 0; i < count; first += jobs_of(flows[i++])) {
        const Index stop = std::min(to - first, jobs_of(flows[i]));
        for (Index job = std::max<Index>(0, from - first), before = -1; job < stop; job++) {
          const Index panel = job / tiles_of(flows[i]), tile = job % tiles_of(flows[i]);
          if (panel != before) pack(flows[i], panel, k, K, packed);
          before = panel;
          if (tile == 0 && flows[i].owns_db && !norm_) add_bias(flows[i], panel, K, packed);
          add_tile(flows[i], panel, tile * MAX_M, k, K, packed);
        }
      }
    }
  }

  // Adds up the rows' own sums, in the plan's order. All threads, and then wait.
  void add_rows(int thread, int threads) const {
    const Index vectors = own_size / W, stop = cut(vectors, thread + 1, threads) * W;
    for (Index at = cut(vectors, thread, threads) * W; at < stop; at += W) {
      Vec sum = {};
      for (Index place = 0; place < p_.q.B; place++) sum = sum + load(own + place * own_size + at);
      store(totals_ + at, sum);
    }
  }

  // Hands the sums to the caller.
  void finish(int thread, int threads) const {
    for (int i = 0; i < count; i++) finish_weights(flows[i], thread, threads);
    if (thread != 0) return;
    for (int i = 0; i < count; i++) {
      const Flow &f = flows[i];
      if (f.db && f.to_b) gather(f.m->rows, f.db, f.to_b);
      if (norm_ && f.to_gain) gather(f.m->rows, totals_ + f.gain, f.to_gain);
    }
    for (int i = 0; peep_ >= 0 && i < p_.shape.peepholes; i++)
      std::copy_n(totals_ + peep_ + i * p_.Hp, p_.q.H, g_.dw_ch + i * p_.q.H);
    if (cell_ < 0) return;
    std::copy_n(totals_ + cell_, p_.q.H, g_.dnorm_cell);
    std::copy_n(totals_ + cell_ + p_.Hp, p_.q.H, g_.dnorm_cell_bias);
  }

 private:
  static constexpr Index kRun = 128;

  Index take(Index size) {
    own_size += size;
    return own_size - size;
  }

  // The product of `partner` (-1: none) adds to the same sums, so that the bias has its gradient.
  void add(const Matrix &m, int out, Index in, int partner, Index room, Scratch &scratch) {
    Flow &f = flows[count];
    const bool projection = &m == &parts_.inner && p_.q.w_hr;
    const bool x = in == 0, shares = !x && partner >= 0;
    f.m = &m, f.out = out, f.in = in, f.gain = f.bias = -1;
    f.owns_db = !projection && !shares;
    // Without norms two matrices that add to the same sums have the same gradients.
    f.d = shares && !norm_ ? flows[partner].d : scratch.floats(room * m.stride());
    if (norm_ && !projection) {
      f.gain = take(m.rows.width());
      f.bias = shares ? flows[partner].bias : take(m.rows.width());
    }
    if (g_.dw_ih) {
      f.dw = scratch.floats(m.rows.width() * m.K);
      if (!norm_ && !projection) f.db = shares ? flows[partner].db : scratch.floats(m.rows.width());
    }
    count++;
    if (!g_.dw_ih) return;
    if (projection) {
      f.to_w = g_.dw_hr;
      return;
    }
    const Index row = (m.w - (x ? p_.q.w_ih : p_.q.w_hh)) / m.K;
    auto from = [&](float *all, Index width) { return all ? all + row * width : nullptr; };
    f.to_w = from(x ? g_.dw_ih : g_.dw_hh, m.K);
    f.to_b = from(x ? g_.db_ih : g_.db_hh, 1);
    f.to_gain = from(x ? g_.dnorm_ih : g_.dnorm_hh, 1);
  }

  static Index tiles_of(const Flow &f) { return (f.m->K + MAX_M - 1) / MAX_M; }
  static Index jobs_of(const Flow &f) { return f.m->panel_count() * tiles_of(f); }

  // The gradients of a panel's vectors, side by side.
  static void pack(const Flow &f, Index panel, Index first, Index K, float *to) {
    const Index step = (Index)f.m->vectors_of(panel) * W;
    const float *from = f.d + first * f.m->stride() + panel * 4 * W;
    for (Index k = 0; k < K; k++, from += f.m->stride(), to += step)
      for (Index at = 0; at < step; at += W) store(to + at, load(from + at));
  }

  static void add_bias(const Flow &f, Index panel, Index K, const float *packed) {
    const int vectors = f.m->vectors_of(panel);
    for (int v = 0; v < vectors; v++) {
      float *at = f.db + panel * 4 * W + v * W;
      Vec sum = load(at);
      for (Index k = 0; k < K; k++) sum = sum + load(packed + (k * vectors + v) * W);
      store(at, sum);
    }
  }

  void add_tile(const Flow &f, Index panel, Index column, Index first, Index K,
                const float *packed) const {
    const Index step = (Index)f.m->vectors_of(panel) * W;
    const int height = (int)std::min<Index>(MAX_M, f.m->K - column);
    const float *left = seen + first * lda + f.in + column;
    float *out = f.dw + panel * 4 * W * f.m->K + column * step;
    tile_of<Single>(height, f.m->vectors_of(panel))({left, 1, lda}, {packed, step}, K,
                                                    {out, step, out, step});
  }

  static void finish_weights(const Flow &f, int thread, int threads) {
    const Index vectors = f.m->rows.vectors(), K = f.m->K;
    if (!f.to_w) return;
    for (Index v = cut(vectors, thread, threads); v < cut(vectors, thread + 1, threads); v++)
      for (int lane = 0; lane < W; lane++) {
        const Index row = f.m->rows.row(v, lane), step = (Index)f.m->vectors_of(v / 4) * W;
        const float *from = f.dw + v / 4 * 4 * W * K + v % 4 * W + lane;
        if (row < 0) continue;
        for (Index k = 0; k < K; k++) f.to_w[row * K + k] = from[k * step];
      }
  }

  const Plan &p_;
  const Parts &parts_;
  const tidegate_gradient &g_;
  const bool norm_;
  Index peep_ = -1, cell_ = -1;
  float *totals_, *packed_ = nullptr;
};

}  // namespace TIDEGATE_TARGET
