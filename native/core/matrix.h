// A weight matrix of the row-wise path: packed for both directions, and multiplied by rows.
#pragma once

#include "norm.h"

namespace TIDEGATE_TARGET {

// Adds `from`, a number for each row of the matrix, to where it stands in a row of sums.
inline void spread(const Layout &rows, const float *from, float *to) {
  for (Index v = 0; v < rows.vectors(); v++)
    for (int lane = 0; lane < W; lane++) {
      const Index row = rows.row(v, lane);
      if (row >= 0) to[v * W + lane] += from[row];
    }
}

// The opposite, without the adding.
inline void gather(const Layout &rows, const float *from, float *to) {
  for (Index v = 0; v < rows.vectors(); v++)
    for (int lane = 0; lane < W; lane++) {
      const Index row = rows.row(v, lane);
      if (row >= 0) to[row] = from[v * W + lane];
    }
}

struct Matrix {
  Layout rows = {0, 1};
  Index K = 0;               // columns
  const float *w = nullptr;  // the first row; only packing reads it
  Norm norm = {};            // its gain is null without layer norm; its shift is the bias
  float *panels = nullptr;   // [panels][K][4W], the last one narrower
  float *back = nullptr;     // [columns / 4W][rows.width()][4W]

  explicit operator bool() const { return w != nullptr; }
  // Floats from one row of a buffer of sums to the next: not a power of two, and with room behind
  // the last gate for who reads four of them.
  Index stride() const { return rows.width() + W; }
  Index panel_count() const { return (rows.vectors() + 3) / 4; }
  int vectors_of(Index panel) const { return (int)std::min<Index>(4, rows.vectors() - panel * 4); }
  Panel panel(Index i) const { return {panels + i * 4 * W * K, (Index)vectors_of(i) * W}; }
  Index back_step() const { return rows.width() * 4 * W; }
  Index back_count() const { return (K + 4 * W - 1) / (4 * W); }

  void make_room(bool forward, bool backward, Scratch &scratch) {
    if (forward) panels = scratch.floats(rows.width() * K);
    if (backward) back = scratch.floats(back_count() * back_step());
  }

  // Every thread packs a part.
  void pack(int thread, int threads) const {
    const Index vectors = rows.vectors();
    for (Index v = cut(vectors, thread, threads); v < cut(vectors, thread + 1, threads); v++) {
      if (panels) pack_vector(v);
      if (back) pack_back(v);
    }
  }

 private:
  void pack_vector(Index v) const {
    const Panel to = panel(v / 4);
    for (int lane = 0; lane < W; lane++) {
      const Index row = rows.row(v, lane);
      float *at = const_cast<float *>(to.p) + v % 4 * W + lane;
      for (Index k = 0; k < K; k++) at[k * to.step] = row < 0 ? 0 : w[row * K + k];
    }
  }

  void pack_back(Index v) const {
    for (int lane = 0; lane < W; lane++) {
      const Index row = rows.row(v, lane);
      for (Index k = 0; k < K; k += 4 * W) {
        float *at = back + k / (4 * W) * back_step() + (v * W + lane) * 4 * W;
        std::fill(at, at + 4 * W, 0.0f);
        if (row >= 0) std::copy_n(w + row * K + k, std::min<Index>(4 * W, K - k), at);
      }
    }
  }
};

inline const float *zeros() {
  alignas(64) static const float values[4 * W] = {};
  return values;
}

// out = init + a w' for n rows; no `init` is zero.
inline void products(const Matrix &m, Index n, const Left &left, const float *init, Index init_row,
                     float *out) {
  for (Index i = 0; i < m.panel_count(); i++) {
    const float *from = init ? init + i * 4 * W : zeros();
    product(n, m.vectors_of(i), left, m.panel(i), m.K,
            {from, init ? init_row : 0, out + i * 4 * W, m.stride()});
  }
}

// The same with layer normalisation between the product and the sum, if the matrix has a norm;
// if not, its bias stands in for `add` where there is none.
inline void multiply(const Matrix &m, Index n, const Left &left, const float *add, Index add_row,
                     float *out) {
  if (!m.norm.gain) return products(m, n, left, add ? add : m.norm.shift, add ? add_row : 0, out);
  products(m, n, left, nullptr, 0, out);
  for (Index r = 0; r < n; r += BATCH)
    normalise(m.norm, (int)std::min<Index>(BATCH, n - r), add ? add + r * add_row : nullptr,
              add_row, out + r * m.stride(), m.stride());
}

// out = init + a w for n rows; `out` has its last vector filled up.
inline void multiply_back(const Matrix &m, Index n, const Left &left, const float *init,
                          Index init_row, float *out, Index out_row) {
  for (Index k = 0; k < m.K; k += 4 * W) {
    const int vectors = (int)std::min<Index>(4, (m.K - k + W - 1) / W);
    const Panel panel = {m.back + k / (4 * W) * m.back_step(), 4 * W};
    const float *from = init ? init + k : zeros();
    product(n, vectors, left, panel, m.rows.width(), {from, init ? init_row : 0, out + k, out_row});
  }
}

}  // namespace TIDEGATE_TARGET
