// The walk through time over tiles: the sums of a block of units stay in registers until its cell has them.
#pragma once

#include "team.h"
#include "walk.h"

namespace TIDEGATE_TARGET {

// What all cells share of the packed weights.
struct Weights {
  const float *x, *h;    // panels of block 0
  Index x_step, h_step;  // to those of the next block, in words
  const float *bias;     // [blocks][4W]
  const float *peep;     // [shape.peepholes][Hp], or null
  Index own;             // from one thread's to the next one's; 0 if they share them
};

// Small weights every thread packs for itself: that is sooner done than fetching another's.
constexpr Index kOwnBytes = Index{128} << 10;

template <class Cell, class Math>
class alignas(tidegate::kApart) Forward {
  using Item = typename Math::Item;

 public:
  Forward(const Plan &plan, const Weights &weights, const Team &team, Scratch &scratch)
      : p_(plan), w_(weights), team_(team), barrier_(team.threads) {
    const Index rows = p_.q.B;
    // A tile is MAX_M rows high, and a step of few rows leaves most of it empty: the product with x,
    // which waits for no state, then takes the rows of many steps at once. So do weights that no
    // cache of a core holds, to be read less often. Threads that split the units always do, for
    // they would read x as often as there are threads.
    const bool heavy = rows < 24 * team.threads && w_.x_step * p_.blocks * 4 > (Index{1} << 20);
    few_ = team.by_units || ((rows < 4 * team.threads || heavy) && p_.steps > 1);
    x_width_ = round_up(p_.q.I, Math::kItems);
    x_room_ = few_ ? 0 : x_width_;
    // Sixteen numbers more than whole vectors, for rows a power of two apart share few cache sets.
    lda_ = round_up(x_room_ + p_.Hp, 16) + 16;
    for (auto &half : seen_) half = scratch.array<Item>(rows * lda_);
    if (apart())
      for (auto &half : old_) half = scratch.floats(rows * p_.Hp);
    if (p_.q.recurrent_mask) mask_ = scratch.floats(rows * p_.Hp);
    if (p_.has_cell) c_ = scratch.floats(rows * p_.Hp);
    spots_ = scratch.array<SpotOf<Item>>(rows * team.threads);
    chunk_ = few_ ? chunk_steps() : 1;
    most_ = team.by_units ? rows : (rows + team.threads - 1) / team.threads;
    if (few_) {
      inputs_ = scratch.array<Item>(team.threads * chunk_ * most_ * x_width_);
      ready_ = scratch.floats(team.threads * chunk_ * most_ * p_.G4());
    }
  }

  // Called by every thread.
  void run(int thread) {
    const Share share(p_, team_, thread);
    clear_ends<Item>(p_, thread, team_.threads);
    begin(share);
    if (share.waits) barrier_.wait();
    for (Index s = 0; s < p_.steps; s++) {
      const Index n = share.rows_of(p_.active[s]);
      if (n == 0) break;
      if (few_ && s % chunk_ == 0) prepare(share, s);
      step(share, s, n);
      finish(share, s, n);
      if (share.waits) barrier_.wait();
    }
  }

 private:
  // How many steps the product with x takes at once, so that its sums stay in the second cache.
  Index chunk_steps() const {
    const Index bytes = p_.q.B * p_.G4() * 4;
    return std::clamp<Index>((Index{512} << 10) / std::max<Index>(bytes, 1), 1, 64);
  }

  // Whether h is kept beside what the weights see of it, which is rounded or masked.
  bool apart() const { return Math::kItems > 1 || p_.q.recurrent_mask; }

  // What the weights see at step s, [x, h], or h alone where x has been multiplied before. Two
  // rooms take turns, so that a step reads the old h while it writes the new one.
  Item *seen(Index place, Index s) const { return seen_[s & 1] + place * lda_; }

  Item *h_seen(Index place, Index s) const { return seen(place, s) + x_room_; }

  float *h_old(Index place, Index s) const {
    return apart() ? old_[s & 1] + place * p_.Hp : reinterpret_cast<float *>(h_seen(place, s));
  }

  static const float *as_words(const Item *items) { return reinterpret_cast<const float *>(items); }

