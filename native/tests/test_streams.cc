/* A stream's steps against the whole sequence, bit for bit, with every instruction set.
 *
 *   test_streams [cases] [seed]
 */
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "check.h"
#include "problem.h"

namespace tests {
namespace {

struct Free {
  void operator()(tidegate_stream *stream) const { tidegate_stream_free(stream); }
};
using Stream = std::unique_ptr<tidegate_stream, Free>;

/* Forward, without anything that a stream has not. */
Case draw_layer(Random &random, const Case *below) {
  Case c = draw_case(random);
  c.reverse = 0;
  c.lengths = c.resets = c.recurrent_mask = c.zone_hidden = c.zone_cell = false;
  c.B = below ? below->B : random.chance(0.5) ? 1 : random.whole(2, 9);
  c.T = below ? below->T : random.whole(1, 9);
  c.I = below ? below->P : c.I;
  return c;
}

std::vector<Problem> draw_stack(Random &random) {
  std::vector<Problem> layers;
  const int64_t count = random.whole(1, 3);
  while (int64_t(layers.size()) < count) {
    const Case c = draw_layer(random, layers.empty() ? nullptr : &layers.back().c);
    layers.emplace_back(c, random);
  }
  return layers;
}

bool supported(const std::vector<Problem> &layers) {
  return std::all_of(layers.begin(), layers.end(), [](const Problem &layer) {
    const Case &c = layer.c;
    return tidegate_supports(c.kind, c.options, c.H, c.P) == TIDEGATE_OK;
  });
}

std::string text(const std::vector<Problem> &layers) {
  std::string all = "stream";
  for (const Problem &layer : layers) all += " | " + layer.c.text();
  return all;
}

/* [B, T, P] of the last layer, and all states as a stream has them. */
Results whole(std::vector<Problem> layers) {
  Results all;
  Floats state, x = layers.front().x;
  for (Problem &layer : layers) {
    layer.x = x;
    const Results results = infer(library, layer);
    all.damage += results.damage;
    x = *results.find("y");
    for (const char *name : {"h_n", "c_n"})
      if (const Floats *part = results.find(name))
        state.insert(state.end(), part->begin(), part->end());
  }
  all.values = {{"y", x}, {"state", state}};
  return all;
}

Floats initial_state(const std::vector<Problem> &layers) {
  Floats state;
  for (const Problem &layer : layers) {
    state.insert(state.end(), layer.h0.begin(), layer.h0.end());
    state.insert(state.end(), layer.c0.begin(), layer.c0.end());
  }
  return state;
}

Floats state_of(tidegate_stream *stream) {
  const float *state = tidegate_stream_state(stream);
  return Floats(state, state + tidegate_stream_size(stream));
}

/* One step at `t`; the output must be that of the whole. */
void check_step(tidegate_stream *stream, const std::vector<Problem> &layers, const Floats &y,
                int64_t t, const std::string &what) {
  const Case &first = layers.front().c, &last = layers.back().c;
  const Floats x = cut(layers.front().x, first.T, first.I, 0, first.B, t, t + 1);
  const float guard = 77;
  Floats out(last.B * last.P + 2, guard);
  const int code = tidegate_stream_step(stream, x.data(), &out[1]);
  CHECK(code == TIDEGATE_OK, what + ": " + tidegate_error() + ": " + text(layers));
  CHECK(out.front() == guard && out.back() == guard, what + ": " + text(layers));
  const Floats taken(out.begin() + 1, out.end() - 1);
  const Floats expected = cut(y, last.T, last.P, 0, last.B, t, t + 1);
  CHECK(same_bits(taken, expected), what + ", step " + std::to_string(t) + ", off by " +
                                        short_number(difference(taken, expected)) + ": " +
                                        text(layers));
}

Stream make(std::vector<Problem> layers) {
  std::vector<tidegate_sequence> sequences;
  for (const Problem &layer : layers) sequences.push_back(weights_of(layer));
  return Stream(tidegate_stream_new(sequences.data(), int32_t(sequences.size())));
  /* The layers' weights are freed here: the stream must have its own. */
}

void check_stream(const std::vector<Problem> &layers, Random &random) {
  const Results expected = whole(layers);
  CHECK(expected.damage.empty(), expected.damage + ": " + text(layers));
  const Floats &y = *expected.find("y"), &end = *expected.find("state");
  Stream stream = make(layers);
  CHECK(stream != nullptr, std::string(tidegate_error()) + ": " + text(layers));
  if (!stream) return;
  const Floats begin = initial_state(layers);
  CHECK(tidegate_stream_size(stream.get()) == int64_t(begin.size()), text(layers));
  const Floats fresh = state_of(stream.get());
  CHECK(std::all_of(fresh.begin(), fresh.end(), [](float v) { return v == 0; }),
        "a new state is 0: " + text(layers));
  std::copy(begin.begin(), begin.end(), tidegate_stream_state(stream.get()));
  const int64_t steps = layers.front().c.T, fork_at = random.whole(0, steps - 1);
  Stream fork;
  for (int64_t t = 0; t < steps; ++t) {
    if (t == fork_at) fork.reset(tidegate_stream_fork(stream.get()));
    check_step(stream.get(), layers, y, t, "stream");
  }
  CHECK(same_bits(state_of(stream.get()), end), "state of the stream: " + text(layers));
  stream.reset(); /* the fork must live on without it */
  for (int64_t t = fork_at; t < steps; ++t) check_step(fork.get(), layers, y, t, "fork");
  CHECK(same_bits(state_of(fork.get()), end), "state of the fork: " + text(layers));
}

int run_all(int64_t cases, uint64_t seed) {
  int unsupported = 0;
  for (const std::string &name : instruction_sets()) {
    CHECK(tidegate_choose_isa(name.c_str()) == TIDEGATE_OK, tidegate_error());
    const int before = failures;
    for (int64_t number = 0; number < cases; ++number) {
      where = name + " stream " + std::to_string(number);
      Random random(seed * 1000033 + uint64_t(number));
      const std::vector<Problem> layers = draw_stack(random);
      if (supported(layers)) {
        check_stream(layers, random);
      } else {
        ++unsupported;
      }
    }
    where = name;
    std::printf("%s: %lld streams, %d failures\n", name.c_str(), (long long)cases,
                failures - before);
  }
  std::printf("not supported: %d streams\n", unsupported);
  return report("test_streams");
}

}  // namespace
}  // namespace tests

int main(int count, char **words) {
  const int64_t cases = count > 1 ? std::atoll(words[1]) : 200;
  const uint64_t seed = count > 2 ? std::strtoull(words[2], nullptr, 10) : 1;
  tests::name_crashes();
  tidegate_poison(1);
  return tests::run_all(cases, seed);
}
