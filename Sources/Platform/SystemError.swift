import Glibc

/// A system call that failed: which one, on what, and why.
package struct SystemError: Error, Equatable, Sendable {
    /// The call's name, as in its manual page.
    package let call: String
    /// What the call was about, mostly a file's name; empty if there is nothing to name.
    package let subject: String
    /// The reason, as `errno` gave it.
    package let code: Int32

    /// The reason that a full disk gives.
    package static let noSpace = ENOSPC
    /// The reason that a name gives that is taken.
    package static let exists = EEXIST

    /// Somebody asked for the end while something was waited for.
    ///
    /// No failure has its reason: a call that a signal interrupts is repeated.
    package static let interruption = SystemError("wait", code: EINTR)

    /// Describes a failure of `call` on `subject`.
    package init(_ call: String, _ subject: String = "", code: Int32) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// Whether the disk has no room left, or this user's share of it has none.
    package var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

    /// Whether this machine lacks the kind of address that was asked for.
    package var isUnsupportedAddress: Bool {
        [ENOPROTOOPT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EPFNOSUPPORT, EAFNOSUPPORT].contains(code)
    }

    /// Whether somebody asked for the end.
    package var isInterruption: Bool { code == EINTR }

    /// Whether there is no such file.
    package var isMissingFile: Bool { code == ENOENT }
}

extension SystemError: CustomStringConvertible {
    /// For example `fdatasync appendonly.aof.3.incr.aof: Input/output error`.
    package var description: String {
        if isInterruption { return "interrupted" }
        return subject.isEmpty ? "\(call): \(reason)" : "\(call) \(subject): \(reason)"
    }

    /// The last part of it: `Input/output error`.
    package var reason: String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}

/// Calls `body` until it is not interrupted by a signal, and throws what else went wrong.
///
/// `body` returns what the C function returned; -1 means that `errno` says why.
func retrying<Result: SignedInteger>(
    _ call: String,
    _ subject: String,
    _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        guard result == -1 else { return result }
        let code = errno
        if code != EINTR { throw SystemError(call, subject, code: code) }
    }
}
