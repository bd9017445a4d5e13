// The C interface: checks, the choice of the instruction set, and errors instead of exceptions.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <memory>
#include <string>
#include <vector>

#include "kernels.h"
#include "pool.h"

namespace tidegate {

extern const Kernels kernels_portable;
#if defined(TIDEGATE_HAVE_AVX2)
extern const Kernels kernels_avx2;
#endif
#if defined(TIDEGATE_HAVE_AVX512)
extern const Kernels kernels_avx512;
#endif
#if defined(TIDEGATE_HAVE_AVX512BF16)
extern const Kernels kernels_avx512bf16;
#endif
#if defined(TIDEGATE_HAVE_NEON)
extern const Kernels kernels_neon;
#endif

namespace {

thread_local std::string last_error;

int fail(int code, const std::string &what) {
  last_error = what;
  return code;
}

// Best first.
const Kernels *const *all() {
  static const Kernels *list[6] = {};
  static const bool once = [] {
    int n = 0;
#if defined(TIDEGATE_HAVE_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
#if defined(TIDEGATE_HAVE_AVX512BF16)
      if (__builtin_cpu_supports("avx512bf16")) list[n++] = &kernels_avx512bf16;
#endif
      list[n++] = &kernels_avx512;
    }
#endif
#if defined(TIDEGATE_HAVE_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list[n++] = &kernels_avx2;
#endif
#if defined(TIDEGATE_HAVE_NEON)
    list[n++] = &kernels_neon;
#endif
    list[n] = &kernels_portable;
    return true;
  }();
  (void)once;
  return list;
}

const Kernels *find(const char *name) {
  for (auto list = all(); *list; list++)
    if (std::strcmp((*list)->name, name) == 0) return *list;
  return nullptr;
}

std::atomic<const Kernels *> &chosen() {
  static std::atomic<const Kernels *> kernels{[] {
    const char *name = std::getenv("TIDEGATE_ISA");
    const Kernels *wanted = name ? find(name) : nullptr;
    return wanted ? wanted : *all();
  }()};
  return kernels;
}

bool known(int32_t kind, int32_t options) {
  constexpr int32_t kFloat32 = TIDEGATE_LAYER_NORM | TIDEGATE_RESET_BEFORE;
  if (options & TIDEGATE_BFLOAT16) {
    options &= ~TIDEGATE_BFLOAT16;
    if (options & kFloat32) return false;
  }
  constexpr int32_t kLstm = TIDEGATE_PEEPHOLE | TIDEGATE_COUPLED | TIDEGATE_LAYER_NORM;
  if (kind == TIDEGATE_LSTM) return (options & ~kLstm) == 0;
  if (kind == TIDEGATE_GRU) return (options & ~(TIDEGATE_RESET_BEFORE | TIDEGATE_LAYER_NORM)) == 0;
  return kind == TIDEGATE_RNN && (options & ~(TIDEGATE_RELU | TIDEGATE_LAYER_NORM)) == 0;
}

// What is wrong with the weights, whose sizes are right.
const char *fault_of_weights(const tidegate_sequence &q) {
  const bool lstm = q.kind == TIDEGATE_LSTM, norm = (q.options & TIDEGATE_LAYER_NORM) != 0;
  if (!q.w_ih || !q.w_hh) return "a weight is null";
  if ((q.b_ih == nullptr) != (q.b_hh == nullptr)) return "one bias is null and the other is not";
  if (((q.options & TIDEGATE_PEEPHOLE) != 0) != (q.w_ch != nullptr))
    return "w_ch must be given with peepholes alone";
  if (q.w_hr ? !lstm : q.P != q.H) return "w_hr must be given where P is not H, to an LSTM alone";
  if (norm && (!q.norm_ih || !q.norm_hh)) return "norm_ih or norm_hh is null";
  if (norm && lstm && (!q.norm_cell || !q.norm_cell_bias)) return "norm_cell or its bias is null";
  return nullptr;
}

// What the kernels rely on and cannot see for themselves.
const char *fault(const tidegate_sequence *q) {
  if (!q) return "sequence is null";
  if (q->B < 0 || q->T < 0 || q->I < 1 || q->H < 1 || q->P < 1) return "a size is out of range";
  if (q->threads < 1) return "threads must be >= 1";
  if (const char *what = fault_of_weights(*q)) return what;
  if (q->B == 0) return nullptr;
  const bool lstm = q->kind == TIDEGATE_LSTM;
  if (!q->h0) return "h0 is null";
  if (q->T > 0 && (!q->x || !q->y)) return "x or y is null";
  if (lstm && !q->c0) return "c0 is null";
  if (lstm && (q->gates == nullptr) != (q->cells == nullptr))
    return "gates and cells go together";
  for (int64_t b = 0; q->lengths && b < q->B; b++)
    if (q->lengths[b] < 0 || q->lengths[b] > q->T) return "a length is out of range";
  return nullptr;
}

// The code of what a function throws.
template <class Work>
int guarded(Work work) {
  try {
    Scratch &scratch = Scratch::of_this_thread();
    scratch.rewind();
    work(*chosen(), scratch);
  } catch (const std::bad_alloc &) {
    return fail(TIDEGATE_NO_MEMORY, "out of memory");
  } catch (const std::exception &error) {
    return fail(TIDEGATE_BAD_ARGUMENT, error.what());
  }
  return TIDEGATE_OK;
}

int check(const tidegate_sequence *sequence) {
  if (const char *what = fault(sequence)) return fail(TIDEGATE_BAD_ARGUMENT, what);
  if (tidegate_supports(sequence->kind, sequence->options, sequence->H, sequence->P) != TIDEGATE_OK)
    return fail(TIDEGATE_UNSUPPORTED, "no kernel for this cell");
  return TIDEGATE_OK;
}

int check_forward(const tidegate_sequence *sequence) {
  // The backward pass does without these.
  if (sequence && sequence->B > 0 && !sequence->h_n)
    return fail(TIDEGATE_BAD_ARGUMENT, "h_n is null");
  if (sequence && sequence->B > 0 && sequence->kind == TIDEGATE_LSTM && !sequence->c_n)
    return fail(TIDEGATE_BAD_ARGUMENT, "c_n is null");
  return check(sequence);
}

int check_backward(const tidegate_sequence *sequence, const tidegate_gradient *gradient) {
  if (!gradient) return fail(TIDEGATE_BAD_ARGUMENT, "gradient is null");
  if (sequence && sequence->B > 0 && sequence->T > 0 && !sequence->gates)
    return fail(TIDEGATE_BAD_ARGUMENT, "gates is null: the forward pass must have kept them");
  return check(sequence);
}

int forward(const tidegate_sequence &q) {
  return guarded([&](const Kernels &kernels, Scratch &scratch) {
    if (q.B > 0) kernels.forward(q, scratch);
  });
}

int backward(const tidegate_sequence &q, const tidegate_gradient &gradient) {
  return guarded([&](const Kernels &kernels, Scratch &scratch) {
    kernels.backward(q, gradient, scratch);
  });
}

// Weights up to here stay in a core's cache while another thread walks with others.
constexpr int64_t kLight = int64_t{1} << 20;

// Whether sequences are done sooner by one thread each than one after the other by all.
bool beside(const tidegate_sequence &q, int32_t count, bool back) {
  const bool light = tidegate_kept_of(q.kind, q.options, q.H).slots * q.H * (q.I + q.P) * 4 <= kLight;
  const bool share = q.threads == count || (q.threads > count && q.B < q.threads);
  return count > 1 && share && (light || !back);
}

// Calls run(i, sequence) for each sequence until one fails.
template <class Run>
int for_all(const tidegate_sequence *sequences, int32_t count, bool back, Run run) {
  if (count > 0 && beside(sequences[0], count, back)) {
    const Lease lease(count);
    std::vector<int> codes(count);
    std::vector<std::string> errors(count);
    auto work = [&](int thread) {
      tidegate_sequence alone = sequences[thread];
      alone.threads = 1;
      codes[thread] = run(thread, alone);
      if (codes[thread] != TIDEGATE_OK) errors[thread] = last_error;
    };
    if (lease.threads() == count) {
      lease.run(work);
      for (int32_t i = 0; i < count; i++)
        if (codes[i] != TIDEGATE_OK) return fail(codes[i], errors[i]);
      return TIDEGATE_OK;
    }
  }
  for (int32_t i = 0; i < count; i++)
    if (const int code = run(i, sequences[i])) return code;
  return TIDEGATE_OK;
}

}  // namespace
}  // namespace tidegate

