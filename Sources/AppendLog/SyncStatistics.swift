import Platform

/// How long syncs took.
package struct SyncStatistics: Equatable, Sendable {
    /// Syncs by duration: element n counts those of less than 2^n times 64 microseconds, and
    /// the last one all that took longer.
    package private(set) var counts = [Int](repeating: 0, count: SyncStatistics.bucketCount)
    /// The longest one.
    package private(set) var longest = Duration.zero
    /// The last one.
    package private(set) var last = Duration.zero
    /// When the last one ended.
    package private(set) var lastTime: WallTime?
    /// The longest one since `takeRecent`.
    private var recent = Duration.zero
    /// Syncs that failed.
    package private(set) var failureCount = 0

    static let bucketCount = 16

    /// The upper bound of bucket `index`; nil for the last, which has none.
    package static func bound(of index: Int) -> Duration? {
        index < bucketCount - 1 ? .microseconds(64 << index) : nil
    }

    /// How many syncs there were.
    package var count: Int { counts.reduce(0, +) }

    mutating func note(_ duration: Duration, at time: WallTime) {
        let index = (0..<SyncStatistics.bucketCount).first { index in
            SyncStatistics.bound(of: index).map { duration < $0 } ?? true
        }
        counts[index ?? 0] += 1
        longest = max(longest, duration)
        recent = max(recent, duration)
        last = duration
        lastTime = time
    }

    /// How long the longest sync took since this was asked; zero if there was none.
    mutating func takeRecent() -> Duration {
        defer { recent = .zero }
        return recent
    }

    mutating func noteFailure() {
        failureCount += 1
    }
}
