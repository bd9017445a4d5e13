// The C interface to streams: stacks of layers that take one step at a time.
#include <exception>
#include <memory>
#include <new>
#include <vector>

#include "dispatch.h"

using namespace tidegate;

struct tidegate_stream {
  struct Layer {
    std::unique_ptr<StreamLayer> run;
    int64_t hidden, cell;  // sizes of its states
    std::vector<float> output;
  };
  std::vector<Layer> layers;
  std::vector<float> state;
};

namespace {

int check_stack(const tidegate_sequence *layers, int32_t count) {
  if (!layers || count < 1) return fail(TIDEGATE_BAD_ARGUMENT, "a stream needs one layer or more");
  for (int32_t i = 0; i < count; i++) {
    const tidegate_sequence &q = layers[i];
    if (const int code = check_cell(q, 1)) return code;
    if (q.B < 1) return fail(TIDEGATE_BAD_ARGUMENT, "a size is out of range");
    if (i > 0 && (q.I != layers[i - 1].P || q.B != layers[i - 1].B))
      return fail(TIDEGATE_BAD_ARGUMENT, "layers do not fit on one another");
  }
  return TIDEGATE_OK;
}

// The stream that a function makes, or null, and what went wrong is remembered.
template <class Make>
tidegate_stream *guarded(Make make) {
  try {
    auto made = std::make_unique<tidegate_stream>();
    make(*made);
    return made.release();
  } catch (const std::bad_alloc &) {
    fail(TIDEGATE_NO_MEMORY, "out of memory");
  } catch (const std::exception &error) {
    fail(TIDEGATE_BAD_ARGUMENT, error.what());
  }
  return nullptr;
}

}  // namespace

tidegate_stream *tidegate_stream_new(const tidegate_sequence *layers, int32_t count) {
  if (check_stack(layers, count) != TIDEGATE_OK) return nullptr;
  return guarded([&](tidegate_stream &made) {
    int64_t size = 0;
    for (int32_t i = 0; i < count; i++) {
      const tidegate_sequence &q = layers[i];
      const Family &family = *family_of(q.kind);
      const int64_t cell = family.has_cell ? q.B * q.H : 0;
      made.layers.push_back({family.stream(q), q.B * q.P, cell, std::vector<float>(q.B * q.P)});
      size += q.B * q.P + cell;
    }
    made.state.resize(size);
  });
}

tidegate_stream *tidegate_stream_fork(const tidegate_stream *stream) {
  if (!stream) {
    fail(TIDEGATE_BAD_ARGUMENT, "stream is null");
    return nullptr;
  }
  return guarded([&](tidegate_stream &made) {
    for (const auto &layer : stream->layers)
      made.layers.push_back({layer.run->copy(), layer.hidden, layer.cell, layer.output});
    made.state = stream->state;
  });
}

void tidegate_stream_free(tidegate_stream *stream) { delete stream; }

float *tidegate_stream_state(tidegate_stream *stream) {
  return stream ? stream->state.data() : nullptr;
}

int64_t tidegate_stream_size(const tidegate_stream *stream) {
  return stream ? static_cast<int64_t>(stream->state.size()) : 0;
}

int tidegate_stream_step(tidegate_stream *stream, const float *x, float *y) {
  if (!stream || !x || !y) return fail(TIDEGATE_BAD_ARGUMENT, "a pointer is null");
  float *state = stream->state.data();
  const float *input = x;
  for (auto &layer : stream->layers) {
    float *output = &layer == &stream->layers.back() ? y : layer.output.data();
    layer.run->step(input, output, state, layer.cell ? state + layer.hidden : nullptr);
    state += layer.hidden + layer.cell;
    input = output;
  }
  return TIDEGATE_OK;
}
