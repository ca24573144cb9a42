import Glibc
import Synchronization

/// Huge pages made ready ahead of those who will want them.
///
/// The system clears a page of 2 MiB when it is first touched, and often has to make it first, by
/// moving what lies scattered. That is up to 30 ms in which the core would answer nobody, and half
/// of the time that a large dump takes to load. A thread that runs `run` does it ahead. Whoever
/// finds nothing ready gets small pages, which the system joins later, unless `isPatient`.
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

    private static let patience = Atomic(false)

    /// Whether a huge page is worth a wait to whoever finds none ready: while data is loaded.
    public static var isPatient: Bool {
        get { patience.load(ordering: .relaxed) }
        set { patience.store(newValue, ordering: .relaxed) }
    }

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
                guard let page = unsafe UnsafeMutableRawPointer(bitPattern: page) else { break }
                unsafe PageMemory.unmap(page)
            }
        }
    }

    private static func addPage() {
        let page = unsafe PageMemory.map()
        unsafe PageMemory.preferHuge(page)
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
        if let page = unsafe address.flatMap({ unsafe UnsafeMutableRawPointer(bitPattern: $0) }) {
            return unsafe page
        }
        let page = unsafe PageMemory.map()
        // Where a small page lies already, the next touch does not make a huge one.
        if !isPatient { unsafe page.storeBytes(of: 0, as: UInt8.self) }
        unsafe PageMemory.preferHuge(page)
        return unsafe page
    }

    /// Gives the system a page that `take` gave.
    static func release(_ page: UnsafeMutableRawPointer) {
        usedCount.subtract(1, ordering: .relaxed)
        unsafe sem_post(call)
        unsafe PageMemory.unmap(page)
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
