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

    /// Copies keys as long as they need no change, the last of them having been copied to `output`.
    func copyRuns(
        _ reader: inout FileReader,
        to output: Output
    ) throws(MigrationError) {
        while importingSlots.isEmpty {
            run.find(in: reader.unreadBytes, reader.format, now: decisions.now)
            guard !run.keys.isEmpty else { return }
            try insertRun(reader.unreadBytes, reader.database, at: reader.offset)
            var counts = KeyCounts()
            for index in run.keys.indices {
                let key = run.keys[index]
                counts.add(key.encoding.kind)
                if key.deadline != nil { counts.deadlines += 1 }
                if key.packedCount > 0 { packing.note(key.encoding, key.packedCount) }
            }
            ledger.keys.noteCopied(counts)
            output.keyCount += run.keys.count
            try input { () throws(RDBError) in try output.writer.copy(run, from: &reader) }
            if case .byteCount(let limit) = decisions.split, output.writer.count >= limit { return }
        }
    }

    private func insertRun(
        _ bytes: RawSpan,
        _ database: UInt64,
        at offset: Int
    ) throws(MigrationError) {
        do {
            for index in run.keys.indices {
                let key = run.keys[index]
                let location = DuplicateKeys.Location(
                    input: facts.index,
                    offset: offset + key.start
                )
                if let integer = key.integer {
                    var text = ByteWriter(reserving: 24)
                    text.append(decimal: integer)
                    try duplicates.insert(text.bytes, in: database, from: location)
                } else {
                    let name = bytes.part(from: key.name.lowerBound, count: key.name.count)
                    try duplicates.insert(name, in: database, from: location)
                }
            }
        } catch {
            throw .system(error)
        }
    }
}
