/* The library, with every instruction set that this machine runs, against the scalar loops, and
 * against itself bit for bit.
 *
 *   test_sequences [cases] [seed] [only]      only: the number of one case
 */
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "check.h"
#include "problem.h"

namespace tests {
namespace {

constexpr double kOutputBound = 1e-5, kGradientBound = 1e-4;
/* Where little makes much, as in the norm of values that nearly agree, nothing that computes in
 * float comes as near as that: it may be so many times as far off as the truth itself moves when
 * the numbers that go in move to the next float; with bfloat16, where a unit of ReLU may fall on
 * the other side of 0, up to the next bfloat16. */
constexpr double kMovements = 5;

/* A bfloat16 has 8 bits: h is rounded before every product, gates and their gradients when they
 * are kept. States in float32 of the first step alone come of float32 sums. */
constexpr double kHalfOutputBound = 0.02, kHalfGradientBound = 0.04;

bool is_gradient(const std::string &name) { return name[0] == 'd'; }

double bound(const Case &c, const std::string &name) {
  const bool state = name == "c_n" || name == "cells" || name == "h_n";
  if (!c.half() || (c.T == 1 && state && !c.recurrent_mask))
    return is_gradient(name) ? kGradientBound : kOutputBound;
  return is_gradient(name) ? kHalfGradientBound : kHalfOutputBound;
}

/* The numbers that a row has of its own, and how many a step or a row has of each. */
std::map<std::string, int64_t> row_widths(const Case &c, int64_t slots) {
  return {{"y", c.P},     {"h_n", c.P}, {"c_n", c.H}, {"gates", slots * c.H},
          {"cells", c.H}, {"dx", c.I},  {"dh0", c.P}, {"dc0", c.H}};
}

bool by_step(const std::string &name) {
  return name == "y" || name == "gates" || name == "cells" || name == "dx";
}

Results move_truth(Problem problem, uint64_t seed) {
  Random random(seed);
  for (Floats *values : {&problem.x, &problem.w_ih, &problem.w_hh, &problem.w_hr})
    for (float &value : *values)
      value = problem.c.half() ? value * float(1 + random.uniform(-1, 1) / 256)
                               : std::nextafter(value, random.chance(0.5) ? INFINITY : -INFINITY);
  return train(scalar_loops, problem);
}

void check_close(const Results &ours, const Results &theirs, const Problem &problem) {
  CHECK(ours.damage.empty(), ours.damage + " | " + problem.c.text());
  std::vector<Results> moved; /* only if somebody asks */
  for (const auto &[name, expected] : theirs.values) {
    const Floats *actual = ours.find(name);
    const double distance = actual ? difference(*actual, expected) : INFINITY;
    if (distance <= bound(problem.c, name)) continue;
    double movement = 0;
    for (uint64_t seed = 0; seed < 3; ++seed) {
      if (moved.size() <= seed) moved.push_back(move_truth(problem, seed));
      movement = std::max(movement, difference(*moved[seed].find(name), expected));
    }
    if (std::isfinite(distance) && distance <= kMovements * movement) continue;
    fail(name + " is off by " + short_number(distance) + ", the truth moves by " +
         short_number(movement) + " | " + problem.c.text());
  }
}

void check_same(const std::string &what, const Results &ours, const Results &theirs,
                const Case &c) {
  CHECK(ours.damage.empty(), what + ours.damage + " | " + c.text());
  for (const auto &[name, actual] : ours.values) {
    const Floats *expected = theirs.find(name);
    if (!expected || same_bits(actual, *expected)) continue;
    fail(name + " has other bits " + what + ": off by " +
         short_number(difference(actual, *expected)) + " | " + c.text());
  }
}

/* Of `whole`, the rows [row0, row1) and steps [t0, t1) of all that rows have of their own. */
Results part_of(const Results &whole, const Problem &p, int64_t row0, int64_t row1, int64_t t0,
                int64_t t1) {
  Results part;
  const Case &c = p.c;
  const Floats *gates = whole.find("gates");
  const int64_t numbers = c.B * c.T * c.H;
  const int64_t slots = gates && numbers ? int64_t(gates->size()) / numbers : 1;
  for (const auto &[name, width] : row_widths(c, slots)) {
    const Floats *values = whole.find(name);
    if (!values) continue;
    const bool steps = by_step(name);
    part.values.emplace_back(name, steps ? cut(*values, c.T, width, row0, row1, t0, t1)
                                         : cut(*values, 1, width, row0, row1, 0, 1));
  }
  return part;
}

/* Only what rows have of their own: no gradients of weights. */
Results rows_of(const Results &results) {
  Results own;
  own.damage = results.damage;
  const auto widths = row_widths(Case(), 1);
  for (const auto &value : results.values)
    if (widths.count(value.first)) own.values.push_back(value);
  return own;
}

void check_threads(const Problem &problem, const Results &whole) {
  for (int32_t threads = 1; threads <= 3; ++threads) {
    Problem other = problem;
    other.c.threads = threads;
    check_same("with these threads", train(library, other), whole, other.c);
    check_same("in inference with these threads", infer(library, other), whole, other.c);
  }
}

void check_rows(const Problem &problem, const Results &whole, Random &random) {
  if (!problem.c.B) return;
  const int64_t row = random.whole(0, problem.c.B - 1);
  const int64_t end = random.chance(0.6) ? row + 1 : random.whole(row + 1, problem.c.B);
  const Problem alone = problem.part(row, end, 0, problem.c.T);
  const Results expected = part_of(whole, problem, row, end, 0, problem.c.T);
  const std::string what =
      "in rows " + std::to_string(row) + " to " + std::to_string(end) + " alone";
  check_same(what, rows_of(train(library, alone)), expected, problem.c);
  check_same(what + " in inference", infer(library, alone), expected, problem.c);
}

void check_chunks(const Problem &problem, const Results &whole, Random &random) {
  const Case &c = problem.c;
  const int64_t t = random.whole(0, c.T);
  Problem early = problem.part(0, c.B, 0, t), late = problem.part(0, c.B, t, c.T);
  Problem &first = c.reverse ? late : early, &second = c.reverse ? early : late;
  const Results begin = infer(library, first);
  second.h0 = *begin.find("h_n");
  if (c.lstm()) second.c0 = *begin.find("c_n");
  const Results end = train(library, second);
  first.dh_n = *end.find("dh0");
  if (c.lstm()) first.dc_n = *end.find("dc0");
  const std::string what = "cut at step " + std::to_string(t);
  auto expect = [&](const Problem &chunk) {
    const int64_t t0 = &chunk == &early ? 0 : t, t1 = &chunk == &early ? t : c.T;
    return part_of(whole, problem, 0, c.B, t0, t1);
  };
  /* The state between the chunks and its gradient are in neither result of the whole. */
  auto drop = [](Results results, std::initializer_list<const char *> names) {
    Results rest;
    rest.damage = results.damage;
    for (auto &value : results.values)
      if (std::find(names.begin(), names.end(), value.first) == names.end())
        rest.values.push_back(value);
    return rest;
  };
  const Results start = rows_of(train(library, first));
  check_same(what + ", first part", drop(start, {"h_n", "c_n"}), expect(first), c);
  check_same(what + ", second part", drop(rows_of(end), {"dh0", "dc0"}), expect(second), c);
}

/* What is NaN in one row must reach that row's outputs and no other row's. */
void check_nan_row(const Problem &problem, const Results &whole, Random &random) {
  const Case &c = problem.c;
  if (c.B < 2 || c.T < 1) return;
  const int64_t row = random.whole(0, c.B - 1);
  if (!problem.length(row)) return;
  const int64_t t = random.whole(0, problem.length(row) - 1);
  Problem sick = problem;
  sick.x[(row * c.T + t) * c.I + random.whole(0, c.I - 1)] = NAN;
  const Results results = rows_of(train(library, sick));
  const Results mine = part_of(results, problem, row, row + 1, t, t + 1);
  const int64_t zoned = c.zone_hidden ? 1 : 0; /* a mask may hide it in every unit */
  bool seen = false;
  for (float value : *mine.find("y")) seen = seen || std::isnan(value);
  CHECK(seen || zoned, "NaN got lost | " + c.text());
  for (int64_t side = 0; side < 2; ++side) {
    const int64_t begin = side ? row + 1 : 0, end = side ? c.B : row;
    check_same("beside a row with NaN", part_of(results, problem, begin, end, 0, c.T),
               part_of(whole, problem, begin, end, 0, c.T), c);
  }
}

void check_case(const Problem &problem, Random &random) {
  const Results whole = train(library, problem);
  check_close(whole, train(scalar_loops, problem), problem);
  check_threads(problem, whole);
  check_rows(problem, whole, random);
  check_chunks(problem, whole, random);
  check_nan_row(problem, whole, random);
}

using Unsupported = std::map<std::string, int>;

bool supported(const Case &c, Unsupported &unsupported) {
  if (tidegate_supports(c.kind, c.options, c.H, c.P) == TIDEGATE_OK) return true;
  std::ostringstream name;
  name << "kind " << c.kind << " options " << c.options << (c.P < c.H ? " projected" : "");
  ++unsupported[name.str()];
  return false;
}

void check_cases(int64_t cases, uint64_t seed, int64_t only, Unsupported &unsupported) {
  const std::string set = where;
  for (int64_t number = 0; number < cases; ++number) {
    if (only >= 0 && number != only) continue;
    Random random(seed * 1000003 + uint64_t(number));
    where = set + " case " + std::to_string(number);
    Case c = draw_case(random);
    if (number % 8 == 7) stretch(c, Stretch(number / 8 % 4), random);
    if (!supported(c, unsupported)) continue;
    check_case(Problem(c, random), random);
  }
  where = set;
}

bool same_text(const char *a, const char *b) { return a == b || (a && b && !std::strcmp(a, b)); }

/* What the library says of every variant of its cells, and that there are no others. */
void check_cells() {
  int32_t kind = 0;
  for (; scalar::cell_of(kind, 0).name; ++kind)
    for (int32_t options = 0; options < 4 * TIDEGATE_OWN; options += TIDEGATE_OWN) {
      const tidegate_cell cell = tidegate_cell_of(kind, options);
      const tidegate_cell expected = scalar::cell_of(kind, options);
      const std::string what = std::string(expected.name) + " " + std::to_string(options);
      const bool several = std::strchr(expected.options, ' ') != nullptr;
      if (options > TIDEGATE_OWN && !several) {
        CHECK(!cell.name, what);
        continue;
      }
      CHECK(same_text(cell.name, expected.name), what);
      CHECK(same_text(cell.options, expected.options), what);
      CHECK(same_text(cell.blocks, expected.blocks), what);
      CHECK(same_text(cell.gates, expected.gates), what);
      CHECK(cell.has_cell == expected.has_cell && cell.projects == expected.projects, what);
      CHECK(cell.peepholes == expected.peepholes, what);
    }
  CHECK(!tidegate_cell_of(kind, 0).name, "a cell that the tests do not know");
  CHECK(!tidegate_cell_of(-1, 0).name, "kind -1");
}

/* Sizes whose products overflow are refused before anything is read. */
void check_sizes(const tidegate_sequence &fine) {
  const tidegate_gradient g = {};
  for (int64_t tidegate_sequence::*size :
       {&tidegate_sequence::B, &tidegate_sequence::T, &tidegate_sequence::I, &tidegate_sequence::H,
        &tidegate_sequence::P})
    for (const int64_t value : {INT64_MIN, int64_t{-1}, int64_t{1} << 48, int64_t{1} << 61,
                                int64_t{1} << 62, INT64_MAX}) {
      tidegate_sequence odd = fine;
      odd.*size = value;
      if (size == &tidegate_sequence::H) odd.P = value;
      const std::string what = "size " + std::to_string(value);
      CHECK(tidegate_forward(&odd) != TIDEGATE_OK, what);
      CHECK(tidegate_backward(&odd, &g) != TIDEGATE_OK, what);
      CHECK(tidegate_forward_all(&odd, 1) != TIDEGATE_OK, what);
      CHECK(tidegate_backward_all(&odd, &g, 1) != TIDEGATE_OK, what);
      if (size != &tidegate_sequence::T) CHECK(!tidegate_stream_new(&odd, 1), what);
      CHECK(tidegate_kept_of(0, 0, value).units == 0, what);
    }
  tidegate_sequence odd = fine;
  odd.B = odd.T = odd.I = int64_t{1} << 22; /* each within reach, together not */
  CHECK(tidegate_forward(&odd) == TIDEGATE_NO_MEMORY, "products of sizes");
  CHECK(!tidegate_stream_fork(nullptr) && !tidegate_stream_state(nullptr), "no stream");
  CHECK(tidegate_stream_size(nullptr) == 0, "no stream");
}

void check_arguments() {
  CHECK(tidegate_abi() == TIDEGATE_ABI, "");
  CHECK(tidegate_choose_isa("no such set") != TIDEGATE_OK, "");
  CHECK(tidegate_error()[0] != 0, "an error has a text");
  CHECK(tidegate_supports(99, 0, 4, 4) == TIDEGATE_UNSUPPORTED, "kind 99");
  tidegate_sequence s = {};
  s.kind = 99;
  CHECK(tidegate_forward(&s) != TIDEGATE_OK, "kind 99");
  Random random(1);
  Case c;
  c.H = c.P = 3;
  const Problem problem(c, random);
  Floats y(3), h_n(3), c_n(3);
  s = weights_of(problem);
  s.x = problem.x.data(), s.h0 = problem.h0.data(), s.c0 = problem.c0.data();
  s.y = y.data(), s.h_n = h_n.data(), s.c_n = c_n.data();
  CHECK(tidegate_forward(&s) == TIDEGATE_OK, tidegate_error());
  tidegate_sequence odd = s;
  odd.kind = scalar::GRU, odd.cell_clip = 1;
  CHECK(tidegate_forward(&odd) == TIDEGATE_BAD_ARGUMENT, "a clip without a cell state");
  odd = s;
  odd.w_ch = problem.w_ih.data();
  CHECK(tidegate_forward(&odd) == TIDEGATE_BAD_ARGUMENT, "peephole weights without peepholes");
  odd = s;
  odd.options = TIDEGATE_BFLOAT16, odd.w_hr = problem.w_ih.data();
  CHECK(tidegate_forward(&odd) == TIDEGATE_BAD_ARGUMENT, "a projection in bfloat16");
  check_sizes(s);
  const tidegate_gradient g = {};
  CHECK(tidegate_backward(&s, nullptr) != TIDEGATE_OK, "no gradient");
  CHECK(tidegate_backward(&s, &g) != TIDEGATE_OK, "no gates kept");
}

int run_all(int64_t cases, uint64_t seed, int64_t only) {
  check_cells();
  check_arguments();
  Unsupported unsupported;
  for (const std::string &name : instruction_sets()) {
    where = name;
    CHECK(tidegate_choose_isa(name.c_str()) == TIDEGATE_OK, tidegate_error());
    CHECK(tidegate_isa() == name, "the set that was chosen");
    const int before = failures;
    check_cases(cases, seed, only, unsupported);
    std::printf("%s: %lld cases, %d failures\n", name.c_str(), (long long)cases, failures - before);
  }
  for (const auto &[name, count] : unsupported)
    std::printf("not supported: %s (%d cases)\n", name.c_str(), count);
  return report("test_sequences");
}

}  // namespace
}  // namespace tests

int main(int count, char **words) {
  const int64_t cases = count > 1 ? std::atoll(words[1]) : 300;
  const uint64_t seed = count > 2 ? std::strtoull(words[2], nullptr, 10) : 1;
  const int64_t only = count > 3 ? std::atoll(words[3]) : -1;
  tests::name_crashes();
  tidegate_poison(1);
  return tests::run_all(cases, seed, only);
}
