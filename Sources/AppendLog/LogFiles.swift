import Bytes
import Platform

/// The manifest of a log that is being written, shared by the threads that change it.
///
/// Each change is on disk when its function returns, and has not happened when it throws.
package final class LogFiles: Sendable {
    package let directory: LogDirectory
    private let current: Monitor<Manifest>

    package init(_ directory: LogDirectory, _ manifest: Manifest) {
        self.directory = directory
        current = Monitor(manifest)
    }

    package var manifest: Manifest { current.withLock { $0 } }

    /// Creates the file of the next increment, lets `fill` write into it, and makes it count.
    ///
    /// What `fill` wrote is synced before the manifest names the file: a segment that counts
    /// always has its first mark.
    package func addIncrement(
        _ format: SegmentFormat,
        _ fill: (any StorageFile) throws(SystemError) -> Void
    ) throws(SystemError) -> (entry: Manifest.Entry, file: any StorageFile) {
        try current.withLock { manifest throws(SystemError) in
            let sequence = manifest.highestSequence + 1
            let entry = Manifest.Entry(
                name: directory.incrementName(sequence, format),
                sequence: sequence
            )
            let file = try createFresh(entry.name)
            try fill(file)
            try file.sync()
            var changed = manifest
            if manifest.addsPending {
                changed.pending.append(entry)
            } else {
                changed.increments.append(entry)
            }
            try directory.storeManifest(changed)
            manifest = changed
            return (entry, file)
        }
    }

    /// Puts one file in the place of another that holds the same.
    package func replace(_ old: Manifest.Entry, with name: String) throws(SystemError) {
        let isReplaced = try current.withLock { manifest throws(SystemError) -> Bool in
            // A base may stand for it by now.
            guard let index = manifest.increments.firstIndex(of: old) else { return false }
            var changed = manifest
            changed.increments[index].name = name
            changed.history.append(old)
            try directory.storeManifest(changed)
            manifest = changed
            return true
        }
        if isReplaced {
            try removeHistory([old])
        } else {
            try directory.storage.remove(directory.path(name))
        }
    }

    /// Makes a base count that stands for everything before the increment `sequence`, and
    /// removes what it replaces.
    ///
    /// `temporaryPath` is where the base lies, synced.
    package func publishBase(
        _ temporaryPath: String,
        at position: Manifest.Position,
        before sequence: Int
    ) throws(SystemError) -> Manifest.Entry {
        let (entry, history) = try current.withLock {
            manifest throws(SystemError) -> (Manifest.Entry, [Manifest.Entry]) in
            let entry = Manifest.Entry(
                name: directory.baseName(manifest.highestSequence + 1),
                sequence: manifest.highestSequence + 1,
                position: position
            )
            try directory.storage.rename(temporaryPath, to: directory.path(entry.name))
            var changed = manifest
            changed.increments += changed.pending
            changed.pending = []
            changed.addsPending = false
            changed.history += changed.filesToRead.filter {
                $0 == changed.base || $0.sequence < sequence
            }
            changed.base = entry
            changed.increments.removeAll { $0.sequence < sequence }
            // Stores the rename, too: both are in the same folder.
            try directory.storeManifest(changed)
            manifest = changed
            return (entry, changed.history)
        }
        try removeHistory(history)
        return entry
    }

    /// Removes files that no longer count, and then their names from the manifest.
    ///
    /// In this order: a name without a file is harmless, a file without a name stays for ever.
    package func removeHistory(_ history: [Manifest.Entry]) throws(SystemError) {
        guard !history.isEmpty else { return }
        for entry in history {
            let path = directory.path(entry.name)
            if try directory.storage.exists(path) { try directory.storage.remove(path) }
        }
        try current.withLock { manifest throws(SystemError) in
            var changed = manifest
            changed.history.removeAll { history.contains($0) }
            try directory.storeManifest(changed)
            manifest = changed
        }
    }

    /// Creates a file; what lies there under its name cannot count, and is removed.
    private func createFresh(_ name: String) throws(SystemError) -> any StorageFile {
        let path = directory.path(name)
        if try directory.storage.exists(path) { try directory.storage.remove(path) }
        return try directory.storage.create(path)
    }
}
