import Bytes
import RDB

/// Hashes whose fields have deadlines.
extension Conversion {
    /// Writes a hash as the policy for its key says.
    func rewriteHash(
        _ key: KeyInTransit,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        let decided = decisions.fieldDeadlines.decision(for: key.original.key.bytes)
        let policy = decided ?? (target.holdsFieldDeadlines ? .keep : .dropDeadline)
        if policy == .keep, target.accepts(key.record.encoding) {
            try copyValue(of: key, &reader)?.hasFieldDeadlines = true
            return
        }
        var hash = HeldHash(at: decisions.now, ByteWriter(), spool)
        swap(&hash.memory, &heldMemory)
        defer { swap(&hash.memory, &heldMemory) }
        hash.memory.removeAll()
        try input { () throws(RDBError) in try reader.readValue(into: &hash) }
        if hash.expiredCount > 0 {
            try ledger.note(
                Change(.expiredFields, .noted, "dropped"),
                at: key.original,
                partCount: hash.expiredCount
            )
        }
        try write(hash, of: key, hash.deadlineCount == 0 ? .dropDeadline : policy)
    }

    private func write(
        _ hash: borrowing HeldHash,
        of key: KeyInTransit,
        _ policy: FieldDeadlinePolicy
    ) throws(MigrationError) {
        let deadline = key.record.deadline
        switch policy {
        case .keep where !target.holdsFieldDeadlines, .refuse:
            try ledger.note(
                Change(.fieldDeadlines, .undecided, policy.rawValue),
                at: key.original,
                detail: "\(hash.deadlineCount) fields have one",
                partCount: hash.deadlineCount
            )
        case .keep:
            try write(hash, of: key, deadline: deadline, .all)
            try ledger.note(
                Change(.fieldDeadlines, .converted, "rewritten", key.record.encoding.name),
                at: key.original,
                partCount: hash.deadlineCount
            )
        case .dropDeadline:
            try write(hash, of: key, deadline: deadline, .withoutDeadlines)
            if hash.deadlineCount == 0 {
                let change = Change(.encoding, .converted, "rewritten", key.record.encoding.name)
                return try ledger.note(change, at: key.original)
            }
            try noteLoss(policy, hash, of: key)
        case .dropField:
            try write(hash, of: key, deadline: deadline, .lasting)
            try noteLoss(policy, hash, of: key)
        case .keyEarliest, .keyLatest:
            let moment = policy == .keyEarliest ? hash.earliest : hash.latest
            let sooner = [deadline, moment].compactMap(\.self).min()
            try write(hash, of: key, deadline: sooner, .withoutDeadlines)
            try noteLoss(policy, hash, of: key)
        case .split:
            try write(hash, of: key, deadline: deadline, .lasting)
            try writeFields(of: hash, key)
            try noteLoss(policy, hash, of: key)
        }
    }

    private func noteLoss(
        _ policy: FieldDeadlinePolicy,
        _ hash: borrowing HeldHash,
        of key: KeyInTransit
    ) throws(MigrationError) {
        try ledger.note(
            Change(.fieldDeadlines, .lost, policy.rawValue),
            at: key.original,
            partCount: hash.deadlineCount
        )
    }

    private func write(
        _ hash: borrowing HeldHash,
        of key: KeyInTransit,
        deadline: Int64?,
        _ fields: DeadlineListpack.Choice
    ) throws(MigrationError) {
        let count = fields == .lasting ? hash.count - hash.deadlineCount : hash.count
        guard count > 0,
            let output = try begin(key.name.bytes, key.database, key.record.offset)
        else { return }
        let hasDeadlines = fields == .all && hash.deadlineCount > 0
        do {
            try output.beginKey(key, key.name, deadline: deadline)
            if let listpack = hash.listpack, hash.expiredCount == 0 {
                try output.writer.value.hash(hash.memory.bytes, listpack, fields)
            } else {
                try write(hash, fields, hasDeadlines: hasDeadlines, to: &output.writer.value)
            }
        } catch {
            throw .output(error)
        }
        if hasDeadlines { output.hasFieldDeadlines = true }
        noteWritten(.hash, nil, in: output)
    }

    private func write(
        _ hash: borrowing HeldHash,
        _ fields: DeadlineListpack.Choice,
        hasDeadlines: Bool,
        to writer: inout PayloadWriter
    ) throws(RDBError) {
        let count = fields == .lasting ? hash.count - hash.deadlineCount : hash.count
        var extent = Extent(count: count)
        extent.hasFieldDeadlines = hasDeadlines
        extent.earliestDeadline = hasDeadlines ? hash.earliest : nil
        _ = try writer.begin(hasDeadlines ? .hashDeadlines : .hash)
        try writer.announce(extent)
        try hash.report { (field, value, deadline) throws(RDBError) in
            if fields == .lasting, deadline != nil { return }
            try writer.hashField(field, value: value, deadline: hasDeadlines ? deadline : nil)
        }
        try writer.end()
    }

    /// Writes every field that has a deadline as a key of its own.
    private func writeFields(
        of hash: borrowing HeldHash,
        _ key: KeyInTransit
    ) throws(MigrationError) {
        do {
            try hash.report { (field, value, deadline) throws(RDBError) in
                guard let deadline else { return }
                var name = ByteWriter()
                name.append(key.name.bytes)
                name.append(":")
                name.append(field)
                do throws(MigrationError) {
                    try writeString(
                        ByteString(name.bytes),
                        value,
                        deadline: min(deadline, key.record.deadline ?? .max),
                        key
                    )
                } catch {
                    throw error.passing
                }
            }
        } catch {
            throw .output(error)
        }
    }
}
