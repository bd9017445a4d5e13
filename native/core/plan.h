// What every thread of one call shares: the rows in order, the packed weights, the biases.
#pragma once

#include <algorithm>
#include <numeric>

#include "family.h"
#include "tile.h"

namespace TIDEGATE_TARGET {

using tidegate::Scratch;
using tidegate::Shape;

inline Index round_up(Index n, Index to) { return (n + to - 1) / to * to; }

// What follows from a sequence before any of its numbers is read. Rows are sorted by length: a row's
// `place` is where it stands in that order, so that those which still run are always the first.
struct alignas(tidegate::kApart) Plan {
  tidegate_sequence q;
  Shape shape;    // of the cell's variant
  bool has_cell;  // a cell state c beside h
  Index blocks;   // of hidden units, shape.units each
  Index Hp;       // H with the last block filled up: vectors run over the end of a row of H
  Index G;        // numbers in all slots of a row of `gates`, filled up likewise
  Index steps;    // the longest row

  const Index *rows;     // [B]: the row of the batch in each place, longest first, ties in order
  const Index *lengths;  // [B]: of those
  const Index *active;   // [steps + 1]: how many places are still running at each step; 0 at last

  template <class Cell>
  Plan(Cell, const tidegate_sequence &sequence, Scratch &scratch)
      : q(sequence), shape(Cell::shape(sequence.options)), has_cell(Cell::kHasCell) {
    blocks = (q.H + shape.units - 1) / shape.units;
    Hp = blocks * shape.units;
    G = blocks * shape.slots * W;
    sort_rows(scratch);
  }

  bool has(int option) const { return (q.options & option) != 0; }

  // Whether row b of the batch starts afresh before step t of time.
  bool resets(Index b, Index t) const { return q.resets && q.resets[b * q.T + t]; }

  // Floats of a row of sums: room for four slots, whatever the cell uses.
  Index G4() const { return blocks * 4 * W; }

  // The step of time at which the row in place `row` is after `step` steps of its walk.
  Index time(Index row, Index step) const { return q.reverse ? lengths[row] - 1 - step : step; }

  // Units of vector `v` of a block that exist; W or more if all do.
  Index units_left(Index first_unit) const { return q.H - first_unit; }

  // Floats from one slot to the next where a block leaves no room for what fills it up.
  Index lanes(Index block) const { return std::min<Index>(W, q.H - block * W); }

  // How many gates of all units x or h reaches by `count` vectors of a block.
  Index gates(int count) const { return shape.units == W ? count * q.H : q.H; }

  // Row of the weight matrix behind a lane of vector `v`, or -1 in the filling.
  Index weight_row(const int *row_blocks, Index block, int v, int lane) const {
    const bool spread = shape.units != W;  // the vectors of a block are different units
    const Index unit = block * shape.units + (spread ? v * W : 0) + lane;
    return unit < q.H ? row_blocks[v] * q.H + unit : -1;
  }

