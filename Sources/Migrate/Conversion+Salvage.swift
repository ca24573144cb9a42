import Bytes
import Inspect
import RDB

/// Going on after damage.
extension Conversion {
    /// Takes a key if its value is sound; writes it down as damaged if not.
    ///
    /// The record is first set apart, byte for byte, which takes no more than the lengths in it
    /// to be right. It is then read by itself, as deep as can be, and only what stood that is
    /// taken. Where the lengths are wrong nobody knows where the next record begins: there the
    /// pass ends.
    func salvage(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(MigrationError) {
        let apart = Spool()
        let magic = ByteString((reader.format ?? plainTarget.format).description)
        let database = databaseRecord(reader.database)
        let templates = ByteString(templates)
        do {
            try apart.append(magic.bytes)
            try apart.append(templates.bytes)
            try apart.append(database.bytes)
            try apart.append(reader.head)
        } catch {
            throw .system(error)
        }
        var skipping = SkippingVisitor()
        try input { () throws(RDBError) in
            try reader.readValue(into: &skipping, copyingTo: apart)
        }
        do {
            try check(apart)
        } catch {
            return try ledger.note(
                Change(.damage, .lost, "left out"),
                at: Place(reader.database, ByteString(reader.key)),
                detail: "\(error.code.rawValue): \(error.detail), in the record at \(record.offset)"
            )
        }
        var options = FileReader.Options()
        options.isKeepingHeads = true
        var alone = FileReader(SpoolSource(apart), options: options)
        while true {
            let next = try input { () throws(RDBError) in try alone.next() }
            guard case .key(var key) = next else { continue }
            key.offset = record.offset
            return try take(key, &alone)
        }
    }

    private func check(_ apart: Spool) throws(RDBError) {
        var options = FileReader.Options()
        options.validation = [.containers, .members]
        var reader = FileReader(SpoolSource(apart), options: options)
        var visitor = CheckingVisitor()
        while true {
            guard case .key = try reader.next() else { continue }
            return try reader.readValue(into: &visitor)
        }
    }

    /// SELECTDB, as it stands before the first key of a database.
    private func databaseRecord(_ number: UInt64) -> ByteString {
        var bytes: [UInt8] = [254, 0x81]
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
        return ByteString(bytes)
    }

    /// Writes down that an input was not read to its end.
    func noteUnreadRest(_ damage: InspectError) throws(MigrationError) {
        try ledger.note(Change(.damage, .lost, "not read on"), detail: "\(damage)")
    }
}
