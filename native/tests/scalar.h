/* Plain loops with the meaning of tidegate.h: the truth that every instruction set is tested
 * against. Sums are double; states are rounded to float after every step, as the library hands
 * them on, so that a sequence cut in chunks is bit for bit the whole. */
#ifndef TIDEGATE_TESTS_SCALAR_H
#define TIDEGATE_TESTS_SCALAR_H

#include "tidegate.h"

namespace scalar {

/* The cells and their own options, numbered as the library numbers them. */
enum Kind : int32_t { LSTM, GRU, RNN };
enum Option : int32_t {
  PEEPHOLE = TIDEGATE_OWN, /* LSTM */
  COUPLED = TIDEGATE_OWN << 1,
  RESET_BEFORE = TIDEGATE_OWN, /* GRU */
  RELU = TIDEGATE_OWN          /* RNN */
};

/* What the library must say of them. */
tidegate_cell cell_of(int32_t kind, int32_t options);

/* Number of row blocks G of the weight matrices. */
int64_t blocks_of(int32_t kind, int32_t options);

/* Number of values that a unit keeps in `gates`: 1 for an RNN. */
int64_t slots_of(int32_t kind, int32_t options);

/* Layout of `gates` here: 4 units a block. */
tidegate_kept_layout kept_of(int32_t kind, int32_t options, int64_t H);

/* Where slot `slot` of unit `unit` stands among the kept numbers of a row and step. */
int64_t kept_index(int32_t kind, const tidegate_kept_layout &layout, int64_t slot, int64_t unit);

/* The message for the first bad argument, or nullptr. */
const char *complaint(const tidegate_sequence *sequence);

/* As tidegate_forward and tidegate_backward; the backward pass computes the forward pass again
 * and reads neither y, gates nor cells. */
int forward(const tidegate_sequence *sequence);
int backward(const tidegate_sequence *sequence, const tidegate_gradient *gradient);

}  // namespace scalar
#endif
