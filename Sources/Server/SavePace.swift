import Platform

/// How long the core may work for a running save before it looks after clients again.
///
/// A save gets a share of the time in which clients come and go, in slices that are too short to
/// be felt, and nearly all of it when nobody comes. Somebody who sends one request after the
/// other leaves gaps; they are not taken for idleness, or each request would have to wait for a
/// slice. Between two slices the core waits as it does without a save: whoever shares the
/// machine, clients on it or the thread that writes the file, has that time.
struct SavePace {
    private var credit = Duration.zero
    private var lastTurn: MonotonicTime?
    private var lastEvent: MonotonicTime?

    /// While clients come, one part in so many is for the save.
    private static let share = 16
    /// Shorter slices are not worth their beginning.
    private static let shortest = Duration.microseconds(50)
    private static let longest = Duration.microseconds(400)
    /// Nobody is about to come if nobody came for so long.
    private static let pause = Duration.milliseconds(1)

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

    /// How long there is nothing to do for the save from the last turn on, if nobody comes.
    var waitMicroseconds: Int {
        guard let lastTurn, let lastEvent, lastTurn - lastEvent < Self.pause else { return 0 }
        let wait = min(max(Self.shortest - credit, .zero) * Self.share, Self.pause)
        return Int(wait.components.attoseconds / 1_000_000_000_000)
    }

    /// Takes a slice into account.
    mutating func note(_ duration: Duration) {
        credit = max(credit - duration, Duration.zero - Self.longest)
    }
}
