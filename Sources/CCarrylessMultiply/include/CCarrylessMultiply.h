#ifndef CCARRYLESSMULTIPLY_H
#define CCARRYLESSMULTIPLY_H

#include <stddef.h>
#include <stdint.h>

// Machine instructions that Swift has no names for, as checksums need them: multiplication
// without carries, and CRC-32C itself.

// Whether this processor has the first.
int carryless_multiply_is_there(void);

// Folds `count` bytes, a multiple of 64 and not 0, into the 16 bytes at `rest`, whose remainder
// as a reflected 64-bit polynomial is that of all of `bytes` after `value`.
//
// `factors` holds x^575, x^511, x^191 and x^127 modulo the polynomial, reflected.
void carryless_multiply_fold(
    const void *bytes,
    size_t count,
    uint64_t value,
    const uint64_t *factors,
    void *rest
);

// Whether this processor has the second.
int crc32c_is_there(void);

// The CRC-32C register after `count` bytes, which was `value` before them.
uint32_t crc32c_extend(const void *bytes, size_t count, uint32_t value);

#endif
