/* tidegate: recurrent sequences on a CPU.
 *
 * The whole C interface. No Python, no torch, no BLAS: raw pointers to float32 in, float32 out
 * (or bfloat16, where TIDEGATE_BFLOAT16 says so).
 *
 * Axis letters: B rows, T steps, I input features, H hidden units, P features that go out and come
 * back (the projected size, or H), G row blocks of the weight matrices. Which cells there are, and
 * which blocks of rows and which options each has, tidegate_cell_of() says.
 *
 * Rules for every pointer:
 *   - float32 unless it says otherwise; C-contiguous in the shape that it says, unless strides
 *     are given beside it (counted in numbers; the last axis always has stride 1);
 *   - inputs are only read, outputs are overwritten (never added to), and no output may overlap
 *     an input or another output;
 *   - the caller owns everything; nothing is kept after the call returns, but for a stream's
 *     own copy of the weights;
 *   - NULL where it says "or NULL".
 * Scratch memory belongs to the library: it is kept by the calling thread from call to call and
 * freed when that thread ends.
 *
 * Each output element is summed in one fixed order, whatever the batch it stands in, the chunk
 * of the sequence, and the number of threads. Functions may be called from several threads.
 */
#ifndef TIDEGATE_H
#define TIDEGATE_H

#include <stdint.h>

#if defined(_WIN32)
#define TIDEGATE_API __declspec(dllexport)
#else
#define TIDEGATE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TIDEGATE_ABI 4

/* Options of any cell, or-ed together. */
enum {
  /* norm_ih and norm_hh are given; with a cell state norm_cell and its bias, too. */
  TIDEGATE_LAYER_NORM = 1,
  /* x, y, gates, dy, dgates and dx are bfloat16 (the upper halves of floats, uint16_t) behind their
   * pointers; the products are of bfloat16, their sums and all else float32. In a stream, which
   * takes and gives float32, x and y are rounded. Not with layer norm, a projection, or options that
   * only compute by rows (GRU: reset_before). */
  TIDEGATE_BFLOAT16 = 2,
  /* The first option of a cell's own; the next is twice that, and so on. */
  TIDEGATE_OWN = 256
};

/* What comes back: 0 is success. Sizes whose arrays no machine could hold, so that to count their
 * numbers might overflow, are TIDEGATE_NO_MEMORY, before anything is read. */
enum {
  TIDEGATE_OK = 0,
  TIDEGATE_BAD_ARGUMENT = 1,
  TIDEGATE_NO_MEMORY = 2,
  TIDEGATE_UNSUPPORTED = 3
};

/* One direction of one layer over a batch of sequences. Fill with zeros first. */
typedef struct tidegate_sequence {
  int32_t kind;    /* of the cell, from 0 on, as tidegate_cell_of() counts them */
  int32_t options; /* TIDEGATE_LAYER_NORM | ... */
  int32_t reverse; /* 1: each row is walked from its last valid step back to step 0 */
  int32_t threads; /* most threads to use, >= 1 */
  int64_t B, T, I, H, P;
  float cell_clip;                        /* bound on |c|, 0 for none and without a cell state */
  float zone_hidden_rate, zone_cell_rate; /* expectation of zoneout: p old + (1 - p) new; 0: none */
  float unused;

  const float *x; /* [B, T, I] by strides */
  int64_t x_row, x_step;
  const float *h0, *c0; /* [B, P], [B, H]; c of cells with a cell state, here and below */

  const float *w_ih, *w_hh; /* [G*H, I], [G*H, P] */
  const float *b_ih, *b_hh; /* [G*H], or both NULL */
  const float *w_ch;        /* [peepholes * H], or NULL for none */
  const float *w_hr;        /* projection: [P, H], or NULL: P = H */
  const float *norm_ih, *norm_hh, *norm_cell, *norm_cell_bias; /* [G*H], [G*H], [H], [H]; NULL */

  const int64_t *lengths;      /* [B], 0 <= length <= T, or NULL: every row has T steps */
  const uint8_t *resets;       /* [B, T] 0 or 1: the state is zero before step t is taken; NULL */
  const float *recurrent_mask; /* [B, P]: multiplies h where w_hh sees it; NULL */
  const uint8_t *zone_hidden, *zone_cell; /* [B, T, P], [B, T, H]: 1 keeps the old value; NULL */

  float *y; /* [B, T, P] by strides; zero past the end of a row */
  int64_t y_row, y_step;
  float *h_n, *c_n; /* [B, P], [B, H]: after each row's last step taken */

  /* Kept for the backward pass and for whoever wants to see the gates; both NULL for neither.
   * tidegate_kept_of() says how many numbers a row and step have in `gates`: [B, T, slots,
   * blocks * units], of which the first H of each slot are hidden units. Steps past the end of a
   * row are not written. */
  float *gates;
  float *cells; /* c after each step, [B, T, H] */
} tidegate_sequence;

/* What the backward pass takes beside the sequence (with y, gates and cells as the forward pass
 * left them), and what it gives. */
typedef struct tidegate_gradient {
  const float *dy; /* [B, T, P] by strides; not read past the end of a row; NULL: 0 */
  int64_t dy_row, dy_step;
  const float *dh_n, *dc_n;     /* [B, P], [B, H]; NULL: 0 */
  const float *dgates, *dcells; /* gradients of `gates` and `cells`, laid out like them; NULL: 0 */

  float *dx; /* [B, T, I] by strides, zero past the end of a row; NULL: not wanted */
  int64_t dx_row, dx_step;
  float *dh0, *dc0;     /* [B, P], [B, H] */
  float *dw_ih, *dw_hh; /* like the weights; dw_ih NULL: no gradient of any weight is wanted */
  float *db_ih, *db_hh, *dw_ch, *dw_hr;
  float *dnorm_ih, *dnorm_hh, *dnorm_cell, *dnorm_cell_bias;
} tidegate_gradient;

