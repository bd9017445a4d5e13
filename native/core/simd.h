// One vector type for every instruction set: GCC's and Clang's vector extensions.
//
// This header is compiled once per instruction set, inside the namespace TIDEGATE_TARGET. Only the
// fused multiply-add needs an intrinsic: contraction is switched off for the whole build, so that
// what is written here is what is computed, in every function that it is inlined into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace TIDEGATE_TARGET {

using Index = std::int64_t;

#if defined(__AVX512F__)
constexpr int W = 16;     // floats in a vector
constexpr int MAX_M = 6;  // rows of a tile: 6 * 4 accumulators of the 32 registers
#elif defined(__AVX2__)
constexpr int W = 8;
constexpr int MAX_M = 3;  // 3 * 4 of the 16 registers
#elif defined(__ARM_NEON)
constexpr int W = 4;
constexpr int MAX_M = 6;
#else
constexpr int W = 4;
constexpr int MAX_M = 3;
#endif

typedef float Vec __attribute__((vector_size(4 * W)));
typedef std::int32_t IVec __attribute__((vector_size(4 * W)));

#define TIDEGATE_INLINE inline __attribute__((always_inline))

TIDEGATE_INLINE Vec load(const float *p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

TIDEGATE_INLINE void store(float *p, Vec v) { std::memcpy(p, &v, sizeof v); }

TIDEGATE_INLINE Vec splat(float x) { return x - Vec{}; }

// The first n floats, 0 behind them. n may be more than W.
TIDEGATE_INLINE Vec load_some(const float *p, Index n) {
  if (n >= W) return load(p);
#if defined(__AVX512F__)
  return (Vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
  Vec v{};
  for (Index i = 0; i < n; i++) v[i] = p[i];
  return v;
#endif
}

TIDEGATE_INLINE void store_some(float *p, Vec v, Index n) {
  if (n >= W) return store(p, v);
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  for (Index i = 0; i < n; i++) p[i] = v[i];
#endif
}

// All bits set where the byte is not 0, for the first n of them.
TIDEGATE_INLINE IVec load_flags(const std::uint8_t *p, Index n) {
  typedef std::uint8_t Bytes __attribute__((vector_size(W)));
  Bytes bytes{};
  if (n >= W) std::memcpy(&bytes, p, W);
  else std::memcpy(&bytes, p, static_cast<std::size_t>(n));
  return __builtin_convertvector(bytes, IVec) != 0;
}

TIDEGATE_INLINE Vec fma(Vec a, Vec b, Vec c) {
#if defined(__AVX512F__)
  return (Vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (Vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_NEON)
  return (Vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

// Rows become columns. In log2(W) rounds: the blocks off the diagonal change places, then the
// blocks within those.
TIDEGATE_INLINE void transpose(Vec (&rows)[W]) {
#if defined(__AVX512F__)
#pragma GCC unroll 4
  for (int s = 1; s < W; s *= 2) {
    IVec low{}, high{};
    for (int j = 0; j < W; j++) {
      low[j] = j & s ? W + (j ^ s) : j;
      high[j] = j & s ? W + j : j | s;
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) {
      if (i & s) continue;
      const __m512 a = (__m512)rows[i], b = (__m512)rows[i | s];
      rows[i] = (Vec)_mm512_permutex2var_ps(a, (__m512i)low, b);
      rows[i | s] = (Vec)_mm512_permutex2var_ps(a, (__m512i)high, b);
    }
  }
#else
  for (int i = 0; i < W; i++)
    for (int j = 0; j < i; j++) {
      const float swapped = rows[i][j];
      rows[i][j] = rows[j][i];
      rows[j][i] = swapped;
    }
#endif
}

TIDEGATE_INLINE Vec select(IVec mask, Vec yes, Vec no) { return mask ? yes : no; }

// NaN in x goes through both: the instructions give their second operand for it.
TIDEGATE_INLINE Vec clamp(Vec x, float low, float high) {
#if defined(__AVX512F__)
  // With a mask of ones: the plain forms make GCC 12 warn of its own header.
  const __m512 v = (__m512)x, at_least = (__m512)splat(low), at_most = (__m512)splat(high);
  return (Vec)_mm512_mask_min_ps(v, 0xffff, at_most, _mm512_mask_max_ps(v, 0xffff, at_least, v));
#elif defined(__AVX2__)
  const __m256 raised = _mm256_max_ps((__m256)splat(low), (__m256)x);
  return (Vec)_mm256_min_ps((__m256)splat(high), raised);
#else
  x = x < splat(low) ? splat(low) : x;
  return x > splat(high) ? splat(high) : x;
#endif
}

// A bfloat16: the upper half of a float.
typedef std::uint16_t Half;
typedef Half HalfVec __attribute__((vector_size(2 * W)));
typedef std::uint32_t UVec __attribute__((vector_size(4 * W)));

TIDEGATE_INLINE UVec bits_of(Vec v) {
  UVec bits;
  std::memcpy(&bits, &v, sizeof bits);
  return bits;
}

TIDEGATE_INLINE Vec floats_of(UVec bits) {
  Vec v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

// To the nearest bfloat16, in the upper halves; ties to even. What stands below is left over.
TIDEGATE_INLINE UVec rounded(Vec v) {
  const UVec bits = bits_of(v);
  const UVec nearest = bits + 0x7fffu + ((bits >> 16) & 1u);
  return v != v ? (bits | 0x400000u) : nearest;  // rounding could make infinity of NaN
}

TIDEGATE_INLINE UVec widen_bits(const Half *p) {
  HalfVec half;
  std::memcpy(&half, p, sizeof half);
  return __builtin_convertvector(half, UVec);
}

TIDEGATE_INLINE Vec load(const Half *p) { return floats_of(widen_bits(p) << 16); }

TIDEGATE_INLINE HalfVec narrow(Vec v) { return __builtin_convertvector(rounded(v) >> 16, HalfVec); }

TIDEGATE_INLINE void store(Half *p, Vec v) {
  const HalfVec half = narrow(v);
  std::memcpy(p, &half, sizeof half);
}

TIDEGATE_INLINE Vec load_some(const Half *p, Index n) {
  if (n >= W) return load(p);
  Half some[W] = {};
  std::memcpy(some, p, static_cast<std::size_t>(n) * sizeof *p);
  return load(some);
}

TIDEGATE_INLINE void store_some(Half *p, Vec v, Index n) {
  if (n >= W) return store(p, v);
  Half some[W];
  store(some, v);
  std::memcpy(p, some, static_cast<std::size_t>(n) * sizeof *p);
}

// What a number is once it is kept as an Item.
template <class Item>
TIDEGATE_INLINE Vec as_kept(Vec v) {
  return sizeof(Item) == sizeof(float) ? v : floats_of(rounded(v) & 0xffff0000u);
}

// Two vectors of bfloat16 in one: of `low` in the lower halves.
TIDEGATE_INLINE Vec paired(Vec low, Vec high) {
  return floats_of((rounded(low) >> 16) | (rounded(high) & 0xffff0000u));
}

// The parts of e^x = scale + scale * rest, for |x| <= 87; rest has full relative precision.
struct Power {
  Vec scale, rest;
};

TIDEGATE_INLINE Power power(Vec x) {
  const Vec magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const Vec shifted = fma(x, splat(1.44269504f), magic);
  const Vec n = shifted - magic;
  Vec r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  // e^r - 1 = r + r^2 q(r): Taylor's coefficients, the term in r^7 spread over the others.
  Vec q = fma(splat(1.0f / 720), r, splat(0.00837504f));
  q = fma(q, r, splat(1.0f / 24));
  q = fma(q, r, splat(0.16666416f));
  q = fma(q, r, splat(0.5f));
  const Vec rest = fma(r * r, q, r);
  IVec bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;  // the low bits of `shifted` hold n
  Vec scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return {scale, rest};
}

TIDEGATE_INLINE Vec sigmoid(Vec x) {
  const Power e = power(clamp(-x, -87.0f, 87.0f));
  return splat(1.0f) / (splat(1.0f) + fma(e.scale, e.rest, e.scale));
}

// By e^2x - 1, which keeps small results precise.
TIDEGATE_INLINE Vec tanh(Vec x) {
  const Power e = power(clamp(x + x, -18.0f, 18.0f));
  const Vec less_one = fma(e.scale, e.rest, e.scale - splat(1.0f));
  return less_one / (less_one + splat(2.0f));
}

}  // namespace TIDEGATE_TARGET
