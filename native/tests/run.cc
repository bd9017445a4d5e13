/* Runs a problem: lays its numbers out as the case says, calls, checks that nothing was written
 * where nothing should be, and collects the results. */
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "problem.h"
#include "scalar.h"

namespace tests {
namespace {

struct Strides {
  int64_t row, step;
};

Strides strides_of(Order order, int64_t rows, int64_t steps, int64_t width) {
  switch (order) {
    case Order::rows: return {steps * width, width};
    case Order::rows_padded: return {steps * (width + 3) + 5, width + 3};
    case Order::steps: return {width, rows * width};
    default: return {width + 2, rows * (width + 2) + 7};
  }
}

/* An input in memory. It starts at an odd address and nothing stands behind it, so that
 * AddressSanitizer sees who reads past its end; gaps hold NaN. */
class Input {
 public:
  explicit Input(const Floats &values, bool half = false)
      : Input(values, 1, 1, values.size(), Order::rows, half) {}

  Input(const Floats &values, int64_t rows, int64_t steps, int64_t width, Order order, bool half)
      : strides_(strides_of(order, rows, steps, width)) {
    if (values.empty()) return;
    const int64_t last = (rows - 1) * strides_.row + (steps - 1) * strides_.step + width;
    all_.assign(1 + last, std::numeric_limits<float>::quiet_NaN());
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t step = 0; step < steps; ++step)
        std::copy_n(&values[(row * steps + step) * width], width,
                    &all_[1 + row * strides_.row + step * strides_.step]);
    if (!half) return;
    for (float value : all_) halves_.push_back(narrow(value));
  }

  const float *data() const {
    if (!halves_.empty()) return reinterpret_cast<const float *>(&halves_[1]);
    return all_.empty() ? nullptr : &all_[1];
  }
  Strides strides() const { return strides_; }

 private:
  Floats all_;
  std::vector<uint16_t> halves_;
  Strides strides_;
};

/* An output in memory, full of one NaN that nobody computes, with more of it on both sides. */
class Output {
 public:
  explicit Output(int64_t count, bool half = false)
      : Output(1, count ? 1 : 0, count, Order::rows, half) {}

  Output(int64_t rows, int64_t steps, int64_t width, Order order, bool half)
      : rows_(rows), steps_(steps), width_(width), strides_(strides_of(order, rows, steps, width)) {
    const int64_t size = rows * strides_.row + steps * strides_.step;
    all_.assign(2 * kGuard + size, mark());
    if (half) halves_.assign(all_.size(), kMark);
  }

  float *data() {
    if (!rows_ || !steps_ || !width_) return nullptr;
    return halves_.empty() ? &all_[kGuard] : reinterpret_cast<float *>(&halves_[kGuard]);
  }
  Strides strides() const { return strides_; }

  /* The numbers, and whether all that stands around and between them is as it was. */
  Floats take(bool &intact) {
    Floats values;
    std::transform(halves_.begin(), halves_.end(), all_.begin(), widen);
    for (int64_t row = 0; row < rows_; ++row)
      for (int64_t step = 0; step < steps_; ++step) {
        float *from = &all_[kGuard + row * strides_.row + step * strides_.step];
        values.insert(values.end(), from, from + width_);
        std::fill_n(from, width_, mark());
      }
    intact = std::all_of(all_.begin(), all_.end(), is_mark);
    return values;
  }

  static bool is_mark(float value) {
    const float expected = mark();
    return !std::memcmp(&value, &expected, sizeof value);
  }

 private:
  static constexpr int64_t kGuard = 67; /* odd: outputs stand at odd addresses, too */

  static float mark() { return widen(kMark); }

  static constexpr uint16_t kMark = 0x7fc5;
  int64_t rows_, steps_, width_;
  Strides strides_;
  Floats all_;
  std::vector<uint16_t> halves_;
};

template <class T>
const T *pointer(const std::vector<T> &values) {
  return values.empty() ? nullptr : values.data();
}

/* The buffers of one run. Sizes of outputs that are not wanted are 0. */
struct Run {
  const Problem &p;
  const Case &c;
  tidegate_kept_layout layout;
  int64_t kept;
  bool training, half;
  Input x, h0, c0, dy, dh_n, dc_n, dcells, dgates;
  Output y, h_n, c_n, gates, cells, dx, dh0, dc0;
  std::vector<std::pair<std::string, Output>> dweights;

