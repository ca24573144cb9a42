/// How long something kept the core, as a histogram.
///
/// Each bucket counts durations up to a quarter longer than the one before, from a microsecond
/// on: what is told of a share is at most a quarter too long.
package struct Pauses: Sendable {
    private var counts = [Int](repeating: 0, count: 96)
    /// How many.
    package private(set) var count = 0
    /// The longest, in microseconds.
    package private(set) var longest = 0

    package init() {}

    /// Notes one.
    package mutating func add(_ duration: Duration) {
        let microseconds = Pauses.microseconds(of: duration)
        count += 1
        longest = max(longest, microseconds)
        var index = 0
        while index < counts.count - 1, Pauses.bound(of: index) < microseconds { index += 1 }
        counts[index] += 1
    }

    /// So many microseconds or less took this share of them, in thousandths.
    package func microseconds(forThousandths share: Int) -> Int {
        var left = (count * share + 999) / 1000
        guard left > 0 else { return 0 }
        for index in counts.indices {
            left -= counts[index]
            if left <= 0 { return min(Pauses.bound(of: index), longest) }
        }
        return longest
    }

    private static func microseconds(of duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
    }

    /// Powers of two, and three steps between each and the next.
    private static func bound(of index: Int) -> Int {
        let power = 1 << (index / 4)
        return power + power * (index % 4) / 4
    }
}
