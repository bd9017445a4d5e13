// The gated recurrent unit whose reset gate multiplies U_n h + b_hn (cuDNN, torch.nn).
#pragma once

#include "../core/backward.h"
#include "../core/forward.h"

namespace TIDEGATE_TARGET {

struct GRU {
  // The two gates, left in their slots of `sums`.
  template <class Item>
  static void gates(const Plan &, const Weights &, const SpotOf<Item> &, Index, float *sums) {
    store(sums + W, sigmoid(load(sums + W)));
    store(sums + 2 * W, sigmoid(load(sums + 2 * W)));
  }

  template <class Item>
  static void output(const Plan &p, const SpotOf<Item> &s, Index block, const float *sums) {
    const Index unit = block * W, Hp = p.Hp;
    const Vec h_old = load(s.h_old + unit);
    const Vec part = load(sums + 3 * W);  // U_n h + b_hn
    const Vec reset = load(sums + W), update = load(sums + 2 * W);
    const Vec fresh = tanh(fma(reset, part, load(sums)));
    if (s.gates) {
      Item *at = s.gates + unit;
      store(at, fresh), store(at + Hp, reset), store(at + 2 * Hp, update), store(at + 3 * Hp, part);
    }
    emit(p, s, unit, fma(update, h_old - fresh, fresh));
  }

  template <class Item>
  static void backward(const Plan &p, const Weights &, const BackSpotOf<Item> &s, Index block) {
    const Index unit = block * W, left = p.units_left(unit), Hp = p.Hp;
    const Item *at = s.gates + unit;
    const Vec fresh = load(at), reset = load(at + Hp), update = load(at + 2 * Hp);
    const Vec part = load(at + 3 * Hp), one = splat(1.0f);
    const Vec h_old = s.h_old ? load_some(s.h_old + unit, left) : Vec{};
    const Vec dh = arrive(p, s, unit);
    Vec d_fresh = dh * (one - update), d_update = dh * (h_old - fresh), d_part = {};
    const Item *extra = s.dgates ? s.dgates + unit : nullptr;
    if (extra) d_fresh = d_fresh + load(extra), d_update = d_update + load(extra + 2 * Hp);
    d_fresh = d_fresh * (one - fresh * fresh);
    Vec d_reset = d_fresh * part;
    d_part = d_fresh * reset;
    if (extra) d_reset = d_reset + load(extra + Hp), d_part = d_part + load(extra + 3 * Hp);
    d_reset = d_reset * reset * (one - reset);
    d_update = d_update * update * (one - update);
    // What goes straight back to h; the product with the weights is added to it.
    store(s.dh + unit, fma(dh, update, load(s.dh + unit)));
    Item *to = s.block(block), *to_h = s.dg_h + block * 3 * W;
    store(to, d_fresh), store(to + W, d_reset), store(to + 2 * W, d_update), store(to + 3 * W, d_part);
    const Index lanes = p.lanes(block);
    store(to_h, d_reset), store(to_h + lanes, d_update), store(to_h + 2 * lanes, d_part);
    Item *to_x = s.dg_x + block * 3 * W;
    store(to_x, d_fresh), store(to_x + lanes, d_reset), store(to_x + 2 * lanes, d_update);
  }
};

}  // namespace TIDEGATE_TARGET