  // Puts the initial states of the share's rows and units where the first step reads them.
  void begin(const Share &share) const {
    const Index u0 = share.b0 * p_.shape.units, u1 = share.b1 * p_.shape.units;
    const Index some = std::max<Index>(0, std::min(u1, p_.q.H) - u0);
    for (Index r = 0; r < share.rows_of(p_.q.B); r++) {
      const Index place = share.place(r);
      if (p_.lengths[place] == 0) break;
      const Index b = p_.rows[place];
      const bool zero = p_.resets(b, p_.time(place, 0));
      auto put = [&](const float *from, Index size, float *to) {
        std::fill(to + u0, to + u1, 0.0f);
        if (!zero) std::copy_n(from + b * size + u0, some, to + u0);
      };
      if (c_) put(p_.q.c0, p_.q.H, c_ + place * p_.Hp);
      put(p_.q.h0, p_.q.P, h_old(place, 0));
      if (!apart()) continue;
      float *mask = mask_ ? mask_ + place * p_.Hp : nullptr;
      if (mask) std::fill(mask + u0, mask + u1, 0.0f);
      if (mask) std::copy_n(p_.q.recurrent_mask + b * p_.q.P + u0, some, mask + u0);
      for (Index u = u0; u < u1; u += W) {
        const Vec h = as_kept<Item>(load(h_old(place, 0) + u));
        store(h_seen(place, 0) + u, mask ? h * load(mask + u) : h);
      }
    }
  }

  // x of a row, whole words of it.
  void copy_x(Index place, Index s, Item *to) const {
    const Item *from = x_at<Item>(p_, place, s);
    for (Index k = 0; k < p_.q.I; k++) to[k] = from[k];
    for (Index k = p_.q.I; k < x_width_; k++) to[k] = Item{};
  }

  // The product with x and the bias for the next steps of few rows.
  void prepare(const Share &share, Index first) {
    Item *x = inputs_ + share.thread * chunk_ * most_ * x_width_;
    const Index steps = std::min(chunk_, p_.steps - first);
    for (Index i = 0; i < steps; i++)
      for (Index r = 0, n = share.rows_of(p_.active[first + i]); r < n; r++)
        copy_x(share.place(r), first + i, x + (i * rows(share) + r) * x_width_);
    for (Index block = share.b0; block < share.b1; block++)
      for (Index i = 0; i < steps; i++) {
        // Whole rows of steps where no row has ended: that is one product.
        const Index n = share.rows_of(p_.active[first + i]);
        Index run = 1;
        while (n == rows(share) && i + run < steps &&
               share.rows_of(p_.active[first + i + run]) == n)
          run++;
        input_product(share, block, i, run, n, x + i * rows(share) * x_width_);
        i += run - 1;
      }
  }

  Index rows(const Share &share) const { return share.rows_of(p_.q.B); }

  // Sums of a row after x, `i` steps into the chunk. Shares of rows have a room each.
  float *ready(const Share &share, Index i, Index row, Index block) const {
    const Index room = share.waits ? 0 : share.thread * chunk_ * most_;
    return ready_ + (room + i * rows(share) + row) * p_.G4() + block * 4 * W;
  }

  void input_product(const Share &share, Index block, Index i, Index run, Index n, const Item *x) {
    const Left left = {as_words(x), x_words(), 1};
    const Index own = share.thread * w_.own;
    const Panel panel = {w_.x + own + block * w_.x_step, (Index)p_.shape.x_count * W};
    float *out = ready(share, i, 0, block);
    const float *bias = w_.bias + own + block * 4 * W;
    const Index first = p_.shape.x_first * W;
    product<Math>(run * n, p_.shape.x_count, left, panel, x_words(),
                  {bias + first, 0, out + first, p_.G4()});
    // A slot that x does not reach has its bias alone.
    for (int v = 0; v < p_.shape.slots; v++)
      if (v < p_.shape.x_first || v >= p_.shape.x_first + p_.shape.x_count)
        for (Index r = 0; r < run * n; r++) store(out + r * p_.G4() + v * W, load(bias + v * W));
  }

  Index x_words() const { return x_width_ / Math::kItems; }

