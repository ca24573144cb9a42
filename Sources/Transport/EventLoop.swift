import CLinux
import Glibc
import Platform

/// Names what an event is about: whatever the owner of the socket wants to be told back.
package struct Token: Hashable, Sendable {
    /// The name's bits.
    package let bits: UInt64

    /// Takes any bits but the loop's own, which are all ones.
    package init(_ bits: UInt64) {
        self.bits = bits
    }

    static let wakeUp = Token(.max)
}

/// Something that happened to a socket.
package struct Event: Sendable {
    /// The name under which the socket was added.
    package let token: Token
    /// There is something to receive, be it the end.
    package let isReadable: Bool
    /// There is room to send again.
    package let isWritable: Bool
    /// The other side has finished sending, or the connection broke.
    package let hasEnded: Bool
}

/// Waits for sockets, on one thread.
///
/// This is all that the daemon asks of the kernel's way to wait; a second way (io_uring) would
/// be another type with these functions.
///
/// Connections are told of changes only (edge-triggered): who receives less than there was
/// room for has it all, and will be told when more comes. That saves the kernel from looking
/// at every busy socket twice, and a connection never changes what it waits for.
@safe
package struct EventLoop: ~Copyable {
    private let poller: Socket
    private let wakeUpEvent: WakeUp
    private let events: UnsafeMutablePointer<epoll_event>
    private var eventCount = 0

    /// The most events that one wait returns.
    private static let batch = 512

    /// Creates a loop that waits for nothing yet but `wakeUp`.
    package init(wakeUp: WakeUp) throws(SystemError) {
        let result = epoll_create1(CInt(EPOLL_CLOEXEC))
        let poller = Socket(owning: try check("epoll_create1", "", result))
        try Self.add(wakeUp.descriptor, .wakeUp, EPOLLIN.rawValue, to: poller)
        self.poller = poller
        wakeUpEvent = wakeUp
        unsafe events = .allocate(capacity: Self.batch)
    }

    deinit {
        unsafe events.deallocate()
    }

    /// Waits for a connection; its events come under `token`.
    package func add(_ connection: borrowing Socket, as token: Token) throws(SystemError) {
        let changes = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        try Self.add(connection.descriptor, token, changes, to: poller)
    }

    /// Waits for connections to accept; told again as long as there are any.
    package func add(_ listener: Listener, as token: Token) throws(SystemError) {
        let descriptor = listener.socket.descriptor
        try Self.add(descriptor, token, EPOLLIN.rawValue, to: poller)
    }

    /// Stops waiting for connections to accept.
    package func remove(_ listener: Listener) {
        _ = epoll_ctl(poller.descriptor, EPOLL_CTL_DEL, listener.socket.descriptor, nil)
    }

    private static func add(
        _ descriptor: CInt,
        _ token: Token,
        _ interest: UInt32,
        to poller: borrowing Socket
    ) throws(SystemError) {
        var event = unsafe epoll_event()
        unsafe event.events = interest
        unsafe event.data.u64 = token.bits
        let result = unsafe epoll_ctl(poller.descriptor, EPOLL_CTL_ADD, descriptor, &event)
        _ = try check("epoll_ctl", "", result)
    }

    /// Waits until something happens, or until `milliseconds` have passed; -1: for ever.
    ///
    /// Returns how many events there are.
    package mutating func wait(milliseconds: Int) -> Int {
        let limit = CInt(clamping: milliseconds)
        return note(unsafe epoll_wait(poller.descriptor, events, CInt(Self.batch), limit))
    }

    /// The same for less than a millisecond, where the kernel knows how: Linux 5.11 or later.
    package mutating func wait(microseconds: Int) -> Int {
        var limit = timespec(tv_sec: 0, tv_nsec: min(max(microseconds, 0), 999_999) * 1000)
        let room = CInt(Self.batch)
        let result = unsafe epoll_pwait2(poller.descriptor, events, room, &limit, nil)
        if result < 0, errno == ENOSYS { return wait(milliseconds: 1) }
        return note(result)
    }

    private mutating func note(_ result: CInt) -> Int {
        // A signal ends a wait early, like a timeout; any other failure is a mistake of ours.
        precondition(result >= 0 || errno == EINTR, "epoll_wait failed with error \(errno)")
        eventCount = max(0, Int(result))
        return eventCount
    }

    /// The event at `index`; nil if it was only a wake-up.
    package mutating func event(_ index: Int) -> Event? {
        precondition(index < eventCount, "there are only \(eventCount) events")
        let event = unsafe events[index]
        let token = unsafe Token(event.data.u64)
        let changes = unsafe event.events
        if token == .wakeUp {
            wakeUpEvent.drain()
            return nil
        }
        let broken = EPOLLERR.rawValue | EPOLLHUP.rawValue
        return Event(
            token: token,
            isReadable: changes & (EPOLLIN.rawValue | broken) != 0,
            isWritable: changes & EPOLLOUT.rawValue != 0,
            hasEnded: changes & (EPOLLRDHUP.rawValue | broken) != 0
        )
    }
}

/// Ends the wait of an `EventLoop` from any thread.
package final class WakeUp: Sendable {
    /// The eventfd, for signal handlers.
    package let descriptor: CInt

    /// Creates one for a loop to come.
    package init() throws(SystemError) {
        let flags = CInt(EFD_NONBLOCK) | CInt(EFD_CLOEXEC)
        descriptor = try check("eventfd", "", eventfd(0, flags))
    }

    deinit {
        close(descriptor)
    }

    /// Ends the current wait, or the next one.
    package func signal() {
        var one: UInt64 = 1
        // Fails only when the counter is full, and then the loop is woken anyway.
        _ = unsafe write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    fileprivate func drain() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
