// The plain recurrent unit with layer normalisation.
#pragma once

#include "../core/rows_backward.h"
#include "../core/rows_forward.h"

namespace TIDEGATE_TARGET {

struct RNNRows {
  static void first(const Plan &, const Parts &, const Row *, int) {}

  static void second(const Plan &p, const Parts &, const Row &s) {
    const bool relu = p.has(TIDEGATE_RELU);
    for (Index unit = 0; unit < p.q.H; unit += W) {
      const Vec sum = load(s.h[0] + unit);
      const Vec h = relu ? select(sum > Vec{}, sum, sum != sum ? sum : Vec{}) : tanh(sum);
      if (s.gates) store(s.gates + unit, h);
      send(p, s, unit, h);
    }
  }

  static void back_first(const Plan &p, const Parts &, const BackRow &s) {
    const bool relu = p.has(TIDEGATE_RELU);
    for (Index unit = 0; unit < p.q.H; unit += W) {
      const Vec h = load(s.gates + unit);
      Vec d = receive(p, s, unit);
      if (s.dgates) d = d + load(s.dgates + unit);
      store(s.out[0] + unit, relu ? select(h > Vec{}, d, Vec{}) : d * (splat(1.0f) - h * h));
    }
  }

  static void back_second(const Plan &, const Parts &, const BackRow *, int) {}
  static void remember_inner(const Plan &, const BackRow &) {}
};

}  // namespace TIDEGATE_TARGET
