import Bytes
import Platform

// What the log thread does.
extension Handover {
    /// Waits for something to do; what is to be written is exchanged for `batch`.
    func take(_ batch: inout Batch) -> Work {
        batch.bytes.removeAll(keepingCapacityUpTo: 4 << 20)
        return monitor.wait(in: Room.writer) { state, deadline in
            let syncs = state.isSyncRequested && state.progress.policy == .always
            if !state.pending.isEmpty || !state.starts.isEmpty || syncs {
                let due = state.pendingSince + Handover.writeDelay
                guard state.isUrgent || state.isClosing || time.monotonicTime >= due else {
                    deadline = due
                    return nil
                }
                state.take(&batch)
                return .write
            }
            state.isUrgent = false
            if state.isClosing { return .close }
            if case .full = state.progress.condition {
                let now = time.monotonicTime
                let next = state.roomTime ?? now + Handover.roomDelay
                state.roomTime = now < next ? next : nil
                if now >= next { return .checkRoom }
                deadline = next
            }
            return nil
        }
    }

    /// Waits a little before a full disk is tried again; false if the log is to be closed.
    func pause() -> Bool {
        let end = time.monotonicTime + Handover.roomDelay
        return monitor.wait(in: Room.writer) { state, deadline in
            if state.isClosing { return false }
            guard time.monotonicTime < end else { return true }
            deadline = end
            return nil
        }
    }

    /// Whether a segment begun at `offset` can still be written.
    func isBeyondDoubt(_ offset: StreamOffset) -> Bool {
        monitor.withLock { $0.progress.isBeyondDoubt(offset) }
    }

    /// Waits until the sync thread has no sync under way, and keeps it from beginning one.
    ///
    /// A failed sync is told to one caller only. Would both sync at once, one could be told of
    /// the failure, and the other promise its own clients what was lost.
    func claimSync() {
        monitor.wait(in: Room.writer) { state, _ -> Void? in
            guard !state.progress.isSyncing else { return nil }
            state.progress.beginSync()
            return ()
        }
    }

    /// Lets the sync thread go on.
    func releaseSync() {
        monitor.withLock { $0.progress.endSync() }
    }

    /// Tells how far the log thread has come.
    func wrote(
        _ offset: StreamOffset,
        durable: StreamOffset,
        _ unsyncedFiles: [any StorageFile],
        segmentByteCount: Int
    ) {
        let rooms = unsyncedFiles.isEmpty ? [Room.keeper] : [Room.syncer]
        progress(waking: rooms) { state in
            state.progress.wrote(offset, durable: durable, at: time.monotonicTime)
            state.unsyncedFiles = unsyncedFiles
            state.fileByteCount += max(0, segmentByteCount - state.sizes.current)
            state.sizes.current = segmentByteCount
        }
    }

    /// A segment is complete, and another one is being written.
    func completed(_ entry: Manifest.Entry, end: StreamOffset, byteCount: Int) {
        monitor.withLock { state in
            state.completed.append(Completed(entry: entry, end: end))
            state.sizes.increments[entry.sequence] = byteCount
            state.fileByteCount += max(0, byteCount - state.sizes.current)
            state.sizes.current = 0
        }
    }

    func cutMade(_ entry: Manifest.Entry) {
        monitor.withLock { $0.cutSegment = entry }
        monitor.wake(Room.keeper)
    }

    func failed(_ error: SystemError, doubtEnd: StreamOffset) {
        progress(waking: [Room.writer]) { state in
            state.progress.failed(error, doubtEnd: doubtEnd)
            state.unsyncedFiles = []
        }
    }

    func foundFull(_ error: SystemError) {
        progress { $0.progress.foundFull(error) }
    }

    func foundRoom() {
        progress { $0.progress.foundRoom() }
    }
}

