import Bytes
import Inspect
import RDB

/// Everything in a file but its keys.
extension Conversion {
    /// Does what a record asks for.
    func take(_ record: Record, _ reader: inout FileReader) throws(MigrationError) {
        switch record {
        case .auxiliary(let name, let value): try take(fact: name, value)
        case .database, .sizes, .hashTemplate, .end: break
        case .slotSizes: try ledger.note(Change(.slotHints, .noted, "dropped"))
        case .slotImport(_, let slots): try take(importingSlots: slots)
        case .function(let source): try take(function: source)
        case .moduleAuxiliary(let module): try take(module, &reader)
        case .key(let key): try take(key, &reader)
        }
    }

    /// Runs what reads the input.
    func input<Result>(
        _ body: () throws(RDBError) -> Result
    ) throws(MigrationError) -> Result {
        do {
            return try body()
        } catch {
            if let inner = error.cause as? MigrationError { throw inner }
            throw .input(InspectError("", .rdb(error)))
        }
    }

    // Facts.

    private func take(fact name: ByteString, _ value: ByteString) throws(MigrationError) {
        facts.note(name.text, value)
        switch name.text {
        case "repl-stream-db", "repl-id", "repl-offset":
            try ledger.note(Change(.replicationPosition, .noted, "dropped"))
        case "lua":
            try ledger.note(Change(.scripts, .lost, "dropped"))
        case "slot-info":
            try ledger.note(Change(.slotHints, .noted, "dropped"))
        case "aof-base", "aof-preamble":
            // Said of the output, not of what it was made of.
            break
        default:
            addToPreamble(name, value)
        }
    }

    private func take(
        importingSlots slots: [ClosedRange<UInt64>]
    ) throws(MigrationError) {
        let ranges = slots.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
        switch decisions.keepsImportingSlots {
        case true?:
            try ledger.note(Change(.importingSlots, .requested, "keep"), detail: ranges)
        case false?:
            importingSlots += slots
            try ledger.note(Change(.importingSlots, .requested, "drop"), detail: ranges)
        case nil:
            try ledger.note(
                Change(.importingSlots, .undecided, "keep|drop"),
                detail:
                    "the import of slots \(ranges) had not ended, so their keys are half a truth"
            )
        }
    }

    // Functions.

    private func take(function source: ByteString) throws(MigrationError) {
        let library = FunctionLibrary(source: source.bytes)
        let name = library.name.isEmpty ? "without a name" : library.name
        if decisions.functions == .drop {
            return try ledger.note(Change(.functions, .lost, "drop"), detail: name)
        }
        if let flaw = flaw(of: library, source) {
            if decisions.functions == .dropUnloadable {
                let change = Change(.functions, .lost, "drop-unloadable")
                return try ledger.note(change, detail: "\(name): \(flaw)")
            }
            let change = Change(.functions, .undecided, "drop|drop-unloadable")
            return try ledger.note(change, detail: "library \(name): \(flaw)")
        }
        guard libraries[library.name] == nil else { return }
        libraries[library.name] = source
        // Those of later files come after keys of earlier ones: servers take them anywhere.
        for output in outputs {
            do {
                try output.writer.function(source.bytes)
            } catch {
                throw .output(error)
            }
        }
    }

    private func flaw(of library: FunctionLibrary, _ source: ByteString) -> String? {
        guard target.holdsFunctions else {
            let version = decisions.formatVersion.map { "version \($0) of the format" }
            return "\(version ?? decisions.destination.name) has no functions"
        }
        if let other = libraries[library.name], other != source {
            return "another library of that name came before"
        }
        return library.flaw
    }

    // Modules.

    private func take(
        _ module: ModuleAuxiliary,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        let name = module.module.name
        if try policy(for: module.module) == .copy {
            for output in try openOutputs() {
                do {
                    try output.writer.transfer(module, from: &reader)
                } catch {
                    throw .output(error)
                }
            }
            return
        }
        var visitor = IndexNameVisitor()
        try input { () throws(RDBError) in try reader.readValue(into: &visitor) }
        guard visitor.holdsAnything else {
            return try ledger.note(Change(.moduleAuxiliary, .noted, "dropped", name))
        }
        let detail: String? =
            module.module.hasIndexes
            ? "index " + visitor.names.map { "\"\($0)\"" }.joined(separator: ", index ") : nil
        try ledger.note(
            Change(.moduleAuxiliary, .lost, "dropped", name),
            detail: detail,
            partCount: module.module.hasIndexes ? Int(clamping: visitor.count ?? 0) : 0
        )
    }

    /// What becomes of what a module wrote.
    func policy(for module: ModuleID) throws(MigrationError) -> ModulePolicy {
        if let decided = decisions.modules.decision(for: ByteString(module.name).bytes) {
            return decided
        }
        if module.isVectorSet, decisions.destination.holdsVectorSets { return .copy }
        return module.isJSONText ? .text : .skip
    }
}
