// The one inner kernel: M rows by NV vectors of sums in registers.
//
//   out[m][v] = init[m][v] + sum over k of a[m, k] * panel[k][v]
//
// In words of four bytes: a word of `a`, one for all lanes, meets a vector of words of the panel.
// With `Single` a word is a float; with `Pairs` it is two bfloat16, of k and k + 1.
//
// Each sum is one chain over k in ascending order, whatever M and NV are: that is what makes a
// result independent of the rows and units that are computed beside it.
#pragma once

#include "simd.h"

namespace TIDEGATE_TARGET {

// How numbers stand in memory and how they are multiplied: float32.
struct Single {
  using Item = float;
  static constexpr Index kItems = 1;  // of a word

  static TIDEGATE_INLINE Vec everywhere(const float *word) { return splat(*word); }
  static TIDEGATE_INLINE Vec add_product(Vec a, Vec b, Vec sum) { return fma(a, b, sum); }
  static TIDEGATE_INLINE Vec add(Vec word, Vec sum) { return sum + word; }
  // A vector of words, of what follows one another along k.
  static TIDEGATE_INLINE Vec word(const Vec *k) { return k[0]; }
};

// Bfloat16, with sums in float32.
struct Pairs {
  using Item = Half;
  static constexpr Index kItems = 2;

  static TIDEGATE_INLINE Vec everywhere(const float *word) {
    std::uint32_t bits;
    std::memcpy(&bits, word, sizeof bits);
    return floats_of(bits - UVec{});
  }

  static TIDEGATE_INLINE Vec add_product(Vec a, Vec b, Vec sum) {
#if defined(__AVX512BF16__)
    return (Vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
    const UVec x = bits_of(a), y = bits_of(b);
    sum = fma(floats_of(x & 0xffff0000u), floats_of(y & 0xffff0000u), sum);
    return fma(floats_of(x << 16), floats_of(y << 16), sum);
#endif
  }

  static TIDEGATE_INLINE Vec add(Vec word, Vec sum) {
    return sum + floats_of(bits_of(word) << 16) + floats_of(bits_of(word) & 0xffff0000u);
  }

  static TIDEGATE_INLINE Vec word(const Vec *k) { return paired(k[0], k[1]); }
};

// Words that hold n items.
template <class Math>
constexpr Index words(Index n) {
  return (n + Math::kItems - 1) / Math::kItems;
}

// A matrix that is read word by word: a[m * row + k * col].
struct Left {
  const float *a;
  Index row, col;
};

// Vectors side by side, `step` words from one k to the next.
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

// K counts words, one or more.
template <class Math, int M, int NV>
__attribute__((noinline)) void tile(const Left &left, const Panel &panel, Index K,
                                    const Sums &sums) {
  // In locals, and with a loop that runs at least once: GCC keeps all sums in registers then.
  const float *rows[M], *init = sums.init;
  float *out = sums.out;
  const Index init_row = sums.init_row, out_row = sums.out_row;
  const Index step = panel.step, col = left.col;
  const float *p = panel.p;
  Vec acc[M][NV];
#pragma GCC unroll 8
  for (int m = 0; m < M; m++) {
    rows[m] = left.a + m * left.row;
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) acc[m][v] = load(init + m * init_row + v * W);
  }
  Index at = 0;
  do {
    Vec b[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) b[v] = load(p + v * W);
#pragma GCC unroll 8
    for (int m = 0; m < M; m++) {
      const Vec x = Math::everywhere(rows[m] + at);
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) acc[m][v] = Math::add_product(x, b[v], acc[m][v]);
    }
    at += col, p += step;
  } while (--K > 0);
#pragma GCC unroll 8
  for (int m = 0; m < M; m++)
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) store(out + m * out_row + v * W, acc[m][v]);
}

using Tile = void (*)(const Left &, const Panel &, Index, const Sums &);

template <class Math, int M>
constexpr Tile tile_of(int vectors) {
  return vectors == 1   ? tile<Math, M, 1>
         : vectors == 2 ? tile<Math, M, 2>
         : vectors == 3 ? tile<Math, M, 3>
                        : tile<Math, M, 4>;
}

template <class Math>
Tile tile_of(int rows, int vectors) {
  switch (rows) {
    case 1: return tile_of<Math, 1>(vectors);
    case 2: return tile_of<Math, 2>(vectors);
    case 3: return tile_of<Math, 3>(vectors);
    case 4: return tile_of<Math, (MAX_M > 3 ? 4 : 1)>(vectors);
    case 5: return tile_of<Math, (MAX_M > 3 ? 5 : 1)>(vectors);
    default: return tile_of<Math, (MAX_M > 3 ? 6 : 1)>(vectors);
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
template <class Math = Single>
void product(Index n, int vectors, const Left &left, const Panel &panel, Index K,
             const Sums &sums) {
  for_tiles(n, [&](Index first, int height) {
    const Left part = {left.a + first * left.row, left.row, left.col};
    const Sums some = {sums.init + first * sums.init_row, sums.init_row,
                       sums.out + first * sums.out_row, sums.out_row};
    tile_of<Math>(height, vectors)(part, panel, K, some);
  });
}

}  // namespace TIDEGATE_TARGET
