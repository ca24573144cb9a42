import RDB

/// An export that writes the selected keys, each of them whole or not at all.
package protocol KeyExport: SharedConsumer, ~Copyable {
    /// Which keys are exported.
    var selection: ExportSelection { get set }
    /// What the next record has that is too long to be held.
    var longText: LongText? { get set }
    /// How much was printed so far.
    var printedByteCount: Int { get }
    /// Takes back what was printed after `byteCount`, as far as it was not written.
    mutating func takeBack(to byteCount: Int)
    /// Writes a key.
    mutating func write(_ record: KeyRecord, _ reader: inout FileReader) throws(RDBError)
}

extension KeyExport where Self: ~Copyable {
    /// Keeps a text for the record it belongs to.
    package mutating func longText(_ text: LongText?) {
        longText = text
    }

    /// Writes the key if it is selected.
    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        guard selection.admits(reader.key, record, database: reader.database) else { return }
        let start = printedByteCount
        do {
            try write(record, &reader)
        } catch {
            takeBack(to: start)
            throw error
        }
    }

    /// Whether it does not matter how many keys came before.
    package var isShared: Bool { selection.isShared }
}