  Run(const Engine &engine, const Problem &problem, bool train)
      : p(problem), c(problem.c), layout(engine.kept_of(c.kind, c.options, c.H)),
        kept(layout.blocks * layout.slots * layout.units), training(train),
        half(c.half() && engine.halves), x(p.x, c.B, c.T, c.I, c.x_order, half), h0(p.h0), c0(p.c0),
        dy(p.dy, c.B, c.T, c.P, c.dy_order, half), dh_n(p.dh_n), dc_n(p.dc_n), dcells(p.dcells),
        dgates(lay_out_dgates(), half), y(c.B, c.T, c.P, c.y_order, half), h_n(c.B * c.P),
        c_n(c.lstm() ? c.B * c.H : 0), gates(train ? c.B * c.T * kept : 0, half),
        cells(train && c.lstm() ? c.B * c.T * c.H : 0),
        dx(c.B, train && c.dx ? c.T : 0, c.I, c.dx_order, half), dh0(train ? c.B * c.P : 0),
        dc0(train && c.lstm() ? c.B * c.H : 0) {}

  int64_t kept_at(int64_t step, int64_t slot, int64_t unit) const {
    return step * kept + scalar::kept_index(c.kind, layout, slot, unit);
  }

  Floats lay_out_dgates() const {
    if (p.dgates.empty()) return {};
    Floats values(c.B * c.T * kept, 0.0f);
    for (size_t slot = 0; slot < p.dgates.size(); ++slot)
      for (int64_t step = 0; step < c.B * c.T; ++step)
        for (int64_t j = 0; j < c.H; ++j)
          values[kept_at(step, slot, j)] = p.dgates[slot][step * c.H + j];
    return values;
  }

  tidegate_sequence sequence() {
    tidegate_sequence s = weights_of(p);
    if (!half) s.options &= ~TIDEGATE_BFLOAT16;
    s.x = x.data();
    s.x_row = x.strides().row;
    s.x_step = x.strides().step;
    s.h0 = h0.data();
    s.c0 = c0.data();
    s.lengths = pointer(p.lengths);
    s.resets = pointer(p.resets);
    s.recurrent_mask = pointer(p.recurrent_mask);
    s.zone_hidden = pointer(p.zone_hidden);
    s.zone_cell = pointer(p.zone_cell);
    s.y = y.data();
    s.y_row = y.strides().row;
    s.y_step = y.strides().step;
    s.h_n = h_n.data();
    s.c_n = c_n.data();
    s.gates = gates.data();
    s.cells = cells.data();
    return s;
  }

  float *weight(const char *name, const Floats &like) {
    if (!c.dweights || like.empty()) return nullptr;
    dweights.emplace_back(name, Output(like.size()));
    return dweights.back().second.data(); /* moving a vector leaves its numbers in place */
  }

  tidegate_gradient gradient() {
    tidegate_gradient g = {};
    g.dy = dy.data();
    g.dy_row = dy.strides().row;
    g.dy_step = dy.strides().step;
    g.dh_n = dh_n.data();
    g.dc_n = dc_n.data();
    g.dgates = dgates.data();
    g.dcells = dcells.data();
    g.dx = dx.data();
    g.dx_row = dx.strides().row;
    g.dx_step = dx.strides().step;
    g.dh0 = dh0.data();
    g.dc0 = dc0.data();
    g.dw_ih = weight("dw_ih", p.w_ih);
    g.dw_hh = weight("dw_hh", p.w_hh);
    g.db_ih = weight("db_ih", p.b_ih);
    g.db_hh = weight("db_hh", p.b_hh);
    g.dw_ch = weight("dw_ch", p.w_ch);
    g.dw_hr = weight("dw_hr", p.w_hr);
    g.dnorm_ih = weight("dnorm_ih", p.norm_ih);
    g.dnorm_hh = weight("dnorm_hh", p.norm_hh);
    g.dnorm_cell = weight("dnorm_cell", p.norm_cell);
    g.dnorm_cell_bias = weight("dnorm_cell_bias", p.norm_cell_bias);
    return g;
  }

  void take(Results &results, const std::string &name, Output &output) {
    bool intact;
    results.values.emplace_back(name, output.take(intact));
    if (!intact) results.damage += " written beside " + name;
  }

