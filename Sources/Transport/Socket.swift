import CLinux
import Glibc
import Platform

/// An open socket, closed when it goes away.
package struct Socket: ~Copyable, Sendable {
    /// What the kernel calls it.
    package let descriptor: CInt

    /// Takes over an open descriptor.
    init(owning descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Creates one that neither blocks nor survives an exec.
    init(family: CInt) throws(SystemError) {
        let type = CInt(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC
        descriptor = try check("socket", "", socket(family, type, 0))
    }

    deinit {
        close(descriptor)
    }

    /// Sends small replies at once instead of waiting for more to send with them.
    package func sendWithoutDelay() {
        // On a Unix socket this fails, and there is nothing to delay either.
        try? set(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Finds out within about twice `seconds` that the other side has vanished; 0: never.
    package func keepAlive(everySeconds seconds: Int) {
        guard seconds > 0 else { return }
        let level = CInt(IPPROTO_TCP)
        try? set(SOL_SOCKET, SO_KEEPALIVE, 1)
        try? set(level, TCP_KEEPIDLE, CInt(clamping: seconds))
        try? set(level, TCP_KEEPINTVL, CInt(clamping: max(1, seconds / 3)))
        try? set(level, TCP_KEEPCNT, 3)
    }

    func set(_ level: CInt, _ option: CInt, _ value: CInt) throws(SystemError) {
        var value = value
        let size = socklen_t(MemoryLayout<CInt>.size)
        let result = unsafe setsockopt(descriptor, level, option, &value, size)
        _ = try check("setsockopt", "", result)
    }
}

/// Throws the reason if a call's result is -1.
func check(
    _ call: String,
    _ subject: String,
    _ result: CInt
) throws(SystemError) -> CInt {
    guard result != -1 else { throw SystemError(call, subject, code: errno) }
    return result
}
