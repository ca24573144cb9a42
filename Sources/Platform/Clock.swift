import Glibc

/// A moment on the calendar, in milliseconds since 1970: what deadlines are made of.
package struct WallTime: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970 in UTC.
    package var milliseconds: Int64

    /// The moment `milliseconds` after the start of 1970.
    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Orders by time.
    package static func < (one: WallTime, other: WallTime) -> Bool {
        one.milliseconds < other.milliseconds
    }
}

/// A moment on a clock that only goes forward: what intervals are measured with.
package struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since some moment before the process started.
    package var nanoseconds: Int64

    /// The moment `nanoseconds` after the clock's own zero.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Orders by time.
    package static func < (one: MonotonicTime, other: MonotonicTime) -> Bool {
        one.nanoseconds < other.nanoseconds
    }

    /// The time from `other` to this moment.
    package static func - (one: MonotonicTime, other: MonotonicTime) -> Duration {
        .nanoseconds(one.nanoseconds - other.nanoseconds)
    }

    /// The moment `duration` later.
    package static func + (moment: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = duration.components
        return MonotonicTime(
            nanoseconds: moment.nanoseconds + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        )
    }
}

/// Where time comes from, so that a test can hold it still or let it leap.
package protocol TimeSource: Sendable {
    /// The time of day; an administrator can set it back.
    var wallTime: WallTime { get }
    /// The time that never goes back.
    var monotonicTime: MonotonicTime { get }
    /// The processor's time that the calling thread has had.
    var threadTime: Duration { get }
}

/// The machine's own clocks.
package struct SystemTime: TimeSource {
    /// Needs nothing.
    package init() {}

    /// What `CLOCK_REALTIME` says.
    package var wallTime: WallTime {
        let time = read(CLOCK_REALTIME)
        return WallTime(
            milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        )
    }

    /// What `CLOCK_MONOTONIC` says.
    package var monotonicTime: MonotonicTime {
        let time = read(CLOCK_MONOTONIC)
        return MonotonicTime(
            nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        )
    }

    /// What `CLOCK_THREAD_CPUTIME_ID` says.
    package var threadTime: Duration {
        let time = read(CLOCK_THREAD_CPUTIME_ID)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// What `CLOCK_REALTIME` says, in microseconds since 1970.
    package var wallTimeMicroseconds: Int64 {
        let time = read(CLOCK_REALTIME)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// Lets the calling thread sleep.
    package func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        var left = timespec()
        while unsafe nanosleep(&time, &left) == -1, errno == EINTR { time = left }
    }

    private func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        let result = unsafe clock_gettime(clock, &time)
        precondition(result == 0, "a clock that every Linux has cannot be read")
        return time
    }
}