  /* `gates` or `cells` by slot and unit. Steps past the end of a row must be as they were; they
   * become 0 here. */
  template <class At>
  void take_kept(Results &results, const std::string &name, Output &output, int64_t slots, At at) {
    bool intact;
    const Floats all = output.take(intact);
    const int64_t steps = c.B * c.T, width = steps ? int64_t(all.size()) / steps : 0;
    Floats values;
    for (int64_t step = 0; step < steps; ++step) {
      const bool valid = step % c.T < p.length(step / c.T);
      const float *from = all.data() + step * width;
      if (!valid) intact = intact && std::all_of(from, from + width, Output::is_mark);
      for (int64_t slot = 0; slot < slots; ++slot)
        for (int64_t j = 0; j < c.H; ++j) values.push_back(valid ? from[at(slot, j)] : 0.0f);
    }
    if (!intact) results.damage += " written beside " + name;
    results.values.emplace_back(name, values);
  }

  void take_all(Results &results) {
    take(results, "y", y);
    take(results, "h_n", h_n);
    if (c.lstm()) take(results, "c_n", c_n);
    if (training) take_training(results);
  }

  void take_training(Results &results) {
    take_kept(results, "gates", gates, scalar::slots_of(c.kind, c.options),
              [&](int64_t slot, int64_t j) { return kept_at(0, slot, j); });
    if (c.lstm()) take_kept(results, "cells", cells, 1, [](int64_t, int64_t j) { return j; });
    if (c.dx) take(results, "dx", dx);
    take(results, "dh0", dh0);
    if (c.lstm()) take(results, "dc0", dc0);
    for (auto &[name, output] : dweights) take(results, name, output);
  }
};

Results run(const Engine &engine, const Problem &problem, bool training) {
  Run buffers(engine, problem, training);
  Results results;
  const tidegate_sequence s = buffers.sequence();
  if (int code = engine.forward(&s))
    results.damage = " forward returned " + std::to_string(code) + ": " + tidegate_error();
  if (training && results.damage.empty()) {
    const tidegate_gradient g = buffers.gradient();
    if (int code = engine.backward(&s, &g))
      results.damage = " backward returned " + std::to_string(code) + ": " + tidegate_error();
  }
  buffers.take_all(results);
  return results;
}

}  // namespace

const Engine library = {tidegate_kept_of, tidegate_forward, tidegate_backward, true};
const Engine scalar_loops = {scalar::kept_of, scalar::forward, scalar::backward, false};

tidegate_sequence weights_of(const Problem &p) {
  tidegate_sequence s = {};
  s.kind = p.c.kind;
  s.options = p.c.options;
  s.reverse = p.c.reverse;
  s.threads = p.c.threads;
  s.B = p.c.B;
  s.T = p.c.T;
  s.I = p.c.I;
  s.H = p.c.H;
  s.P = p.c.P;
  s.cell_clip = p.c.cell_clip;
  s.zone_hidden_rate = p.c.zone_hidden_rate;
  s.zone_cell_rate = p.c.zone_cell_rate;
  s.w_ih = pointer(p.w_ih);
  s.w_hh = pointer(p.w_hh);
  s.b_ih = pointer(p.b_ih);
  s.b_hh = pointer(p.b_hh);
  s.w_ch = pointer(p.w_ch);
  s.w_hr = pointer(p.w_hr);
  s.norm_ih = pointer(p.norm_ih);
  s.norm_hh = pointer(p.norm_hh);
  s.norm_cell = pointer(p.norm_cell);
  s.norm_cell_bias = pointer(p.norm_cell_bias);
  return s;
}

Results infer(const Engine &engine, const Problem &problem) { return run(engine, problem, false); }
Results train(const Engine &engine, const Problem &problem) { return run(engine, problem, true); }

std::vector<Results> train_together(const std::vector<Problem> &problems) {
  std::vector<std::unique_ptr<Run>> runs;
  std::vector<tidegate_sequence> sequences;
  std::vector<tidegate_gradient> gradients;
  for (const Problem &problem : problems) {
    runs.push_back(std::make_unique<Run>(library, problem, true));
    sequences.push_back(runs.back()->sequence());
    gradients.push_back(runs.back()->gradient());
  }
  const int32_t count = int32_t(problems.size());
  int code = tidegate_forward_all(sequences.data(), count);
  if (!code) code = tidegate_backward_all(sequences.data(), gradients.data(), count);
  std::vector<Results> all(problems.size());
  for (size_t i = 0; i < all.size(); ++i) {
    if (code) all[i].damage = " returned " + std::to_string(code) + ": " + tidegate_error();
    runs[i]->take_all(all[i]);
  }
  return all;
}

}  // namespace tests
