// The walk through time, row by row: whole rows of products, then the cell over each row.
//
// A group of rows walks all of time before the next group begins, so that its sums stay in the
// nearest cache between the products and the cell.
#pragma once

#include "parts.h"
#include "team.h"
#include "walk.h"

namespace TIDEGATE_TARGET {

// One row at one step. Spot's h_old and h_seen are the same place, or with recurrent dropout
// h_old and h_next.
struct Row : Spot {
  const float *x[2];  // products with x, normalised, with the bias
  float *h[2];        // products with h; h[0] with that of x
  float *inner_in;    // LSTM: o tanh(c); GRU: r h
  float *inner;       // the product with it
};

template <class Cell>
class RowsForward {
 public:
  RowsForward(const Plan &plan, const Parts &parts, int threads, Scratch &scratch)
      : p_(plan), parts_(parts), team_{threads, false} {
    const tidegate_sequence &q = p_.q;
    const Index most = (q.B + threads - 1) / threads;
    group_ = std::clamp<Index>(most, 1, group_rows());
    chunk_ = std::clamp<Index>(48 / group_, 1, std::max<Index>(p_.steps, 1));
    H_ = round_up(q.H, W), P_ = round_up(q.P, W);
    x_row_ = round_up(q.I, 16) + 16;
    rooms_ = scratch.array<Room>(threads);
    for (int i = 0; i < threads; i++) make_room(rooms_[i], scratch);
  }

  // Called by every thread.
  void run(int thread) {
    const Share share(p_, team_, thread);
    clear_ends<float>(p_, thread, team_.threads);
    const Index rows = share.rows_of(p_.active[0]);
    for (Index first = 0; first < rows; first += group_)
      walk({rooms_[thread], share, first, std::min(group_, rows - first)});
  }

 private:
  struct Room {
    float *x_in, *x[2], *h[2], *inner_in, *inner;
    float *state, *seen, *mask, *c;  // the mask makes `seen` of the state; or they are the same
    Row *rows;
  };

  struct Group {
    Room &room;
    const Share &share;
    Index first, count;  // of the share's rows
    Index place(Index row) const { return share.place(first + row); }
    Index running(const Plan &p, Index step) const {
      return std::clamp<Index>(share.rows_of(p.active[step]) - first, 0, count);
    }
  };

  // Few enough for the cache, but enough to be worth the way of the weights to it.
  Index group_rows() const {
    const Index weights = p_.G4() * (p_.q.I + p_.q.P) * 4;
    return weights > (Index{512} << 10) ? 96 : 4 * MAX_M;
  }

  void make_room(Room &room, Scratch &scratch) {
    room = {};
    room.x_in = scratch.floats(chunk_ * group_ * x_row_);
    for (int i = 0; i < parts_.x_count; i++)
      room.x[i] = scratch.floats(chunk_ * group_ * parts_.x[i].stride());
    for (int i = 0; i < parts_.h_count; i++)
      room.h[i] = scratch.floats(group_ * parts_.h[i].stride());
    room.inner_in = scratch.floats(group_ * H_);
    if (parts_.inner) room.inner = scratch.floats(group_ * parts_.inner.stride());
    room.state = room.seen = scratch.floats(group_ * P_);
    if (p_.q.recurrent_mask) {
      room.seen = scratch.floats(group_ * P_);
      room.mask = scratch.floats(group_ * P_);
    }
    if (p_.has_cell) room.c = scratch.floats(group_ * H_);
    room.rows = scratch.array<Row>(group_);
  }

  void walk(const Group &group) const {
    Room &room = group.room;
    begin(group);
    Index ready = 0, at = 0;  // steps whose products with x are made; where this one's begin
    for (Index s = 0; s < p_.steps; s++) {
      const Index n = group.running(p_, s);
      if (n == 0) break;
      if (s == ready) at = 0, ready = prepare(group, s);
      for (Index r = 0; r < n; r++) room.rows[r] = row(group, r, s, at + r);
      step(room, n, at);
      end(group, group.running(p_, s + 1), n);
      at += n;
    }
  }

