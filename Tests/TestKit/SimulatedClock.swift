import Platform
import Synchronization

/// A clock that a test moves.
package final class SimulatedClock: TimeSource {
    private let nanoseconds: Mutex<Int64>
    private let start: WallTime

    /// Starts at a moment of the year 2026.
    package init(wallTime: WallTime = WallTime(milliseconds: 1_780_000_000_000)) {
        nanoseconds = Mutex(1_000_000_000)
        start = wallTime
    }

    /// Lets time pass.
    package func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        nanoseconds.withLock { $0 += seconds * 1_000_000_000 + attoseconds / 1_000_000_000 }
    }

    package var wallTime: WallTime {
        WallTime(milliseconds: start.milliseconds + nanoseconds.withLock { $0 } / 1_000_000)
    }

    package var monotonicTime: MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds.withLock { $0 })
    }

    /// As if the thread never waited.
    package var threadTime: Duration { .nanoseconds(nanoseconds.withLock { $0 }) }
}
