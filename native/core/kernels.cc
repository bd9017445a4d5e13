// Compiled once per instruction set, with TIDEGATE_TARGET its name.
#include "kernels.h"

#include <array>

#include "../cells/families.h"
#include "rows.h"

namespace TIDEGATE_TARGET {

using tidegate::Lease;

// Packs the weights of one call. Every thread packs some of the blocks, or all for itself.
template <class Math>
class alignas(tidegate::kApart) Packing {
 public:
  Packing(const Plan &plan, int threads, Scratch &scratch) : p_(plan) {
    const tidegate_sequence &q = p_.q;
    const Index x_words = words<Math>(q.I), h_words = words<Math>(q.P);
    if (p_.shape.x_count == p_.shape.slots) {
      // One panel over [x, h].
      weights.x_step = weights.h_step = (x_words + h_words) * p_.shape.x_count * W;
      make_room(p_.blocks * weights.x_step, threads, scratch);
      weights.h = weights.x + x_words * p_.shape.x_count * W;
    } else {
      weights.x_step = x_words * p_.shape.x_count * W;
      weights.h_step = h_words * p_.shape.h_count * W;
      make_room(p_.blocks * (weights.x_step + weights.h_step), threads, scratch);
      weights.h = weights.x + p_.blocks * weights.x_step;
    }
    weights.peep = fill_up(p_, q.w_ch, p_.shape.peepholes, scratch);
  }

  Weights weights;

  // Whether a thread has to wait for the others before it reads.
  bool shared() const { return weights.own == 0; }

  void run(int thread, int threads) {
    const tidegate_sequence &q = p_.q;
    const Shape &s = p_.shape;
    const Index from = shared() ? cut(p_.blocks, thread, threads) : 0;
    const Index to = shared() ? cut(p_.blocks, thread + 1, threads) : p_.blocks;
    for (Index block = from; block < to; block++) {
      float *x = room_ + (weights.x - room_) + thread * weights.own + block * weights.x_step;
      float *h = room_ + (weights.h - room_) + thread * weights.own + block * weights.h_step;
      pack_block<Math>(p_, q.w_ih, q.I, s.x_rows, s.x_count, block, x);
      pack_block<Math>(p_, q.w_hh, q.P, s.h_rows, s.h_count, block, h);
      float *bias = room_ + (weights.bias - room_) + thread * weights.own + block * 4 * W;
      std::fill(bias, bias + 4 * W, 0.0f);
      if (q.b_ih) add_bias(q.b_ih, s.x_rows, s.x_first, s.x_count, block, bias);
      if (q.b_hh) add_bias(q.b_hh, s.h_rows, s.h_first, s.h_count, block, bias);
    }
  }

 private:
  void make_room(Index panels, int threads, Scratch &scratch) {
    const bool share = threads == 1 || panels * 4 > kOwnBytes;
    const Index all = round_up(panels + p_.G4(), tidegate::kApart / 4);
    room_ = scratch.floats(share ? all : threads * all);
    weights.own = share ? 0 : all;
    weights.x = room_;
    weights.bias = room_ + panels;
  }

  void add_bias(const float *b, const int *row_blocks, int first, int count, Index block,
                float *to) const {
    for (int v = 0; v < count; v++)
      for (int lane = 0; lane < W; lane++) {
        const Index row = p_.weight_row(row_blocks, block, v, lane);
        if (row >= 0) to[(first + v) * W + lane] += b[row];
      }
  }

  const Plan &p_;
  float *room_;
};

// Packs them for the way back.
template <class Math>
class alignas(tidegate::kApart) BackPacking {
 public:
  BackPacking(const Plan &plan, bool with_x, Scratch &scratch) : p_(plan) {
    columns_h_ = (p_.q.P + 4 * W - 1) / (4 * W);
    columns_x_ = with_x ? (p_.q.I + 4 * W - 1) / (4 * W) : 0;
    weights.h_step = words<Math>(p_.gates(p_.shape.h_count)) * 4 * W;
    weights.x_step = words<Math>(p_.gates(p_.shape.x_count)) * 4 * W;
    weights.h = scratch.floats(columns_h_ * weights.h_step);
    weights.x = scratch.floats(columns_x_ * weights.x_step);
  }

  BackWeights weights;

