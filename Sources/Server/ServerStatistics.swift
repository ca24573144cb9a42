import Platform

/// What the server counts, for INFO.
struct ServerStatistics {
    var traffic = Traffic()
    var rejectedConnections: Int64 = 0
    var inputLimitDisconnections: Int64 = 0
    var outputLimitDisconnections: Int64 = 0
    var evictedClients: Int64 = 0
    var turnCount: Int64 = 0
    /// The most memory the data set was seen to use.
    var peakByteCount = 0
    var requests = Rate()
    var received = Rate()
    var sent = Rate()

    /// CONFIG RESETSTAT.
    mutating func reset() {
        self = ServerStatistics()
    }
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
