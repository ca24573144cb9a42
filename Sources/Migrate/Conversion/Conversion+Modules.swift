import Bytes
import RDB

/// Values of modules.
extension Conversion {
    /// Writes a string under a name that is not that of a key that was read.
    func writeString(
        _ name: ByteString,
        _ value: PackedValue,
        deadline: Int64?,
        _ key: KeyInTransit
    ) throws(MigrationError) {
        guard let output = try begin(name.bytes, key.database, key.record.offset) else { return }
        do {
            try output.beginKey(key, name, deadline: deadline)
            _ = try output.writer.value.begin(.string)
            try output.writer.value.string(value)
            try output.writer.value.end()
        } catch {
            throw .output(error)
        }
        noteWritten(.string, nil, in: output)
    }

    /// Writes or leaves out a value of a module, as the policy for it says.
    func rewriteModule(
        _ key: KeyInTransit,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        guard let module = key.module else { return }
        let policy = try policy(for: module)
        switch policy {
        case .copy:
            try copyValue(of: key, &reader)
            if module.isVectorSet, decisions.destination.holdsVectorSets { return }
            // The target has to have it, which a reader of the report should know.
            let change = Change(.module, .converted, policy.rawValue, module.name)
            return try ledger.note(change, at: key.original)
        case .text where module.isJSONText:
            var visitor = JSONTextVisitor()
            try input { () throws(RDBError) in try reader.readValue(into: &visitor) }
            try writeString(
                key.name,
                .bytes(visitor.text.bytes),
                deadline: key.record.deadline,
                key
            )
        case .export:
            guard let moduleExport else { break }
            try input { () throws(RDBError) in
                try moduleExport.write(key.record, module, at: key.original, from: &reader)
            }
        case .refuse, .text:
            let change = Change(.module, .undecided, policy.rawValue, module.name)
            let detail = policy == .text ? "text is what JSON becomes, and this is none" : nil
            return try ledger.note(change, at: key.original, detail: detail)
        case .skip:
            break
        }
        try ledger.note(Change(.module, .lost, policy.rawValue, module.name), at: key.original)
    }
}
