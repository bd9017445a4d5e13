// The one inner kernel: M rows by NV vectors of sums in registers.
//
//   out[m][v] = init[m][v] + sum over k of a[m, k] * panel[k][v]
//
// Each sum is one chain over k in ascending order, whatever M and NV are: that is what makes a
// result independent of the rows and units that are computed beside it.
#pragma once

#include "simd.h"

namespace TIDEGATE_TARGET {

// A matrix that is read element by element: a[m * row + k * col].
struct Left {
  const float *a;
  Index row, col;
};

// Vectors side by side, `step` floats from one k to the next.
struct Panel {
  const float *p;
  Index step;
};

// `row` floats from one row to the next; 0 for an `init` that all rows share.
struct Sums {
  const float *init;
  Index init_row;
  float *out;
  Index out_row;
};

template <int M, int NV>
void tile(const Left &left, const Panel &panel, Index K, const Sums &sums) {
  Vec acc[M][NV];
#pragma GCC unroll 8
  for (int m = 0; m < M; m++)
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) acc[m][v] = load(sums.init + m * sums.init_row + v * W);
  const float *rows[M];
#pragma GCC unroll 8
  for (int m = 0; m < M; m++) rows[m] = left.a + m * left.row;
  const float *p = panel.p;
  const Index step = panel.step, col = left.col;
  for (Index k = 0, at = 0; k < K; k++, at += col, p += step) {
    Vec b[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) b[v] = load(p + v * W);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
      const Vec x = splat(rows[m][at]);
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) acc[m][v] = fma(x, b[v], acc[m][v]);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; m++)
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) store(sums.out + m * sums.out_row + v * W, acc[m][v]);
}

using Tile = void (*)(const Left &, const Panel &, Index, const Sums &);

template <int M>
constexpr Tile tile_of(int vectors) {
  return vectors == 1 ? tile<M, 1> : vectors == 2 ? tile<M, 2> : vectors == 3 ? tile<M, 3> : tile<M, 4>;
}

inline Tile tile_of(int rows, int vectors) {
  switch (rows) {
    case 1: return tile_of<1>(vectors);
    case 2: return tile_of<2>(vectors);
    case 3: return tile_of<3>(vectors);
    case 4: return tile_of<(MAX_M > 3 ? 4 : 1)>(vectors);
    case 5: return tile_of<(MAX_M > 3 ? 5 : 1)>(vectors);
    default: return tile_of<(MAX_M > 3 ? 6 : 1)>(vectors);
  }
}

// Cut n rows into tiles of nearly equal height and call each(first, height).
template <class Each>
TIDEGATE_INLINE void for_tiles(Index n, Each each) {
  const Index tiles = (n + MAX_M - 1) / MAX_M;
  for (Index i = 0, first = 0; i < tiles; i++) {
    const Index height = (n - first + tiles - i - 1) / (tiles - i);
    each(first, (int)height);
    first += height;
  }
}

// out = init + a * panel for n rows.
inline void product(Index n, int vectors, const Left &left, const Panel &panel, Index K,
                    const Sums &sums) {
  for_tiles(n, [&](Index first, int height) {
    const Left part = {left.a + first * left.row, left.row, left.col};
    const Sums some = {sums.init + first * sums.init_row, sums.init_row,
                       sums.out + first * sums.out_row, sums.out_row};
    tile_of(height, vectors)(part, panel, K, some);
  });
}

}  // namespace TIDEGATE_TARGET
