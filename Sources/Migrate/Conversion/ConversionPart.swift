import Bytes
import Inspect
import RDB

/// Runs of keys on their way, one after the other, while other threads do the same to others.
///
/// A conversion of its own into memory, which the whole takes in afterwards, in the order of the
/// file. What stops it, be it damage or that nobody decided, is not its to tell: it forgets the
/// run, and the whole reads that as if there were no other thread.
final class ConversionPart: SharedPart {
    /// Its own conversion.
    let conversion: Conversion
    /// Its own output.
    let sink = MemorySink()
    private unowned let whole: Conversion
    private var reader: FileReader
    private var isLeft = false

    let failure: RDBError? = nil

    init(of whole: Conversion, _ options: FileReader.Options) {
        self.whole = whole
        reader = FileReader(ofRunsWith: options)
        conversion = Conversion(partOf: whole, into: sink)
    }

    func fill(from reader: inout FileReader) throws(RDBError) -> Bool {
        guard whole.givesRuns, try reader.giveRun(to: &self.reader) else { return false }
        isLeft = false
        conversion.importingSlots = whole.importingSlots
        begin()
        return true
    }

    private func begin() {
        conversion.beginPart(in: reader.database)
        sink.bytes.removeAll()
    }

    func read() {
        do {
            while let record = try reader.nextOfRun() { try conversion.take(record, &reader) }
            try conversion.endPart()
        } catch {
            reader.repeatRun()
            begin()
            isLeft = true
        }
    }

    func readRest(into whole: inout some RecordConsumer & ~Copyable) throws(RDBError) {
        guard isLeft else { return }
        while let record = try reader.nextOfRun() { try whole.key(record, &reader) }
    }
}

extension ConversionConsumer: SharedConsumer {
    var isShared: Bool { conversion.isShared }

    func makePart(_ options: FileReader.Options) -> ConversionPart {
        ConversionPart(of: conversion, options)
    }

    mutating func take(_ part: ConversionPart) throws(RDBError) {
        do throws(MigrationError) {
            try conversion.take(part.conversion, part.sink)
        } catch {
            throw error.asPassed
        }
    }
}

extension Conversion {
    /// Begins a part anew: keys of a database.
    fileprivate func beginPart(in database: UInt64) {
        // The whole notes it.
        lastDatabase = database
        givesRuns = false
        outputs[0].beginPart(in: decisions.selection.database(database))
        ledger.removeAll()
        duplicates.removeAll()
        packing = PackingExtremes()
    }

    /// Hands the last bytes over.
    fileprivate func endPart() throws(RDBError) {
        try outputs[0].writer.flush()
    }

    /// Takes in what a part came to, which wrote to `sink`.
    fileprivate func take(_ part: Conversion, _ sink: MemorySink) throws(MigrationError) {
        givesRuns = part.givesRuns
        if let database = part.lastDatabase { facts.noteKey(in: database) }
        try ledger.take(part.ledger)
        packing.add(part.packing)
        do {
            try duplicates.take(part.duplicates)
        } catch {
            throw .system(error)
        }
        guard part.outputs[0].keyCount > 0 else { return }
        let output = try currentOutput()
        do {
            try output.take(part.outputs[0], sink)
        } catch {
            throw .output(error)
        }
    }
}
