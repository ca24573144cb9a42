import CLinux

/// The processor's own clock, for what is measured with each request.
///
/// Reading it is one instruction, where `SystemTime` costs as much as a small command. What a
/// tick is in seconds is learned from `SystemTime` as both go on.
package struct Ticks: Sendable {
    /// Ticks in a microsecond, as far as that is known by now.
    package private(set) var perMicrosecond: Double
    private let start: UInt64
    private let startTime: MonotonicTime

    /// Looks at both clocks for a millisecond to learn the pace.
    package init() {
        let time = SystemTime()
        startTime = time.monotonicTime
        start = Ticks.now
        var end = startTime
        while end.nanoseconds - startTime.nanoseconds < 1_000_000 { end = time.monotonicTime }
        perMicrosecond = 1
        learn(at: end)
    }

    /// What the clock says now.
    package static var now: UInt64 { clinux_ticks() }

    /// Makes the pace more exact; the longer ago the start, the better.
    package mutating func learn(at time: MonotonicTime) {
        let ticks = Ticks.now
        let nanoseconds = time.nanoseconds - startTime.nanoseconds
        guard nanoseconds > 0, ticks > start else { return }
        perMicrosecond = Double(ticks - start) * 1000 / Double(nanoseconds)
    }
}
