#include "CCarrylessMultiply.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

int crc32c_is_there(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}

__attribute__((target("sse4.2"))) uint32_t crc32c_extend(
    const void *start,
    size_t count,
    uint32_t value
) {
    const uint8_t *bytes = start;
    uint64_t wide = value;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; count > 0; bytes++, count--) narrow = _mm_crc32_u8(narrow, *bytes);
    return narrow;
}

#else

int crc32c_is_there(void) {
    return 0;
}

uint32_t crc32c_extend(const void *bytes, size_t count, uint32_t value) {
    (void)bytes, (void)count, (void)value;
    __builtin_trap();
}

#endif
