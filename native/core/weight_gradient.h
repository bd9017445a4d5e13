// The gradients of the weights: dw = dg' * [x, h], summed over all steps of all rows.
//
// The walk back leaves in each chunk of steps the gradients of the gates, block by block, and what
// the weights saw; then the threads share the columns of all blocks. Small gradients are summed in
// two halves of the rows, joined at the end: two threads then read what each has written itself.
// The halves depend on nothing but the shape, so that the sums are the same for any number of
// threads.
#pragma once

#include "team.h"

namespace TIDEGATE_TARGET {

// Rows of a chunk, about: what they leave behind stays in the cache of a core until it is read.
constexpr Index kChunkRows = 384;

// Gradients of weights up to here are summed in halves.
constexpr Index kHalvesBytes = Index{1} << 20;

// How many rows of a chunk the walk back has passed, in all and of each half.
struct Front {
  Index rows, of_half[2];
};

template <class Math>
class WeightGradient {
  using Item = typename Math::Item;

 public:
  WeightGradient(const Plan &plan, const tidegate_gradient &gradient, int threads)
      : p_(plan), g_(gradient), threads_(threads) {
    x_size_ = p_.blocks * p_.q.I * p_.shape.x_count * W;
    h_size_ = p_.blocks * p_.q.P * p_.shape.h_count * W;
    halves_ = p_.q.B > 1 && (x_size_ + h_size_) * 4 <= kHalvesBytes ? 2 : 1;
  }

  void make_room(Index chunk, Scratch &scratch) {
    room_ = round_up(chunk * ((p_.q.B + halves_ - 1) / halves_), Math::kItems);
    words_ = words<Math>(room_);
    lda_ = round_up(p_.q.I + p_.q.P, 16) + 16;
    seen_ = scratch.array<Item>(halves_ * room_ * lda_);
    dg_ = scratch.array<Item>(p_.blocks * halves_ * room_ * 4 * W);
    if (Math::kItems > 1) {
      seen_words_ = scratch.floats(halves_ * words_ * lda_);
      dg_words_ = scratch.floats(p_.blocks * halves_ * words_ * 4 * W);
    } else {
      seen_words_ = reinterpret_cast<float *>(seen_);
      dg_words_ = reinterpret_cast<float *>(dg_);
    }
    dw_x_ = scratch.floats(halves_ * x_size_);
    dw_h_ = scratch.floats(halves_ * h_size_);
    db_ = scratch.floats(halves_ * p_.G4());
  }

  bool in_halves() const { return halves_ > 1; }

  // n rows of a step have been passed.
  void pass(Front &front, Index n) const {
    const Index first = p_.q.lengths ? (n + 1) / 2 : std::min(n, (p_.q.B + 1) / 2);
    front.rows += n;
    front.of_half[0] += in_halves() ? first : n;
    front.of_half[1] += in_halves() ? n - first : 0;
  }

  // Where the row in a place leaves the gradients of its gates, [blocks][block_step], and what the
  // weights saw.
  Item *gates(Index place, const Front &front) const { return dg_ + row(place, front) * 4 * W; }
  Index block_step() const { return halves_ * room_ * 4 * W; }
  Item *seen(Index place, const Front &front) const { return seen_ + row(place, front) * lda_; }

  // Calls zero(at, size) for what has to be zero at first.
  template <class Zero>
  void clear(Zero zero) const {
    zero(dw_x_, halves_ * x_size_);
    zero(dw_h_, halves_ * h_size_);
    zero(db_, halves_ * p_.G4());
  }

  // Adds a chunk. Called by every thread, after all have written.
  void add(int thread, Front front, Barrier &barrier) {
    if (Math::kItems > 1) {
      for (Index half = 0; half < halves_; half++) make_words(thread, half, &front.of_half[half]);
      barrier.wait();
    }
    const Index jobs = p_.blocks * column_jobs();
    const Index from = cut(halves_ * jobs, thread, threads_);
    const Index to = cut(halves_ * jobs, thread + 1, threads_);
    for (Index half = 0; half < halves_; half++) {
      const Index first = std::max<Index>(from - half * jobs, 0);
      const Index last = std::min(to - half * jobs, jobs), count = front.of_half[half];
      // Runs are long, for each reads and writes all of dw.
      for (Index k = 0; k < count; k += kChunkRows)
        for (Index job = first; job < last; job++)
          add_columns(half, job, k, std::min(kChunkRows, count - k));
    }
  }

  // Hands the sums out. Called by every thread.
  void finish(int thread) {
    const Index to = cut(p_.blocks, thread + 1, threads_);
    for (Index block = cut(p_.blocks, thread, threads_); block < to; block++) {
      if (in_halves()) join_halves(block);
      hand_out(block);
    }
  }

 private:
  // Rows are dealt out to the halves as `Share` deals them out to two threads.
  Index row(Index place, const Front &front) const {
    if (!in_halves()) return front.of_half[0] + place;
    const Index first = (p_.q.B + 1) / 2;
    const Index half = p_.q.lengths ? place % 2 : place >= first;
    const Index index = p_.q.lengths ? place / 2 : place - half * first;
    return half * room_ + front.of_half[half] + index;
  }

  Index column_jobs() const { return (p_.q.I + p_.q.P + MAX_M - 1) / MAX_M; }

