// The plain recurrent unit, tanh or ReLU. The four vectors of a block are four times W units.
#pragma once

#include "../core/backward.h"
#include "../core/forward.h"

namespace TIDEGATE_TARGET {

struct RNN {
  template <class Item>
  static void gates(const Plan &, const Weights &, const SpotOf<Item> &, Index, float *) {}

  template <class Item>
  static void output(const Plan &p, const SpotOf<Item> &s, Index block, const float *sums) {
    const bool relu = p.has(TIDEGATE_RELU);
    for (int v = 0; v < 4; v++) {
      const Index unit = block * 4 * W + v * W;
      if (unit >= p.q.H) break;
      const Vec sum = load(sums + v * W);
      const Vec h = relu ? select(sum > Vec{}, sum, sum != sum ? sum : Vec{}) : tanh(sum);
      if (s.gates) store(s.gates + unit, h);
      emit(p, s, unit, h);
    }
  }

  template <class Item>
  static void backward(const Plan &p, const Weights &, const BackSpotOf<Item> &s, Index block) {
    const bool relu = p.has(TIDEGATE_RELU);
    for (int v = 0; v < 4; v++) {
      const Index unit = block * 4 * W + v * W;
      Vec d = {};
      if (unit < p.q.H) {
        const Vec h = load(s.gates + unit);
        d = arrive(p, s, unit);
        if (s.dgates) d = d + load(s.dgates + unit);
        d = relu ? select(h > Vec{}, d, Vec{}) : d * (splat(1.0f) - h * h);
      }
      store(s.block(block) + v * W, d);
      store(s.dg_h + unit, d);
    }
  }
};

}  // namespace TIDEGATE_TARGET
