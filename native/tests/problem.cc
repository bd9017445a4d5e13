#include "problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>

namespace tests {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Order draw_order(Random &random) { return Order(random.whole(0, 3)); }

void draw_variant(Random &random, Case &c) {
  auto maybe = [&](int32_t option, double probability) {
    if (random.chance(probability)) c.options |= option;
  };
  if (c.lstm()) {
    maybe(scalar::PEEPHOLE, 0.3);
    maybe(scalar::COUPLED, 0.3);
    if (c.H > 1 && random.chance(0.25)) c.P = random.whole(1, c.H - 1);
    if (random.chance(0.25)) c.cell_clip = float(random.uniform(0.1, 0.8));
  }
  if (c.kind == scalar::GRU) maybe(scalar::RESET_BEFORE, 0.4);
  if (c.kind == scalar::RNN) maybe(scalar::RELU, 0.5);
  maybe(TIDEGATE_LAYER_NORM, 0.2);
}

void draw_noise(Random &random, Case &c) {
  c.recurrent_mask = random.chance(0.25);
  const int64_t hidden = random.whole(0, 7), cell = random.whole(0, 7);
  c.zone_hidden = hidden == 0;
  if (hidden == 1) c.zone_hidden_rate = float(random.uniform(0.05, 0.5));
  c.zone_cell = c.lstm() && cell == 0;
  if (c.lstm() && cell == 1) c.zone_cell_rate = float(random.uniform(0.05, 0.5));
}

/* Puts NaN past the end of every row of [B, T, width]. */
void end_rows(const Problem &problem, int64_t width, Floats &values) {
  const Case &c = problem.c;
  for (int64_t row = 0; row < c.B && !values.empty(); ++row)
    std::fill(values.begin() + (row * c.T + problem.length(row)) * width,
              values.begin() + (row + 1) * c.T * width, kNan);
}

Floats gains(Random &random, int64_t count) {
  Floats values = random.floats(count, 0.5);
  for (float &value : values) value += 1;
  return values;
}

void round(Floats &values) {
  for (float &value : values) value = widen(narrow(value));
}

}  // namespace

uint64_t Random::next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double Random::uniform(double low, double high) {
  return low + (high - low) * double(next() >> 11) / 9007199254740992.0;
}

int64_t Random::whole(int64_t low, int64_t high) {
  return low + int64_t(next() % uint64_t(high - low + 1));
}

Floats Random::floats(int64_t count, double bound) {
  Floats values(count);
  for (float &value : values) value = float(uniform(-bound, bound));
  return values;
}

Bytes Random::bits(int64_t count, double share) {
  Bytes values(count);
  for (uint8_t &value : values) value = chance(share);
  return values;
}

std::string Case::text() const {
  static const char *const orders[] = {"rows", "rows_padded", "steps", "steps_padded"};
  const tidegate_cell cell = scalar::cell_of(kind, options);
  std::ostringstream out;
  out << cell.name << " B=" << B << " T=" << T << " I=" << I << " H=" << H << " P=" << P;
  std::istringstream own(cell.options);
  std::string name;
  for (int32_t option = TIDEGATE_OWN; own >> name; option *= 2)
    if (has(option)) out << " " << name;
  if (has(TIDEGATE_LAYER_NORM)) out << " layer_norm";
  if (half()) out << " bfloat16";
  const std::pair<bool, const char *> flags[] = {{reverse != 0, " reverse"},
                                                 {!bias, " no_bias"},
                                                 {lengths, " lengths"},
                                                 {resets, " resets"},
                                                 {recurrent_mask, " recurrent_mask"},
                                                 {zone_hidden, " zone_hidden"},
                                                 {zone_cell, " zone_cell"},
                                                 {!dy, " no_dy"},
                                                 {!dh_n, " no_dh_n"},
                                                 {!dc_n, " no_dc_n"},
                                                 {dgates, " dgates"},
                                                 {dcells, " dcells"},
                                                 {!dx, " no_dx"},
                                                 {!dweights, " no_dweights"}};
  for (const auto &[on, flag] : flags)
    if (on) out << flag;
  out << " clip=" << cell_clip << " zone_rates=" << zone_hidden_rate << "," << zone_cell_rate
      << " scale=" << scale << " threads=" << threads << " orders=" << orders[int(x_order)] << ","
      << orders[int(y_order)] << "," << orders[int(dy_order)] << "," << orders[int(dx_order)];
  return out.str();
}

