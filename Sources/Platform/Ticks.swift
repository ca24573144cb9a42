import CLinux

/// The processor's own clock, for what is measured with each request.
///
/// Reading it is one instruction, where `SystemTime` costs as much as a small command. What a
/// tick is in seconds is learned from `SystemTime` as both go on.
package struct Ticks: Sendable {
    /// Ticks in a microsecond, as far as that is known by now.
    package private(set) var perMicrosecond: Double = 1
    private let start: Reading

    /// Both clocks at one moment.
    private struct Reading {
        let ticks: UInt64
        let nanoseconds: Int64

        /// The tightest of a few readings: the thread may be interrupted between the two clocks.
        init() {
            let time = SystemTime()
            var best: (gap: UInt64, ticks: UInt64, nanoseconds: Int64)?
            for _ in 0..<4 {
                let before = Ticks.now
                let nanoseconds = time.monotonicTime.nanoseconds
                let gap = Ticks.now &- before
                if gap < best?.gap ?? .max { best = (gap, before &+ gap / 2, nanoseconds) }
            }
            ticks = best?.ticks ?? 0
            nanoseconds = best?.nanoseconds ?? 0
        }
    }

    /// Looks at both clocks for a few milliseconds to learn the pace.
    package init() {
        start = Reading()
        let time = SystemTime()
        while time.monotonicTime.nanoseconds - start.nanoseconds < 3_000_000 {}
        learn()
    }

    /// What the clock says now.
    package static var now: UInt64 { clinux_ticks() }

    /// Makes the pace more exact; the longer ago the start, the better.
    package mutating func learn() {
        let reading = Reading()
        let nanoseconds = reading.nanoseconds - start.nanoseconds
        guard nanoseconds > 0, reading.ticks > start.ticks else { return }
        perMicrosecond = Double(reading.ticks - start.ticks) * 1000 / Double(nanoseconds)
    }
}
