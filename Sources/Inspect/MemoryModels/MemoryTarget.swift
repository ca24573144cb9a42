/// A server whose memory is estimated.
public enum MemoryTarget: String, Sendable, CaseIterable {
    /// Redis 7.0.
    case redis70 = "redis-7.0"
    /// Redis 7.2 and 7.4, which pack small sets and lists too, and keep members without entries.
    case redis74 = "redis-7.4"
    /// Redis 8.2, which puts the key, and a short value, into the object.
    case redis82 = "redis-8.2"
    /// Valkey 8.1, with buckets of one cache line instead of chains.
    case valkey81 = "valkey-8.1"
    /// Valkey 9.1, which also puts values into the entries of hashes, and members into nodes.
    case valkey91 = "valkey-9.1"
    /// Larder.
    case larder

    /// What this server is built with by default.
    package var usualAllocator: MemoryAllocator { .jemalloc }
}

/// Where a server gets its memory: what a block of some size really takes.
public enum MemoryAllocator: String, Sendable, CaseIterable {
    /// The jemalloc that comes with Redis and Valkey: steps of 8 bytes up to 64.
    case jemalloc
    /// The jemalloc of a Linux distribution: steps of 16 bytes up to 128.
    case jemallocSystem = "jemalloc-system"
    /// The malloc of glibc: steps of 16 bytes, less the 8 of its header.
    case libc
}

/// The bytes that blocks take, as the server counts them in `used_memory`.
package struct BlockSizes: Sendable {
    /// How sizes are rounded.
    package enum Rounding: Sendable {
        case allocator(MemoryAllocator)
        /// To 8 bytes, as Larder's arena does.
        case arena
    }

    private let rounding: Rounding
    private let small: [Int]

    /// Above it, glibc maps pages of their own for a block.
    private static let mappedByteCount = 128 << 10
    private static let smallLimit = 1024

    package init(_ rounding: Rounding) {
        self.rounding = rounding
        small = (0...Self.smallLimit).map { Self.size($0, rounding) }
    }

    /// The bytes that a block of `byteCount` takes.
    package func callAsFunction(_ byteCount: Int) -> Int {
        byteCount <= Self.smallLimit
            ? small[max(0, byteCount)] : Self.size(byteCount, rounding)
    }

    private static func size(_ byteCount: Int, _ rounding: Rounding) -> Int {
        switch rounding {
        case .allocator(.jemalloc): jemallocSize(byteCount, quantum: 8)
        case .allocator(.jemallocSystem): jemallocSize(byteCount, quantum: 16)
        case .allocator(.libc): libcSize(byteCount)
        case .arena: (max(8, byteCount) + 7) / 8 * 8
        }
    }

    /// Four sizes to each doubling, at least `quantum` apart.
    private static func jemallocSize(_ byteCount: Int, quantum: Int) -> Int {
        if byteCount <= 8 { return 8 }
        let doubling = Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount
        let step = max(quantum, (1 << doubling) / 4)
        return (byteCount + step - 1) / step * step
    }

    private static func libcSize(_ byteCount: Int) -> Int {
        if byteCount >= mappedByteCount {
            return (byteCount + 16 + 4095) / 4096 * 4096 - 16
        }
        return max(24, (byteCount + 8 + 15) / 16 * 16 - 8)
    }
}
