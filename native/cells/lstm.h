// Long short-term memory: plain, coupled, with peepholes, with a clipped cell.
#pragma once

#include "../core/backward.h"
#include "../core/forward.h"

namespace TIDEGATE_TARGET {

struct LSTM {
  struct Gates {
    Vec i, f, g, o;
  };

  // Of slots that stand `step` numbers apart.
  template <class Item>
  static Gates read(const Item *at, bool coupled, Index step = W) {
    if (!coupled) return {load(at), load(at + step), load(at + 2 * step), load(at + 3 * step)};
    const Vec f = load(at);
    return {splat(1.0f) - f, f, load(at + step), load(at + 2 * step)};
  }

  // Slot by slot from the first: each may spill over into the room of the next.
  template <class Item>
  static void keep(Item *at, const Gates &gates, bool coupled, Index step = W) {
    if (!coupled) {
      store(at, gates.i);
      at += step;
    }
    store(at, gates.f);
    store(at + step, gates.g);
    store(at + 2 * step, gates.o);
  }

  // c before zoneout; `clipped` marks where the bound was passed.
  static Vec advance(const Plan &p, const Gates &gates, Vec c_old, IVec *clipped) {
    const Vec c = fma(gates.i, gates.g, gates.f * c_old);
    *clipped = IVec{};
    if (p.q.cell_clip <= 0) return c;
    const float bound = p.q.cell_clip;
    *clipped = (c > splat(bound)) | (c < splat(-bound));
    return clamp(c, -bound, bound);
  }

  // The gates and the new cell state, left in `sums`: c in slot 0, o in slot 1.
  template <class Item>
  static void gates(const Plan &p, const Weights &w, const SpotOf<Item> &s, Index block,
                    float *sums) {
    const bool coupled = p.has(TIDEGATE_COUPLED);
    const Index unit = block * W;
    const Vec c_old = load(s.c + unit);
    Gates sum = read(sums, false);
    if (coupled) sum = {Vec{}, sum.i, sum.f, sum.g};
    // Peephole weights stand in block order: i, f, o, or f, o.
    const float *peep = w.peep ? w.peep + unit - (coupled ? p.Hp : 0) : nullptr;
    Gates gates;
    gates.f = sigmoid(peep ? fma(load(peep + p.Hp), c_old, sum.f) : sum.f);
    gates.g = tanh(sum.g);
    if (coupled)
      gates.i = splat(1.0f) - gates.f;
    else
      gates.i = sigmoid(peep ? fma(load(peep), c_old, sum.i) : sum.i);
    IVec clipped;
    const Vec c = advance(p, gates, c_old, &clipped);
    gates.o = sigmoid(peep ? fma(load(peep + 2 * p.Hp), c, sum.o) : sum.o);
    if (s.gates) keep(s.gates + unit, gates, coupled, p.Hp);
    store(sums, c);
    store(sums + W, gates.o);
  }

  template <class Item>
  static void output(const Plan &p, const SpotOf<Item> &s, Index block, const float *sums) {
    const Index unit = block * W, left = p.units_left(unit);
    Vec c = load(sums);
    const Vec h = load(sums + W) * tanh(c);
    if (p.q.zone_cell || p.q.zone_cell_rate != 0)
      c = zone(c, load(s.c + unit), p.q.zone_cell, p.q.zone_cell_rate,
               (s.b * p.q.T + s.t) * p.q.H + unit, left);
    if (s.cells) store_some(s.cells + unit, c, left);
    store(s.c + unit, s.reset_next ? Vec{} : c);
    emit(p, s, unit, h);
  }

  // From the gradients of the output gate and of c by way of its tanh to those of the sums of the
  // gates; leaves that of the old c and adds to those of the peepholes.
  template <class Item>
  TIDEGATE_INLINE static Gates turn(const Plan &p, const float *peeps, const BackSpotOf<Item> &s,
                                    Index unit, const Gates &gates, Vec c_old, Vec c, IVec clipped,
                                    Vec d_out, Vec dc_read) {
    const bool coupled = p.has(TIDEGATE_COUPLED);
    const Index left = p.units_left(unit), slots = p.shape.slots;
    const Vec one = splat(1.0f);
    Gates d = {};
    d.o = d_out;
    const Item *extra = s.dgates ? s.dgates + unit : nullptr;
    if (extra) d.o = d.o + load(extra + (slots - 1) * p.Hp);
    d.o = d.o * gates.o * (one - gates.o);
    // The state after zoneout is what the later steps and `cells` saw.
    Vec dc_after = load(s.dc + unit);
    if (s.dcells) dc_after = dc_after + load_some(s.dcells + unit, left);
    Vec dc_direct = {};
    split_zone(dc_after, &dc_direct, p.q.zone_cell, p.q.zone_cell_rate,
               (s.b * p.q.T + s.t) * p.q.H + unit, left);
    Vec dc = dc_after + dc_read;
    const float *peep = peeps ? peeps + unit - (coupled ? p.Hp : 0) : nullptr;
    if (peep) dc = fma(d.o, load(peep + 2 * p.Hp), dc);
    dc = select(clipped, Vec{}, dc);
    d.i = dc * gates.g, d.f = dc * c_old, d.g = dc * gates.i;
    if (extra && !coupled) d.i = d.i + load(extra);
    if (extra) d.f = d.f + load(extra + (slots - 3) * p.Hp);
    if (extra) d.g = d.g + load(extra + (slots - 2) * p.Hp);
    if (coupled) d.f = d.f - d.i;
    d.i = d.i * gates.i * (one - gates.i);
    d.f = d.f * gates.f * (one - gates.f);
    d.g = d.g * (one - gates.g * gates.g);
    Vec dc_old = fma(dc, gates.f, dc_direct);
    if (peep) {
      dc_old = fma(d.f, load(peep + p.Hp), dc_old);
      if (!coupled) dc_old = fma(d.i, load(peep), dc_old);
      float *sum = s.peep + unit - (coupled ? p.Hp : 0);
      if (!coupled) store(sum, fma(d.i, c_old, load(sum)));
      store(sum + p.Hp, fma(d.f, c_old, load(sum + p.Hp)));
      store(sum + 2 * p.Hp, fma(d.o, c, load(sum + 2 * p.Hp)));
    }
    store(s.dc + unit, s.reset ? Vec{} : dc_old);
    return d;
  }

  template <class Item>
  static void backward(const Plan &p, const Weights &w, const BackSpotOf<Item> &s, Index block) {
    const bool coupled = p.has(TIDEGATE_COUPLED);
    const Index unit = block * W, left = p.units_left(unit), slots = p.shape.slots;
    const Gates gates = read(s.gates + unit, coupled, p.Hp);
    const Vec c_old = s.c_old ? load_some(s.c_old + unit, left) : Vec{};
    IVec clipped = {};
    const bool same = !p.q.zone_cell && p.q.zone_cell_rate == 0 && p.q.cell_clip <= 0;
    const Vec c = same ? load_some(s.cells + unit, left) : advance(p, gates, c_old, &clipped);
    const Vec one = splat(1.0f);
    const Vec squashed = tanh(c);
    const Vec dh = arrive(p, s, unit);
    const Gates d = turn(p, w.peep, s, unit, gates, c_old, c, clipped, dh * squashed,
                         dh * gates.o * (one - squashed * squashed));
    Item *at = s.block(block);
    keep(at, d, coupled);
    keep(s.dg_h + block * slots * W, d, coupled, p.lanes(block));
  }
};

}  // namespace TIDEGATE_TARGET