  void run(int thread, int threads) {
    const Shape &s = p_.shape;
    for (Index i = thread; i < columns_h_ + columns_x_; i += threads) {
      if (i < columns_h_)
        pack_columns<Math>(p_, p_.q.w_hh, p_.q.P, s.h_rows, s.h_count, i * 4 * W,
                           const_cast<float *>(weights.h) + i * weights.h_step);
      else
        pack_columns<Math>(p_, p_.q.w_ih, p_.q.I, s.x_rows, s.x_count, (i - columns_h_) * 4 * W,
                           const_cast<float *>(weights.x) + (i - columns_h_) * weights.x_step);
    }
  }

 private:
  const Plan &p_;
  Index columns_h_, columns_x_;
};

// The path that keeps its sums in registers.
template <class Cell, class Math>
struct Tiles {
  using Family = Cell;

  static void forward(const tidegate_sequence &sequence, Scratch &scratch);
  static void backward(const tidegate_sequence &sequence, const tidegate_gradient &gradient,
                       Scratch &scratch);

  // What the layers of a stream share.
  struct Packed {
    explicit Packed(const Plan &plan) : packing(plan, 1, memory) { packing.run(0, 1); }
    Scratch memory;
    Packing<Math> packing;
  };

  using Walk = Forward<Cell, Math>;
  static Walk walk(const Plan &plan, const Packed &packed, Scratch &scratch) {
    return Walk(plan, packed.packing.weights, {1, false}, scratch);
  }
};

template <class Cell, class Math>
void Tiles<Cell, Math>::forward(const tidegate_sequence &sequence, Scratch &scratch) {
  const Plan plan(Cell{}, sequence, scratch);
  const Lease lease(threads_for(plan));
  const Team team = team_for(plan, lease.threads());
  Packing<Math> packing(plan, team.threads, scratch);
  Forward<Cell, Math> forward(plan, packing.weights, team, scratch);
  prefer_large_outputs(plan);
  Barrier packed(team.threads);
  auto work = [&](int thread) {
    packing.run(thread, team.threads);
    if (packing.shared()) packed.wait();
    forward.run(thread);
  };
  lease.run(work);
}

template <class Cell, class Math>
void Tiles<Cell, Math>::backward(const tidegate_sequence &sequence,
                                 const tidegate_gradient &gradient, Scratch &scratch) {
  const Plan plan(Cell{}, sequence, scratch);
  const Lease lease(threads_for(plan));
  const Team team = team_for(plan, lease.threads());
  Weights weights = {};
  weights.peep = fill_up(plan, sequence.w_ch, plan.shape.peepholes, scratch);
  BackPacking<Math> packing(plan, gradient.dx != nullptr, scratch);
  Backward<Cell, Math> backward(plan, weights, packing.weights, gradient, team, scratch);
  auto work = [&](int thread) {
    packing.run(thread, team.threads);
    backward.run(thread);  // waits for the others before it reads
  };
  lease.run(work);
}

// Calls run(path) with the path for the options and numbers of a sequence. Who has no walk over
// tiles has shapes that need rows.
template <class Cell, class Run>
auto with_path(const tidegate_sequence &q, Run run) {
  if constexpr (Cell::kTiles) {
    const bool rows = tidegate::needs_rows(q, Cell::shape(q.options));
    if (!rows && (q.options & TIDEGATE_BFLOAT16)) return run(Tiles<Cell, Pairs>());
    if (!rows) return run(Tiles<Cell, Single>());
  }
  return run(Rows<Cell>());
}

template <class Cell>
void forward(const tidegate_sequence &q, Scratch &scratch) {
  with_path<Cell>(q, [&](auto path) { path.forward(q, scratch); });
}

template <class Cell>
void backward(const tidegate_sequence &q, const tidegate_gradient &g, Scratch &scratch) {
  with_path<Cell>(q, [&](auto path) { path.backward(q, g, scratch); });
}

void narrow_all(const float *from, Index count, Half *to) {
  for (Index i = 0; i < count; i += W)
    store_some(to + i, load_some(from + i, count - i), count - i);
}

void widen_all(const Half *from, Index count, float *to) {
  for (Index i = 0; i < count; i += W)
    store_some(to + i, load_some(from + i, count - i), count - i);
}

// The forward pass over one step, with weights packed once.
template <class Path>
class Streamed : public tidegate::StreamLayer {
 public:
  explicit Streamed(const tidegate_sequence &sequence) : Streamed(one_step(sequence), nullptr) {}

