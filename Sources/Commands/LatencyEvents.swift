/// Events that took longer than `latency-monitor-threshold`, by kind: what LATENCY tells.
package struct LatencyEvents: Sendable {
    /// In milliseconds; 0: nothing is noted.
    package var threshold: Int64 = 0
    private(set) var histories: [String: History] = [:]

    /// The events of one kind, the oldest first.
    struct History: Sendable {
        static let capacity = 160
        var samples: [Sample] = []
        /// The longest there ever was.
        var longest: Int64 = 0
        /// All together, and how many.
        var sum: Int64 = 0
        var count: Int64 = 0
    }

    /// The longest event of one second.
    struct Sample: Equatable, Sendable {
        /// In seconds since 1970.
        let time: Int64
        var milliseconds: Int64
    }

    /// Notes an event, if it is long enough.
    package mutating func note(_ name: String, milliseconds: Int64, at time: Int64) {
        guard threshold > 0, milliseconds >= threshold else { return }
        var history = histories[name] ?? History()
        history.longest = max(history.longest, milliseconds)
        history.sum += milliseconds
        history.count += 1
        if let last = history.samples.last, last.time == time {
            history.samples[history.samples.count - 1].milliseconds = max(
                last.milliseconds,
                milliseconds
            )
        } else {
            history.samples.append(Sample(time: time, milliseconds: milliseconds))
            if history.samples.count > History.capacity { history.samples.removeFirst() }
        }
        histories[name] = history
    }

    /// Forgets one kind of event; false if there were none.
    mutating func forget(_ name: String) -> Bool {
        histories.removeValue(forKey: name) != nil
    }

    mutating func forgetAll() -> Int {
        defer { histories.removeAll() }
        return histories.count
    }
}

extension LatencyEvents.History {
    var mean: Int64 { count == 0 ? 0 : sum / count }

    /// How far samples are from their mean, on average.
    var meanDeviation: Int64 {
        guard !samples.isEmpty else { return 0 }
        let center = samples.reduce(0) { $0 + $1.milliseconds } / Int64(samples.count)
        let far = samples.reduce(0) { $0 + abs($1.milliseconds - center) }
        return far / Int64(samples.count)
    }

    /// Seconds between samples, on average.
    func period(until now: Int64) -> Double {
        guard let first = samples.first, samples.count > 1 else { return 0 }
        return Double(now - first.time) / Double(samples.count - 1)
    }
}
