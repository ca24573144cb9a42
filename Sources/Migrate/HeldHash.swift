import Bytes
import Platform
import RDB

/// A hash that is held until it is known how many of its fields will be written: a payload begins
/// with their count.
///
/// Fields that have expired are not even held; a server would drop them while loading.
struct HeldHash: PayloadVisitor, ~Copyable {
    /// Fields held.
    private(set) var count = 0
    /// Fields held that have a deadline.
    private(set) var deadlineCount = 0
    /// Fields that have expired.
    private(set) var expiredCount = 0
    /// The first of the deadlines.
    private(set) var earliest: Int64?
    /// The last of the deadlines.
    private(set) var latest: Int64?

    private let now: Int64
    private let spool: Spool

    /// The number of bytes ahead of each field: counts of field and value, deadline.
    private static let headByteCount = 24
    private static let noDeadline: Int64 = -1

    init(at now: Int64, _ spool: Spool) {
        self.now = now
        self.spool = spool
        spool.removeAll()
    }

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        if let deadline {
            guard deadline > now else {
                expiredCount += 1
                return
            }
            deadlineCount += 1
            earliest = min(earliest ?? .max, deadline)
            latest = max(latest ?? 0, deadline)
        }
        count += 1
        var head = ByteWriter(reserving: Self.headByteCount + field.byteCount + value.byteCount)
        head.appendInteger(field.byteCount)
        head.appendInteger(value.byteCount)
        head.appendInteger(deadline ?? Self.noDeadline)
        head.append(field)
        head.append(value)
        do {
            try spool.append(head.bytes)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot hold a hash", cause: error)
        }
    }

    /// Reports the fields in the order in which they came.
    func report(
        _ body: (RawSpan, RawSpan, Int64?) throws(RDBError) -> Void
    ) throws(RDBError) {
        var buffer = ByteWriter()
        var offset = 0
        for _ in 0..<count {
            buffer.removeAll(keepingCapacityUpTo: Spool.usualMemory)
            try read(Self.headByteCount, at: offset, &buffer)
            let (fieldByteCount, valueByteCount, deadline) = Self.head(buffer.bytes)
            offset += Self.headByteCount
            buffer.removeAll()
            try read(fieldByteCount + valueByteCount, at: offset, &buffer)
            offset += fieldByteCount + valueByteCount
            try body(
                buffer.bytes.part(from: 0, count: fieldByteCount),
                buffer.bytes.part(from: fieldByteCount, count: valueByteCount),
                deadline == Self.noDeadline ? nil : deadline
            )
        }
    }

    private static func head(_ bytes: RawSpan) -> (Int, Int, Int64) {
        func word(_ index: Int) -> Int64 {
            Int64(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(
                    fromByteOffset: index * 8,
                    as: Int64.self
                )
            )
        }
        return (Int(word(0)), Int(word(1)), word(2))
    }

    private func read(
        _ count: Int,
        at offset: Int,
        _ buffer: inout ByteWriter
    ) throws(RDBError) {
        do {
            try spool.read(count, at: offset, into: &buffer)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot read a held hash", cause: error)
        }
    }
}
