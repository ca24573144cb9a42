/// What INFO says about a log.
package struct LogStatistics: Equatable, Sendable {
    /// Where the stream ends.
    package var endOffset: StreamOffset
    /// How much of it is in files.
    package var writtenOffset: StreamOffset
    /// How much of it survives a power cut.
    package var durableOffset: StreamOffset
    /// Bytes of the stream that wait in memory for the log thread.
    package var bufferedByteCount: Int
    package var condition: LogCondition
    package var growth: LogGrowth
    /// Complete increments and the one being written.
    package var segmentCount: Int
    /// Bytes of the stream written since the start, and what they came to in files.
    package var streamByteCount: Int
    package var fileByteCount: Int
    package var syncs: SyncStatistics
    /// Why the last segment could not be sealed.
    package var lastSealError: String?

    /// How many bytes may wait to be written, and to be synced, before writers have to wait.
    package var backlogLimit = 0
    package var unsyncedLimit = 0
    /// Whether effects are staged before they are written.
    package var hasStage = false

    /// Bytes of the stream that a power cut would lose now.
    package var pendingByteCount: Int { endOffset - durableOffset }

    /// File bytes for each byte of the stream; nil before anything was written.
    package var compressionRatio: Double? {
        streamByteCount > 0 ? Double(fileByteCount) / Double(streamByteCount) : nil
    }
}
