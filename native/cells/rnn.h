// The plain recurrent unit, tanh or ReLU; by rows also with layer normalisation.
#pragma once

#include "../core/backward.h"
#include "../core/forward.h"
#include "../core/rows_backward.h"
#include "../core/rows_forward.h"

namespace TIDEGATE_TARGET {

struct RNNRows;

struct RNN {
  static constexpr const char *kName = "rnn", *kOptions = "relu";
  enum Option : std::int32_t {
    kRelu = TIDEGATE_OWN  // max(0, .) in place of tanh
  };
  static constexpr bool kHasCell = false, kProjects = false;
  static constexpr bool kTiles = true;
  using ByRows = RNNRows;

  // The four vectors of a block are four times W units, and so are its four slots, which keep no
  // gate, but the hidden state before zoneout.
  static Shape shape(std::int32_t) {
    Shape s = {};
    s.blocks = "hidden", s.kept = "";
    s.slots = s.x_count = s.h_count = 4;
    s.units = 4 * W;
    return s;
  }

  template <class Item>
  static void gates(const Plan &, const Weights &, const SpotOf<Item> &, Index, float *) {}

  template <class Item>
  static void output(const Plan &p, const SpotOf<Item> &s, Index block, const float *sums) {
    const bool relu = p.has(kRelu);
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
    const bool relu = p.has(kRelu);
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

// The walk by rows.
struct RNNRows {
  static void first(const Plan &, const Parts &, const Row *, int) {}

  static void second(const Plan &p, const Parts &, const Row &s) {
    const bool relu = p.has(RNN::kRelu);
    for (Index unit = 0; unit < p.q.H; unit += W) {
      const Vec sum = load(s.h[0] + unit);
      const Vec h = relu ? select(sum > Vec{}, sum, sum != sum ? sum : Vec{}) : tanh(sum);
      if (s.gates) store(s.gates + unit, h);
      emit(p, s, unit, h);
    }
  }

  static void back_first(const Plan &p, const Parts &, const BackRow &s) {
    const bool relu = p.has(RNN::kRelu);
    for (Index unit = 0; unit < p.q.H; unit += W) {
      const Vec h = load(s.gates + unit);
      Vec d = arrive(p, s, unit);
      if (s.dgates) d = d + load(s.dgates + unit);
      store(s.out[0] + unit, relu ? select(h > Vec{}, d, Vec{}) : d * (splat(1.0f) - h * h));
    }
  }

  static void back_second(const Plan &, const Parts &, const BackRow *, int) {}
  static void remember_inner(const Plan &, const BackRow &) {}
};

}  // namespace TIDEGATE_TARGET
