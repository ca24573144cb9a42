import Glibc
import Synchronization

/// Large blocks straight from the system, in huge pages where it has them.
///
/// A lookup in many gigabytes misses the processor's address cache nearly every time; with pages
/// of 2 MiB it does not. The usual harm of huge pages, copying all of one for a byte that a
/// forked child shares, cannot happen here, because nothing forks.
@unsafe
enum PageMemory {
    static let hugePageByteCount = 2 << 20

    /// Zeroed memory of `byteCount`, a multiple of a huge page, aligned to one.
    static func map(_ byteCount: Int) -> UnsafeMutableRawPointer {
        unsafe byteCount == hugePageByteCount ? PageSupply.take() : mapAnew(byteCount)
    }

    /// The same, never from what was made ready.
    static func mapAnew(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let huge = unsafe hugePageByteCount
        let mapped = unsafe mmap(
            nil,
            byteCount + huge,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS,
            -1,
            0
        )
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            preconditionFailure("out of memory: the system gave no \(byteCount) bytes")
        }
        // Map one huge page too much, then cut off what sticks out of the aligned part.
        let skew = Int(UInt(bitPattern: mapped) & UInt(huge - 1))
        let lead = skew == 0 ? 0 : huge - skew
        let block = unsafe mapped + lead
        if lead > 0 { unsafe munmap(mapped, lead) }
        unsafe munmap(block + byteCount, huge - lead)
        unsafe madvise(block, byteCount, MADV_HUGEPAGE)
        return unsafe block
    }

    /// Gives back what `map` gave.
    static func unmap(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        if unsafe byteCount == hugePageByteCount {
            unsafe PageSupply.release(block)
        } else {
            unsafe munmap(block, byteCount)
        }
    }
}

/// Tables so large that they come straight from the system, and not from `malloc`.
public enum MappedTables {
    private static let total = Atomic<Int>(0)

    /// Bytes that all of them take.
    public static var byteCount: Int { total.load(ordering: .relaxed) }

    static func note(_ change: Int) {
        total.add(change, ordering: .relaxed)
    }
}