Case draw_case(Random &random, bool halves) {
  Case c;
  c.kind = int32_t(random.whole(0, 2));
  c.reverse = random.chance(0.4);
  c.threads = int32_t(random.whole(1, 3));
  c.B = random.chance(0.04) ? 0 : random.whole(1, 19);
  c.T = random.whole(0, 17);
  c.I = random.whole(1, 40);
  c.P = c.H = random.whole(1, 70);
  draw_variant(random, c);
  draw_noise(random, c);
  c.bias = !random.chance(0.2);
  c.lengths = random.chance(0.5);
  c.resets = random.chance(0.3);
  c.dy = !random.chance(0.1);
  c.dh_n = !random.chance(0.2);
  c.dc_n = !random.chance(0.2);
  c.dgates = random.chance(0.2);
  c.dcells = c.lstm() && random.chance(0.2);
  c.dx = !random.chance(0.1);
  c.dweights = !random.chance(0.1);
  c.x_order = draw_order(random);
  c.y_order = draw_order(random);
  c.dy_order = draw_order(random);
  c.dx_order = draw_order(random);
  if (random.chance(0.1)) c.scale = 40; /* saturates the gates */
  const int32_t half = c.options | TIDEGATE_BFLOAT16;
  const bool can = tidegate_supports(c.kind, half, c.H, c.P) == TIDEGATE_OK;
  if (halves && can && random.chance(0.3)) c.options = half;
  return c;
}

void stretch(Case &c, Stretch way, Random &random) {
  const bool projected = c.P < c.H;
  switch (way) {
    case Stretch::rows:
      c.B = random.whole(40, 140), c.T = random.whole(1, 14), c.H = random.whole(2, 40);
      break;
    case Stretch::steps:
      c.B = random.whole(1, 12), c.T = random.whole(60, 200), c.H = random.whole(2, 30);
      break;
    case Stretch::units:
      c.B = random.whole(1, 3), c.T = random.whole(1, 6), c.H = random.whole(100, 300);
      break;
    case Stretch::weights:
      c.B = random.whole(4, 24), c.T = random.whole(1, 3), c.H = random.whole(445, 460);
  }
  c.P = projected ? random.whole(1, c.H - 1) : c.H;
}