  // Makes words of the rows of a half, of which the sums are made; `count` becomes how many.
  void make_words(int thread, Index half, Index *count) const {
    const Index rows = *count, total = *count = words<Math>(rows);
    // Both halves are one row of words to the threads: two of them make one half each.
    const Index from = cut(halves_ * total, thread, threads_) - half * total;
    const Index to = cut(halves_ * total, thread + 1, threads_) - half * total;
    for (Index i = std::max<Index>(from, 0); i < std::min(to, total); i++) {
      const Index first = i * Math::kItems;
      // A word that the chunk does not fill.
      for (Index r = rows; r < first + Math::kItems; r++) clear_row(half * room_ + r);
      make_word(half * room_ + first, half * words_ + i);
    }
  }

  void clear_row(Index row) const {
    std::fill_n(seen_ + row * lda_, lda_, Item{});
    for (Index block = 0; block < p_.blocks; block++)
      std::fill_n(dg_ + block * block_step() + row * 4 * W, 4 * W, Item{});
  }

  void make_word(Index row, Index word) const {
    zip(seen_ + row * lda_, lda_, round_up(p_.q.I + p_.q.P, W), seen_words_ + word * lda_);
    for (Index block = 0; block < p_.blocks; block++)
      zip(dg_ + block * block_step() + row * 4 * W, 4 * W, p_.shape.slots * W,
          dg_words_ + (block * halves_ * words_ + word) * 4 * W);
  }

  // The words of as many rows as one holds.
  static void zip(const Item *rows, Index step, Index size, float *to) {
    for (Index i = 0; i < size; i += W) {
      Vec some[Math::kItems];
      for (Index k = 0; k < Math::kItems; k++) some[k] = load(rows + k * step + i);
      store(to + i, Math::word(some));
    }
  }

  // Adds K words from word k on to the columns of one job.
  void add_columns(Index half, Index job, Index k, Index K) const {
    const Index block = job / column_jobs(), column = job % column_jobs() * MAX_M;
    const Index word = half * words_ + k;
    const float *gates = dg_words_ + (block * halves_ * words_ + word) * 4 * W;
    if (column == 0) add_bias(half * p_.blocks + block, gates, K);
    column_tile(half, block, column, seen_words_ + word * lda_, gates, K);
  }

  void add_bias(Index block, const float *gates, Index K) const {
    for (int v = 0; v < p_.shape.slots; v++) {
      float *at = db_ + block * 4 * W + v * W;
      Vec sum = load(at);
      for (Index k = 0; k < K; k++) sum = Math::add(load(gates + k * 4 * W + v * W), sum);
      store(at, sum);
    }
  }

  // MAX_M columns of [x, h] from `column` on; some may be of x and some of h.
  void column_tile(Index half, Index block, Index column, const float *seen, const float *gates,
                   Index K) const {
    const Index I = p_.q.I, end = std::min(column + MAX_M, I + p_.q.P);
    const Shape &shape = p_.shape;
    auto run = [&](Index first, Index last, int slot, int count, float *dw, Index row) {
      if (first >= last) return;
      const Index step = (Index)count * W;
      float *out = dw + row * step;
      tile_of<Math>((int)(last - first), count)({seen + first, 1, lda_}, {gates + slot * W, 4 * W},
                                                K, {out, step, out, step});
    };
    run(column, std::min(end, I), shape.x_first, shape.x_count, dw_x_ + half * x_size_,
        block * I + column);
    const Index h = std::max(column, I);
    run(h, end, shape.h_first, shape.h_count, dw_h_ + half * h_size_, block * p_.q.P + h - I);
  }

  void join_halves(Index block) const {
    auto join = [&](float *first, Index all) {
      const Index size = all / p_.blocks;
      float *to = first + block * size;
      for (Index i = 0; i < size; i += W) store(to + i, load(to + i) + load(to + all + i));
    };
    join(dw_x_, x_size_);
    join(dw_h_, h_size_);
    join(db_, p_.G4());
  }

  void hand_out(Index block) const {
    const Shape &shape = p_.shape;
    const float *db = db_ + block * 4 * W;
    auto of_x = [&](const float *from, Index K, float *out) {
      if (out) unpack_block(p_, from, K, shape.x_rows, shape.x_count, block, out);
    };
    auto of_h = [&](const float *from, Index K, float *out) {
      if (out) unpack_block(p_, from, K, shape.h_rows, shape.h_count, block, out);
    };
    of_x(dw_x_ + block * p_.q.I * shape.x_count * W, p_.q.I, g_.dw_ih);
    of_h(dw_h_ + block * p_.q.P * shape.h_count * W, p_.q.P, g_.dw_hh);
    of_x(db + shape.x_first * W, 1, g_.db_ih);
    of_h(db + shape.h_first * W, 1, g_.db_hh);
  }

  const Plan &p_;
  const tidegate_gradient &g_;
  const int threads_;
  Index halves_, x_size_, h_size_;
  Index room_ = 0, words_ = 0, lda_ = 0;  // rows and words of a half, numbers of a row of seen_
  Item *seen_ = nullptr, *dg_ = nullptr;
  float *seen_words_ = nullptr, *dg_words_ = nullptr;  // the same by words of rows
  float *dw_x_ = nullptr, *dw_h_ = nullptr, *db_ = nullptr;
};

}  // namespace TIDEGATE_TARGET
