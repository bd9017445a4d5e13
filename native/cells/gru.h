// The gated recurrent unit, whose reset gate multiplies U_n h + b_hn (cuDNN, torch.nn); by rows also
// with layer normalisation, or with the reset gate before the product (Cho et al. 2014), or both.
#pragma once

#include "../core/backward.h"
#include "../core/forward.h"
#include "../core/rows_backward.h"
#include "../core/rows_forward.h"

namespace TIDEGATE_TARGET {

struct GRURows;

struct GRU {
  static constexpr const char *kName = "gru", *kOptions = "reset_before";
  enum Option : std::int32_t {
    kResetBefore = TIDEGATE_OWN  // the reset gate multiplies h (Cho et al. 2014)
  };
  static constexpr bool kHasCell = false, kProjects = false;
  static constexpr bool kTiles = true;
  using ByRows = GRURows;

  static Shape shape(std::int32_t options) {
    Shape s = {};
    s.blocks = "reset update new", s.kept = "new reset update";
    s.units = W;
    s.apart = 1, s.inner = options & kResetBefore;
    if (s.inner) {  // there are no tiles of it: what counts are the three slots that are kept
      s.slots = s.x_count = s.h_count = 3;
      return s;
    }
    // new, reset, update, U_n h + b_hn: x reaches the first three, h the last three.
    s.slots = 4, s.x_count = 3, s.h_first = 1, s.h_count = 3;
    s.x_rows[0] = 2, s.x_rows[1] = 0, s.x_rows[2] = 1;
    s.h_rows[0] = 0, s.h_rows[1] = 1, s.h_rows[2] = 2;
    return s;
  }

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
    store(to, d_fresh), store(to + W, d_reset), store(to + 2 * W, d_update),
        store(to + 3 * W, d_part);
    const Index lanes = p.lanes(block);
    store(to_h, d_reset), store(to_h + lanes, d_update), store(to_h + 2 * lanes, d_part);
    Item *to_x = s.dg_x + block * 3 * W;
    store(to_x, d_fresh), store(to_x + lanes, d_reset), store(to_x + 2 * lanes, d_update);
  }
};

// The walk by rows.
struct GRURows {
  // Reset and update, left in the row of sums, and r h if the reset gate comes before.
  static void first(const Plan &p, const Parts &parts, const Row *rows, int n) {
    for (int r = 0; r < n; r++)
      for (Index unit = 0; unit < p.q.H; unit += W) {
        const Row &s = rows[r];
        float *sums = s.h[0] + 2 * unit;
        const Vec reset = sigmoid(load(sums)), update = sigmoid(load(sums + W));
        store(sums, reset), store(sums + W, update);
        if (parts.inner) store(s.inner_in + unit, reset * load(s.h_seen + unit));
      }
  }

  static void second(const Plan &p, const Parts &parts, const Row &s) {
    const Index Hp = p.Hp;
    for (Index unit = 0; unit < p.q.H; unit += W) {
      const float *sums = s.h[0] + 2 * unit;
      const Vec reset = load(sums), update = load(sums + W), h_old = load(s.h_old + unit);
      const Vec part = parts.inner ? load(s.inner + unit) : load(s.h[1] + unit);
      const Vec fresh = tanh(parts.inner ? part : fma(reset, part, load(s.x[1] + unit)));
      if (s.gates) {
        float *to = s.gates + unit;
        store(to, fresh), store(to + Hp, reset), store(to + 2 * Hp, update);
        if (!parts.inner) store(to + 3 * Hp, part);
      }
      emit(p, s, unit, fma(update, h_old - fresh, fresh));
    }
  }

  // All but what goes by way of r h.
  static void back_first(const Plan &p, const Parts &parts, const BackRow &s) {
    const Index Hp = p.Hp;
    const Vec one = splat(1.0f);
    for (Index unit = 0; unit < p.q.H; unit += W) {
      const float *gates = s.gates + unit, *extra = s.dgates ? s.dgates + unit : nullptr;
      const Vec fresh = load(gates), reset = load(gates + Hp), update = load(gates + 2 * Hp);
      const Vec h_old = s.h_old ? load_some(s.h_old + unit, p.units_left(unit)) : Vec{};
      const Vec dh = arrive(p, s, unit);
      Vec d_fresh = dh * (one - update), d_update = dh * (h_old - fresh);
      if (extra) d_fresh = d_fresh + load(extra), d_update = d_update + load(extra + 2 * Hp);
      d_fresh = d_fresh * (one - fresh * fresh);
      store(s.out[1] + unit, d_fresh);
      store(s.out[0] + 2 * unit + W, d_update * update * (one - update));
      store(s.dh + unit, fma(dh, update, load(s.dh + unit)));
      if (parts.inner) continue;
      Vec d_reset = d_fresh * load(gates + 3 * Hp), d_part = d_fresh * reset;
      if (extra) d_reset = d_reset + load(extra + Hp), d_part = d_part + load(extra + 3 * Hp);
      store(s.out[0] + 2 * unit, d_reset * reset * (one - reset));
      store(s.out[2] + unit, d_part);
    }
  }

  // The rest, from the gradient of r h.
  static void back_second(const Plan &p, const Parts &parts, const BackRow *rows, int n) {
    for (int r = 0; r < n && parts.inner; r++)
      for (Index unit = 0; unit < p.q.H; unit += W) {
        const BackRow &s = rows[r];
        const Vec reset = load(s.gates + p.Hp + unit), d = load(s.inner + unit);
        Vec d_reset = d * seen(p, s, unit);
        if (s.dgates) d_reset = d_reset + load(s.dgates + p.Hp + unit);
        store(s.out[0] + 2 * unit, d_reset * reset * (splat(1.0f) - reset));
        const Vec to_h = s.mask ? d * load_some(s.mask + unit, p.units_left(unit)) : d;
        store(s.dh + unit, fma(to_h, reset, load(s.dh + unit)));
      }
  }

  // r h, as the forward pass had it.
  static void remember_inner(const Plan &p, const BackRow &s) {
    for (Index unit = 0; unit < p.q.H; unit += W)
      store(s.inner_in + unit, load(s.gates + p.Hp + unit) * seen(p, s, unit));
  }

 private:
  // h as the weights saw it.
  static Vec seen(const Plan &p, const BackRow &s, Index unit) {
    const Index left = p.units_left(unit);
    const Vec h = s.h_old ? load_some(s.h_old + unit, left) : Vec{};
    return s.mask ? h * load_some(s.mask + unit, left) : h;
  }
};

}  // namespace TIDEGATE_TARGET
