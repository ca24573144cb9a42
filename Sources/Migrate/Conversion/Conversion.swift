import Bytes
import Inspect
import Platform
import RDB

/// The way of records from files of one kind to files of another.
///
/// One pass, in which memory does not grow with the files. Every record goes one of three ways:
/// copied byte for byte where the target reads it as it is, rewritten, or left out; whatever is
/// not the first is written down in the ledger. A plan is a conversion whose output goes nowhere
/// and whose ledger is lenient.
package final class Conversion {
    /// What the user decided.
    let decisions: Decisions
    /// What happened so far.
    package let ledger: Ledger
    /// The files being written.
    package private(set) var outputs: [Output] = []
    /// What the files that were read say about themselves.
    package internal(set) var facts = SourceFacts()
    /// The most elements that a compact collection had, by kind.
    package internal(set) var packing = PackingExtremes()
    /// Commands of logs, if those are converted too; else they stop the run.
    package var log: LogConversion?

    /// What records are written for.
    let target: Target
    /// What a file says it is for if it has no field deadlines.
    let plainTarget: Target
    let moduleExport: ModuleExport?
    let duplicates: DuplicateKeys
    /// What seems to be written twice, at the end.
    private(set) var suspects: DuplicateKeys.Suspects?
    let spool = Spool()
    /// The memory of the last hash that was held, for the next.
    var heldMemory = ByteWriter()
    /// Whether strings of rewritten values are compressed: as the server did that wrote the file.
    var isCompressing = false
    var libraries: [String: ByteString] = [:]
    var importingSlots: [ClosedRange<UInt64>] = []

    /// Whether every key goes over.
    let isTakingEverything: Bool
    /// Whether keys that go over stay what and where they are.
    let isCopyingPlainly: Bool
    /// Whether keys that follow each other may go over in one piece.
    let isCopyingRuns: Bool
    var run: KeyRun
    /// Whether keys may be converted by several threads: they all go into one file, and nothing
    /// else does.
    let isShared: Bool
    /// Whether the last keys were worth it: looking at them took longer than copying them.
    var givesRuns: Bool
    /// The database of the last key.
    var lastDatabase: UInt64?
    /// Changes that were made before the file that is read.
    private var changeCountBefore = 0

    /// Facts of the file, which every output begins with.
    private var preamble: [(name: ByteString, text: ByteString)] = []
    private let makeFile: (String) throws(MigrationError) -> any Destinable

    /// A conversion that nothing went through yet.
    ///
    /// Values of modules that are exported go to `moduleExport`. `makeFile` creates an output;
    /// the text that it is given tells it from others, and is empty if there is one. With
    /// `suspects`, no other key is looked at for being written twice.
    package init(
        _ decisions: Decisions,
        _ ledger: Ledger,
        moduleExport: (any Destinable)? = nil,
        lookingFor suspects: DuplicateKeys.Suspects? = nil,
        makeFile: @escaping (String) throws(MigrationError) -> any Destinable
    ) throws(MigrationError) {
        self.decisions = decisions
        self.ledger = ledger
        self.makeFile = makeFile
        duplicates = DuplicateKeys(lookingFor: suspects)
        self.moduleExport = moduleExport.map { ModuleExport($0) }
        let selection = decisions.selection
        isTakingEverything = selection.isEverything
        isCopyingPlainly = selection.renames.isEmpty && selection.databaseNumbers.isEmpty
        isCopyingRuns = Self.copiesRuns(decisions)
        let destination = decisions.destination
        if let version = decisions.formatVersion {
            guard let forced = destination.target(forcedVersion: version) else {
                throw .usage("\(destination.name) does not read version \(version) of the format")
            }
            target = forced
            plainTarget = forced
        } else {
            target = destination.deadlineTarget ?? destination.target
            plainTarget = destination.target
        }
        run = KeyRun(for: target)
        let isOneFile = if case .none = decisions.split { true } else { false }
        isShared = isOneFile && suspects == nil && moduleExport == nil
        givesRuns = isShared
    }

    /// A conversion of keys of `whole`, which takes in what comes of it; its output is a part of
    /// what keys go to there.
    init(partOf whole: Conversion, into sink: MemorySink) {
        decisions = whole.decisions
        ledger = Ledger(partOf: whole.ledger)
        makeFile = { _ throws(MigrationError) in sink }
        duplicates = DuplicateKeys(isPart: true)
        moduleExport = nil
        isTakingEverything = whole.isTakingEverything
        isCopyingPlainly = whole.isCopyingPlainly
        isCopyingRuns = whole.isCopyingRuns
        target = whole.target
        plainTarget = whole.plainTarget
        run = KeyRun(for: target)
        isShared = false
        givesRuns = false
        outputs = [Output(partFor: target, plain: plainTarget, sink)]
    }

    /// Reads one file or log to its end and writes what goes over.
    package func read(
        _ path: String,
        named name: String? = nil,
        progress: Progress?
    ) throws(MigrationError) {
        var inspection = Inspection(paths: [path])
        inspection.options.isKeepingHeads = true
        if decisions.isChecking { inspection.options.validation = [.containers, .members] }
        inspection.progress = progress
        facts.beginFile(name ?? path)
        changeCountBefore = ledger.changeCount
        lastDatabase = nil
        var consumer = ConversionConsumer(conversion: self)
        do {
            try inspection.read(into: &consumer)
        } catch {
            throw MigrationError(error)
        }
    }

    /// Takes what is known of a file that was read.
    func endFile(_ file: FileSummary) {
        facts.endFile(file, hasChanges: ledger.changeCount > changeCountBefore)
    }

    // Outputs.

    /// The file that a key goes to.
    func output(for key: RawSpan) throws(MigrationError) -> Output? {
        switch decisions.split {
        case .none:
            return try currentOutput()
        case .slots(let ranges):
            try openAll(ranges)
            let slot = ClusterSlot.of(key)
            return outputs.first { $0.slots?.contains(slot) ?? true }
        case .byteCount(let limit):
            let output = try currentOutput()
            guard output.writer.count >= limit else { return output }
            try output.finish()
            return try open(slots: nil, suffix: "\(outputs.count + 1)")
        }
    }

    /// The file that the next key goes to if keys are not told apart.
    func currentOutput() throws(MigrationError) -> Output {
        if let output = outputs.last { return output }
        if case .byteCount = decisions.split { return try open(slots: nil, suffix: "1") }
        return try open(slots: nil, suffix: "")
    }

    private func openAll(_ ranges: [ClosedRange<Int>]) throws(MigrationError) {
        guard outputs.isEmpty else { return }
        for range in ranges {
            _ = try open(slots: range, suffix: "\(range.lowerBound)-\(range.upperBound)")
        }
    }

    private func open(
        slots: ClosedRange<Int>?,
        suffix: String
    ) throws(MigrationError) -> Output {
        let file = try makeFile(suffix)
        do {
            let output = try Output(file, for: target, plain: plainTarget, slots: slots)
            for fact in preamble { try output.writer.auxiliary(fact.name, fact.text) }
            for library in libraries.values.sorted() {
                try output.writer.function(library.bytes)
            }
            outputs.append(output)
            return output
        } catch {
            throw .output(error)
        }
    }

    /// Every output that there has to be, opened.
    func openOutputs() throws(MigrationError) -> [Output] {
        if case .slots(let ranges) = decisions.split {
            try openAll(ranges)
        } else {
            _ = try currentOutput()
        }
        return outputs
    }

    /// Adds a fact to what files begin with.
    func addToPreamble(_ name: ByteString, _ text: ByteString) {
        guard outputs.isEmpty, !preamble.contains(where: { $0.name == name }) else { return }
        preamble.append((name, text))
    }

    /// Writes the ends of all files: no more records come.
    func finishOutputs() throws(MigrationError) {
        for output in try openOutputs() { try output.finish() }
    }

    /// Ends the conversion; its files can be published then.
    package func finish() throws(MigrationError) {
        try finishOutputs()
        do {
            suspects = try duplicates.findSuspects()
        } catch {
            throw .system(error)
        }
        if let (one, other) = duplicates.found { throw duplicate(one, other) }
    }

    private func duplicate(
        _ one: DuplicateKeys.Location,
        _ other: DuplicateKeys.Location
    ) -> MigrationError {
        let places = [one, other].map { location in
            "\(facts.files[location.input].name) at offset \(location.offset)"
        }
        return .impossible(
            "the same key would be written twice into a database, which no server loads: once "
                + "from \(places[0]), once from \(places[1])"
        )
    }
}
