import Bytes
import Platform

/// The two threads of a running log.
///
/// One writes what was handed over; under `always` it syncs it, too, and what arrives in the
/// meantime shares the next sync. The other syncs under `everysec`, so that a slow sync does
/// not keep the writing of the next batches waiting.
///
/// The writer belongs to the first thread alone.
final class LogThread: @unchecked Sendable {
    private let handover: Handover
    private let time: any TimeSource
    private var writer: LogWriter

    init(_ writer: consuming LogWriter, _ handover: Handover, _ time: any TimeSource) {
        self.writer = writer
        self.handover = handover
        self.time = time
    }

    /// What the log thread does.
    func write() {
        var batch = Handover.Batch(bytes: ByteWriter(), segmentStarts: [], policy: .everysec)
        do throws(SystemError) {
            while handover.take(&batch) {
                writer.synced(handover.durableOffset)
                try write(batch)
                if batch.policy == .always { try writer.sync() }
                handover.wrote(
                    writer.offset,
                    durable: writer.durableOffset,
                    file: writer.segment.file
                )
            }
            if handover.failure == nil {
                try writer.close()
                handover.wrote(
                    writer.offset,
                    durable: writer.durableOffset,
                    file: writer.segment.file
                )
            }
        } catch {
            handover.failed(error)
        }
    }

    private func write(_ batch: borrowing Handover.Batch) throws(SystemError) {
        var start = 0
        for place in batch.segmentStarts {
            try write(batch, start, place)
            try writer.beginSegment()
            start = place
        }
        try write(batch, start, batch.bytes.count)
    }

    private func write(
        _ batch: borrowing Handover.Batch,
        _ start: Int,
        _ end: Int
    ) throws(SystemError) {
        guard start < end else { return }
        try writer.write(batch.bytes.bytes.part(from: start, count: end - start))
    }

    /// What the sync thread does.
    func sync() {
        while let work = handover.awaitSync() {
            let begun = time.monotonicTime
            do throws(SystemError) {
                try work.file.sync()
                handover.synced(work.offset, begun: begun)
            } catch {
                handover.failed(error)
            }
        }
    }
}