  void step(const Share &share, Index s, Index n) {
    SpotOf<Item> *spots = spots_ + share.thread * p_.q.B;
    for (Index r = 0; r < n; r++) spots[r] = spot(share.place(r), s);
    if (!few_)
      for (Index r = 0; r < n; r++) copy_x(share.place(r), s, seen(share.place(r), s));
    alignas(64) float sums[MAX_M * 4 * W];
    for (Index block = share.b0; block < share.b1; block++)
      for_tiles(n, [&](Index first, int height) {
        sum(share, s, block, first, height, sums);
        // In two goes over the rows: the chains of one row are long, those of several overlap.
        for (int m = 0; m < height; m++)
          Cell::gates(p_, w_, spots[first + m], block, sums + m * 4 * W);
        for (int m = 0; m < height; m++)
          Cell::output(p_, spots[first + m], block, sums + m * 4 * W);
      });
  }

  // The pre-activations of a block of units for a few rows.
  void sum(const Share &share, Index s, Index block, Index first, int height, float *sums) const {
    const Index stride = share.stride * lda_ / Math::kItems;
    const Index h_words = words<Math>(p_.q.P);
    const float *row = as_words(seen(share.place(first), s));
    const Index own = share.thread * w_.own;
    const float *panel_x = w_.x + own + block * w_.x_step;
    const float *panel_h = w_.h + own + block * w_.h_step;
    const float *bias = w_.bias + own + block * 4 * W;
    // Sums begin with what `prepare` made of x and the bias, a row each, or with the bias alone.
    const float *init = few_ ? ready(share, s % chunk_, first, block) : bias;
    const Index init_row = few_ ? p_.G4() : 0, h_at = p_.shape.h_first * W;
    const int x_count = p_.shape.x_count, h_count = p_.shape.h_count;
    if (few_) {
      // Slots before the first that h reaches stay what x made of them; it reaches all behind.
      for (int v = 0; v < p_.shape.h_first; v++)
        for (int m = 0; m < height; m++)
          store(sums + m * 4 * W + v * W, load(init + m * init_row + v * W));
      tile_of<Math>(height, h_count)({row, stride, 1}, {panel_h, (Index)h_count * W}, h_words,
                                     {init + h_at, init_row, sums + h_at, 4 * W});
      return;
    }
    if (x_count == p_.shape.slots) {  // x and h reach the same slots: one chain over [x, h]
      tile_of<Math>(height, x_count)({row, stride, 1}, {panel_x, (Index)x_count * W},
                                     x_words() + h_words, {init, 0, sums, 4 * W});
      return;
    }
    // Otherwise x reaches the first slots, the others begin with their bias, and h adds to the last.
    tile_of<Math>(height, x_count)({row, stride, 1}, {panel_x, (Index)x_count * W}, x_words(),
                                   {init, 0, sums, 4 * W});
    for (int m = 0; m < height; m++)
      for (int v = x_count; v < p_.shape.slots; v++)
        store(sums + m * 4 * W + v * W, load(init + v * W));
    tile_of<Math>(height, h_count)({row + x_words(), stride, 1}, {panel_h, (Index)h_count * W},
                                   h_words, {sums + h_at, 4 * W, sums + h_at, 4 * W});
  }

  SpotOf<Item> spot(Index place, Index s) const {
    SpotOf<Item> spot = {};
    locate(p_, place, s, spot);
    spot.h_old = h_old(place, s);
    spot.h_seen = h_seen(place, s + 1);
    if (apart()) spot.h_next = h_old(place, s + 1);
    if (mask_) spot.mask = mask_ + place * p_.Hp;
    if (c_) spot.c = c_ + place * p_.Hp;
    return spot;
  }

  // The states of rows that end with this step.
  void finish(const Share &share, Index s, Index n) const {
    const Index u0 = share.b0 * p_.shape.units, u1 = share.b1 * p_.shape.units;
    for (Index r = share.rows_of(p_.active[s + 1]); r < n; r++) {
      const Index place = share.place(r);
      leave(p_, p_.rows[place], u0, u1, h_old(place, s + 1), c_ ? c_ + place * p_.Hp : nullptr);
    }
  }

  const Plan &p_;
  const Weights &w_;
  const Team team_;
  Barrier barrier_;
  bool few_;
  Index x_width_, x_room_, lda_, chunk_, most_;
  Item *seen_[2], *inputs_ = nullptr;
  float *old_[2] = {}, *mask_ = nullptr, *c_ = nullptr, *ready_ = nullptr;
  SpotOf<Item> *spots_;
};

}  // namespace TIDEGATE_TARGET
