import Platform

/// Whether a log takes writes.
package enum LogCondition: Equatable, Sendable {
    case writable
    /// No base stands for what was there before the log yet: nothing is promised so far.
    case beginning
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
    /// How much of the stream was handed over.
    package private(set) var appended: StreamOffset
    /// How much of it is in files.
    package private(set) var written: StreamOffset
    /// How much of it survives a power cut.
    package private(set) var durable: StreamOffset
    /// Writes up to here may be answered, staged or not.
    package private(set) var acknowledged: StreamOffset
    /// How much of it a start would find without the stage.
    package private(set) var settled: StreamOffset
    package private(set) var condition = LogCondition.writable
    package private(set) var policy: SyncPolicy
    package private(set) var isSyncing = false

    /// Bytes that are not durable, by the moments at which they were handed over.
    private var ages: [Age] = []
    /// Where bytes in doubt end, if there are any.
    private var doubtEnd: StreamOffset?
    /// Synced while earlier bytes were in doubt.
    private var syncedBeyondDoubt: StreamOffset = 0

    private struct Age {
        /// Where the bytes end.
        var end: StreamOffset
        /// When the first of them came.
        var since: MonotonicTime
    }

    /// Under `everysec`, a power cut undoes acknowledged writes of at most this long.
    package static let loss = Duration.seconds(1)
    /// Under `everysec`, a byte waits this long for its sync to begin.
    ///
    /// Half of `loss`: the sync itself takes time, too, and the promise covers both.
    package static let syncDelay = Duration.milliseconds(500)
    /// Bytes that came so soon after others count as old as those.
    private static let ageStep = Duration.milliseconds(10)
    /// More ages than this are not told apart: nothing is durable for seconds then.
    private static let ageLimit = 256

    /// `isBeginning` says that nothing counts until a base is published.
    package init(offset: StreamOffset, policy: SyncPolicy, isBeginning: Bool = false) {
        appended = offset
        written = offset
        durable = offset
        acknowledged = offset
        settled = offset
        self.policy = policy
        if isBeginning {
            condition = .beginning
            doubtEnd = offset
        }
    }

    /// Everything before `end` was handed over.
    package mutating func appended(_ end: StreamOffset, at now: MonotonicTime) {
        appended = end
        if let last = ages.last,
            now - last.since < Self.ageStep || ages.count >= Self.ageLimit
        {
            ages[ages.count - 1].end = end
        } else {
            ages.append(Age(end: end, since: now))
        }
    }

    /// The log thread put everything before `offset` into files, and synced what it says.
    package mutating func wrote(
        _ offset: StreamOffset,
        durable: StreamOffset,
        at now: MonotonicTime
    ) {
        written = offset
        noteDurable(durable)
        acknowledge(now)
    }

    /// Says what is in the policy's power to acknowledge.
    private mutating func acknowledge(_ now: MonotonicTime) {
        guard doubtEnd == nil else { return }
        settled = max(settled, written)
        switch policy {
        case .always:
            acknowledged = max(acknowledged, durable)
        case .no:
            acknowledged = max(acknowledged, written)
        case .everysec:
            if let limit = stagingLimit, now <= limit { acknowledged = max(acknowledged, written) }
        }
    }

    /// Until when a write may be answered that is staged, but not durable; nil for never.
    ///
    /// When the disk is behind, who got an answer could lose more than a second of answered
    /// writes to a power cut, so answers stop until the disk has caught up.
    package var stagingLimit: MonotonicTime? {
        guard doubtEnd == nil else { return nil }
        switch policy {
        case .always: return nil
        case .no: return MonotonicTime(nanoseconds: .max)
        case .everysec:
            return ages.first.map { $0.since + Self.loss } ?? MonotonicTime(nanoseconds: .max)
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
        guard policy == .everysec, doubtEnd == nil, written > durable, let oldest = ages.first
        else { return .never }
        let due = oldest.since + LogProgress.syncDelay
        return now >= due ? .now : .at(due)
    }

    /// Whether nothing waits to be written.
    package var isAllWritten: Bool { written >= appended }

    package mutating func beginSync() {
        isSyncing = true
    }

    package mutating func endSync() {
        isSyncing = false
    }

    /// Everything before `offset` was synced.
    package mutating func synced(_ offset: StreamOffset, at now: MonotonicTime) {
        isSyncing = false
        noteDurable(offset)
        acknowledge(now)
    }

    private mutating func noteDurable(_ offset: StreamOffset) {
        guard doubtEnd == nil else {
            syncedBeyondDoubt = max(syncedBeyondDoubt, offset)
            return
        }
        durable = max(durable, offset)
        let young = ages.firstIndex { $0.end > durable } ?? ages.count
        ages.removeFirst(young)
    }

    /// Bytes before `end` may be lost to this log.
    package mutating func failed(_ error: SystemError, doubtEnd end: StreamOffset) {
        isSyncing = false
        if doubtEnd == nil { settled = min(settled, durable) }
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
