import Platform

/// How long the core may work for a running save before it looks after clients again.
///
/// A save gets a share of the time in which clients come and go, in slices that are too short to
/// be felt, and nearly all of it when nobody comes. Somebody who sends one request after the
/// other leaves gaps of some microseconds; they are not taken for idleness, or each request
/// would have to wait for a slice.
struct SavePace {
    private var credit = Duration.zero
    private var lastTurn: MonotonicTime?
    private var lastEvent: MonotonicTime?

    /// While clients come, one part in so many is for the save.
    private static let share = 7
    /// Shorter slices are not worth their beginning.
    private static let shortest = Duration.microseconds(25)
    private static let longest = Duration.microseconds(400)
    /// Nobody is about to come if nobody came for so long.
    private static let pause = Duration.microseconds(200)

    /// How long the next slice may be, for a turn that `hadEvents`.
    mutating func slice(at now: MonotonicTime, hadEvents: Bool) -> Duration {
        if let lastTurn { credit += (now - lastTurn) / Self.share }
        credit = min(credit, Self.longest)
        lastTurn = now
        if hadEvents { lastEvent = now }
        if let lastEvent, now - lastEvent < Self.pause {
            return credit < Self.shortest ? .zero : credit
        }
        // Longer, the longer nobody came: up to what nobody notices.
        let idle = lastEvent.map { now - $0 } ?? Self.longest
        return min(max(idle / 4, Self.shortest), Self.longest)
    }

    /// Takes a slice into account.
    mutating func note(_ duration: Duration) {
        credit = max(credit - duration, Duration.zero - Self.longest)
    }
}
