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
#define ROWS (REGISTERS > 16 ? 7L : 6L)
#define COLUMNS (REGISTERS > 16 ? 8L : 6L)  // of a transposed matrix

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

// out (rows x PAIR) = the sum of all terms, or what it lacks of that. Even and odd columns of the left matrices are summed
// apart, `both` kinds in one go or, where that takes too many registers, the odd after the even.
INLINE void multiply_part(const int rows, const int both, const long first, const Term *terms, int count, REAL *out,
                          long stride) {
    const int ways = both ? 2 : 1;
    V sum[REGISTERS / 2][2] = {0};
    for (const Term *term = terms; term < terms + count; term++) {
        const REAL *left[8], *panel = term->panel + first * PAIR;
UNROLL
        for (int r = 0; r < rows; r++) left[r] = term->left + r * term->stride;
        const long depth = term->depth;
        long k = first;
        for (; k + ways <= depth; k += 2, panel += 2 * PAIR)
UNROLL
            for (int w = 0; w < ways; w++) {
                V low = load(panel + w * PAIR), high = load(panel + w * PAIR + WIDTH);
                IN_REGISTERS(low, high);
UNROLL
                for (int r = 0; r < rows; r++) {
                    const REAL value = left[r][k + w];
                    sum[r * ways + w][0] += value * low;
                    sum[r * ways + w][1] += value * high;
                }
            }
        if (both && k < depth) {
UNROLL
            for (int r = 0; r < rows; r++) {
                sum[r * ways][0] += left[r][k] * load(panel);
                sum[r * ways][1] += left[r][k] * load(panel + WIDTH);
            }
        }
    }
UNROLL
    for (int r = 0; r < rows; r++) {
        REAL *to = out + r * stride;
        V low = sum[r * ways][0], high = sum[r * ways][1];
        if (both) low += sum[r * ways + 1][0], high += sum[r * ways + 1][1];
        else if (first) low = load(to) + low, high = load(to + WIDTH) + high;
        store(to, low);
        store(to + WIDTH, high);
    }
}

// The same sums in the same order for any number of rows: so a row's bits do not depend on those beside it.
INLINE void multiply_rows(const int rows, const Term *terms, int count, REAL *out, long stride) {
    if (4 * rows + 3 < REGISTERS) {
        multiply_part(rows, 1, 0, terms, count, out, stride);
    } else {
        multiply_part(rows, 0, 0, terms, count, out, stride);
        multiply_part(rows, 0, 1, terms, count, out, stride);
    }
}

// out (rows x PAIR) = the sum of all terms.
static __attribute__((noinline)) void multiply(long rows, const Term *terms, int count, REAL *out, long stride) {
    switch (rows) {
    case 1: multiply_rows(1, terms, count, out, stride); break;
    case 2: multiply_rows(2, terms, count, out, stride); break;
    case 3: multiply_rows(3, terms, count, out, stride); break;
    case 4: multiply_rows(4, terms, count, out, stride); break;
    case 5: multiply_rows(5, terms, count, out, stride); break;
#if REGISTERS > 16
    case 6: multiply_rows(6, terms, count, out, stride); break;
#endif
    default: multiply_rows(ROWS, terms, count, out, stride);
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
    for (; columns >= COLUMNS; columns -= COLUMNS, left += COLUMNS, out += COLUMNS * out_stride)
        multiply_columns(COLUMNS, left, stride, panel, depth, begin, out, out_stride);
    for (; columns > 0; columns--, left++, out += out_stride)
        multiply_columns(1, left, stride, panel, depth, begin, out, out_stride);
}

// A panel of rows (depth x columns, stride apart): its columns from `first` on.
static inline void pack_panel(const REAL *rows, long stride, long depth, long first, long columns, REAL *panel) {
    for (long k = 0; k < depth; k++, rows += stride, panel += PAIR)
        for (long v = 0; v < PAIR; v += WIDTH) store(panel + v, load_part(rows + first + v, columns - first - v));
}

typedef REAL Four __attribute__((vector_size(4 * sizeof(REAL))));
typedef REAL UnalignedFour __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

// Four times four numbers, transposed.
INLINE void transpose_four(const REAL *from, long stride, REAL *to, long to_stride) {
    const Four a = *(const UnalignedFour *)from, b = *(const UnalignedFour *)(from + stride);
    const Four c = *(const UnalignedFour *)(from + 2 * stride), d = *(const UnalignedFour *)(from + 3 * stride);
    const Four ab = {a[0], b[0], a[1], b[1]}, ab_high = {a[2], b[2], a[3], b[3]};  // by pairs: compilers see shuffles
    const Four cd = {c[0], d[0], c[1], d[1]}, cd_high = {c[2], d[2], c[3], d[3]};
    *(UnalignedFour *)to = (Four){ab[0], ab[1], cd[0], cd[1]};
    *(UnalignedFour *)(to + to_stride) = (Four){ab[2], ab[3], cd[2], cd[3]};
    *(UnalignedFour *)(to + 2 * to_stride) = (Four){ab_high[0], ab_high[1], cd_high[0], cd_high[1]};
    *(UnalignedFour *)(to + 3 * to_stride) = (Four){ab_high[2], ab_high[3], cd_high[2], cd_high[3]};
}

// A panel of the transpose of rows (columns x depth, stride apart): its columns from `first` on.
static inline void pack_transposed(const REAL *rows, long stride, long depth, long first, long columns, REAL *panel) {
    const long most = 16;  // at a time: the rows that are read stay in the first cache
    const long whole = first + PAIR <= columns ? depth / most * most : 0;
    for (long start = 0; start < whole; start += most)
        for (long c = 0; c < PAIR; c += 4)
            for (long k = start; k < start + most; k += 4)
                transpose_four(rows + (first + c) * stride + k, stride, panel + k * PAIR + c, PAIR);
    for (long k = whole; k < depth; k++)
        for (long c = 0; c < PAIR; c++) panel[k * PAIR + c] = first + c < columns ? rows[(first + c) * stride + k] : 0;
}