  // Puts the initial states where the first step reads them.
  void begin(const Group &group) const {
    const Room &room = group.room;
    for (Index r = 0; r < group.count; r++) {
      const Index place = group.place(r), b = p_.rows[place];
      const bool zero = p_.resets(b, p_.time(place, 0));
      auto put = [&](const float *from, Index size, Index padded, bool none, float *to) {
        std::fill_n(to + r * padded, padded, 0.0f);
        if (!none) std::copy_n(from + b * size, size, to + r * padded);
      };
      put(p_.q.h0, p_.q.P, P_, zero, room.state);
      if (room.c) put(p_.q.c0, p_.q.H, H_, zero, room.c);
      if (!room.mask) continue;
      put(p_.q.recurrent_mask, p_.q.P, P_, false, room.mask);
      for (Index u = r * P_; u < (r + 1) * P_; u++) room.seen[u] = room.state[u] * room.mask[u];
    }
  }

  // The products with x for the next steps; returns the first step that it did not take.
  Index prepare(const Group &group, Index first) const {
    const Room &room = group.room;
    const Index stop = std::min(first + chunk_, p_.steps);
    Index count = 0;
    for (Index s = first; s < stop; s++)
      for (Index r = 0, n = group.running(p_, s); r < n; r++, count++) {
        const float *from = x_at<float>(p_, group.place(r), s);
        std::copy_n(from, p_.q.I, room.x_in + count * x_row_);
      }
    for (int i = 0; i < parts_.x_count; i++)
      multiply(parts_.x[i], count, {room.x_in, x_row_, 1}, nullptr, 0, room.x[i]);
    return stop;
  }

  void step(const Room &room, Index n, Index at) const {
    const Index x_row = parts_.x[0].stride();
    for (int i = 0; i < parts_.h_count; i++)
      multiply(parts_.h[i], n, {room.seen, P_, 1}, i == 0 ? room.x[0] + at * x_row : nullptr, x_row,
               room.h[i]);
    for (Index r = 0; r < n; r += BATCH)
      Cell::first(p_, parts_, room.rows + r, (int)std::min<Index>(BATCH, n - r));
    if (parts_.inner) {
      const Index row = parts_.inner_adds ? parts_.x[1].stride() : 0;
      multiply(parts_.inner, n, {room.inner_in, H_, 1}, row ? room.x[1] + at * row : nullptr, row,
               room.inner);
    }
    for (Index r = 0; r < n; r++) Cell::second(p_, parts_, room.rows[r]);
  }

  Row row(const Group &group, Index r, Index s, Index x_at) const {
    const Room &room = group.room;
    Row row = {};
    locate(p_, group.place(r), s, row);
    row.h_old = room.state + r * P_;
    row.h_seen = room.seen + r * P_;
    if (room.mask) row.h_next = room.state + r * P_, row.mask = room.mask + r * P_;
    if (room.c) row.c = room.c + r * H_;
    for (int i = 0; i < parts_.x_count; i++) row.x[i] = room.x[i] + x_at * parts_.x[i].stride();
    for (int i = 0; i < parts_.h_count; i++) row.h[i] = room.h[i] + r * parts_.h[i].stride();
    row.inner_in = room.inner_in + r * H_;
    if (parts_.inner) row.inner = room.inner + r * parts_.inner.stride();
    return row;
  }

  // The states of rows [from, to), which end with this step.
  void end(const Group &group, Index from, Index to) const {
    const Room &room = group.room;
    for (Index r = from; r < to; r++)
      leave(p_, p_.rows[group.place(r)], 0, p_.Hp, room.state + r * P_,
            room.c ? room.c + r * H_ : nullptr);
  }

  const Plan &p_;
  const Parts &parts_;
  const Team team_;
  Index group_, chunk_, H_, P_, x_row_;
  Room *rooms_;
};

}  // namespace TIDEGATE_TARGET
