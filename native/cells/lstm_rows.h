// Long short-term memory with layer normalisation, with a projection, or both.
#pragma once

#include "../core/rows_backward.h"
#include "../core/rows_forward.h"
#include "lstm.h"

namespace TIDEGATE_TARGET {

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
    for (Index unit = 0; unit < p.q.P; unit += W) send(p, s, unit, load(fresh + unit));
  }

  // The gradient of h, for the projection or where `back_second` reads it.
  static void back_first(const Plan &p, const Parts &parts, const BackRow &s) {
    float *to = parts.inner ? s.out[3] : s.inner;
    for (Index unit = 0; unit < p.q.P; unit += W) store(to + unit, receive(p, s, unit));
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
    return LSTM::read(s.gates + unit, p.has(TIDEGATE_COUPLED), p.Hp);
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
               p.has(TIDEGATE_COUPLED));
  }
};

}  // namespace TIDEGATE_TARGET
