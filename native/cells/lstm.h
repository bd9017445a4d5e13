// Long short-term memory: plain, coupled, with peepholes, with a clipped cell; by rows also with
// layer normalisation, with a projection, or both.
#pragma once

#include "../core/backward.h"
#include "../core/forward.h"
#include "../core/rows_backward.h"
#include "../core/rows_forward.h"

namespace TIDEGATE_TARGET {

struct LSTMRows;

struct LSTM {
  static constexpr const char *kName = "lstm", *kOptions = "peephole coupled";
  enum Option : std::int32_t {
    kPeephole = TIDEGATE_OWN,  // i and f see the old c, o the new one: w_ch is given, in that order
    kCoupled = TIDEGATE_OWN << 1  // i = 1 - f: three blocks of weights, and of peepholes f and o
  };
  static constexpr bool kHasCell = true, kProjects = true;
  static constexpr bool kTiles = true;
  using ByRows = LSTMRows;

  static Shape shape(std::int32_t options) {
    const bool coupled = options & kCoupled;
    Shape s = {};
    s.blocks = s.kept = coupled ? "forget candidate output" : "input forget candidate output";
    s.slots = s.x_count = s.h_count = coupled ? 3 : 4;
    s.units = W;
    for (int slot = 0; slot < s.slots; slot++) s.x_rows[slot] = s.h_rows[slot] = slot;
    if (options & kPeephole) s.peepholes = s.slots - 1;
    return s;
  }

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
    const bool coupled = p.has(kCoupled);
    const Index unit = block * W;
    const Vec c_old = load(s.c + unit);
    Gates sum = read(sums, false);
    if (coupled) sum = {Vec{}, sum.i, sum.f, sum.g};
    // Peephole weights stand in block order: i, f, o, or f, o.
    const float *peep = w.peep ? w.peep + unit - (coupled ? p.Hp : 0) : nullptr;
    Gates gates;
    gates.f = sigmoid(peep ? fma(load(peep + p.Hp), c_old, sum.f) : sum.f);
    gates.g = tanh(sum.g);
    if (coupled) gates.i = splat(1.0f) - gates.f;
    else gates.i = sigmoid(peep ? fma(load(peep), c_old, sum.i) : sum.i);
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
    const bool coupled = p.has(kCoupled);
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
    const bool coupled = p.has(kCoupled);
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

// The walk by rows.
struct LSTMRows {
  // Gates and cell state; leaves o tanh(c) in inner_in.
  static void first(const Plan &p, const Parts &parts, const Row *rows, int n) {
    const Index step = p.shape.slots * W;
    Moments m[BATCH] = {};
    for (int r = 0; r < n; r++)
      for (Index unit = 0, at = 0; unit < p.q.H; unit += W, at += step) {
        LSTM::gates(p, parts.shared, rows[r], unit / W, rows[r].h[0] + at);
        store(rows[r].inner_in + unit, load(rows[r].h[0] + at));
      }
    if (parts.cell.gain) moments(parts.cell.layout, n, [&](int r) { return rows[r].inner_in; }, m);
    for (int r = 0; r < n; r++)
      for (Index unit = 0, at = 0; unit < p.q.H; unit += W, at += step)
        output(p, parts, m[r], rows[r], unit, load(rows[r].h[0] + at + W));
  }

  static void second(const Plan &p, const Parts &, const Row &s) {
    const float *fresh = s.inner ? s.inner : s.inner_in;
    for (Index unit = 0; unit < p.q.P; unit += W) emit(p, s, unit, load(fresh + unit));
  }

  // The gradient of h, for the projection or where `back_second` reads it.
  static void back_first(const Plan &p, const Parts &parts, const BackRow &s) {
    float *to = parts.inner ? s.out[3] : s.inner;
    for (Index unit = 0; unit < p.q.P; unit += W) store(to + unit, arrive(p, s, unit));
  }

  // back_second remembers what the projection saw.
  static void remember_inner(const Plan &, const BackRow &) {}