using namespace tidegate;

int tidegate_abi(void) { return TIDEGATE_ABI; }

const char *tidegate_isa(void) { return chosen().load()->name; }

const char *tidegate_isas(void) {
  static const std::string names = [] {
    std::string text;
    for (auto list = all(); *list; list++) text += (text.empty() ? "" : ",") + std::string((*list)->name);
    return text;
  }();
  return names.c_str();
}

int tidegate_choose_isa(const char *name) {
  const Kernels *wanted = name ? find(name) : nullptr;
  if (!wanted) return fail(TIDEGATE_BAD_ARGUMENT, "no such instruction set here");
  chosen() = wanted;
  return TIDEGATE_OK;
}

const char *tidegate_error(void) { return last_error.c_str(); }

void tidegate_share_openmp(void *gomp_parallel, void *omp_in_parallel) {
  share({reinterpret_cast<decltype(OpenMP::parallel)>(gomp_parallel),
         reinterpret_cast<decltype(OpenMP::in_parallel)>(omp_in_parallel)});
}

int tidegate_supports(int32_t kind, int32_t options, int64_t H, int64_t P) {
  const bool projects = kind == TIDEGATE_LSTM && !(options & TIDEGATE_BFLOAT16);
  const bool fits = H == P || (projects && P < H);
  return known(kind, options) && fits ? TIDEGATE_OK : TIDEGATE_UNSUPPORTED;
}

