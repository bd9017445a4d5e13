#include "scalar.h"

#include <algorithm>

#include "scalar_step.h"

namespace scalar {
namespace {

constexpr int64_t kUnits = 4;

int64_t length_of(const tidegate_sequence &s, int64_t row) {
  return s.lengths ? s.lengths[row] : s.T;
}

bool resets_at(const tidegate_sequence &s, int64_t row, int64_t t) {
  return s.resets && s.resets[row * s.T + t];
}

Vector row_of(const float *matrix, int64_t row, int64_t width) {
  if (!matrix) return Vector(width, 0);
  return Vector(matrix + row * width, matrix + (row + 1) * width);
}

void write(const Vector &values, float *to) {
  for (size_t i = 0; i < values.size(); ++i) to[i] = float(values[i]);
}

/* The steps that a row takes, in the order in which they are taken, each with all that it
 * computed; the last element only carries the final state. */
std::vector<Step> walk(const tidegate_sequence &s, int64_t row) {
  const int64_t length = length_of(s, row);
  Vector h = row_of(s.h0, row, s.P), c;
  if (s.kind == LSTM) c = row_of(s.c0, row, s.H);
  std::vector<Step> steps(length + 1);
  for (int64_t n = 0; n < length; ++n) {
    Step &step = steps[n];
    step.row = row;
    step.t = s.reverse ? length - 1 - n : n;
    if (resets_at(s, row, step.t)) {
      std::fill(h.begin(), h.end(), 0);
      std::fill(c.begin(), c.end(), 0);
    }
    step.h_old = h;
    step.c_old = c;
    step_forward(s, step);
    h = step.h_after;
    c = step.c_after;
  }
  steps[length].h_after = h;
  steps[length].c_after = c;
  return steps;
}

void keep(const tidegate_sequence &s, const Step &step) {
  const int64_t at = step.row * s.T + step.t;
  write(step.h_after, s.y + step.row * s.y_row + step.t * s.y_step);
  if (s.cells) write(step.c_after, s.cells + at * s.H);
  if (!s.gates) return;
  const tidegate_kept_layout layout = kept_of(s.kind, s.options, s.H);
  float *gates = s.gates + at * layout.blocks * layout.slots * layout.units;
  for (size_t slot = 0; slot < step.gates.size(); ++slot)
    for (int64_t j = 0; j < s.H; ++j)
      gates[kept_index(s.kind, layout, slot, j)] = float(step.gates[slot][j]);
}

/* The gradients that enter at this step from outside. */
void enter(const tidegate_sequence &s, const tidegate_gradient &g, const Step &step, Flow &flow) {
  const int64_t at = step.row * s.T + step.t;
  if (g.dy)
    for (int64_t p = 0; p < s.P; ++p)
      flow.dh[p] += g.dy[step.row * g.dy_row + step.t * g.dy_step + p];
  if (g.dcells && s.kind == LSTM)
    for (int64_t j = 0; j < s.H; ++j) flow.dc[j] += g.dcells[at * s.H + j];
  flow.dgates.assign(step.gates.size(), Vector(s.H, 0));
  if (!g.dgates) return;
  const tidegate_kept_layout layout = kept_of(s.kind, s.options, s.H);
  const float *dgates = g.dgates + at * layout.blocks * layout.slots * layout.units;
  for (size_t slot = 0; slot < step.gates.size(); ++slot)
    for (int64_t j = 0; j < s.H; ++j)
      flow.dgates[slot][j] = dgates[kept_index(s.kind, layout, slot, j)];
}

void backward_row(const tidegate_sequence &s, const tidegate_gradient &g, int64_t row,
                  WeightSums &sums) {
  std::vector<Step> steps = walk(s, row);
  Flow flow;
  flow.dh = row_of(g.dh_n, row, s.P);
  if (s.kind == LSTM) flow.dc = row_of(g.dc_n, row, s.H);
  for (int64_t n = int64_t(steps.size()) - 2; n >= 0; --n) {
    enter(s, g, steps[n], flow);
    step_backward(s, steps[n], flow, sums);
    if (g.dx) write(flow.dx, g.dx + row * g.dx_row + steps[n].t * g.dx_step);
    if (!resets_at(s, row, steps[n].t)) continue;
    std::fill(flow.dh.begin(), flow.dh.end(), 0);
    std::fill(flow.dc.begin(), flow.dc.end(), 0);
  }
  if (g.dx)
    for (int64_t t = length_of(s, row); t < s.T; ++t)
      std::fill_n(g.dx + row * g.dx_row + t * g.dx_step, s.I, 0.0f);
  if (g.dh0) write(flow.dh, g.dh0 + row * s.P);
  if (g.dc0) write(flow.dc, g.dc0 + row * s.H);
}

}  // namespace

tidegate_cell cell_of(int32_t kind, int32_t options) {
  const bool first = options & TIDEGATE_OWN, coupled = options & COUPLED;
  const char *const blocks[] = {
      coupled ? "forget candidate output" : "input forget candidate output", "reset update new",
      "hidden"};
  switch (kind) {
    case LSTM: {
      const int peepholes = !first ? 0 : coupled ? 2 : 3;
      return {"lstm", "peephole coupled", blocks[0], blocks[0], 1, 1, peepholes};
    }
    case GRU: return {"gru", "reset_before", blocks[1], "new reset update", 0, 0, 0};
    case RNN: return {"rnn", "relu", blocks[2], "", 0, 0, 0};
    default: return {};
  }
}

int64_t blocks_of(int32_t kind, int32_t options) {
  if (kind == LSTM) return options & COUPLED ? 3 : 4;
  return kind == GRU ? 3 : 1;
}

int64_t slots_of(int32_t kind, int32_t options) {
  if (kind == GRU) return options & RESET_BEFORE ? 3 : 4;
  return blocks_of(kind, options);
}

tidegate_kept_layout kept_of(int32_t kind, int32_t options, int64_t H) {
  if (kind == RNN) return {(H + 4 * kUnits - 1) / (4 * kUnits), 4, kUnits};
  return {(H + kUnits - 1) / kUnits, slots_of(kind, options), kUnits};
}

int64_t kept_index(int32_t kind, const tidegate_kept_layout &layout, int64_t slot, int64_t unit) {
  if (kind == RNN) return unit;
  return slot * layout.blocks * layout.units + unit;
}

const char *complaint(const tidegate_sequence *s) {
  if (!s) return "sequence must not be NULL";
  if (s->kind < LSTM || s->kind > RNN) return "kind must be 0, 1 or 2";
  if (s->B < 0 || s->T < 0 || s->I < 1 || s->H < 1 || s->P < 1)
    return "B and T must be >= 0; I, H and P >= 1";
  if (s->threads < 1) return "threads must be >= 1";
  if (s->P != s->H && !s->w_hr) return "P must be H without w_hr";
  if (s->w_hr && s->kind != LSTM) return "w_hr is for the LSTM alone";
  if (!s->w_ih || !s->w_hh || !s->b_ih != !s->b_hh) return "weights must not be NULL";
  if (s->kind == LSTM && (s->options & PEEPHOLE) && !s->w_ch) return "peephole needs w_ch";
  if ((s->options & TIDEGATE_LAYER_NORM) && (!s->norm_ih || !s->norm_hh))
    return "layer norm needs norm_ih and norm_hh";
  for (int64_t row = 0; s->lengths && row < s->B; ++row)
    if (s->lengths[row] < 0 || s->lengths[row] > s->T) return "lengths must be from 0 to T";
  return nullptr;
}

int forward(const tidegate_sequence *sequence) {
  if (complaint(sequence)) return TIDEGATE_BAD_ARGUMENT;
  const tidegate_sequence &s = *sequence;
  for (int64_t row = 0; row < s.B; ++row) {
    const std::vector<Step> steps = walk(s, row);
    for (size_t n = 0; n + 1 < steps.size(); ++n) keep(s, steps[n]);
    for (int64_t t = length_of(s, row); t < s.T; ++t)
      std::fill_n(s.y + row * s.y_row + t * s.y_step, s.P, 0.0f);
    if (s.h_n) write(steps.back().h_after, s.h_n + row * s.P);
    if (s.c_n) write(steps.back().c_after, s.c_n + row * s.H);
  }
  return TIDEGATE_OK;
}

int backward(const tidegate_sequence *sequence, const tidegate_gradient *gradient) {
  if (complaint(sequence) || !gradient) return TIDEGATE_BAD_ARGUMENT;
  const tidegate_gradient &g = *gradient;
  WeightSums sums(*sequence);
  for (int64_t row = 0; row < sequence->B; ++row) backward_row(*sequence, g, row, sums);
  if (!g.dw_ih) return TIDEGATE_OK;
  const std::pair<const Vector &, float *> results[] = {
      {sums.w_ih, g.dw_ih},           {sums.w_hh, g.dw_hh},
      {sums.b_ih, g.db_ih},           {sums.b_hh, g.db_hh},
      {sums.w_ch, g.dw_ch},           {sums.w_hr, g.dw_hr},
      {sums.norm_ih, g.dnorm_ih},     {sums.norm_hh, g.dnorm_hh},
      {sums.norm_cell, g.dnorm_cell}, {sums.norm_cell_bias, g.dnorm_cell_bias}};
  for (const auto &[sum, to] : results)
    if (to) write(sum, to);
  return TIDEGATE_OK;
}

}  // namespace scalar
