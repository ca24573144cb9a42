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

    /// Zeroed addresses for a huge page, aligned to one; what they will hold is the system's
    /// choice unless `preferHuge` is asked.
    static func map() -> UnsafeMutableRawPointer {
        let huge = unsafe hugePageByteCount
        let mapped = unsafe mmap(
            nil,
            huge * 2,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS,
            -1,
            0
        )
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            preconditionFailure("out of memory: the system gave no \(huge) bytes")
        }
        // Map one huge page too much, then cut off what sticks out of the aligned part.
        let skew = Int(UInt(bitPattern: mapped) & UInt(huge - 1))
        let lead = skew == 0 ? 0 : huge - skew
        let block = unsafe mapped + lead
        if lead > 0 { unsafe munmap(mapped, lead) }
        unsafe munmap(block + huge, huge - lead)
        return unsafe block
    }

    /// Asks for one huge page: by the first touch, and if a part was touched before, by what the
    /// system puts together in the background.
    static func preferHuge(_ block: UnsafeMutableRawPointer) {
        unsafe madvise(block, hugePageByteCount, MADV_HUGEPAGE)
    }

    /// Gives back what `map` gave.
    static func unmap(_ block: UnsafeMutableRawPointer) {
        unsafe munmap(block, hugePageByteCount)
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
