import CLinux
import Glibc
import Platform

/// Waits until one of a few sockets can go on: what a client of servers needs.
///
/// Who has thousands of sockets uses an `EventLoop`.
package enum Readiness {
    /// A socket, and what its owner waits for.
    package struct Interest: Sendable {
        /// The socket.
        package let descriptor: CInt
        /// Whether there is something to send, besides what may be received.
        package let isSending: Bool

        /// Waits for input, and for room if something is to be sent.
        package init(descriptor: CInt, isSending: Bool) {
            self.descriptor = descriptor
            self.isSending = isSending
        }
    }

    /// Waits until a socket is ready or `milliseconds` have passed; returns how many are.
    ///
    /// A signal ends the wait early, like a timeout.
    package static func wait(
        for interests: [Interest],
        milliseconds: Int
    ) throws(SystemError) -> Int {
        var places = interests.map { interest in
            let wanted = interest.isSending ? POLLIN | POLLOUT : POLLIN
            return pollfd(fd: interest.descriptor, events: Int16(wanted), revents: 0)
        }
        let count = nfds_t(places.count)
        let result = unsafe poll(&places, count, CInt(clamping: milliseconds))
        if result == -1, errno == EINTR { return 0 }
        return Int(try check("poll", "", result))
    }
}
