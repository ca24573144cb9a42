import CLinux
import Glibc

/// A value that several threads change under one lock, and can wait on until it changes.
///
/// Short critical sections only: the core takes the lock too, and must never wait behind
/// somebody who holds it while the disk works.
///
/// Those who wait do so in one of several rooms, so that a change can wake those only whom it
/// concerns; with one room, every change wakes everybody.
@safe
package final class Monitor<Value: ~Copyable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let conditions: UnsafeMutablePointer<pthread_cond_t>
    private let roomCount: Int
    private var value: Value

    /// Guards `value`.
    package init(_ value: consuming sending Value, roomCount: Int = 1) {
        self.value = value
        self.roomCount = roomCount
        unsafe mutex = .allocate(capacity: 1)
        unsafe conditions = .allocate(capacity: roomCount)
        unsafe pthread_mutex_init(mutex, nil)
        // Waits are intervals: the calendar clock may be set back while a thread sleeps, and
        // the second of `everysec` would become an hour.
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        for room in 0..<roomCount { unsafe pthread_cond_init(conditions + room, &attributes) }
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        for room in 0..<roomCount { unsafe pthread_cond_destroy(conditions + room) }
        unsafe pthread_mutex_destroy(mutex)
        unsafe conditions.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the lock held.
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }

    /// Runs `body` with the lock held, then lets every waiting thread look again.
    package func update<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { for room in 0..<roomCount { wake(room) } }
        return try withLock(body)
    }

    /// Lets every thread that waits in a room look again.
    package func wake(_ room: Int) {
        unsafe pthread_cond_broadcast(conditions + room)
    }

    /// Waits until `body` returns something; runs it after each `update`, whenever the room is
    /// woken, and at the moments it asks for.
    ///
    /// `body` runs with the lock held. By setting its second argument it asks to be run again
    /// at that moment at the latest.
    package func wait<Result>(
        in room: Int = 0,
        _ body: (inout Value, inout MonotonicTime?) -> Result?
    ) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            var deadline: MonotonicTime?
            if let result = body(&value, &deadline) { return result }
            guard let deadline else {
                unsafe pthread_cond_wait(conditions + room, mutex)
                continue
            }
            var time = timespec(
                tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
                tv_nsec: Int(deadline.nanoseconds % 1_000_000_000)
            )
            unsafe pthread_cond_timedwait(conditions + room, mutex, &time)
        }
    }
}

/// A thread of the operating system that runs one closure and can be waited for.
@safe
package final class WorkerThread: @unchecked Sendable {
    private var thread = pthread_t()

    /// Starts a thread named `name` (15 bytes at most) that runs `body`.
    ///
    /// All signals are blocked in it: a handler that runs on a thread in the middle of a write
    /// would make `EINTR` the normal case, and the daemon handles signals on the core.
    package init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        let code = unsafe pthread_create(&thread, nil, runStart, start.toOpaque())
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            unsafe start.release()
            throw SystemError("pthread_create", name, code: code)
        }
    }

    /// How much of a busy processor a thread is to have.
    package enum Priority: Int32, Sendable {
        /// A third of what others have: for work that is to go on, but not at their cost.
        case low = 5
        /// What nobody else wants.
        case lowest = 19
    }

    /// Lets the calling thread stand back on a machine whose cores are busy answering.
    ///
    /// When it is woken, it does not take the core of the one that woke it: it could keep it for
    /// milliseconds.
    package static func lowerPriority(to priority: Priority) {
        clinux_lower_thread_priority(priority.rawValue)
    }

    /// Waits until the closure has returned; to be called once.
    package func join() {
        pthread_join(thread, nil)
    }
}

/// What a new thread is told.
private final class Start {
    let name: String
    let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func runStart(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    unsafe clinux_name_thread(start.name)
    start.body()
    return nil
}
