import Bytes
import Platform
import RDB

/// A hash that is held until it is known how many of its fields will be written: a payload begins
/// with their count.
///
/// A listpack is held as it is. Else, fields that have expired are not even held; a server would
/// drop them while loading.
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

    /// The fields that are not in the spool; all of them as long as they are few.
    var memory: ByteWriter
    /// What is known of the listpack that is held; nil if fields are held one by one.
    private(set) var listpack: DeadlineListpack?

    private let now: Int64
    private let spool: Spool

    /// The number of bytes ahead of each field: counts of field and value, deadline.
    private static let headByteCount = 24
    private static let noDeadline: Int64 = -1

    /// Holds nothing yet; `memory` and `spool` are what it may use.
    init(at now: Int64, _ memory: consuming ByteWriter, _ spool: Spool) {
        self.now = now
        self.memory = memory
        self.spool = spool
        self.memory.removeAll()
        if spool.byteCount > 0 { spool.removeAll() }
    }

    mutating func begin(_ encoding: Encoding) -> Reporting {
        switch encoding {
        case .hashListpackDeadlines, .hashListpackDeadlinesBeforeRelease: .encoded
        default: .elements
        }
    }

    var largestDeadlineListpack: Int { Spool.usualMemory / 4 }

    mutating func deadlineListpack(
        _ bytes: RawSpan,
        _ listpack: DeadlineListpack
    ) throws(RDBError) {
        memory.append(bytes)
        self.listpack = listpack
        if listpack.earliest <= now {
            var fields = try DeadlineFields(bytes)
            while let field = try fields.next() { _ = take(field.deadline) }
        } else {
            count = listpack.count
            deadlineCount = listpack.deadlineCount
            if deadlineCount > 0 { (earliest, latest) = (listpack.earliest, listpack.latest) }
        }
    }

    /// Counts a field; whether it has not expired.
    private mutating func take(_ deadline: Int64?) -> Bool {
        if let deadline {
            guard deadline > now else {
                expiredCount += 1
                return false
            }
            deadlineCount += 1
            earliest = min(earliest ?? .max, deadline)
            latest = max(latest ?? 0, deadline)
        }
        count += 1
        return true
    }

    mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        guard take(deadline) else { return }
        memory.appendInteger(field.byteCount)
        memory.appendInteger(value.byteCount)
        memory.appendInteger(deadline ?? Self.noDeadline)
        memory.append(field)
        memory.append(value)
        if memory.count >= Spool.usualMemory { try spill() }
    }

    mutating func end() throws(RDBError) {
        if spool.byteCount > 0 { try spill() }
    }

    private mutating func spill() throws(RDBError) {
        do {
            try spool.append(memory.bytes)
        } catch {
            throw RDBError(.transferFailed, at: 0, "cannot hold a hash", cause: error)
        }
        memory.removeAll()
    }

    /// Reports the fields in the order in which they came.
    func report(
        _ body: (PackedValue, PackedValue, Int64?) throws(RDBError) -> Void
    ) throws(RDBError) {
        if listpack != nil {
            var fields = try DeadlineFields(memory.bytes)
            while let field = try fields.next() {
                if field.deadline ?? .max <= now { continue }
                try body(field.field, field.value, field.deadline)
            }
            return
        }
        guard spool.byteCount == 0 else { return try reportSpooled(body) }
        var offset = 0
        for _ in 0..<count {
            let head = Self.head(memory.bytes, at: offset)
            offset += Self.headByteCount
            try body(
                .bytes(memory.bytes.part(from: offset, count: head.field)),
                .bytes(memory.bytes.part(from: offset + head.field, count: head.value)),
                head.deadline
            )
            offset += head.field + head.value
        }
    }

    /// Reports the fields, without their deadlines, as the value that they are.
    func write(
        as encoding: Encoding,
        into visitor: inout some PayloadVisitor & ~Copyable
    ) throws(RDBError) {
        _ = try visitor.begin(encoding)
        try visitor.announce(Extent(count: count))
        try report { field, value, _ throws(RDBError) in
            try visitor.hashField(field, value: value, deadline: nil)
        }
        try visitor.end()
    }

    private func reportSpooled(
        _ body: (PackedValue, PackedValue, Int64?) throws(RDBError) -> Void
    ) throws(RDBError) {
        var buffer = ByteWriter()
        var offset = 0
        for _ in 0..<count {
            buffer.removeAll(keepingCapacityUpTo: Spool.usualMemory)
            try read(Self.headByteCount, at: offset, &buffer)
            let head = Self.head(buffer.bytes, at: 0)
            offset += Self.headByteCount
            buffer.removeAll()
            try read(head.field + head.value, at: offset, &buffer)
            offset += head.field + head.value
            try body(
                .bytes(buffer.bytes.part(from: 0, count: head.field)),
                .bytes(buffer.bytes.part(from: head.field, count: head.value)),
                head.deadline
            )
        }
    }

    private static func head(
        _ bytes: RawSpan,
        at offset: Int
    ) -> (field: Int, value: Int, deadline: Int64?) {
        func word(_ index: Int) -> Int64 {
            Int64(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(
                    fromByteOffset: offset + index * 8,
                    as: Int64.self
                )
            )
        }
        let deadline = word(2)
        return (Int(word(0)), Int(word(1)), deadline == noDeadline ? nil : deadline)
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