tidegate_kept_layout tidegate_kept_of(int32_t kind, int32_t options, int64_t H) {
  const int64_t units = chosen().load()->units;
  const bool three = (kind == TIDEGATE_LSTM && (options & TIDEGATE_COUPLED)) ||
                     (kind == TIDEGATE_GRU && (options & TIDEGATE_RESET_BEFORE));
  const int64_t block = kind == TIDEGATE_RNN ? 4 * units : units;
  return {(H + block - 1) / block, three ? 3 : 4, units};
}

int tidegate_forward(const tidegate_sequence *sequence) {
  const int code = check_forward(sequence);
  return code == TIDEGATE_OK ? forward(*sequence) : code;
}

int tidegate_backward(const tidegate_sequence *sequence, const tidegate_gradient *gradient) {
  const int code = check_backward(sequence, gradient);
  return code == TIDEGATE_OK ? backward(*sequence, *gradient) : code;
}

int tidegate_forward_all(const tidegate_sequence *sequences, int32_t count) {
  for (int32_t i = 0; i < count; i++)
    if (const int code = check_forward(sequences ? sequences + i : nullptr)) return code;
  return for_all(sequences, count, false,
                 [&](int32_t, const tidegate_sequence &q) { return forward(q); });
}

int tidegate_backward_all(const tidegate_sequence *sequences, const tidegate_gradient *gradients,
                          int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    const bool given = sequences && gradients;
    if (const int code = check_backward(given ? sequences + i : nullptr,
                                        given ? gradients + i : nullptr))
      return code;
  }
  return for_all(sequences, count, true, [&](int32_t i, const tidegate_sequence &q) {
    return backward(q, gradients[i]);
  });
}

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

const char *stream_fault(const tidegate_sequence *layers, int32_t count) {
  if (!layers || count < 1) return "a stream needs one layer or more";
  for (int32_t i = 0; i < count; i++) {
    const tidegate_sequence &q = layers[i];
    if (q.B < 1 || q.I < 1 || q.H < 1 || q.P < 1) return "a size is out of range";
    if (const char *what = fault_of_weights(q)) return what;
    if (i > 0 && (q.I != layers[i - 1].P || q.B != layers[i - 1].B))
      return "layers do not fit on one another";
    if (tidegate_supports(q.kind, q.options, q.H, q.P) != TIDEGATE_OK) return "no kernel for this cell";
  }
  return nullptr;
}

}  // namespace

tidegate_stream *tidegate_stream_new(const tidegate_sequence *layers, int32_t count) {
  if (const char *what = stream_fault(layers, count)) {
    fail(TIDEGATE_BAD_ARGUMENT, what);
    return nullptr;
  }
  try {
    auto made = std::make_unique<tidegate_stream>();
    int64_t size = 0;
    for (int32_t i = 0; i < count; i++) {
      const tidegate_sequence &q = layers[i];
      const int64_t cell = q.kind == TIDEGATE_LSTM ? q.B * q.H : 0;
      made->layers.push_back({chosen().load()->stream(q), q.B * q.P, cell,
                              std::vector<float>(q.B * q.P)});
      size += q.B * q.P + cell;
    }
    made->state.resize(size);
    return made.release();
  } catch (const std::bad_alloc &) {
    fail(TIDEGATE_NO_MEMORY, "out of memory");
    return nullptr;
  }
}

tidegate_stream *tidegate_stream_fork(const tidegate_stream *stream) {
  try {
    auto made = std::make_unique<tidegate_stream>();
    for (const auto &layer : stream->layers)
      made->layers.push_back({layer.run->copy(), layer.hidden, layer.cell, layer.output});
    made->state = stream->state;
    return made.release();
  } catch (const std::bad_alloc &) {
    fail(TIDEGATE_NO_MEMORY, "out of memory");
    return nullptr;
  }
}

void tidegate_stream_free(tidegate_stream *stream) { delete stream; }

float *tidegate_stream_state(tidegate_stream *stream) { return stream->state.data(); }

int64_t tidegate_stream_size(const tidegate_stream *stream) {
  return static_cast<int64_t>(stream->state.size());
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

double tidegate_peak(int32_t threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  const Kernels &kernels = *chosen();
  const Lease lease(threads);
  double best = 0;
  const auto start = Clock::now();
  auto since = [](Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); };
  while (since(start) < seconds) {
    std::atomic<double> flops{0};
    auto work = [&](int) {
      const double done = kernels.burn(2000000);
      double sum = flops;
      while (!flops.compare_exchange_weak(sum, sum + done)) {
      }
    };
    const auto begin = Clock::now();
    lease.run(work);
    best = std::max(best, flops / since(begin) * 1e-9);
  }
  return best;
}

void tidegate_poison(int32_t on) { Scratch::poison(on != 0); }
