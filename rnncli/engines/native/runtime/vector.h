/* A vector of WIDTH numbers of type REAL (float or double, defined before inclusion) and functions of its elements.

   GNU vector extensions only, so that one text serves every processor. C has no `mask ? a : b` for vectors; a choice is
   made by bits, which GCC and Clang turn into one ternary operation or a masked move where the processor has them. */
#pragma once
#pragma GCC diagnostic ignored "-Wpsabi" /* all is inlined: how a vector is handed to a function does not matter */

#ifndef VECTOR_BYTES
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#endif

#if defined(__AVX512F__) || defined(__aarch64__)
#define REGISTERS 32
#else
#define REGISTERS 16
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#define WIDTH ((long)(VECTOR_BYTES / sizeof(REAL)))

#define IS_FLOAT_float 1 /* the preprocessor can compare no types, but glue their names */
#define IS_FLOAT_double 0
#define IS_FLOAT_OF(type) IS_FLOAT_##type
#define IS_FLOAT(type) IS_FLOAT_OF(type)

/* MANTISSA, BIAS: of the format IEEE 754: 2^n is the whole number n + BIAS shifted left by MANTISSA.
   LN2_HIGH + LN2_LOW = ln 2; n * LN2_HIGH is exact for every n below, with and without fused multiply-adds.
   LOWEST: just above the logarithm of the smallest normal number.
   SERIES: (expm1(r) - r) / r^2 by a polynomial of r, written in r and s = r^2 for short chains of dependence; fitted
   for |r| <= ln(2) / 2 to the smallest greatest relative error of expm1(r): 2^-26.1 for float, 2^-55.5 for double. */
#if IS_FLOAT(REAL)
#define MANTISSA 23
#define BIAS 127
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cp-20f
#define LOWEST -87.33654f
#define SERIES(r, s)                                                                                                   \
    ((0x1.6b9c72p-10f * (s) + (0x1.12254ap-7f * (r) + 0x1.5556f2p-5f)) * (s) + (0x1.5554b4p-3f * (r) + 0x1.fffffep-2f))
#else
#define MANTISSA 52
#define BIAS 1023
#define LN2_HIGH 0x1.62e42fefa38p-1
#define LN2_LOW 0x1.ef35793c7673p-45
#define LOWEST -708.3964185
#define SERIES(r, s)                                                                                                   \
    (((((0x1.aea83ba59bc34p-26 * (r) + 0x1.28a29c3681c98p-22) * (s) +                                                  \
        (0x1.71de6242e7cfdp-19 * (r) + 0x1.a019a69849006p-16)) * (s) +                                                 \
       (0x1.a01a0185b207ap-13 * (r) + 0x1.6c16c17f30b95p-10)) * (s) +                                                  \
      (0x1.1111111115fc2p-7 * (r) + 0x1.555555555210bp-5)) * (s) +                                                     \
     (0x1.5555555555545p-3 * (r) + 0x1.0000000000005p-1))
#endif
#define LOG2_OF_E ((REAL)0x1.71547652b82fep+0)
#define ROUND ((REAL)(3LL << (MANTISSA - 1)) + BIAS) /* so large that a sum with it is a whole number */
#define SIGN ((Bits)all((REAL)-0.0))

typedef REAL V __attribute__((vector_size(VECTOR_BYTES)));
typedef __typeof__((V){} < (V){}) Bits; /* integers as wide as REAL: what a comparison gives, all bits or none */
typedef REAL Unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));

INLINE V load(const REAL *from) { return *(const Unaligned *)from; }

INLINE void store(REAL *to, V value) { *(Unaligned *)to = value; }

INLINE V all(REAL value) { return value - (V){}; } /* not +, which would lose the sign of -0.0 */

/* The first `count` numbers and zeros beyond; nothing beyond is read or written. The loops have a fixed length, so that
   compilers make masked moves of them. */
INLINE V load_part(const REAL *from, long count) {
    if (count >= WIDTH) return load(from);
    REAL lanes[WIDTH];
    for (long i = 0; i < WIDTH; i++) lanes[i] = i < count ? from[i] : 0;
    return load(lanes);
}

INLINE void store_part(REAL *to, V value, long count) {
    if (count >= WIDTH) {
        store(to, value);
        return;
    }
    REAL lanes[WIDTH];
    store(lanes, value);
    for (long i = 0; i < WIDTH; i++)
        if (i < count) to[i] = lanes[i];
}

/* `yes` where the bits of `mask` are set, else `no`. */
INLINE V choose(Bits mask, V yes, V no) { return (V)((mask & (Bits)yes) | (~mask & (Bits)no)); }

/* exp(t) = power (1 + q) for t <= 0: power = 2^n, q = expm1(r) of the small rest r = t - n ln 2. Both are 0 where t is
   below LOWEST. */
typedef struct {
    V power, q;
} Exponential;

INLINE Exponential exponential(V t) {
    Bits normal = ~(t < LOWEST); /* NaN passes */
    V shifted = t * LOG2_OF_E + ROUND; /* its lowest bits are n + BIAS */
    V n = shifted - ROUND;
    V r = t - n * LN2_HIGH;
    r = r - n * LN2_LOW;
    V s = r * r;
    V q = SERIES(r, s) * s + r;
    return (Exponential){(V)(((Bits)shifted << MANTISSA) & normal), (V)((Bits)q & normal)};
}

/* 1 / (1 + exp(-x)); 0 where that is below the smallest normal number.
   Greatest error found: 2.41 ulp for float (every x), 2.44 for double (3e8 random x). */
INLINE V v_sigmoid(V x) {
    Exponential of = exponential((V)((Bits)x | SIGN)); /* of -|x|, so that nothing overflows */
    V e = of.power * of.q + of.power;
    Bits negative = (Bits)x >> (8 * sizeof(REAL) - 1);
    return choose(negative, e, all(1)) / (1 + e);
}

/* tanh |x| = -m / (2 + m) with m = exp(-2 |x|) - 1. Small x are as exact as others, large ones give exactly 1 or -1.
   Greatest error found: 2.50 ulp for float (every x), 2.62 for double (3e8 random x). */
INLINE V v_tanh(V x) {
    Exponential of = exponential((V)((Bits)x | SIGN) * 2);
    V m = of.power * of.q + (of.power - 1);
    return choose(SIGN, x, m / (2 + m));
}

/* NaN and -0.0 stay what they are, as in torch.relu. */
INLINE V v_relu(V x) { return (V)((Bits)x & ~(x < 0)); }

/* 1 where x > 0, else 0; NaN where x is NaN. */
INLINE V v_positive(V x) { return (V)(((x > 0) & (Bits)all(1)) | ((x != x) & (Bits)x)); }