extension Handover.State {
    fileprivate mutating func take(_ batch: inout Handover.Batch) {
        swap(&pending, &batch.bytes)
        batch.start = pendingStart
        batch.segmentStarts = starts
        batch.policy = progress.policy
        pendingStart += batch.bytes.count
        starts = []
        isUrgent = false
        if progress.policy == .always { isSyncRequested = false }
    }
}

// What the thread does that syncs.
extension Handover {
    /// Waits for the moment to sync; nil when the log is closed.
    func awaitSync() -> SyncWork? {
        monitor.wait(in: Room.syncer) { state, deadline in
            if state.isClosing { return .some(nil) }
            let now = time.monotonicTime
            guard !state.unsyncedFiles.isEmpty else {
                // What was asked for may be on its way to a file.
                if state.progress.isAllWritten { state.isSyncRequested = false }
                return nil
            }
            // Complete segments are synced under any policy: they are sealed next.
            var isDue = state.isSyncRequested || state.unsyncedFiles.count > 1
            switch state.progress.syncTime(at: now) {
            case .now: isDue = true
            case .at(let moment): deadline = moment
            case .never: break
            }
            let isFree = state.progress.policy != .always && !state.progress.isSyncing
            guard isDue, isFree else { return nil }
            if state.progress.isAllWritten { state.isSyncRequested = false }
            state.progress.beginSync()
            return SyncWork(
                files: state.unsyncedFiles,
                offset: state.progress.written,
                begun: now
            )
        }
    }

    func synced(_ work: SyncWork) {
        let now = time.monotonicTime
        progress(waking: [Room.writer, Room.keeper]) { state in
            state.progress.synced(work.offset, at: now)
            // While bytes are in doubt nothing becomes durable, but these files are synced.
            if work.offset == state.progress.written { state.unsyncedFiles = [] }
        }
        noteSync(begun: work.begun)
    }

    /// Counts a sync that ends now.
    func noteSync(begun: MonotonicTime) {
        let duration = time.monotonicTime - begun
        let now = time.wallTime
        monitor.withLock { $0.statistics.note(duration, at: now) }
    }

    func syncFailed(_ error: SystemError, doubtEnd: StreamOffset) {
        monitor.withLock { $0.statistics.noteFailure() }
        failed(error, doubtEnd: doubtEnd)
    }
}

// What the keeper does.
extension Handover {
    /// Waits for something to seal or to publish; nil when the log is closed.
    func awaitKeeping() -> Keeping? {
        monitor.wait(in: Room.keeper) { state, _ in
            state.isKeeping = false
            if state.isClosing { return .some(nil) }
            guard !state.isHeld else { return nil }
            if let publication = state.publication, let cutSegment = state.cutSegment {
                state.publication = nil
                state.isKeeping = true
                return .publish(publication, before: cutSegment)
            }
            guard state.seals, let oldest = state.completed.first,
                oldest.end <= state.progress.durable
            else { return nil }
            state.completed.removeFirst()
            state.isKeeping = true
            return .seal(oldest.entry)
        }
    }

    /// A base stands for everything before `cut`.
    func published(_ base: Manifest.Entry, byteCount: Int, before sequence: Int) {
        let now = time.monotonicTime
        progress(waking: [Room.writer, Room.syncer]) { state in
            state.progress.published(base.position?.offset ?? 0, at: now)
            state.completed.removeAll { $0.entry.sequence < sequence }
            state.sizes.published(byteCount, before: sequence)
            state.sizes.baseOffset = base.position?.offset ?? 0
            state.outcome = .published
        }
    }

    func keepingFailed(_ work: Keeping, _ error: SystemError) {
        progress { state in
            switch work {
            case .publish: state.outcome = .failed(.storage(error))
            case .seal: state.lastSealError = error
            }
        }
    }

    func sealed(_ entry: Manifest.Entry, byteCount: Int) {
        monitor.withLock { state in
            if state.sizes.increments[entry.sequence] != nil {
                state.sizes.increments[entry.sequence] = byteCount
            }
        }
    }
}
