// The C interface to sequences: checks, errors instead of exceptions, and who computes what.
#include "dispatch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <vector>

#include "pool.h"

namespace tidegate {

thread_local std::string last_error;

int fail(int code, const std::string &what) {
  last_error = what;
  return code;
}

const Family *family_of(int32_t kind) {
  const Kernels *chosen = kernels();
  return chosen && kind >= 0 && kind < chosen->count ? chosen->families + kind : nullptr;
}

namespace {

// Whether a family has each of these options.
bool knows(const Family &family, int32_t options) {
  const int32_t own = ((1 << count_names(family.options)) - 1) * TIDEGATE_OWN;
  return (options & ~(own | TIDEGATE_LAYER_NORM | TIDEGATE_BFLOAT16)) == 0;
}

// What is wrong with the weights, whose sizes are right, of a cell that the library computes.
const char *fault_of_weights(const Family &family, const tidegate_sequence &q) {
  const bool norm = q.options & TIDEGATE_LAYER_NORM;
  if (!q.w_ih || !q.w_hh) return "a weight is null";
  if ((q.b_ih == nullptr) != (q.b_hh == nullptr)) return "one bias is null and the other is not";
  if ((family.shape(q.options).peepholes > 0) != (q.w_ch != nullptr))
    return "w_ch must be given with peepholes alone";
  if (q.w_hr ? !family.projects || (q.options & TIDEGATE_BFLOAT16) : q.P != q.H)
    return "w_hr must be given where P is not H, and to a cell that projects in float32 alone";
  if (norm && (!q.norm_ih || !q.norm_hh)) return "norm_ih or norm_hh is null";
  if (norm && family.has_cell && (!q.norm_cell || !q.norm_cell_bias))
    return "norm_cell or its bias is null";
  if (q.cell_clip > 0 && !family.has_cell) return "cell_clip must be 0 without a cell state";
  return nullptr;
}

// Most numbers in an array: whatever the kernels make of it is counted within 63 bits. No machine
// has the memory for more.
constexpr double kMost = double(int64_t{1} << 48);

// Numbers that the last block of units or rows may be filled up with.
constexpr double kFilling = 64;

// Whether the arrays of `steps` steps are within reach. Products of whole numbers could overflow.
bool fits(const tidegate_sequence &q, int64_t steps) {
  const double I = double(q.I), H = double(q.H) + kFilling, P = double(q.P);
  const double places = (double(q.B) + kFilling) * (double(steps) + 1);
  return places * (I + H + P) < kMost && H * (I + H + P) < kMost;
}

}  // namespace

int check_cell(const tidegate_sequence &q, int64_t steps) {
  if (const char *what = isa_fault()) return fail(TIDEGATE_BAD_ARGUMENT, what);
  if (q.B < 0 || steps < 0 || q.I < 1 || q.H < 1 || q.P < 1)
    return fail(TIDEGATE_BAD_ARGUMENT, "a size is out of range");
  if (!fits(q, steps)) return fail(TIDEGATE_NO_MEMORY, "no memory holds arrays of these sizes");
  if (tidegate_supports(q.kind, q.options, q.H, q.P) != TIDEGATE_OK)
    return fail(TIDEGATE_UNSUPPORTED, "no kernel for this cell");
  if (const char *what = fault_of_weights(*family_of(q.kind), q))
    return fail(TIDEGATE_BAD_ARGUMENT, what);
  return TIDEGATE_OK;
}

namespace {

// What the kernels rely on and cannot see for themselves, besides the cell.
const char *fault(const tidegate_sequence &q) {
  const bool cell = family_of(q.kind)->has_cell;
  if (q.threads < 1) return "threads must be >= 1";
  if (q.B == 0) return nullptr;
  if (!q.h0) return "h0 is null";
  if (q.T > 0 && (!q.x || !q.y)) return "x or y is null";
  if (cell && !q.c0) return "c0 is null";
  if (cell && (q.gates == nullptr) != (q.cells == nullptr)) return "gates and cells go together";
  for (int64_t b = 0; q.lengths && b < q.B; b++)
    if (q.lengths[b] < 0 || q.lengths[b] > q.T) return "a length is out of range";
  return nullptr;
}

int check(const tidegate_sequence *sequence) {
  if (!sequence) return fail(TIDEGATE_BAD_ARGUMENT, "sequence is null");
  if (const int code = check_cell(*sequence, sequence->T)) return code;
  const char *what = fault(*sequence);
  return what ? fail(TIDEGATE_BAD_ARGUMENT, what) : TIDEGATE_OK;
}

int check_forward(const tidegate_sequence *sequence) {
  if (const int code = check(sequence)) return code;
  // The backward pass does without these.
  if (sequence->B > 0 && !sequence->h_n) return fail(TIDEGATE_BAD_ARGUMENT, "h_n is null");
  if (sequence->B > 0 && family_of(sequence->kind)->has_cell && !sequence->c_n)
    return fail(TIDEGATE_BAD_ARGUMENT, "c_n is null");
  return TIDEGATE_OK;
}

int check_backward(const tidegate_sequence *sequence, const tidegate_gradient *gradient) {
  if (!gradient) return fail(TIDEGATE_BAD_ARGUMENT, "gradient is null");
  if (const int code = check(sequence)) return code;
  if (sequence->B > 0 && sequence->T > 0 && !sequence->gates)
    return fail(TIDEGATE_BAD_ARGUMENT, "gates is null: the forward pass must have kept them");
  return TIDEGATE_OK;
}

// The code of what a function throws.
template <class Work>
int guarded(Work work) {
  try {
    Scratch &scratch = Scratch::of_this_thread();
    scratch.rewind();
    work(scratch);
  } catch (const std::bad_alloc &) {
    return fail(TIDEGATE_NO_MEMORY, "out of memory");
  } catch (const std::exception &error) {
    return fail(TIDEGATE_BAD_ARGUMENT, error.what());
  }
  return TIDEGATE_OK;
}

int forward(const tidegate_sequence &q) {
  return guarded([&](Scratch &scratch) {
    if (q.B > 0) family_of(q.kind)->forward(q, scratch);
  });
}

int backward(const tidegate_sequence &q, const tidegate_gradient &gradient) {
  return guarded([&](Scratch &scratch) { family_of(q.kind)->backward(q, gradient, scratch); });
}

// Weights up to here stay in a core's cache while another thread walks with others.
constexpr int64_t kLight = int64_t{1} << 20;

// Whether sequences are done sooner by one thread each than one after the other by all.
bool beside(const tidegate_sequence &q, int32_t count, bool back) {
  const bool light = family_of(q.kind)->shape(q.options).slots * q.H * (q.I + q.P) * 4 <= kLight;
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

const char *tidegate_error(void) { return last_error.c_str(); }

void tidegate_share_openmp(void *gomp_parallel, void *omp_in_parallel) {
  share({reinterpret_cast<decltype(OpenMP::parallel)>(gomp_parallel),
         reinterpret_cast<decltype(OpenMP::in_parallel)>(omp_in_parallel)});
}

tidegate_cell tidegate_cell_of(int32_t kind, int32_t options) {
  const Family *family = family_of(kind);
  if (!family || !knows(*family, options)) return {};
  const Shape shape = family->shape(options);
  return {family->name,     family->options,  shape.blocks,   shape.kept,
          family->has_cell, family->projects, shape.peepholes};
}

int tidegate_supports(int32_t kind, int32_t options, int64_t H, int64_t P) {
  const Family *family = family_of(kind);
  if (!family || !knows(*family, options)) return TIDEGATE_UNSUPPORTED;
  const bool by_rows = P != H || (options & TIDEGATE_LAYER_NORM) || family->shape(options).inner;
  const bool fits = P == H || (family->projects && P < H);
  // Tiles alone compute in bfloat16.
  return fits && !(by_rows && (options & TIDEGATE_BFLOAT16)) ? TIDEGATE_OK : TIDEGATE_UNSUPPORTED;
}

tidegate_kept_layout tidegate_kept_of(int32_t kind, int32_t options, int64_t H) {
  const Family *family = family_of(kind);
  if (!family || H < 1 || double(H) >= kMost) return {};
  const Shape shape = family->shape(options);
  return {(H + shape.units - 1) / shape.units, shape.slots, kernels()->units};
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
    if (const int code =
            check_backward(given ? sequences + i : nullptr, given ? gradients + i : nullptr))
      return code;
  }
  return for_all(sequences, count, true,
                 [&](int32_t i, const tidegate_sequence &q) { return backward(q, gradients[i]); });
}

double tidegate_peak(int32_t threads, double seconds) {
  const Kernels *chosen = kernels();
  if (!chosen) return 0;
  using Clock = std::chrono::steady_clock;
  const Lease lease(threads);
  double best = 0;
  const auto start = Clock::now();
  auto since = [](Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  };
  while (since(start) < seconds) {
    std::atomic<double> flops{0};
    auto work = [&](int) {
      const double done = chosen->burn(2000000);
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
