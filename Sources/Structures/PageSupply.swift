import Glibc
import Synchronization

/// Huge pages made ready ahead of those who will want them.
///
/// The system clears a page of 2 MiB when it is first touched, and under a virtual machine it may
/// have to be found first. That is some milliseconds in which the core would answer nobody, and
/// half of the time that a large dump takes to load. A thread that runs `run` does it ahead. What
/// it has not ready comes as memory always comes.
public enum PageSupply {
    /// Addresses of pages that nobody has yet.
    private static let shelf = Mutex([UInt]())
    /// Pages that were handed out and not given back.
    private static let usedCount = Atomic(0)
    /// Posted when either changes.
    nonisolated(unsafe) private static let call: UnsafeMutablePointer<sem_t> = {
        let call = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        unsafe sem_init(call, 0, 0)
        return unsafe call
    }()

    /// How many pages should be ready: a sixty-fourth of what is in use, and none for a small
    /// process, because it is memory that holds nothing.
    private static var wantedCount: Int {
        let used = usedCount.load(ordering: .relaxed)
        return used < 32 ? 0 : min(1 + used / 64, 16)
    }

    /// Bytes of memory that nobody has yet.
    public static var readyByteCount: Int {
        unsafe shelf.withLock { $0.count } * PageMemory.hugePageByteCount
    }

    /// Keeps the shelf as full as it should be, as long as the process lives.
    public static func run() {
        while true {
            unsafe sem_wait(call)
            while shelf.withLock({ $0.count < wantedCount }) { addPage() }
            while let page = shelf.withLock({ $0.count > wantedCount ? $0.popLast() : nil }) {
                unsafe munmap(
                    UnsafeMutableRawPointer(bitPattern: page),
                    PageMemory.hugePageByteCount
                )
            }
        }
    }

    private static func addPage() {
        let page = unsafe PageMemory.mapAnew(PageMemory.hugePageByteCount)
        unsafe fill(page)
        let address = UInt(bitPattern: page)
        shelf.withLock { $0.append(address) }
    }

    /// A page of zeros; whether it has memory already is a matter of luck.
    ///
    /// The thread may have been put aside in the middle of something: it is not waited for.
    static func take() -> UnsafeMutableRawPointer {
        usedCount.add(1, ordering: .relaxed)
        let address = shelf.withLockIfAvailable { $0.popLast() } ?? nil
        unsafe sem_post(call)
        return unsafe address.flatMap { unsafe UnsafeMutableRawPointer(bitPattern: $0) }
            ?? PageMemory.mapAnew(PageMemory.hugePageByteCount)
    }

    /// Gives the system a page that `take` gave.
    static func release(_ page: UnsafeMutableRawPointer) {
        usedCount.subtract(1, ordering: .relaxed)
        unsafe sem_post(call)
        unsafe munmap(page, PageMemory.hugePageByteCount)
    }

    /// Has the system find and clear the memory of a page.
    private static func fill(_ page: UnsafeMutableRawPointer) {
        let byteCount = unsafe PageMemory.hugePageByteCount
        if unsafe madvise(page, byteCount, MADV_POPULATE_WRITE) == 0 { return }
        // A system older than Linux 5.14. Where it gave no huge page, each small one is touched.
        for offset in stride(from: 0, to: byteCount, by: 4096) {
            unsafe page.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
        }
    }
}
