// How the threads of one call share its work.
#pragma once

#include "plan.h"
#include "pool.h"

namespace TIDEGATE_TARGET {

using tidegate::Barrier;

// By rows of the batch: each thread walks all of time on its own, without waiting for another. By
// units: all threads take each step together, each for its own units. Units are for few rows, or
// for weights that outgrow a core's cache.
struct Team {
  int threads;
  bool by_units;
};

inline Team team_for(const Plan &p, int threads) {
  const Index weights = p.G * p.q.P * 4;
  const Index rows = p.q.B / threads;
  const Index least = p.shape.units == W ? 4 : 1;
  if (threads == 1 || p.blocks < least * threads) return {threads, false};
  const bool few = rows < 4 && weights > (Index{160} << 10);
  const bool heavy = rows < 6 && weights > (Index{3} << 20);
  return {threads, few || heavy};
}

// How many threads to ask for: none that would have no rows. Those could help with the weight
// gradients alone, and to wait for them costs more wherever a core is busy with something else.
inline int threads_for(const Plan &p) {
  const bool by_units = team_for(p, p.q.threads).by_units;
  return by_units ? p.q.threads : (int)std::min<Index>(p.q.threads, p.q.B);
}

// One thread's share. Rows that all run to the end it takes side by side, so that two threads do
// not write to the same lines of memory; of rows that end it takes every so many, so that all
// threads have long and short ones.
struct Share {
  int thread, threads;
  Index first, stride, most;  // places of its rows, and how many there are
  Index b0, b1;               // its blocks of units
  bool waits;                 // for the others, at every step

  Share(const Plan &p, const Team &team, int thread_)
      : thread(thread_), threads(team.threads), waits(team.by_units) {
    const bool beside = waits || !p.q.lengths;
    // The first threads have a row more, if somebody has: the caller's own begins soonest.
    auto begin = [&](Index i) { return p.q.B - cut(p.q.B, threads - i, threads); };
    first = waits ? 0 : beside ? begin(thread) : thread;
    stride = beside ? 1 : threads;
    most = beside && !waits ? begin(thread + 1) - first : p.q.B;
    // In fours of vectors: the product that goes back makes so many units at once.
    const Index unit = p.shape.units == W ? 4 : 1;
    const Index groups = (p.blocks + unit - 1) / unit;
    b0 = waits ? cut(groups, thread, threads) * unit : 0;
    b1 = waits ? std::min(p.blocks, cut(groups, thread + 1, threads) * unit) : p.blocks;
  }

  // How many of the first n places are its own.
  Index rows_of(Index n) const {
    return n <= first ? 0 : std::min(most, (n - first + stride - 1) / stride);
  }
  Index place(Index row) const { return first + row * stride; }
};

}  // namespace TIDEGATE_TARGET
