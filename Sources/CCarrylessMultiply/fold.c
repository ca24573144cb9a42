#include "CCarrylessMultiply.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

int carryless_multiply_is_there(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_PCLMUL);
}

#define TARGET __attribute__((target("sse2,pclmul")))

TARGET static inline __m128i load(const uint8_t *bytes) {
    return _mm_loadu_si128((const __m128i *)bytes);
}

// Moves `lane` ahead by the distance of `factors` and takes in what is there.
TARGET static inline __m128i fold(__m128i lane, __m128i factors, __m128i next) {
    __m128i low = _mm_clmulepi64_si128(lane, factors, 0x00);
    __m128i high = _mm_clmulepi64_si128(lane, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

TARGET void carryless_multiply_fold(
    const void *start,
    size_t count,
    uint64_t value,
    const uint64_t *factors,
    void *rest
) {
    const uint8_t *bytes = start;
    const __m128i far = _mm_loadu_si128((const __m128i *)factors);
    const __m128i near = _mm_loadu_si128((const __m128i *)(factors + 2));
    __m128i one = _mm_xor_si128(load(bytes), _mm_set_epi64x(0, (long long)value));
    __m128i two = load(bytes + 16);
    __m128i three = load(bytes + 32);
    __m128i four = load(bytes + 48);
    for (bytes += 64, count -= 64; count >= 64; bytes += 64, count -= 64) {
        one = fold(one, far, load(bytes));
        two = fold(two, far, load(bytes + 16));
        three = fold(three, far, load(bytes + 32));
        four = fold(four, far, load(bytes + 48));
    }
    one = fold(one, near, two);
    one = fold(one, near, three);
    one = fold(one, near, four);
    _mm_storeu_si128((__m128i *)rest, one);
}

#else

int carryless_multiply_is_there(void) {
    return 0;
}

void carryless_multiply_fold(
    const void *bytes,
    size_t count,
    uint64_t value,
    const uint64_t *factors,
    void *rest
) {
    (void)bytes, (void)count, (void)value, (void)factors, (void)rest;
    __builtin_trap();
}

#endif
