// Every family of cells: a header, and a name in this list. The place of a name in the list is the
// `kind` of the family in the C interface; everything else follows from its header.
#pragma once

#include "gru.h"
#include "lstm.h"
#include "rnn.h"

namespace TIDEGATE_TARGET {

template <class... Cells>
struct List {};

using Families = List<LSTM, GRU, RNN>;

}  // namespace TIDEGATE_TARGET
