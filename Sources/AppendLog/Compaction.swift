/// A compaction under way: a base is being written that stands for the stream up to a cut.
///
/// The log goes on in a new segment. Until the base is published, base and segments from
/// before are what a restart reads; a compaction that does not end leaves nothing but a file
/// that the next start removes.
package struct Compaction: Equatable, Sendable {
    /// Where to write the base, as the storage names it.
    package let path: String
    /// Where the stream stands: the base holds the data set exactly as it is there.
    ///
    /// An RDB says so in its fields `repl-id` and `repl-offset`.
    package let position: Manifest.Position

    /// How a compaction ended.
    package enum Outcome: Equatable, Sendable {
        /// The base counts, and what it replaced is gone.
        case published
        /// The log is as if there had been no compaction.
        case failed(LogError)
    }
}

/// How much a log has grown since its base was written.
package struct LogGrowth: Equatable, Sendable {
    /// Bytes of the base file.
    package var baseByteCount: Int
    /// Bytes of all files.
    package var totalByteCount: Int
    /// Bytes of the stream since the base, as they were before compression.
    package var streamByteCount: Int

    /// Whether `auto-aof-rewrite-percentage` and `auto-aof-rewrite-min-size` ask for a
    /// compaction.
    package func isDue(percentage: Int, minimumByteCount: Int) -> Bool {
        guard percentage > 0, totalByteCount > minimumByteCount else { return false }
        let base = max(baseByteCount, 1)
        return (totalByteCount - base) / base >= percentage / 100
            && (totalByteCount - base) * 100 / base >= percentage
    }

    /// The share of what a restart reads that is no longer true.
    ///
    /// `liveByteCount` is the caller's estimate of what a base written now would take.
    package func garbageRatio(liveByteCount: Int) -> Double {
        let read = baseByteCount + streamByteCount
        return read > 0 ? max(0, 1 - Double(liveByteCount) / Double(read)) : 0
    }
}
