/* What the tests run: random problems, on the library and on the scalar loops. */
#ifndef TIDEGATE_TESTS_PROBLEM_H
#define TIDEGATE_TESTS_PROBLEM_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "scalar.h"

namespace tests {

using Floats = std::vector<float>;
using Bytes = std::vector<uint8_t>;

/* The same numbers on every machine and with every standard library (splitmix64). */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  double uniform(double low, double high);
  int64_t whole(int64_t low, int64_t high); /* both ends included */
  bool chance(double probability) { return uniform(0, 1) < probability; }
  Floats floats(int64_t count, double bound); /* uniform in [-bound, bound] */
  Bytes bits(int64_t count, double share);    /* 1 with probability `share` */

 private:
  uint64_t state_;
};

/* How [B, T, width] lies in memory. */
enum class Order { rows, rows_padded, steps, steps_padded };

struct Case {
  int32_t kind = 0, options = 0, reverse = 0, threads = 1;
  int64_t B = 1, T = 1, I = 1, H = 1, P = 1;
  float cell_clip = 0, zone_hidden_rate = 0, zone_cell_rate = 0;
  bool bias = true, lengths = false, resets = false, recurrent_mask = false;
  bool zone_hidden = false, zone_cell = false; /* by masks */
  bool dy = true, dh_n = true, dc_n = true, dgates = false, dcells = false;
  bool dx = true, dweights = true;
  Order x_order = Order::rows, y_order = Order::rows;
  Order dy_order = Order::rows, dx_order = Order::rows;
  float scale = 1; /* of x */

  bool has(int32_t option) const { return (options & option) != 0; }
  bool lstm() const { return kind == scalar::LSTM; }
  bool peephole() const { return lstm() && has(scalar::PEEPHOLE); }
  bool half() const { return has(TIDEGATE_BFLOAT16); }
  std::string text() const;
};

/* Kind, options and sizes, with everything else that a case has drawn at random; some of bfloat16
 * if `halves`. */
Case draw_case(Random &random, bool halves = true);

/* Sizes at which work is cut up in other ways: many rows, many steps, many units for few rows
 * (threads may split the units), and weights of several megabytes. */
enum class Stretch { rows, steps, units, weights };
void stretch(Case &c, Stretch way, Random &random);

/* A case with its numbers. Empty for NULL. Everything by rows, without gaps. What stands past
 * the end of a row is NaN. */
struct Problem {
  Case c;
  Floats x, h0, c0;
  Floats w_ih, w_hh, b_ih, b_hh, w_ch, w_hr, norm_ih, norm_hh, norm_cell, norm_cell_bias;
  std::vector<int64_t> lengths;
  Bytes resets, zone_hidden, zone_cell;
  Floats recurrent_mask;
  Floats dy, dh_n, dc_n, dcells;
  std::vector<Floats> dgates; /* by slot, [B, T, H] each */

  Problem(const Case &case_, Random &random);
  int64_t length(int64_t row) const { return lengths.empty() ? c.T : lengths[row]; }
  /* Rows [row0, row1) and steps [t0, t1) alone. */
  Problem part(int64_t row0, int64_t row1, int64_t t0, int64_t t1) const;
};

/* [rows, steps, width] -> its part [row0:row1, t0:t1]. */
template <class T>
std::vector<T> cut(const std::vector<T> &values, int64_t steps, int64_t width, int64_t row0,
                   int64_t row1, int64_t t0, int64_t t1) {
  std::vector<T> part;
  for (int64_t row = row0; row < row1 && !values.empty(); ++row)
    part.insert(part.end(), values.begin() + (row * steps + t0) * width,
                values.begin() + (row * steps + t1) * width);
  return part;
}

/* What came out, by name, by rows, without gaps. */
struct Results {
  std::vector<std::pair<std::string, Floats>> values;
  std::string damage; /* what was written that should not have been, or what call failed */
  const Floats *find(const std::string &name) const;
};

/* Who computes. */
struct Engine {
  tidegate_kept_layout (*kept_of)(int32_t kind, int32_t options, int64_t H);
  int (*forward)(const tidegate_sequence *);
  int (*backward)(const tidegate_sequence *, const tidegate_gradient *);
  bool halves; /* knows bfloat16; the other computes such cases in float32 */
};

/* bfloat16 and back; to the nearest, ties to even. */
uint16_t narrow(float value);
float widen(uint16_t half);

extern const Engine library, scalar_loops;

/* Those of the library, by name. */
std::vector<std::string> instruction_sets();

/* y, h_n and c_n, without keeping anything for a backward pass. */
Results infer(const Engine &engine, const Problem &problem);
/* The same and gates, cells and all gradients. */
Results train(const Engine &engine, const Problem &problem);
/* The same of several problems in one call of the library. */
std::vector<Results> train_together(const std::vector<Problem> &problems);

/* A sequence with the case's sizes, options and weights alone, as a stream takes it. */
tidegate_sequence weights_of(const Problem &problem);

/* max|a - b| / (1 + max|b|); infinite where either is not finite, or if the sizes differ. */
double difference(const Floats &a, const Floats &b);
bool same_bits(const Floats &a, const Floats &b);

}  // namespace tests
#endif
