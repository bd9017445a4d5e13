#include "scalar_step.h"

#include <algorithm>
#include <cmath>

#include "scalar.h"

namespace scalar {
namespace {

/* Rows [begin, begin + count) of a weight matrix, which layer norm treats as one vector. */
struct Range {
  int64_t begin, count;
};

/* The weights of one product: w [rows, width]. */
struct Side {
  const float *w, *b, *norm;
  int64_t width;
};

struct SideSums {
  Vector &w, &b, &norm;
};

bool has(const tidegate_sequence &s, int32_t option) { return (s.options & option) != 0; }

bool resets_after(const tidegate_sequence &s) { return !has(s, RESET_BEFORE); }

std::vector<Range> ranges_of(const tidegate_sequence &s) {
  if (s.kind == GRU) return {{0, 2 * s.H}, {2 * s.H, s.H}};
  return {{0, blocks_of(s.kind, s.options) * s.H}};
}

Side input_side(const tidegate_sequence &s) { return {s.w_ih, s.b_ih, s.norm_ih, s.I}; }
Side hidden_side(const tidegate_sequence &s) { return {s.w_hh, s.b_hh, s.norm_hh, s.P}; }

double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

/* Sets normal, deviation and out = normal * gain + shift. */
void normalise(const Vector &v, const float *gain, const float *shift, Product &product) {
  double mean = 0, variance = 0;
  for (double value : v) mean += value / v.size();
  for (double value : v) variance += (value - mean) * (value - mean) / v.size();
  product.deviation = std::sqrt(variance + 1e-5);
  product.normal.resize(v.size());
  product.out.resize(v.size());
  for (size_t i = 0; i < v.size(); ++i) {
    product.normal[i] = (v[i] - mean) / product.deviation;
    product.out[i] = product.normal[i] * gain[i] + (shift ? shift[i] : 0);
  }
}

/* The gradient of v from that of out. */
Vector normalise_backward(const Product &product, const float *gain, const Vector &dout) {
  size_t size = dout.size();
  double mean = 0, along = 0;
  for (size_t i = 0; i < size; ++i) {
    mean += dout[i] * gain[i] / size;
    along += dout[i] * gain[i] * product.normal[i] / size;
  }
  Vector dv(size);
  for (size_t i = 0; i < size; ++i)
    dv[i] = (dout[i] * gain[i] - mean - product.normal[i] * along) / product.deviation;
  return dv;
}

Product multiply(const Side &side, const Range &range, const Vector &in) {
  Product product;
  product.in = in;
  product.out.assign(range.count, 0);
  for (int64_t i = 0; i < range.count; ++i)
    for (int64_t k = 0; k < side.width; ++k)
      product.out[i] += double(side.w[(range.begin + i) * side.width + k]) * in[k];
  const float *bias = side.b ? side.b + range.begin : nullptr;
  if (side.norm) {
    normalise(Vector(product.out), side.norm + range.begin, bias, product);
  } else if (bias) {
    for (int64_t i = 0; i < range.count; ++i) product.out[i] += bias[i];
  }
  return product;
}

/* Adds to the gradients of the weights, and returns that of `in`. */
Vector multiply_backward(const Side &side, const Range &range, const Product &product, Vector dout,
                         SideSums sums) {
  for (int64_t i = 0; i < range.count; ++i) {
    if (side.b) sums.b[range.begin + i] += dout[i];
    if (side.norm) sums.norm[range.begin + i] += dout[i] * product.normal[i];
  }
  if (side.norm) dout = normalise_backward(product, side.norm + range.begin, dout);
  Vector din(side.width, 0);
  for (int64_t i = 0; i < range.count; ++i)
    for (int64_t k = 0; k < side.width; ++k) {
      int64_t at = (range.begin + i) * side.width + k;
      sums.w[at] += dout[i] * product.in[k];
      din[k] += dout[i] * side.w[at];
    }
  return din;
}

/* The part of the pre-activations of block `block` that came by `products`. */
double sum_at(const std::vector<Product> &products, int64_t at) {
  int64_t first = int64_t(products[0].out.size());
  return at < first ? products[0].out[at] : products[1].out[at - first];
}

/* Whether zoneout keeps the old value, or how much of it: p old + (1 - p) new. */
double kept_share(const uint8_t *mask, float rate, int64_t at) {
  return mask ? double(mask[at] != 0) : double(rate);
}

Vector zone(const Vector &new_, const Vector &old, const uint8_t *mask, float rate, int64_t base) {
  Vector after(new_.size());
  for (size_t i = 0; i < after.size(); ++i) {
    double p = kept_share(mask, rate, base + int64_t(i));
    after[i] = p == 0 ? new_[i] : p == 1 ? old[i] : new_[i] + p * (old[i] - new_[i]);
  }
  return after;
}

/* Splits the gradient of what `zone` returned. */
void zone_backward(const Vector &dafter, const uint8_t *mask, float rate, int64_t base,
                   Vector &dnew, Vector &dold) {
  dnew = dold = dafter;
  for (size_t i = 0; i < dafter.size(); ++i) {
    double p = kept_share(mask, rate, base + int64_t(i));
    dnew[i] *= 1 - p;
    dold[i] *= p;
  }
}

/* The peephole weights of the input, forget and output gate; null without them. */
struct Peeps {
  const float *input = nullptr, *forget = nullptr, *output = nullptr;
};

Peeps peeps_of(const tidegate_sequence &s) {
  if (!has(s, PEEPHOLE)) return {};
  if (has(s, COUPLED)) return {nullptr, s.w_ch, s.w_ch + s.H};
  return {s.w_ch, s.w_ch + s.H, s.w_ch + 2 * s.H};
}

void lstm_forward(const tidegate_sequence &s, Step &step) {
  const int64_t H = s.H;
  const bool coupled = has(s, COUPLED);
  const int64_t forget = coupled ? 0 : 1, candidate = forget + 1, output = forget + 2;
  const Peeps peeps = peeps_of(s);
  auto sum = [&](int64_t block, int64_t j, const float *peep, const Vector &cell) {
    int64_t at = block * H + j;
    return sum_at(step.from_x, at) + sum_at(step.from_h, at) + (peep ? peep[j] * cell[j] : 0);
  };
  step.gates.assign(output + 1, Vector(H));
  step.c_raw.resize(H);
  step.c_new.resize(H);
  for (int64_t j = 0; j < H; ++j) {
    double f = step.gates[forget][j] = sigmoid(sum(forget, j, peeps.forget, step.c_old));
    double g = step.gates[candidate][j] = std::tanh(sum(candidate, j, nullptr, step.c_old));
    double i = 1 - f;
    if (!coupled) i = step.gates[0][j] = sigmoid(sum(0, j, peeps.input, step.c_old));
    step.c_raw[j] = step.c_new[j] = f * step.c_old[j] + i * g;
    if (s.cell_clip > 0)
      step.c_new[j] = std::clamp(step.c_raw[j], -double(s.cell_clip), double(s.cell_clip));
    step.gates[output][j] = sigmoid(sum(output, j, peeps.output, step.c_new));
  }
  step.read.out = step.c_new;
  if (has(s, TIDEGATE_LAYER_NORM)) normalise(step.c_new, s.norm_cell, s.norm_cell_bias, step.read);
  step.squashed.resize(H);
  step.unprojected.resize(H);
  for (int64_t j = 0; j < H; ++j) {
    step.squashed[j] = std::tanh(step.read.out[j]);
    step.unprojected[j] = step.gates[output][j] * step.squashed[j];
  }
  step.h_new = step.unprojected;
  if (s.w_hr) step.h_new = multiply({s.w_hr, nullptr, nullptr, H}, {0, s.P}, step.h_new).out;
}

/* From dh and dc of the new states: adds to dc_old, and returns the gradients of the sums. */
Vector lstm_backward(const tidegate_sequence &s, const Step &step, const Flow &flow, Vector dh,
                     Vector dc, Vector &dc_old, WeightSums &sums) {
  const int64_t H = s.H;
  const bool coupled = has(s, COUPLED);
  const int64_t forget = coupled ? 0 : 1, candidate = forget + 1, output = forget + 2;
  const Peeps peeps = peeps_of(s);
  if (s.w_hr) {
    Product projection;
    projection.in = step.unprojected;
    Vector none;
    dh = multiply_backward({s.w_hr, nullptr, nullptr, H}, {0, s.P}, projection, dh,
                           {sums.w_hr, none, none});
  }
  Vector dread(H);
  for (int64_t j = 0; j < H; ++j)
    dread[j] = dh[j] * step.gates[output][j] * (1 - step.squashed[j] * step.squashed[j]);
  if (has(s, TIDEGATE_LAYER_NORM)) {
    for (int64_t j = 0; j < H; ++j) {
      sums.norm_cell[j] += dread[j] * step.read.normal[j];
      sums.norm_cell_bias[j] += dread[j];
    }
    dread = normalise_backward(step.read, s.norm_cell, dread);
  }
  Vector dsums((output + 1) * H);
  for (int64_t j = 0; j < H; ++j) {
    double f = step.gates[forget][j], g = step.gates[candidate][j], o = step.gates[output][j];
    double i = coupled ? 1 - f : step.gates[0][j];
    double d_o = (dh[j] * step.squashed[j] + flow.dgates[output][j]) * o * (1 - o);
    double dcell = dc[j] + dread[j] + (peeps.output ? d_o * peeps.output[j] : 0);
    if (s.cell_clip > 0 && std::abs(step.c_raw[j]) > s.cell_clip) dcell = 0;
    double d_f = dcell * step.c_old[j] + flow.dgates[forget][j] - (coupled ? dcell * g : 0);
    double d_i = coupled ? 0 : (dcell * g + flow.dgates[0][j]) * i * (1 - i);
    d_f *= f * (1 - f);
    dc_old[j] += dcell * f + (peeps.forget ? d_f * peeps.forget[j] : 0) +
                 (peeps.input ? d_i * peeps.input[j] : 0);
    if (!coupled) dsums[j] = d_i;
    dsums[forget * H + j] = d_f;
    dsums[candidate * H + j] = (dcell * i + flow.dgates[candidate][j]) * (1 - g * g);
    dsums[output * H + j] = d_o;
    if (peeps.input) sums.w_ch[peeps.input - s.w_ch + j] += d_i * step.c_old[j];
    if (peeps.forget) sums.w_ch[peeps.forget - s.w_ch + j] += d_f * step.c_old[j];
    if (peeps.output) sums.w_ch[peeps.output - s.w_ch + j] += d_o * step.c_new[j];
  }
  return dsums;
}

/* `from_h` holds the product for the reset and update gates, and reset after, that for n. */
void gru_forward(const tidegate_sequence &s, Step &step) {
  const int64_t H = s.H;
  step.gates.assign(slots_of(s.kind, s.options), Vector(H));
  Vector &n = step.gates[0], &r = step.gates[1], &z = step.gates[2];
  for (int64_t j = 0; j < H; ++j) {
    r[j] = sigmoid(step.from_x[0].out[j] + step.from_h[0].out[j]);
    z[j] = sigmoid(step.from_x[0].out[H + j] + step.from_h[0].out[H + j]);
  }
  Vector seen = step.recurrent;
  if (!resets_after(s))
    for (int64_t j = 0; j < H; ++j) seen[j] *= r[j];
  step.from_h.push_back(multiply(hidden_side(s), ranges_of(s)[1], seen));
  step.h_new.resize(H);
  for (int64_t j = 0; j < H; ++j) {
    double product = step.from_h[1].out[j];
    if (resets_after(s)) step.gates[3][j] = product;
    n[j] = std::tanh(step.from_x[1].out[j] + (resets_after(s) ? r[j] * product : product));
    step.h_new[j] = n[j] + z[j] * (step.h_old[j] - n[j]);
  }
}

/* Returns the gradient of `recurrent`, adds to dh_old, sets dx. */
Vector gru_backward(const tidegate_sequence &s, const Step &step, Flow &flow, const Vector &dh,
                    Vector &dh_old, WeightSums &sums) {
  const int64_t H = s.H;
  const Vector &n = step.gates[0], &r = step.gates[1], &z = step.gates[2];
  const std::vector<Range> ranges = ranges_of(s);
  SideSums x_sums{sums.w_ih, sums.b_ih, sums.norm_ih}, h_sums{sums.w_hh, sums.b_hh, sums.norm_hh};
  Vector dnew(H), dproduct(H), dgates(2 * H), dr = flow.dgates[1];
  for (int64_t j = 0; j < H; ++j) {
    dnew[j] = (dh[j] * (1 - z[j]) + flow.dgates[0][j]) * (1 - n[j] * n[j]);
    dproduct[j] = dnew[j];
    dh_old[j] += dh[j] * z[j];
    dgates[H + j] = (dh[j] * (step.h_old[j] - n[j]) + flow.dgates[2][j]) * z[j] * (1 - z[j]);
    if (resets_after(s)) {
      dr[j] += dnew[j] * step.gates[3][j];
      dproduct[j] = dnew[j] * r[j] + flow.dgates[3][j];
    }
  }
  Vector dseen = multiply_backward(hidden_side(s), ranges[1], step.from_h[1], dproduct, h_sums);
  if (!resets_after(s))
    for (int64_t j = 0; j < H; ++j) {
      dr[j] += dseen[j] * step.recurrent[j];
      dseen[j] *= r[j];
    }
  for (int64_t j = 0; j < H; ++j) dgates[j] = dr[j] * r[j] * (1 - r[j]);
  Vector rest = multiply_backward(hidden_side(s), ranges[0], step.from_h[0], dgates, h_sums);
  for (int64_t j = 0; j < H; ++j) dseen[j] += rest[j];
  flow.dx = multiply_backward(input_side(s), ranges[0], step.from_x[0], dgates, x_sums);
  rest = multiply_backward(input_side(s), ranges[1], step.from_x[1], dnew, x_sums);
  for (int64_t k = 0; k < s.I; ++k) flow.dx[k] += rest[k];
  return dseen;
}

void rnn_forward(const tidegate_sequence &s, Step &step) {
  step.h_new.resize(s.H);
  for (int64_t j = 0; j < s.H; ++j) {
    double sum = step.from_x[0].out[j] + step.from_h[0].out[j];
    step.h_new[j] = has(s, RELU) ? (sum < 0 ? 0 : sum) : std::tanh(sum);
  }
  step.gates = {step.h_new};
}

Vector rnn_backward(const tidegate_sequence &s, const Step &step, const Flow &flow, Vector dh) {
  for (int64_t j = 0; j < s.H; ++j) {
    double h = step.h_new[j];
    dh[j] = (dh[j] + flow.dgates[0][j]) * (has(s, RELU) ? double(h > 0) : 1 - h * h);
  }
  return dh;
}

/* A state as it is handed on: float. */
void round_to_float(Vector &state) {
  for (double &value : state) value = float(value);
}

}  // namespace

WeightSums::WeightSums(const tidegate_sequence &s) {
  const int64_t rows = blocks_of(s.kind, s.options) * s.H;
  const bool norms = has(s, TIDEGATE_LAYER_NORM), lstm = s.kind == LSTM;
  w_ih.assign(rows * s.I, 0);
  w_hh.assign(rows * s.P, 0);
  b_ih.assign(s.b_ih ? rows : 0, 0);
  b_hh = b_ih;
  w_ch.assign(s.w_ch ? rows - s.H : 0, 0);
  w_hr.assign(s.w_hr ? s.P * s.H : 0, 0);
  norm_ih.assign(norms ? rows : 0, 0);
  norm_hh = norm_ih;
  norm_cell.assign(norms && lstm ? s.H : 0, 0);
  norm_cell_bias = norm_cell;
}

void step_forward(const tidegate_sequence &s, Step &step) {
  const float *x = s.x + step.row * s.x_row + step.t * s.x_step;
  const Vector in(x, x + s.I);
  for (const Range &range : ranges_of(s)) step.from_x.push_back(multiply(input_side(s), range, in));
  step.recurrent = step.h_old;
  if (s.recurrent_mask)
    for (int64_t p = 0; p < s.P; ++p) step.recurrent[p] *= s.recurrent_mask[step.row * s.P + p];
  step.from_h.push_back(multiply(hidden_side(s), ranges_of(s)[0], step.recurrent));
  if (s.kind == LSTM) lstm_forward(s, step);
  if (s.kind == GRU) gru_forward(s, step);
  if (s.kind == RNN) rnn_forward(s, step);
  const int64_t at = step.row * s.T + step.t;
  step.h_after = zone(step.h_new, step.h_old, s.zone_hidden, s.zone_hidden_rate, at * s.P);
  round_to_float(step.h_after);
  if (s.kind != LSTM) return;
  step.c_after = zone(step.c_new, step.c_old, s.zone_cell, s.zone_cell_rate, at * s.H);
  round_to_float(step.c_after);
}

void step_backward(const tidegate_sequence &s, const Step &step, Flow &flow, WeightSums &sums) {
  const int64_t at = step.row * s.T + step.t;
  Vector dh, dc, dh_old, dc_old, drecurrent;
  zone_backward(flow.dh, s.zone_hidden, s.zone_hidden_rate, at * s.P, dh, dh_old);
  if (s.kind == LSTM) zone_backward(flow.dc, s.zone_cell, s.zone_cell_rate, at * s.H, dc, dc_old);
  if (s.kind == GRU) {
    drecurrent = gru_backward(s, step, flow, dh, dh_old, sums);
  } else {
    Vector dsums = s.kind == LSTM ? lstm_backward(s, step, flow, dh, dc, dc_old, sums)
                                  : rnn_backward(s, step, flow, dh);
    const Range all = ranges_of(s)[0];
    flow.dx = multiply_backward(input_side(s), all, step.from_x[0], dsums,
                                {sums.w_ih, sums.b_ih, sums.norm_ih});
    drecurrent = multiply_backward(hidden_side(s), all, step.from_h[0], dsums,
                                   {sums.w_hh, sums.b_hh, sums.norm_hh});
  }
  for (int64_t p = 0; p < s.P; ++p)
    dh_old[p] += drecurrent[p] * (s.recurrent_mask ? s.recurrent_mask[step.row * s.P + p] : 1);
  round_to_float(dh_old);
  round_to_float(dc_old);
  flow.dh = dh_old;
  flow.dc = dc_old;
}

}  // namespace scalar
