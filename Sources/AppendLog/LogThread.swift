import Bytes
import Platform

/// What the log thread does: it writes what was handed over.
///
/// Under `always` it also syncs; what arrives in the meantime shares the next sync. The writer
/// belongs to this thread alone.
final class LogThread: @unchecked Sendable {
    private let handover: Handover
    private let time: any TimeSource
    private var writer: LogWriter
    /// Where the segment being written begins in the stream.
    private var segmentOffset: StreamOffset
    private var isFull = false

    init(_ writer: consuming LogWriter, _ handover: Handover, _ time: any TimeSource) {
        segmentOffset = writer.offset
        self.writer = writer
        self.handover = handover
        self.time = time
    }

    /// Runs until the log is closed.
    func run() {
        var batch = Handover.Batch()
        while true {
            switch handover.take(&batch) {
            case .write:
                catchUp()
                write(batch)
            case .checkRoom:
                checkRoom()
            case .close:
                close()
                return
            }
        }
    }

    /// Learns what other threads made durable.
    private func catchUp() {
        switch handover.condition {
        case .failed, .beginning: return
        case .writable, .full: break
        }
        if writer.isBroken { writer.mend(at: handover.durableOffset) }
        writer.synced(handover.durableOffset)
    }

    private func write(_ batch: borrowing Handover.Batch) {
        var position = 0
        for start in batch.segmentStarts {
            write(batch, from: position, to: start.position)
            position = start.position
            if let compression = start.compression { writer.change(compression) }
            beginSegment(at: batch.start + position, isCut: start.isCut)
        }
        write(batch, from: position, to: batch.bytes.count)
        if batch.policy == .always { sync() }
        report()
    }

    /// Writes a part of a batch, unless it could not be trusted to stay.
    private func write(_ batch: borrowing Handover.Batch, from start: Int, to end: Int) {
        guard start < end, handover.isBeyondDoubt(segmentOffset) else { return }
        attempt(doubtEnd: batch.end) { () throws(SystemError) in
            try writer.write(batch.bytes.bytes.part(from: start, count: end - start))
        }
        noteRoom()
    }

    private func noteRoom() {
        guard writer.hasRoom == isFull else { return }
        isFull = !writer.hasRoom
        if isFull {
            handover.foundFull(SystemError("fallocate", writer.path, code: SystemError.noSpace))
        } else {
            handover.foundRoom()
        }
    }

    private func beginSegment(at offset: StreamOffset, isCut: Bool) {
        let isTrusted = handover.isBeyondDoubt(segmentOffset)
        guard isTrusted || isCut else { return }
        let ended = writer.currentEntry
        let byteCount = writer.currentByteCount
        let isDone = attempt(doubtEnd: offset + 1) { () throws(SystemError) in
            if isTrusted {
                try writer.beginSegment()
            } else {
                try writer.abandon(goingOnAt: offset)
            }
        }
        guard isDone else { return }
        segmentOffset = offset
        if isTrusted { handover.completed(ended, end: offset, byteCount: byteCount) }
        if isCut { handover.cutMade(writer.currentEntry) }
    }

    private func sync() {
        handover.claimSync()
        defer { handover.releaseSync() }
        guard writer.syncedOffset < writer.offset, handover.isBeyondDoubt(segmentOffset) else {
            return
        }
        let begun = time.monotonicTime
        let end = writer.offset
        do throws(SystemError) {
            try writer.sync()
            handover.noteSync(begun: begun)
        } catch {
            handover.syncFailed(error, doubtEnd: end)
        }
    }

    private func report() {
        handover.wrote(
            writer.offset,
            durable: writer.syncedOffset,
            writer.unsyncedFiles,
            segmentByteCount: writer.currentByteCount
        )
    }

    /// Does something that needs room on the disk, again and again while there is none.
    @discardableResult
    private func attempt(
        doubtEnd: StreamOffset,
        _ body: () throws(SystemError) -> Void
    ) -> Bool {
        while true {
            do throws(SystemError) {
                try body()
                return true
            } catch {
                guard error.isOutOfSpace else {
                    handover.failed(error, doubtEnd: doubtEnd)
                    return false
                }
                isFull = true
                handover.foundFull(error)
                guard handover.pause() else {
                    handover.failed(error, doubtEnd: doubtEnd)
                    return false
                }
            }
        }
    }

    private func checkRoom() {
        attempt(doubtEnd: writer.offset) { () throws(SystemError) in try writer.reserve() }
        noteRoom()
    }

    private func close() {
        handover.claimSync()
        guard handover.isBeyondDoubt(segmentOffset) else { return }
        do throws(SystemError) {
            try writer.close()
            report()
        } catch {
            handover.syncFailed(error, doubtEnd: writer.offset)
        }
    }
}

/// What the sync thread does under `everysec`.
///
/// It is a thread of its own so that a slow sync does not keep the next batches from being
/// written, and their writers from being answered.
enum SyncThread {
    /// Runs until the log is closed.
    static func run(_ handover: Handover) {
        while let work = handover.awaitSync() {
            do throws(SystemError) {
                for file in work.files { try file.sync() }
                handover.synced(work)
            } catch {
                handover.syncFailed(error, doubtEnd: work.offset)
            }
        }
    }
}