  void step(const float *x, float *y, float *h, float *c) override {
    tidegate_sequence &q = plan_.q;
    q.x = x, q.y = y;
    q.h0 = q.h_n = h;
    q.c0 = q.c_n = c;
    if (!half_x_) return walk_.run(0);
    q.x = reinterpret_cast<const float *>(half_x_), q.y = reinterpret_cast<float *>(half_y_);
    narrow_all(x, q.B * q.I, half_x_);
    walk_.run(0);
    widen_all(half_y_, q.B * q.P, y);
  }

  std::unique_ptr<StreamLayer> copy() const override {
    return std::unique_ptr<StreamLayer>(new Streamed(plan_.q, packed_));
  }

 private:
  using Packed = typename Path::Packed;

  Streamed(const tidegate_sequence &q, std::shared_ptr<const Packed> packed)
      : plan_(typename Path::Family{}, q, scratch_),
        packed_(packed ? packed : std::make_shared<const Packed>(plan_)),
        walk_(Path::walk(plan_, *packed_, scratch_)) {
    if (!(q.options & TIDEGATE_BFLOAT16)) return;
    half_x_ = scratch_.array<Half>(q.B * q.I);
    half_y_ = scratch_.array<Half>(q.B * q.P);
  }

  static tidegate_sequence one_step(tidegate_sequence q) {
    q.T = q.threads = 1;
    q.reverse = 0;
    q.x_row = q.x_step = q.I;
    q.y_row = q.y_step = q.P;
    q.lengths = nullptr, q.resets = nullptr, q.recurrent_mask = nullptr;
    q.zone_hidden = q.zone_cell = nullptr;
    q.gates = q.cells = nullptr;
    return q;
  }

  Scratch scratch_;
  Plan plan_;
  std::shared_ptr<const Packed> packed_;
  typename Path::Walk walk_;
  Half *half_x_ = nullptr, *half_y_ = nullptr;  // what the walk reads and writes in bfloat16
};

template <class Cell>
std::unique_ptr<tidegate::StreamLayer> stream(const tidegate_sequence &q) {
  return with_path<Cell>(q, [&](auto path) {
    return std::unique_ptr<tidegate::StreamLayer>(new Streamed<decltype(path)>(q));
  });
}

template <class... Cells>
constexpr std::array<tidegate::Family, sizeof...(Cells)> table_of(List<Cells...>) {
  return {{{Cells::kName, Cells::kOptions, Cells::kHasCell, Cells::kProjects, Cells::shape,
            forward<Cells>, backward<Cells>, stream<Cells>}...}};
}

constexpr auto families = table_of(Families());

double burn(long rounds) {
  constexpr int N = 12;
  Vec sums[N], a = splat(0.999f), b = splat(1e-3f);
  // Each starts elsewhere: a compiler makes one chain of chains that are alike.
  for (int n = 0; n < N; n++) sums[n] = splat(float(n));
  for (long i = 0; i < rounds; i++)
#pragma GCC unroll 12
    for (int n = 0; n < N; n++) sums[n] = fma(sums[n], a, b);
  Vec total = {};
  for (int n = 0; n < N; n++) total = total + sums[n];
  float out[W];
  store(out, total);
  return 2.0 * rounds * N * W + 0.0 * (double)out[0];
}

}  // namespace TIDEGATE_TARGET

#define TIDEGATE_JOIN_(a, b) a##b
#define TIDEGATE_JOIN(a, b) TIDEGATE_JOIN_(a, b)
#define TIDEGATE_TEXT_(a) #a
#define TIDEGATE_TEXT(a) TIDEGATE_TEXT_(a)

namespace tidegate {

extern const Kernels TIDEGATE_JOIN(kernels_, TIDEGATE_TARGET);
const Kernels TIDEGATE_JOIN(kernels_, TIDEGATE_TARGET) = {
    TIDEGATE_TEXT(TIDEGATE_TARGET), TIDEGATE_TARGET::W, TIDEGATE_TARGET::families.data(),
    static_cast<int>(TIDEGATE_TARGET::families.size()), TIDEGATE_TARGET::burn};

}  // namespace tidegate