Problem::Problem(const Case &case_, Random &random) : c(case_) {
  const int64_t rows = scalar::blocks_of(c.kind, c.options) * c.H, steps = c.B * c.T;
  const bool norm = c.has(TIDEGATE_LAYER_NORM);
  if (c.lengths)
    for (int64_t row = 0; row < c.B; ++row)
      lengths.push_back(random.chance(0.15) ? 0 : random.whole(0, c.T));
  x = random.floats(steps * c.I, 1.7 * c.scale);
  h0 = random.floats(c.B * c.P, 1);
  if (c.lstm()) c0 = random.floats(c.B * c.H, 1.5);
  w_ih = random.floats(rows * c.I, 1.7 / std::sqrt(double(c.I)));
  w_hh = random.floats(rows * c.P, 1.7 / std::sqrt(double(c.P)));
  if (c.bias) b_ih = random.floats(rows, 0.5), b_hh = random.floats(rows, 0.5);
  if (c.peephole()) w_ch = random.floats(rows - c.H, 0.7);
  if (c.P < c.H) w_hr = random.floats(c.P * c.H, 1.7 / std::sqrt(double(c.H)));
  if (norm) norm_ih = gains(random, rows), norm_hh = gains(random, rows);
  if (norm && c.lstm()) norm_cell = gains(random, c.H), norm_cell_bias = random.floats(c.H, 0.5);
  if (c.resets) resets = random.bits(steps, 0.2);
  if (c.zone_hidden) zone_hidden = random.bits(steps * c.P, 0.3);
  if (c.zone_cell) zone_cell = random.bits(steps * c.H, 0.3);
  if (c.recurrent_mask) {
    for (uint8_t bit : random.bits(c.B * c.P, 0.7)) recurrent_mask.push_back(bit / 0.7f);
  }
  if (c.dy) dy = random.floats(steps * c.P, 1);
  if (c.dh_n) dh_n = random.floats(c.B * c.P, 1);
  if (c.lstm() && c.dc_n) dc_n = random.floats(c.B * c.H, 1);
  if (c.dcells) dcells = random.floats(steps * c.H, 1);
  if (c.dgates)
    for (int64_t slot = 0; slot < scalar::slots_of(c.kind, c.options); ++slot)
      dgates.push_back(random.floats(steps * c.H, 1));
  if (c.half()) {
    /* What is rounded on the way in is round already, and h at least at the first step. */
    for (Floats *values : {&x, &h0, &w_ih, &w_hh, &dy}) round(*values);
    for (Floats &slot : dgates) round(slot);
  }
  end_rows(*this, c.I, x);
  end_rows(*this, c.P, dy);
  end_rows(*this, c.H, dcells);
  for (Floats &slot : dgates) end_rows(*this, c.H, slot);
}

Problem Problem::part(int64_t row0, int64_t row1, int64_t t0, int64_t t1) const {
  Problem p = *this;
  p.c.B = row1 - row0;
  p.c.T = t1 - t0;
  auto steps = [&](const auto &values, int64_t width) {
    return cut(values, c.T, width, row0, row1, t0, t1);
  };
  auto rows = [&](const auto &values, int64_t width) {
    return cut(values, 1, width, row0, row1, 0, 1);
  };
  p.x = steps(x, c.I);
  p.h0 = rows(h0, c.P);
  p.c0 = rows(c0, c.H);
  p.lengths = rows(lengths, 1);
  for (int64_t &length : p.lengths) length = std::clamp(length - t0, int64_t(0), t1 - t0);
  p.resets = steps(resets, 1);
  p.zone_hidden = steps(zone_hidden, c.P);
  p.zone_cell = steps(zone_cell, c.H);
  p.recurrent_mask = rows(recurrent_mask, c.P);
  p.dy = steps(dy, c.P);
  p.dh_n = rows(dh_n, c.P);
  p.dc_n = rows(dc_n, c.H);
  p.dcells = steps(dcells, c.H);
  for (Floats &slot : p.dgates) slot = steps(slot, c.H);
  return p;
}

const Floats *Results::find(const std::string &name) const {
  for (const auto &[key, value] : values)
    if (key == name) return &value;
  return nullptr;
}

uint16_t narrow(float value) {
  if (std::isnan(value)) return 0x7fc0;
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float widen(uint16_t half) {
  const uint32_t bits = uint32_t(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

double difference(const Floats &a, const Floats &b) {
  const double infinite = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return infinite;
  double distance = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return infinite;
    distance = std::max(distance, std::abs(double(a[i]) - b[i]));
    size = std::max(size, std::abs(double(b[i])));
  }
  return distance / (1 + size);
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  std::istringstream list(tidegate_isas());
  for (std::string name; std::getline(list, name, ',');) names.push_back(name);
  return names;
}

bool same_bits(const Floats &a, const Floats &b) {
  return a.size() == b.size() &&
         (a.empty() || !std::memcmp(a.data(), b.data(), a.size() * sizeof(float)));
}

}  // namespace tests
