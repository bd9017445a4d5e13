// Layer normalisation of rows, forward and backward. All sums have one fixed order.
//
// The rows of a batch take each pass together: within one row everything waits for a sum.
#pragma once

#include <cmath>

#include "plan.h"

namespace TIDEGATE_TARGET {

// How the rows of `gates` blocks of a weight matrix, `units` rows each, stand in a row of sums:
// for every W units in turn, one vector of each gate.
struct Layout {
  Index units;
  int gates;

  Index size() const { return units * gates; }
  Index vectors() const { return (units + W - 1) / W * gates; }
  Index width() const { return vectors() * W; }
  // The row of the matrix behind a lane, or -1 in the filling.
  Index row(Index vector, int lane) const {
    const Index unit = vector / gates * W + lane;
    return unit < units ? vector % gates * units + unit : -1;
  }
};

struct Norm {
  Layout layout;
  const float *gain, *shift;  // laid out like the sums
};

// Four sums side by side, so that they need not wait for one another; then those; then the lanes.
struct Sum {
  Vec parts[4] = {};

  float total() const {
    float lanes[W], four[4] = {};
    store(lanes, (parts[0] + parts[1]) + (parts[2] + parts[3]));
    for (int lane = 0; lane < W; lane++) four[lane % 4] += lanes[lane];
    return (four[0] + four[1]) + (four[2] + four[3]);
  }
};

// Calls each(at, i, real) for every vector of a row of sums: `at` is where it begins, `i` is which
// of four sums it adds to, and real(v) is v with zeros in the filling.
template <class Each>
TIDEGATE_INLINE void for_vectors(const Layout &layout, Each each) {
  const Index full = layout.units / W * layout.gates;  // vectors without filling
  const Index count = layout.vectors();
  auto whole = [](Vec v) { return v; };
  Index v = 0;
  for (; v + 4 <= full; v += 4)
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) each((v + i) * W, i, whole);
  for (; v < full; v++) each(v * W, 0, whole);
  if (v == count) return;
  IVec lanes = {};
  for (int lane = 0; lane < W; lane++) lanes[lane] = lane < layout.units % W ? -1 : 0;
  for (; v < count; v++) each(v * W, 0, [&](Vec x) { return select(lanes, x, Vec{}); });
}

constexpr int BATCH = 8;  // rows

struct Moments {
  float mean, scale;  // scale is one over the standard deviation

  TIDEGATE_INLINE Vec normal(Vec v) const { return (v - splat(mean)) * splat(scale); }
};

// Of n <= BATCH rows; row(r) is where row r begins.
template <class Row>
TIDEGATE_INLINE void moments(const Layout &layout, int n, Row row, Moments *m) {
  const float share = 1.0f / (float)layout.size();
  for (int r = 0; r < n; r++) {
    const float *values = row(r);
    Sum sum;
    for_vectors(layout, [&](Index at, Index i, auto real) {
      sum.parts[i] = sum.parts[i] + real(load(values + at));
    });
    m[r].mean = sum.total() * share;
  }
  for (int r = 0; r < n; r++) {
    const float *values = row(r);
    const Vec mean = splat(m[r].mean);
    Sum squares;
    for_vectors(layout, [&](Index at, Index i, auto real) {
      const Vec d = real(load(values + at) - mean);
      squares.parts[i] = fma(d, d, squares.parts[i]);
    });
    m[r].scale = squares.total() * share;
  }
  for (int r = 0; r < n; r++) m[r].scale = 1 / std::sqrt(m[r].scale + 1e-5f);
}

// values = add + norm(values), in place, for n <= BATCH rows; `add` may be null.
inline void normalise(const Norm &norm, int n, const float *add, Index add_row, float *values,
                      Index row) {
  Moments m[BATCH];
  moments(norm.layout, n, [&](int r) { return values + r * row; }, m);
  for (int r = 0; r < n; r++, values += row)
    for (Index at = 0; at < norm.layout.width(); at += W) {
      const Vec normal = m[r].normal(load(values + at));
      const Vec out = fma(normal, load(norm.gain + at), load(norm.shift + at));
      store(values + at, add ? load(add + r * add_row + at) + out : out);
    }
}

// One row on the way back through a norm.
struct BackNorm {
  const float *dout;      // the gradient of what came out
  float *values;          // in: what was normalised; out: its gradient
  float *dgain, *dshift;  // what to add to; dshift may be null
};

// For n <= BATCH rows, with their moments.
inline void normalise_back(const Norm &norm, int n, const BackNorm *rows, const Moments *m) {
  const float share = 1.0f / (float)norm.layout.size();
  float means[BATCH], slopes[BATCH];
  for (int r = 0; r < n; r++) {
    const BackNorm row = rows[r];
    Sum sum, along;
    for_vectors(norm.layout, [&](Index at, Index i, auto real) {
      const Vec normal = m[r].normal(load(row.values + at)), d = real(load(row.dout + at));
      const Vec scaled = d * load(norm.gain + at);
      sum.parts[i] = sum.parts[i] + scaled;
      along.parts[i] = fma(scaled, normal, along.parts[i]);
      store(row.dgain + at, fma(d, normal, load(row.dgain + at)));
      if (row.dshift) store(row.dshift + at, load(row.dshift + at) + d);
    });
    means[r] = sum.total() * share, slopes[r] = along.total() * share;
  }
  for (int r = 0; r < n; r++) {
    const BackNorm row = rows[r];
    const Vec mean = splat(means[r]), slope = splat(slopes[r]), scale = splat(m[r].scale);
    for_vectors(norm.layout, [&](Index at, Index, auto real) {
      const Vec normal = m[r].normal(load(row.values + at));
      const Vec d = load(row.dout + at) * load(norm.gain + at) - mean - normal * slope;
      store(row.values + at, real(d * scale));
    });
  }
}

}  // namespace TIDEGATE_TARGET