/* A cell, in the variant that its options make of it. Lists are names with spaces between them. */
typedef struct tidegate_cell {
  const char *name;    /* of the family, such as "lstm"; NULL: there is no such kind or option */
  const char *options; /* the family's own: TIDEGATE_OWN is the first, twice that the second ... */
  const char *blocks;  /* the G blocks of H rows of w_ih and w_hh, in order */
  const char *gates;   /* in the slots of `gates`, in order; behind them a cell may keep more */
  int32_t has_cell;    /* 1: a cell state c beside h */
  int32_t projects;    /* 1: w_hr may be given */
  int32_t peepholes;   /* weights of each unit in w_ch; 0: it is NULL */
} tidegate_cell;

/* Layout of `gates`: in a slot units stand in order. A cell without gates keeps h, before zoneout,
 * units in order over all slots. */
typedef struct tidegate_kept {
  int64_t blocks, slots, units;
} tidegate_kept_layout;

TIDEGATE_API int tidegate_abi(void);
/* Name of the instruction set in use: "avx512bf16", "avx512", "avx2", "neon", "portable". NULL if the
 * environment variable TIDEGATE_ISA asks for one that is not there: tidegate_error() then says so,
 * and nothing computes until one is chosen. */
TIDEGATE_API const char *tidegate_isa(void);
/* Names of the instruction sets that this build has and this machine runs, by commas, best first. */
TIDEGATE_API const char *tidegate_isas(void);
/* Choose one by name, in place of TIDEGATE_ISA or of the best. Not while others compute. */
TIDEGATE_API int tidegate_choose_isa(const char *name);
/* What went wrong in this thread's last call that did not return TIDEGATE_OK. */
TIDEGATE_API const char *tidegate_error(void);

/* From now on run on the threads of the OpenMP library whose GOMP_parallel and omp_in_parallel
 * these are (GNU's, or one that speaks as it does): whoever shares a process with it, as PyTorch
 * does, then does not fight for cores with its threads, which spin for milliseconds after their
 * work. NULL, or a process that was forked since: threads of the library's own. */
TIDEGATE_API void tidegate_share_openmp(void *gomp_parallel, void *omp_in_parallel);

/* The cell of a kind: those of a build are counted from 0 on without gaps. */
TIDEGATE_API tidegate_cell tidegate_cell_of(int32_t kind, int32_t options);
/* 0 if forward and backward can run this kind, options and projection; TIDEGATE_UNSUPPORTED. */
TIDEGATE_API int tidegate_supports(int32_t kind, int32_t options, int64_t H, int64_t P);
TIDEGATE_API tidegate_kept_layout tidegate_kept_of(int32_t kind, int32_t options, int64_t H);

TIDEGATE_API int tidegate_forward(const tidegate_sequence *sequence);
TIDEGATE_API int tidegate_backward(const tidegate_sequence *sequence,
                                   const tidegate_gradient *gradient);
/* The same for `count` sequences that do not need one another, such as the two directions of a
 * layer: one after the other by all threads, or, where that is sooner done, each by a thread of its
 * own. The results are the same, bit for bit. After an error some outputs may be written. */
TIDEGATE_API int tidegate_forward_all(const tidegate_sequence *sequences, int32_t count);
TIDEGATE_API int tidegate_backward_all(const tidegate_sequence *sequences,
                                       const tidegate_gradient *gradients, int32_t count);

/* A stack of `layers` one-directional layers that takes one step at a time. Of each sequence the
 * kind, options, sizes, weights, clip and zoneout rates are read, with B rows; T, x, y and so on
 * are not. It keeps its own copy of the weights, and its state: all layers' states one after
 * another, [B, P] and, with a cell state, [B, H] each. */
typedef struct tidegate_stream tidegate_stream;
TIDEGATE_API tidegate_stream *tidegate_stream_new(const tidegate_sequence *layers, int32_t count);
/* Shares the weights, copies the state. */
TIDEGATE_API tidegate_stream *tidegate_stream_fork(const tidegate_stream *stream);
TIDEGATE_API void tidegate_stream_free(tidegate_stream *stream);
/* The state, `tidegate_stream_size` floats, to read and write between steps. */
TIDEGATE_API float *tidegate_stream_state(tidegate_stream *stream);
TIDEGATE_API int64_t tidegate_stream_size(const tidegate_stream *stream);
/* x: [B, I] of the first layer, y: [B, P] of the last, both contiguous and float32: a layer with
 * TIDEGATE_BFLOAT16 rounds what it reads, and writes what bfloat16 can hold. */
TIDEGATE_API int tidegate_stream_step(tidegate_stream *stream, const float *x, float *y);

/* Best fused multiply-adds a second of this machine in this instruction set, in GFLOP/s: two
 * flops each, `threads` threads, measured for about `seconds`. */
TIDEGATE_API double tidegate_peak(int32_t threads, double seconds);
/* 1: fill all scratch memory with NaN before use, for tests. */
TIDEGATE_API void tidegate_poison(int32_t on);

#ifdef __cplusplus
}
#endif
#endif
