/* The whole C interface on top of the scalar loops: slow, and right. For work on everything that
 * calls the library, and to test the tests.
 *
 *   g++ -O2 -std=c++17 -shared -fPIC -fvisibility=hidden -I native/include \
 *     -o libtidegate_scalar.so native/tests/scalar*.cc
 */
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "scalar.h"

namespace {

thread_local std::string last_error;

int refuse(int code, const char *text) {
  last_error = text;
  return code;
}

using Floats = std::vector<float>;

/* The layers of a stream, with copies of their weights. */
struct Stack {
  std::vector<tidegate_sequence> layers;
  std::vector<Floats> weights;

  void own(const float *&values, int64_t count) {
    if (!values) return;
    weights.emplace_back(values, values + count); /* moving a vector leaves its numbers in place */
    values = weights.back().data();
  }

  void add(tidegate_sequence s) {
    const int64_t rows = scalar::blocks_of(s.kind, s.options) * s.H;
    own(s.w_ih, rows * s.I);
    own(s.w_hh, rows * s.P);
    own(s.b_ih, rows);
    own(s.b_hh, rows);
    own(s.w_ch, rows - s.H);
    own(s.w_hr, s.P * s.H);
    own(s.norm_ih, rows);
    own(s.norm_hh, rows);
    own(s.norm_cell, s.H);
    own(s.norm_cell_bias, s.H);
    s.T = 1;
    s.threads = 1;
    s.reverse = 0;
    s.lengths = nullptr;
    s.resets = s.zone_hidden = s.zone_cell = nullptr;
    s.recurrent_mask = nullptr;
    s.gates = s.cells = nullptr;
    layers.push_back(s);
  }
};

int64_t state_size(const tidegate_sequence &s) {
  return s.B * (s.P + (s.kind == TIDEGATE_LSTM ? s.H : 0));
}

}  // namespace

struct tidegate_stream {
  std::shared_ptr<const Stack> stack;
  Floats state;
};

int tidegate_abi(void) { return TIDEGATE_ABI; }
const char *tidegate_isa(void) { return "scalar"; }
const char *tidegate_isas(void) { return "scalar"; }
const char *tidegate_error(void) { return last_error.c_str(); }
double tidegate_peak(int32_t, double) { return 1.0; }
void tidegate_poison(int32_t) {}

int tidegate_choose_isa(const char *name) {
  if (name && !std::strcmp(name, "scalar")) return TIDEGATE_OK;
  return refuse(TIDEGATE_BAD_ARGUMENT, "the only instruction set is scalar");
}

int tidegate_supports(int32_t kind, int32_t, int64_t, int64_t) {
  if (kind >= TIDEGATE_LSTM && kind <= TIDEGATE_RNN) return TIDEGATE_OK;
  return refuse(TIDEGATE_UNSUPPORTED, "kind must be 0, 1 or 2");
}

tidegate_kept_layout tidegate_kept_of(int32_t kind, int32_t options, int64_t H) {
  return scalar::kept_of(kind, options, H);
}

int tidegate_forward(const tidegate_sequence *sequence) {
  if (const char *text = scalar::complaint(sequence)) return refuse(TIDEGATE_BAD_ARGUMENT, text);
  return scalar::forward(sequence);
}

int tidegate_backward(const tidegate_sequence *sequence, const tidegate_gradient *gradient) {
  if (const char *text = scalar::complaint(sequence)) return refuse(TIDEGATE_BAD_ARGUMENT, text);
  if (!gradient) return refuse(TIDEGATE_BAD_ARGUMENT, "gradient must not be NULL");
  return scalar::backward(sequence, gradient);
}

int tidegate_forward_all(const tidegate_sequence *sequences, int32_t count) {
  for (int32_t i = 0; i < count; ++i)
    if (const int code = tidegate_forward(sequences + i)) return code;
  return TIDEGATE_OK;
}

int tidegate_backward_all(const tidegate_sequence *sequences, const tidegate_gradient *gradients,
                          int32_t count) {
  for (int32_t i = 0; i < count; ++i)
    if (const int code = tidegate_backward(sequences + i, gradients + i)) return code;
  return TIDEGATE_OK;
}

tidegate_stream *tidegate_stream_new(const tidegate_sequence *layers, int32_t count) {
  auto stack = std::make_shared<Stack>();
  int64_t size = 0;
  for (int32_t layer = 0; layer < count; ++layer) {
    stack->add(layers[layer]);
    if (const char *text = scalar::complaint(&stack->layers.back())) {
      last_error = text;
      return nullptr;
    }
    size += state_size(layers[layer]);
  }
  return new tidegate_stream{stack, Floats(size, 0.0f)};
}

tidegate_stream *tidegate_stream_fork(const tidegate_stream *stream) {
  return new tidegate_stream(*stream);
}

void tidegate_stream_free(tidegate_stream *stream) { delete stream; }
float *tidegate_stream_state(tidegate_stream *stream) { return stream->state.data(); }
int64_t tidegate_stream_size(const tidegate_stream *stream) {
  return int64_t(stream->state.size());
}

int tidegate_stream_step(tidegate_stream *stream, const float *x, float *y) {
  float *state = stream->state.data();
  Floats in;
  for (const tidegate_sequence &layer : stream->stack->layers) {
    tidegate_sequence s = layer;
    const int64_t hidden = s.B * s.P, size = state_size(s);
    Floats out(hidden), after(size);
    s.x = x;
    s.x_row = s.x_step = s.I;
    s.y = out.data();
    s.y_row = s.y_step = s.P;
    s.h0 = state;
    s.c0 = state + hidden;
    s.h_n = after.data();
    s.c_n = s.kind == TIDEGATE_LSTM ? after.data() + hidden : nullptr;
    if (int code = tidegate_forward(&s)) return code;
    std::copy(after.begin(), after.end(), state);
    state += size;
    in.swap(out);
    x = in.data();
  }
  std::copy(in.begin(), in.end(), y);
  return TIDEGATE_OK;
}
