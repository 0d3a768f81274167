// Products of matrices, a few rows by two vectors at a time.
//
// The right matrix is packed: its columns in panels of PAIR, the rows of a panel one after the other, zeros where the
// columns end. The sums of a panel and of up to ROWS rows stay in registers over the whole depth.
#pragma once
#include "vector.h"

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")  // it does not know GCC's
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#if !defined(__clang__) && defined(__x86_64__)
#define IN_REGISTERS(a, b) __asm__("" : "+v"(a), "+v"(b))  // GCC would read them again for each row
#else
#define IN_REGISTERS(a, b)
#endif

#define PAIR (2 * WIDTH)
#define ROWS (REGISTERS > 16 ? 8L : 6L)

// Rows of a left matrix and a panel of a right one.
typedef struct {
    const REAL *left;
    long stride;
    const REAL *panel;
    long depth;
} Term;

// How many of so many rows to take next: as even shares as can be, each at most ROWS.
static inline long next_rows(long rows) {
    long shares = (rows + ROWS - 1) / ROWS;
    return (rows + shares - 1) / shares;
}

// out (rows x PAIR) = the sum of all terms; few rows get `ways` sums each, so that additions need not wait.
INLINE void multiply_rows(const int rows, const int ways, const Term *terms, int count, REAL *out, long stride) {
    V sum[8][2] = {0};
    for (const Term *term = terms; term < terms + count; term++) {
        const REAL *left[8], *panel = term->panel;
UNROLL
        for (int r = 0; r < rows; r++) left[r] = term->left + r * term->stride;
        const long depth = term->depth;
        long k = 0;
        for (; k + ways <= depth; k += ways, panel += ways * PAIR)
UNROLL
            for (int w = 0; w < ways; w++) {
                V first = load(panel + w * PAIR), second = load(panel + w * PAIR + WIDTH);
                IN_REGISTERS(first, second);
UNROLL
                for (int r = 0; r < rows; r++) {
                    const REAL value = left[r][k + w];
                    sum[r * ways + w][0] += value * first;
                    sum[r * ways + w][1] += value * second;
                }
            }
        for (; k < depth; k++, panel += PAIR) {
UNROLL
            for (int r = 0; r < rows; r++) {
                sum[r * ways][0] += left[r][k] * load(panel);
                sum[r * ways][1] += left[r][k] * load(panel + WIDTH);
            }
        }
    }
UNROLL
    for (int r = 0; r < rows; r++) {
        V first = sum[r * ways][0], second = sum[r * ways][1];
UNROLL
        for (int w = 1; w < ways; w++) first += sum[r * ways + w][0], second += sum[r * ways + w][1];
        store(out + r * stride, first);
        store(out + r * stride + WIDTH, second);
    }
}

// out (rows x PAIR) = the sum of all terms.
static __attribute__((noinline)) void multiply(long rows, const Term *terms, int count, REAL *out, long stride) {
    switch (rows) {
    case 1: multiply_rows(1, 4, terms, count, out, stride); break;
    case 2: multiply_rows(2, 2, terms, count, out, stride); break;
    case 3: multiply_rows(3, 2, terms, count, out, stride); break;
    case 4: multiply_rows(4, 1, terms, count, out, stride); break;
    case 5: multiply_rows(5, 1, terms, count, out, stride); break;
    case 6: multiply_rows(6, 1, terms, count, out, stride); break;
#if REGISTERS > 16
    case 7: multiply_rows(7, 1, terms, count, out, stride); break;
    default: multiply_rows(8, 1, terms, count, out, stride);
#endif
    }
}

// out (columns x PAIR) += the transpose of left (depth x columns) times a panel; where it begins, = instead of +=.
INLINE void multiply_columns(const int columns, const REAL *left, long stride, const REAL *panel, long depth, int begin,
                             REAL *out, long out_stride) {
    V sum[8][2] = {0};
UNROLL
    for (int c = 0; c < columns; c++) {  // on its way while the sums are made
        __builtin_prefetch(out + c * out_stride, 1);
        __builtin_prefetch(out + c * out_stride + WIDTH, 1);
    }
    for (long k = 0; k < depth; k++, panel += PAIR, left += stride) {
        const V first = load(panel), second = load(panel + WIDTH);
UNROLL
        for (int c = 0; c < columns; c++) {
            sum[c][0] += left[c] * first;
            sum[c][1] += left[c] * second;
        }
    }
UNROLL
    for (int c = 0; c < columns; c++) {
        REAL *to = out + c * out_stride;
        store(to, begin ? sum[c][0] : load(to) + sum[c][0]);
        store(to + WIDTH, begin ? sum[c][1] : load(to + WIDTH) + sum[c][1]);
    }
}

// The same for any number of columns.
static __attribute__((noinline)) void multiply_transposed(long columns, const REAL *left, long stride, const REAL *panel,
                                                          long depth, int begin, REAL *out, long out_stride) {
    for (; columns >= ROWS; columns -= ROWS, left += ROWS, out += ROWS * out_stride)
        multiply_columns(ROWS, left, stride, panel, depth, begin, out, out_stride);
    for (; columns > 0; columns--, left++, out += out_stride)
        multiply_columns(1, left, stride, panel, depth, begin, out, out_stride);
}

// A panel of rows (depth x columns, stride apart): its columns from `first` on.
static inline void pack_panel(const REAL *rows, long stride, long depth, long first, long columns, REAL *panel) {
    for (long k = 0; k < depth; k++, rows += stride, panel += PAIR)
        for (long v = 0; v < PAIR; v += WIDTH) store(panel + v, load_part(rows + first + v, columns - first - v));
}

// A panel of the transpose of rows (columns x depth, stride apart): its columns from `first` on.
static inline void pack_transposed(const REAL *rows, long stride, long depth, long first, long columns, REAL *panel) {
    for (long k = 0; k < depth; k++)
        for (long c = 0; c < PAIR; c++) panel[k * PAIR + c] = first + c < columns ? rows[(first + c) * stride + k] : 0;
}
