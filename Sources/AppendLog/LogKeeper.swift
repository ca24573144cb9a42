import Bytes
import Platform

/// What the keeper thread does: the work on a log that nobody waits for.
///
/// It puts a finished base in the place of what it stands for, and turns complete segments
/// into smaller ones.
struct LogKeeper: Sendable {
    let files: LogFiles
    let handover: Handover

    /// Runs until the log is closed.
    func run() {
        while let work = handover.awaitKeeping() {
            do throws(SystemError) {
                switch work {
                case .publish(let publication, let cutSegment):
                    try publish(publication, before: cutSegment)
                case .seal(let entry):
                    try seal(entry)
                }
            } catch {
                handover.keepingFailed(work, error)
            }
        }
    }

    private func publish(
        _ publication: Handover.Publication,
        before cutSegment: Manifest.Entry
    ) throws(SystemError) {
        let storage = files.directory.storage
        let file = try storage.open(publication.temporaryPath, writable: true)
        let byteCount = try file.byteCount()
        // Whoever wrote it should have synced it; if not, the log it replaces is gone and the
        // base may be, too.
        try file.sync()
        let base = try files.publishBase(
            publication.temporaryPath,
            at: publication.position,
            before: cutSegment.sequence
        )
        handover.published(base, byteCount: byteCount, before: cutSegment.sequence)
        try files.removeHistory(files.manifest.history)
    }

    private func seal(_ entry: Manifest.Entry) throws(SystemError) {
        let sealer = Sealer(directory: files.directory)
        guard let sealed = try sealer.seal(entry, while: { !handover.isClosing }) else { return }
        try files.replace(entry, with: sealed.name)
        handover.sealed(entry, byteCount: sealed.byteCount)
    }
}