 private:
  void sort_rows(Scratch &scratch) {
    Index *order = scratch.array<Index>(q.B), *sorted = scratch.array<Index>(q.B);
    std::iota(order, order + q.B, Index{0});
    auto length = [&](Index b) { return q.lengths ? (Index)q.lengths[b] : (Index)q.T; };
    if (q.lengths)
      std::stable_sort(order, order + q.B, [&](Index a, Index b) { return length(a) > length(b); });
    for (Index i = 0; i < q.B; i++) sorted[i] = length(order[i]);
    steps = q.B ? sorted[0] : 0;
    Index *running = scratch.array<Index>(steps + 1);
    for (Index s = 0, n = q.B; s <= steps; s++) {
      while (n > 0 && sorted[n - 1] <= s) n--;
      running[s] = n;
    }
    rows = order, lengths = sorted, active = running;
  }
};

// Copies `count` vectors of weights for each word of k of a block:
// to[word * count * W + v * W + lane].
template <class Math>
void pack_block(const Plan &p, const float *w, Index K, const int *row_blocks, int count,
                Index block, float *to) {
  const Index step = (Index)count * W;
  for (int v = 0; v < count; v++, to += W) {
    const float *rows[W];
    for (int lane = 0; lane < W; lane++) {
      const Index row = p.weight_row(row_blocks, block, v, lane);
      rows[lane] = row < 0 ? nullptr : w + row * K;
    }
    Index k = 0;
    for (; k + W <= K; k += W) {
      Vec square[W];
      for (int lane = 0; lane < W; lane++) square[lane] = rows[lane] ? load(rows[lane] + k) : Vec{};
      transpose(square);
      for (int i = 0; i < W; i += Math::kItems)
        store(to + (k + i) / Math::kItems * step, Math::word(square + i));
    }
    for (; k < K; k += Math::kItems) {
      Vec few[Math::kItems];
      for (int i = 0; i < Math::kItems; i++) {
        float lanes[W] = {};
        for (int lane = 0; lane < W && k + i < K; lane++)
          if (rows[lane]) lanes[lane] = rows[lane][k + i];
        few[i] = load(lanes);
      }
      store(to + k / Math::kItems * step, Math::word(few));
    }
  }
}

// The opposite, of float32.
inline void unpack_block(const Plan &p, const float *from, Index K, const int *row_blocks,
                         int count, Index block, float *w) {
  const Index step = (Index)count * W;
  for (int v = 0; v < count; v++, from += W) {
    float *rows[W];
    for (int lane = 0; lane < W; lane++) {
      const Index row = p.weight_row(row_blocks, block, v, lane);
      rows[lane] = row < 0 ? nullptr : w + row * K;
    }
    Index k = 0;
    for (; k + W <= K; k += W) {
      Vec square[W];
      for (int i = 0; i < W; i++) square[i] = load(from + (k + i) * step);
      transpose(square);
      for (int lane = 0; lane < W; lane++)
        if (rows[lane]) store(rows[lane] + k, square[lane]);
    }
    for (; k < K; k++)
      for (int lane = 0; lane < W; lane++)
        if (rows[lane]) rows[lane][k] = from[k * step + lane];
  }
}

// Copies columns [first, first + 4W) of the weights for each gate of each block in turn: to
// [words of gates][4W]. It multiplies gradients of gates, and so is read along the gates; what
// fills up the last block is left out.
template <class Math>
void pack_columns(const Plan &p, const float *w, Index K, const int *row_blocks, int count,
                  Index first, float *to) {
  const float *gates[Math::kItems];  // the weights of a word
  Index n = 0;
  auto pack = [&] {
    for (Index column = first; column < first + 4 * W; column += W, to += W) {
      Vec some[Math::kItems] = {};
      for (Index i = 0; i < n && column < K; i++)
        some[i] = load_some(gates[i] + column, K - column);
      store(to, Math::word(some));
    }
    n = 0;
  };
  for (Index block = 0; block < p.blocks; block++)
    for (int v = 0; v < count; v++)
      for (int lane = 0; lane < W; lane++) {
        const Index row = p.weight_row(row_blocks, block, v, lane);
        if (row < 0) break;
        gates[n++] = w + row * K;
        if (n == Math::kItems) pack();
      }
  if (n > 0) pack();
}

// Fills up each of `count` runs of H floats to Hp; null for null.
inline float *fill_up(const Plan &p, const float *from, int count, Scratch &scratch) {
  if (!from) return nullptr;
  float *to = scratch.floats(count * p.Hp);
  std::fill(to, to + count * p.Hp, 0.0f);
  for (int i = 0; i < count; i++) std::copy_n(from + i * p.q.H, p.q.H, to + i * p.Hp);
  return to;
}

// Asks for large pages behind what the forward pass writes.
inline void prefer_large_outputs(const Plan &p) {
  const Index cells = p.q.B * p.q.T;
  const Index item = p.has(TIDEGATE_BFLOAT16) ? 2 : 4;
  tidegate::prefer_large_pages(p.q.gates, cells * p.G * item);
  tidegate::prefer_large_pages(p.q.cells, cells * p.q.H * 4);
  tidegate::prefer_large_pages(p.q.y, cells * p.q.P * item);
}

// Cuts [0, n) into `parts` and returns where part i begins.
inline Index cut(Index n, Index i, Index parts) { return n * i / parts; }

// Zeros for a thread's part of memory that all clear together.
inline void clear_part(float *at, Index size, int thread, int threads) {
  std::fill(at + cut(size, thread, threads), at + cut(size, thread + 1, threads), 0.0f);
}

}  // namespace TIDEGATE_TARGET
