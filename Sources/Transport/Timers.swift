import Platform

/// What has to happen at which moment, soonest first.
///
/// The daemon has a handful of them, so a short array does; who needs one per client keeps
/// them elsewhere and sets one timer here for the soonest.
package struct Timers: ~Copyable {
    private var pending: [(deadline: MonotonicTime, token: Token)] = []

    /// Starts with nothing to happen.
    package init() {}

    /// Sets, or moves, the moment for `token`.
    package mutating func set(_ token: Token, at deadline: MonotonicTime) {
        cancel(token)
        let place = pending.firstIndex { $0.deadline > deadline } ?? pending.endIndex
        pending.insert((deadline, token), at: place)
    }

    /// Forgets `token`.
    package mutating func cancel(_ token: Token) {
        pending.removeAll { $0.token == token }
    }

    /// The token whose moment has come first, if any has; it is forgotten by this.
    package mutating func next(at now: MonotonicTime) -> Token? {
        guard let soonest = pending.first, soonest.deadline <= now else { return nil }
        pending.removeFirst()
        return soonest.token
    }

    /// Milliseconds until something has to happen, rounded up; -1 if nothing has to.
    package func milliseconds(from now: MonotonicTime) -> Int {
        guard let soonest = pending.first else { return -1 }
        let nanoseconds = soonest.deadline.nanoseconds - now.nanoseconds
        return nanoseconds <= 0 ? 0 : Int((nanoseconds + 999_999) / 1_000_000)
    }
}
