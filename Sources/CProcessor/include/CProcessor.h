/// What Swift cannot ask of the processor.
#pragma once

/// Asks for the cache line at `address` without waiting for it; any address will do.
static inline void processor_prefetch(const void *_Nonnull address) {
    __builtin_prefetch(address, 0, 3);
}
