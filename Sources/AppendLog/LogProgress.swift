import Platform

/// Whether a log takes writes.
package enum LogCondition: Equatable, Sendable {
    case writable
    /// The disk is full. Reads are served, writes refused; it ends by itself.
    case full(SystemError)
    /// Bytes may be lost to this log. Reads are served, writes refused, until a compaction has
    /// put a base in the place of everything written so far.
    ///
    /// A sync that failed is never tried again: the kernel has dropped what it could not
    /// write, and the next sync would succeed without it.
    case failed(SystemError)
}

/// How far the log has come, and what may be said about it; it does nothing itself.
///
///     0            acknowledged     durable? written            appended
///     |-----------------|--------------|--------|-------------------|
///
/// `durable` is before or after `acknowledged`, as the policy has it.
package struct LogProgress {
    /// How much of the stream is in files.
    package private(set) var written: StreamOffset
    /// How much of it survives a power cut.
    package private(set) var durable: StreamOffset
    /// Writes up to here may be answered.
    package private(set) var acknowledged: StreamOffset
    package private(set) var condition = LogCondition.writable
    package private(set) var policy: SyncPolicy
    package private(set) var isSyncing = false

    /// When the oldest byte that is written but not durable was written.
    private var unsyncedSince: MonotonicTime?
    /// Where bytes in doubt end, if there are any.
    private var doubtEnd: StreamOffset?
    /// Synced while earlier bytes were in doubt.
    private var syncedBeyondDoubt: StreamOffset = 0

    /// Under `everysec`, a power cut undoes acknowledged writes of at most this long.
    package static let loss = Duration.seconds(1)
    /// Under `everysec`, a byte waits this long for its sync to begin.
    ///
    /// Half of `loss`: the sync itself takes time, too, and the promise covers both.
    package static let syncDelay = Duration.milliseconds(500)

    package init(offset: StreamOffset, policy: SyncPolicy) {
        written = offset
        durable = offset
        acknowledged = offset
        self.policy = policy
    }

    /// The log thread put everything before `offset` into files, and synced what it says.
    package mutating func wrote(
        _ offset: StreamOffset,
        durable: StreamOffset,
        at now: MonotonicTime
    ) {
        written = offset
        noteDurable(durable)
        if self.durable < written {
            unsyncedSince = unsyncedSince ?? now
        } else {
            unsyncedSince = nil
        }
        acknowledge(now)
    }

    /// Says what is in the policy's power to acknowledge.
    private mutating func acknowledge(_ now: MonotonicTime) {
        guard doubtEnd == nil else { return }
        switch policy {
        case .always:
            acknowledged = max(acknowledged, durable)
        case .no:
            acknowledged = written
        case .everysec:
            // The disk is behind. Who got an answer now could lose more than a second of
            // answered writes to a power cut, so answers stop until the disk has caught up.
            if let unsyncedSince, now - unsyncedSince > LogProgress.loss { return }
            acknowledged = written
        }
    }

    package mutating func change(policy: SyncPolicy, at now: MonotonicTime) {
        self.policy = policy
        acknowledge(now)
    }

    /// When the sync thread has to sync.
    package enum SyncTime: Equatable {
        case now
        case at(MonotonicTime)
        case never
    }

    /// When the sync thread has to sync, if nobody asks for it.
    package func syncTime(at now: MonotonicTime) -> SyncTime {
        guard policy == .everysec, let unsyncedSince, doubtEnd == nil else { return .never }
        let due = unsyncedSince + LogProgress.syncDelay
        return now >= due ? .now : .at(due)
    }

    package mutating func beginSync() {
        isSyncing = true
    }

    /// Everything before `offset` was synced by a sync that began at `begun`.
    package mutating func synced(
        _ offset: StreamOffset,
        begun: MonotonicTime,
        at now: MonotonicTime
    ) {
        isSyncing = false
        noteDurable(offset)
        unsyncedSince = durable < written ? begun : nil
        acknowledge(now)
    }

    private mutating func noteDurable(_ offset: StreamOffset) {
        if doubtEnd == nil {
            durable = max(durable, offset)
        } else {
            syncedBeyondDoubt = max(syncedBeyondDoubt, offset)
        }
    }

    /// Bytes before `end` may be lost to this log.
    package mutating func failed(_ error: SystemError, doubtEnd end: StreamOffset) {
        isSyncing = false
        doubtEnd = max(doubtEnd ?? 0, end)
        condition = .failed(error)
    }

    package mutating func foundFull(_ error: SystemError) {
        if doubtEnd == nil { condition = .full(error) }
    }

    package mutating func foundRoom() {
        if doubtEnd == nil { condition = .writable }
    }

    /// Whether a segment begun at `offset` has nothing in doubt.
    package func isBeyondDoubt(_ offset: StreamOffset) -> Bool {
        doubtEnd.map { offset >= $0 } ?? true
    }

    /// A base stands for everything before `cut`.
    package mutating func published(_ cut: StreamOffset, at now: MonotonicTime) {
        guard isBeyondDoubt(cut) else { return }
        if doubtEnd != nil {
            doubtEnd = nil
            condition = .writable
        }
        noteDurable(max(cut, syncedBeyondDoubt))
        acknowledge(now)
    }
}
