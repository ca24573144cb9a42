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
        if source != lastDatabase { facts.noteKey(in: source) }
        lastDatabase = source
        if isCopyingPlainly, copies(record) {
            if try !leavesOut(record, &reader) { return try copy(record, &reader) }
            return ledger.keys.read.add(record.encoding.kind)
        }
        var module: ModuleID?
        if record.encoding == .module {
            module = try input { () throws(RDBError) in try reader.peekModule() }
        }
        ledger.keys.read.add(record.encoding.kind, module: module?.name)
        if try leavesOut(record, &reader) { return }
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
        try rewrite(key, &reader)
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
        var visitor = CopyVisitor()
        try input { () throws(RDBError) in
            try output.writer.copy(record, from: &reader, showing: &visitor)
        }
        if visitor.hasPacked { packing.note(visitor) }
        ledger.keys.noteCopied(record)
        output.keyCount += 1
    }

    /// Counts a key that was written.
    func noteWritten(_ record: KeyRecord, _ module: ModuleID?, in output: Output) {
        noteWritten(record.encoding.kind, module, hasDeadline: record.deadline != nil, in: output)
    }

    /// Counts a key that was written.
    func noteWritten(_ kind: ValueKind, _ module: ModuleID?, hasDeadline: Bool, in output: Output) {
        ledger.keys.written.add(kind, module: module?.name)
        if hasDeadline { ledger.keys.written.deadlines += 1 }
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

    // Keys that are not copied whole.

    /// Writes a key under another name, with another deadline or with another value.
    private func rewrite(
        _ key: KeyInTransit,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        let encoding = key.record.encoding
        switch encoding {
        case .moduleBeforeRelease, .array, .rateLimiter, .hashTemplateListpack:
            try ledger.note(
                Change(.unreadable, .undecided, "stop", encoding.name),
                at: key.original,
                detail: "the layout of such values is not known, nor where the next one begins"
            )
            // A plan ends here, too: it is the reader that says so.
            try input { () throws(RDBError) in try reader.skipValue() }
        case .module:
            try rewriteModule(key, &reader)
        case _ where encoding.hasFieldDeadlines:
            try rewriteHash(key, &reader)
        case _ where target.accepts(encoding):
            try copyValue(of: key, &reader)
        case _ where encoding.kind == .stream:
            try rewriteStream(key, &reader)
        default:
            try rewriteValue(of: key, &reader)
        }
    }

    /// Writes a key with its value byte for byte; says where.
    @discardableResult
    func copyValue(
        of key: KeyInTransit,
        _ reader: inout FileReader
    ) throws(MigrationError) -> Output? {
        let destination = try begin(key.name.bytes, key.database, key.record.offset)
        guard let output = destination else { return nil }
        var visitor = CopyVisitor()
        try input { () throws(RDBError) in
            try output.beginKey(key)
            try output.writer.copyValue(of: key.record, from: &reader, showing: &visitor)
        }
        if visitor.hasPacked { packing.note(visitor) }
        noteWritten(key.record, key.module, in: output)
        return output
    }

    private func rewriteValue(
        of key: KeyInTransit,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        guard let output = try begin(key.name.bytes, key.database, key.record.offset) else {
            return
        }
        try input { () throws(RDBError) in
            try output.beginKey(key)
            try reader.readValue(into: &output.writer.value)
        }
        let change: Change
        switch key.record.encoding {
        case .hashTemplate, .hashTemplateReference, .hashTemplateListpackReference:
            change = Change(.hashTemplates, .converted, "resolved", key.record.encoding.name)
        default:
            change = Change(.encoding, .converted, "rewritten", key.record.encoding.name)
        }
        try ledger.note(change, at: key.original)
        noteWritten(key.record, nil, in: output)
    }

    private func rewriteStream(
        _ key: KeyInTransit,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        guard let output = try begin(key.name.bytes, key.database, key.record.offset) else {
            return
        }
        var rewriter = StreamRewriter(PayloadWriter(for: target))
        try input { () throws(RDBError) in
            try output.beginKey(key)
            swap(&rewriter.writer, &output.writer.value)
            rewriter.writer.permittedLosses = [.producers, .unownedPending]
            try reader.readValue(into: &rewriter)
            swap(&rewriter.writer, &output.writer.value)
        }
        try ledger.note(
            Change(.encoding, .converted, "rewritten", key.record.encoding.name),
            at: key.original
        )
        noteWritten(key.record, nil, in: output)
        try noteLosses(of: rewriter, at: key.original)
    }

    private func noteLosses(
        of rewriter: borrowing StreamRewriter,
        at place: Place
    ) throws(MigrationError) {
        let losses: [(Feature, String, Int)] = [
            (.streamProducers, "dropped", rewriter.producedCount),
            (.unownedPending, "given to consumer \"unowned\"", rewriter.unownedCount),
            (.streamCounters, "dropped", rewriter.losesCounters ? 1 : 0),
            (.activeTimes, "dropped", rewriter.activeTimeCount),
        ]
        for (feature, rule, count) in losses where count > 0 {
            try ledger.note(Change(feature, .lost, rule), at: place, partCount: count)
        }
    }
}

extension Output {
    /// Begins a key as it was, but for its name.
    func beginKey(_ key: KeyInTransit) throws(RDBError) {
        try beginKey(key, key.name, deadline: key.record.deadline)
    }

    /// Begins a key that has the hints of another.
    func beginKey(
        _ key: KeyInTransit,
        _ name: ByteString,
        deadline: Int64?
    ) throws(RDBError) {
        try writer.beginKey(
            name.bytes,
            deadline: deadline,
            idleSeconds: key.record.idleSeconds,
            frequency: key.record.frequency
        )
    }
}

/// Sees values that are copied: compact collections throughout, since a server that loads a
/// damaged one may fail long after, and the rest as far as it takes to move past it.
struct CopyVisitor: PayloadVisitor {
    /// How it is laid out.
    private(set) var encoding = Encoding.string
    /// How many elements a compact collection has.
    private(set) var count = 0

    /// Whether the value is a compact collection.
    var hasPacked: Bool { count > 0 }

    mutating func begin(_ encoding: Encoding) -> Reporting {
        self.encoding = encoding
        switch encoding {
        case .string, .list, .set, .sortedSet, .sortedSetText, .hash, .module: return .nothing
        default: return .encoded
        }
    }

    mutating func announce(_ extent: Extent) {
        if let count = extent.count, extent.byteCount != nil { self.count = count }
    }
}

extension PackingExtremes {
    /// Takes in a compact collection that was copied.
    mutating func note(_ visitor: CopyVisitor) {
        let count = visitor.count
        switch visitor.encoding.kind {
        case .hash: hashFields = max(hashFields, count)
        case .sortedSet: sortedSetMembers = max(sortedSetMembers, count)
        case .set where visitor.encoding == .setIntset: intsetMembers = max(intsetMembers, count)
        case .set: setMembers = max(setMembers, count)
        default: break
        }
    }
}

extension Ledger.Keys {
    /// Counts a key that was read, copied and so written.
    mutating func noteCopied(_ record: KeyRecord) {
        let kind = record.encoding.kind
        read.add(kind)
        copied.add(kind)
        written.add(kind)
        if record.deadline != nil { written.deadlines += 1 }
    }
}
