import Bytes
import Platform

/// A time in which nothing new is sent, since a server has refused or is gone.
///
/// Each pause is twice as long as the one before, up to five seconds, until something succeeds.
package struct LoadPause {
    private let patience: Duration
    private var since: MonotonicTime?
    private var until: MonotonicTime?
    private var length = Duration.milliseconds(100)
    /// What the server said.
    package private(set) var reason: ByteString?

    private static let longest = Duration.seconds(5)

    /// Gives up when a server has refused for as long as `patience`.
    package init(patience: Duration) {
        self.patience = patience
    }

    /// Whether nothing new is to be sent.
    package var isOn: Bool { until != nil }

    /// Begins a pause; says whether it is the first since something succeeded.
    package mutating func begin(_ reason: ByteString, at now: MonotonicTime) -> Bool {
        guard until == nil else { return false }
        let isFirst = since == nil
        since = since ?? now
        until = now + length
        length = min(length * 2, Self.longest)
        self.reason = reason
        return isFirst
    }

    /// Whether it is time to try again.
    package func isOver(at now: MonotonicTime) -> Bool { until.map { now >= $0 } ?? true }

    /// Whether it has lasted too long.
    package func isHopeless(at now: MonotonicTime) -> Bool {
        since.map { now - $0 > patience } ?? false
    }

    /// Lets things be sent again, to see whether they succeed.
    package mutating func probe() {
        until = nil
    }

    /// Something has succeeded; says whether that ends a time of refusals.
    ///
    /// What was refused while others succeed still waits for the pause to be over.
    package mutating func end() -> Bool {
        guard until == nil, since != nil else { return false }
        since = nil
        reason = nil
        length = .milliseconds(100)
        return true
    }
}

/// How many bytes may be sent right now, so that no more than a number of them go out a second.
package struct LoadBudget {
    private let bytesPerSecond: Int?
    /// When everything that was sent is paid for.
    private var paid: MonotonicTime?
    private var debt = 0

    /// Allows so many bytes a second; nil: any number.
    package init(bytesPerSecond: Int?) {
        self.bytesPerSecond = bytesPerSecond
    }

    /// Whether more may be sent now.
    package mutating func allows(at now: MonotonicTime) -> Bool {
        guard let bytesPerSecond else { return true }
        let start = max(paid ?? now, now)
        paid = start + .nanoseconds(Int64(Double(debt) / Double(bytesPerSecond) * 1e9))
        debt = 0
        // A tenth of a second ahead, so that waiting for the clock does not slow it further.
        return paid.map { $0 <= now + .milliseconds(100) } ?? true
    }

    /// Notes bytes that go out.
    package mutating func spend(_ byteCount: Int) {
        if bytesPerSecond != nil { debt += byteCount }
    }
}
