// Every family of cells: a header, and a name in this list. The place of a name in the list is the
// `kind` of the family in the C interface; everything else follows from its header.
//
// The class of a family has its descriptor, in the terms of core/family.h (kName, kOptions, kHasCell,
// kProjects, shape), and its equations as functions that the walks call:
//   - over tiles, where kTiles is set, a block of units of one row at a time: `gates` makes gates of
//     sums in place; `output` makes of those the new state, which it emits, and what is kept;
//     `backward` takes the gradient that arrives to those of the sums;
//   - by rows, in a class of its own, ByRows: `first` makes the gates and what the inner matrix sees,
//     `second` the new state; `back_first` and `back_second` go the same way back, with the product
//     of the inner matrix between them, and `remember_inner` makes again what it saw.
#pragma once

#include "gru.h"
#include "lstm.h"
#include "rnn.h"

namespace TIDEGATE_TARGET {

template <class... Cells>
struct List {};

using Families = List<LSTM, GRU, RNN>;

}  // namespace TIDEGATE_TARGET