  static void back_second(const Plan &p, const Parts &parts, const BackRow *rows, int n) {
    back_read(p, parts, rows, n);
    for (int r = 0; r < n; r++)
      for (Index unit = 0; unit < p.q.H; unit += W) back_gates(p, parts, rows[r], unit);
  }

 private:
  // The cell state as the tanh sees it.
  static Vec read(const Parts &parts, const Moments &m, Index unit, Vec c) {
    const Norm &norm = parts.cell;
    return norm.gain ? fma(m.normal(c), load(norm.gain + unit), load(norm.shift + unit)) : c;
  }

  // inner_in has the new cell state in it.
  static void output(const Plan &p, const Parts &parts, const Moments &m, const Row &s, Index unit,
                     Vec gate) {
    const Index left = p.units_left(unit);
    Vec c = load(s.inner_in + unit);
    store(s.inner_in + unit, gate * tanh(read(parts, m, unit, c)));
    if (p.q.zone_cell || p.q.zone_cell_rate != 0)
      c = zone(c, load(s.c + unit), p.q.zone_cell, p.q.zone_cell_rate,
               (s.b * p.q.T + s.t) * p.q.H + unit, left);
    if (s.cells) store_some(s.cells + unit, c, left);
    store(s.c + unit, s.reset_next ? Vec{} : c);
  }

  static LSTM::Gates gates_of(const Plan &p, const BackRow &s, Index unit) {
    return LSTM::read(s.gates + unit, p.has(LSTM::kCoupled), p.Hp);
  }

  static Vec old_cell(const Plan &p, const BackRow &s, Index unit) {
    return s.c_old ? load_some(s.c_old + unit, p.units_left(unit)) : Vec{};
  }

  // Leaves tanh(c) in room 0 and the gradient of c by way of it in room 1.
  static void back_read(const Plan &p, const Parts &parts, const BackRow *rows, int n) {
    Moments m[BATCH] = {};
    for (int r = 0; r < n; r++)
      for (Index unit = 0; unit < p.q.H; unit += W) {
        IVec clipped;
        const Vec c_old = old_cell(p, rows[r], unit);
        const LSTM::Gates gates = gates_of(p, rows[r], unit);
        store(rows[r].room(1) + unit, LSTM::advance(p, gates, c_old, &clipped));
      }
    if (parts.cell.gain) moments(parts.cell.layout, n, [&](int r) { return rows[r].room(1); }, m);
    BackNorm back[BATCH];
    for (int r = 0; r < n; r++) {
      const BackRow &s = rows[r];
      float *d_read = s.room(parts.cell.gain ? 2 : 1);
      for (Index unit = 0; unit < p.q.H; unit += W) {
        const Vec gate = gates_of(p, s, unit).o, dh = load(s.inner + unit);
        const Vec squashed = tanh(read(parts, m[r], unit, load(s.room(1) + unit)));
        store(s.room(0) + unit, squashed);
        store(d_read + unit, dh * gate * (splat(1.0f) - squashed * squashed));
        if (parts.inner && s.inner_in) store(s.inner_in + unit, gate * squashed);
      }
      back[r] = {d_read, s.room(1), s.d_cell_gain, s.d_cell_shift};
    }
    if (parts.cell.gain) normalise_back(parts.cell, n, back, m);
  }

  static void back_gates(const Plan &p, const Parts &parts, const BackRow &s, Index unit) {
    const LSTM::Gates gates = gates_of(p, s, unit);
    const Vec c_old = old_cell(p, s, unit);
    IVec clipped;
    const Vec c = LSTM::advance(p, gates, c_old, &clipped);
    const Vec d_out = load(s.inner + unit) * load(s.room(0) + unit);
    LSTM::keep(s.out[0] + unit * p.shape.slots,
               LSTM::turn(p, parts.shared.peep, s, unit, gates, c_old, c, clipped, d_out,
                          load(s.room(1) + unit)),
               p.has(LSTM::kCoupled));
  }
};

}  // namespace TIDEGATE_TARGET
