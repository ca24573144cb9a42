import Bytes
import Inspect
import RDB

/// A key on its way: what was read of it, and where it goes.
struct KeyInTransit {
    /// What stands before its value.
    let record: KeyRecord
    /// The database it comes from.
    let source: UInt64
    /// The database it goes to.
    let database: UInt64
    /// What it will be called.
    let name: ByteString
    /// Whether it was called otherwise.
    let isRenamed: Bool
    /// The module, if its value is one's.
    let module: ModuleID?

    /// Where it was read, for reports.
    let original: Place
}

/// Keys: copied, rewritten or left out.
extension Conversion {
    /// Takes the key that `reader` read last.
    func take(_ record: KeyRecord, _ reader: inout FileReader) throws(MigrationError) {
        let source = reader.database
        if source != lastDatabase {
            facts.noteKey(in: source)
            lastDatabase = source
        }
        if isCopyingPlainly, copies(record) {
            if try !leavesOut(record, &reader) { return try copy(record, &reader) }
            ledger.noteRead(record.encoding.kind)
            return ledger.noteLeftOut(record.encoding.kind, nil)
        }
        var module: ModuleID?
        if record.encoding == .module {
            module = try input { () throws(RDBError) in try reader.peekModule() }
        }
        ledger.noteRead(record.encoding.kind, module)
        if try leavesOut(record, &reader) {
            return ledger.noteLeftOut(record.encoding.kind, module)
        }
        let original = ByteString(reader.key)
        let newName = decisions.selection.newName(of: reader.key)
        let key = KeyInTransit(
            record: record,
            source: source,
            database: decisions.selection.database(source),
            name: newName ?? original,
            isRenamed: newName != nil,
            module: module,
            original: Place(source, original)
        )
        if key.isRenamed {
            try ledger.note(Change(.renamed, .requested, "renamed"), at: key.original)
        }
        if record.metadata != nil {
            try ledger.note(Change(.keyMetadata, .lost, "dropped"), at: key.original)
        }
        isCompressing = reader.hasCompressedStrings
        let writtenCount = ledger.writtenCount
        try rewrite(key, &reader)
        if ledger.writtenCount == writtenCount {
            ledger.noteLeftOut(record.encoding.kind, module)
        }
    }

    /// Whether a key does not go over, whatever its value is.
    private func leavesOut(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(MigrationError) -> Bool {
        let database = reader.database
        if !isTakingEverything,
            !decisions.selection.contains(reader.key, in: database, record.encoding.kind)
        {
            try ledger.note(Change(.filtered, .requested, "left out"))
            return true
        }
        if let deadline = record.deadline, deadline <= decisions.now {
            if decisions.isDroppingExpired {
                try ledger.note(Change(.expiredKeys, .requested, "drop"))
                return true
            }
            try ledger.note(Change(.expiredKeys, .noted, "keep"))
        }
        if !importingSlots.isEmpty {
            let slot = UInt64(ClusterSlot.of(reader.key))
            if importingSlots.contains(where: { $0.contains(slot) }) { return true }
        }
        if try input({ () throws(RDBError) in try reader.hasEmptyValue() }) {
            try ledger.note(
                Change(.emptyValues, .noted, "dropped"),
                at: Place(database, ByteString(reader.key))
            )
            return true
        }
        return false
    }

    /// Whether a record can be written as it is.
    private func copies(_ record: KeyRecord) -> Bool {
        switch record.encoding {
        case .module, .hashDeadlines, .hashRelativeDeadlines, .hashListpackDeadlines: false
        default: record.metadata == nil && target.accepts(record.encoding)
        }
    }

    private func copy(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        guard let output = try begin(reader.key, reader.database, record.offset) else { return }
        var visitor = CopyVisitor(isThorough: decisions.isChecking)
        try input { () throws(RDBError) in
            try output.writer.copy(record, from: &reader, showing: &visitor)
        }
        if visitor.hasPacked { packing.note(visitor.encoding, visitor.count) }
        var count = KeyCounts()
        count.add(record.encoding.kind)
        ledger.noteCopied(count)
        output.keyCount += 1
        if isCopyingRuns { try copyRuns(&reader, to: output) }
    }

    /// Counts a key that was written.
    func noteWritten(_ kind: ValueKind, _ module: ModuleID?, in output: Output) {
        ledger.noteWritten(kind, module)
        output.keyCount += 1
    }

    /// The output for a key, ready for it; nil if it goes to none.
    func begin(
        _ key: RawSpan,
        _ database: UInt64,
        _ offset: Int
    ) throws(MigrationError) -> Output? {
        try checkDatabase(database, key)
        guard let output = try output(for: key) else { return nil }
        do {
            try duplicates.insert(
                key,
                in: database,
                from: DuplicateKeys.Location(input: facts.index, offset: offset)
            )
        } catch {
            throw .system(error)
        }
        do {
            output.writer.isCompressing = isCompressing
            try output.select(database)
        } catch {
            throw .output(error)
        }
        return output
    }

    /// A cluster that has one database cannot load what is in another.
    private func checkDatabase(_ database: UInt64, _ key: RawSpan) throws(MigrationError) {
        guard database > 0, case .slots = decisions.split,
            !decisions.destination.hasClusterDatabases
        else { return }
        try ledger.note(
            Change(.databases, .undecided, "\(database)=0"),
            at: Place(database, ByteString(key)),
            detail: "a cluster of \(decisions.destination.name) has database 0 only"
        )
    }
}
