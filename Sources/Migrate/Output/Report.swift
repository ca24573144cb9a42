import Bytes
import Inspect
import RDB

/// What a migration did, or would do: the same facts for a program and for people.
package struct Report: Sendable {
    /// What it was for.
    package let destination: Destination
    /// What was read.
    package let sources: SourceFacts
    /// What was written, or would be.
    package let files: [OutputFacts]
    /// Keys read, by kind.
    package let keysIn: KeyCounts
    /// Keys written, by kind.
    package let keysOut: KeyCounts
    /// Keys copied byte for byte, by kind.
    package let copied: KeyCounts
    /// Keys read and not written, by kind.
    package let leftOut: KeyCounts
    /// Every kind of change, in the order in which they came up.
    package let changes: [(change: Change, tally: Ledger.Tally)]
    /// The most elements that a compact collection had.
    package let packing: PackingExtremes
    /// Bytes of memory that what was read would take at the destination; nil if not estimated.
    package internal(set) var memory: Int?
    /// The commands that were written; nil if the output is no log.
    package let log: LogFacts?
    /// When it began, in milliseconds since 1970.
    package let began: Int64
    /// How long it took.
    package let seconds: Double

    /// A file that was written.
    package struct OutputFacts: Sendable {
        /// What it is called.
        package let name: String
        /// What it says it is.
        package let format: Format
        /// How long it is.
        package let byteCount: Int
        /// Its checksum.
        package let checksum: UInt64
        /// How many keys it has.
        package let keyCount: Int
        /// The cluster slots whose keys it has; nil for all.
        package let slots: ClosedRange<Int>?
        /// The highest database with a key.
        package let highestDatabase: UInt64?
    }

    /// The commands of a log.
    package struct LogFacts: Sendable {
        /// The file they are in.
        package let name: String
        /// How long it is.
        package let byteCount: Int
        /// How many were read.
        package let readCount: Int
        /// How many were written.
        package let writtenCount: Int
    }

    /// What a finished conversion did.
    package init(of conversion: Conversion, began: Int64, seconds: Double) {
        destination = conversion.decisions.destination
        sources = conversion.facts
        files = conversion.outputs.map { output in
            OutputFacts(
                name: output.file.name,
                format: output.format,
                byteCount: output.byteCount,
                checksum: output.checksum,
                keyCount: output.keyCount,
                slots: output.slots,
                highestDatabase: output.highestDatabase
            )
        }
        let ledger = conversion.ledger
        keysIn = ledger.keys.read
        keysOut = ledger.keys.written
        copied = ledger.keys.copied
        leftOut = ledger.keys.leftOut
        changes = ledger.changes.map { ($0, ledger[$0]) }
        packing = conversion.packing
        log = conversion.log.map { log in
            LogFacts(
                name: log.file.name,
                byteCount: log.file.byteCount,
                readCount: log.readCount,
                writtenCount: log.writtenCount
            )
        }
        self.began = began
        self.seconds = seconds
    }

    /// Whether everything that was read is in what was written.
    package var isLossless: Bool {
        !changes.contains { [.lost, .undecided].contains($0.change.effect) }
    }

    /// Whether the run would stop.
    package var isUndecided: Bool { changes.contains { $0.change.effect == .undecided } }

    /// Whether the destination loads a file as it is; nil if there is no telling.
    package func loadsAsItIs(_ file: SourceFacts.File) -> Bool? {
        file.format.map { format in
            destination.reads(format) && !file.hasChanges
                && file.highestDatabase ?? 0 < UInt64(Destination.databaseCount)
        }
    }

    /// Settings that the destination needs for what it is given.
    package var settings: [String] {
        var settings: [String] = []
        let highest = files.compactMap(\.highestDatabase).max() ?? 0
        if highest >= UInt64(Destination.databaseCount) {
            settings.append("databases \(highest + 1)")
        }
        let prefix = destination.target.format.version < 10 ? "ziplist" : "listpack"
        if packing.hashFields > 512 {
            settings.append("hash-max-\(prefix)-entries \(packing.hashFields)")
        }
        if packing.sortedSetMembers > 128 {
            settings.append("zset-max-\(prefix)-entries \(packing.sortedSetMembers)")
        }
        if packing.setMembers > 128, destination.target.format.version >= 11 {
            settings.append("set-max-listpack-entries \(packing.setMembers)")
        }
        if packing.intsetMembers > 512 {
            settings.append("set-max-intset-entries \(packing.intsetMembers)")
        }
        return settings
    }

    /// Modules that the destination needs for what it is given.
    package var modules: [String] {
        changes.filter { $0.change.feature == .module && $0.change.rule == "copy" }
            .map { $0.change.subject }
    }
}

extension UInt64 {
    /// Sixteen hexadecimal digits.
    var hexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
