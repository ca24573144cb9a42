import Platform

/// What the server counts, for INFO.
struct ServerStatistics {
    var traffic = Traffic()
    var rejectedConnections: Int64 = 0
    var inputLimitDisconnections: Int64 = 0
    var outputLimitDisconnections: Int64 = 0
    var evictedClients: Int64 = 0
    var turns = Turns()
    /// The most memory the data set was seen to use.
    var peakByteCount = 0
    var requests = Rate()
    var received = Rate()
    var sent = Rate()
    var turnRate = Rate()
    var turnTime = Rate()

    /// Takes over what the loop has counted by now.
    mutating func follow(_ traffic: Traffic, _ turns: Turns) {
        self.traffic = traffic
        self.turns = turns
    }

    /// CONFIG RESETSTAT.
    mutating func reset() {
        self = ServerStatistics()
    }
}

/// The turns of the loop, and what they took in ticks of the processor's clock.
struct Turns {
    var count: Int64 = 0
    /// From the end of one wait to the beginning of the next.
    var ticks: UInt64 = 0
    /// Of those, the look for keys past their deadline and the freeing of what was removed.
    var expiryTicks: UInt64 = 0
}

/// How fast a count grows: the mean of the last sixteen samples.
struct Rate {
    private var samples: [Double] = []
    private var lastCount: Int64 = 0
    private var lastTime: MonotonicTime?

    /// Notes what the count is now.
    mutating func sample(_ count: Int64, at now: MonotonicTime) {
        defer {
            lastCount = count
            lastTime = now
        }
        guard let lastTime, now > lastTime, count >= lastCount else { return }
        let seconds = Double(now.nanoseconds - lastTime.nanoseconds) / 1e9
        samples.append(Double(count - lastCount) / seconds)
        if samples.count > 16 { samples.removeFirst() }
    }

    /// How much the count grows in a second.
    var perSecond: Double {
        samples.isEmpty ? 0 : samples.reduce(0, +) / Double(samples.count)
    }
}
