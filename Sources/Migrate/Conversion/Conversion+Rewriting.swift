import Bytes
import RDB

/// Keys that are not copied whole.
extension Conversion {
    /// Writes a key under another name, with another deadline or with another value.
    func rewrite(
        _ key: KeyInTransit,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        let encoding = key.record.encoding
        givesRuns = true
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
        var visitor = CopyVisitor(isThorough: decisions.isChecking)
        try input { () throws(RDBError) in
            try output.beginKey(key)
            try output.writer.copyValue(of: key.record, from: &reader, showing: &visitor)
        }
        if visitor.hasPacked { packing.note(visitor.encoding, visitor.count) }
        noteWritten(key.record.encoding.kind, key.module, in: output)
        if !key.isRenamed, key.database == key.source, key.record.metadata == nil {
            ledger.noteUnchanged(key.record.encoding.kind, key.module)
        }
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
        noteWritten(key.record.encoding.kind, nil, in: output)
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
        noteWritten(key.record.encoding.kind, nil, in: output)
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
