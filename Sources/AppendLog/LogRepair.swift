import Bytes
import Platform

/// Makes what a crash left of a log fit to be continued.
///
/// Every step can be repeated: a second crash in the middle leaves a log that recovers to the
/// same stream.
package struct LogRepair {
    private let directory: LogDirectory

    package init(directory: LogDirectory) {
        self.directory = directory
    }

    /// Cuts a torn tail off and makes sure that the disk has what was read.
    package func repair(_ recovered: RecoveredLog) throws(SystemError) {
        if let tail = recovered.tornTail {
            try setAside(tail)
            if !tail.droppedFiles.isEmpty {
                // They are in the way of whatever is written next, so they go out of the
                // manifest before the cut that explains why.
                try directory.storeManifest(recovered.manifest)
                for entry in tail.droppedFiles { try setAside(entry) }
            }
            try cut(tail)
        }
        for part in recovered.unproven { try rewrite(part) }
        try removeTemporaryFiles()
    }

    /// Keeps a copy of what is going to be cut.
    private func setAside(_ tail: RecoveredLog.TornTail) throws(SystemError) {
        guard tail.byteCount > 0 else { return }
        let name = "\(tail.file).cut-\(tail.fileOffset)"
        if try directory.storage.exists(name) { try directory.storage.remove(name) }
        let source = try directory.storage.open(tail.file, writable: false)
        let copy = try directory.storage.create(name)
        var buffer = ByteWriter()
        var position = 0
        while position < tail.byteCount {
            let got = try source.read(
                min(1 << 20, tail.byteCount - position),
                at: tail.fileOffset + position,
                into: &buffer
            )
            guard got > 0 else { break }
            try copy.write(buffer.bytes, at: position)
            position += got
            buffer.removeAll()
        }
        try copy.sync()
        try directory.storage.syncDirectory(directory.folder)
    }

    /// Gives a file that no longer counts a name that says so.
    private func setAside(_ entry: Manifest.Entry) throws(SystemError) {
        let path = directory.path(entry.name)
        guard try directory.storage.exists(path) else { return }
        try directory.storage.rename(path, to: "\(path).cut-0")
        try directory.storage.syncDirectory(directory.folder)
    }

    private func cut(_ tail: RecoveredLog.TornTail) throws(SystemError) {
        let file = try directory.storage.open(tail.file, writable: true)
        try file.truncate(to: tail.fileOffset)
        if tail.needsEndMark {
            var endMark = ByteWriter()
            endMark.appendInteger(LZ4Compressor.endMark)
            try file.write(endMark.bytes, at: tail.fileOffset)
        }
        try file.sync()
    }

    private func rewrite(_ part: RecoveredLog.Unproven) throws(SystemError) {
        let file = try directory.storage.open(part.file, writable: true)
        let end = try file.byteCount()
        var buffer = ByteWriter()
        var position = part.start
        while position < end {
            let got = try file.read(min(1 << 20, end - position), at: position, into: &buffer)
            guard got > 0 else { break }
            try file.write(buffer.bytes, at: position)
            position += got
            buffer.removeAll()
        }
        // Also gives back what was reserved behind the end.
        try file.truncate(to: end)
        try file.sync()
    }

    private func removeTemporaryFiles() throws(SystemError) {
        let names = try directory.storage.names(in: directory.folder)
        for name in names where name.hasPrefix(directory.temporaryPrefix) {
            try directory.storage.remove(directory.path(name))
        }
    }
}

extension LogDirectory {
    /// How the names of files begin that never count.
    package var temporaryPrefix: String { "temp-\(fileName)." }
}
