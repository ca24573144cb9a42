import Bytes

/// What reading a log came to, for the writer that continues it.
package struct RecoveredLog: Equatable, Sendable {
    /// The files, without those that have to be dropped.
    package var manifest: Manifest
    /// Where the stream ends.
    package var offset: StreamOffset
    /// The history it belongs to; nil if another server wrote it.
    package var lineage: Lineage?
    /// Whether the writer stopped in good order.
    package var wasClosed: Bool
    /// Requests read after the base.
    package var requestCount: Int
    /// Effects at the end of the stream that are in no segment yet: the stage has them.
    package var staged = ByteString([])
    /// What has to be cut off before the log can be continued.
    package var tornTail: TornTail?
    /// Files of which it is not certain that the disk has what was read.
    package var unproven: [Unproven]

    /// The end of a log that was being written when the machine stopped.
    package struct TornTail: Equatable, Sendable {
        /// The file.
        package var file: String
        /// Where it is cut.
        package var fileOffset: Int
        /// Bytes of the file after that.
        package var byteCount: Int
        /// Requests among them that could be read, but belong to a transaction or to a batch
        /// that is not whole.
        package var requestCount: Int
        /// What is wrong there.
        package var problem: String
        /// Files after this one, of which nothing can be kept.
        package var droppedFiles: [Manifest.Entry]
        /// Whether a frame has to be closed at the cut.
        var needsEndMark: Bool
    }

    /// A part of a file that was read, but maybe from the kernel's memory only.
    ///
    /// A process whose sync failed may have died, and what it wrote still looks well in the
    /// page cache, marked clean. Writing the same bytes again makes the next sync mean
    /// something.
    package struct Unproven: Equatable, Sendable {
        package var file: String
        package var start: Int
    }
}

extension RecoveredLog.TornTail: CustomStringConvertible {
    package var description: String {
        var text = "\(file): \(problem) at byte \(fileOffset), \(byteCount) bytes are set aside"
        if requestCount > 0 { text += ", with at least \(requestCount) requests" }
        for entry in droppedFiles { text += ", and \(entry.name)" }
        return text
    }
}
