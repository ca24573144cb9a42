import Bytes
import Inspect
import RDB

/// Keys that follow each other and need no change: they go over in one piece.
extension Conversion {
    /// Whether there can be such keys.
    static func copiesRuns(_ decisions: Decisions) -> Bool {
        let selection = decisions.selection
        if case .slots = decisions.split { return false }
        return selection.isIdentity && !decisions.isChecking && !decisions.isDroppingExpired
    }

    /// Shorter records are found more slowly than they are copied.
    private static let shortRecordByteCount = 100

    /// Copies keys as long as they need no change, the last of them having been copied to `output`.
    func copyRuns(
        _ reader: inout FileReader,
        to output: Output
    ) throws(MigrationError) {
        if isShared { givesRuns = false }
        while importingSlots.isEmpty {
            run.find(in: reader.unreadBytes, reader.format, now: decisions.now)
            let keys = run.keys
            guard !keys.isEmpty else { return }
            do {
                let start = DuplicateKeys.Location(input: facts.index, offset: reader.offset)
                try duplicates.insert(
                    keys,
                    of: reader.unreadBytes,
                    in: reader.database,
                    from: start
                )
            } catch {
                throw .system(error)
            }
            var counts = KeyCounts()
            for index in keys.indices {
                counts.add(keys[index].encoding.kind)
                let packedCount = Int(keys[index].packedCount)
                if packedCount > 0 { packing.note(keys[index].encoding, packedCount) }
            }
            ledger.noteCopied(counts)
            output.keyCount += keys.count
            try input { () throws(RDBError) in try output.writer.copy(run, from: &reader) }
            if run.byteCount < keys.count * Self.shortRecordByteCount { givesRuns = true }
            if isShared, givesRuns { return }
            if case .byteCount(let limit) = decisions.split, output.writer.count >= limit { return }
        }
    }
}
