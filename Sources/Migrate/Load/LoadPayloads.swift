import Bytes
import RDB

/// Makes the payloads that a server takes: values as they are in the file where that is the same,
/// else rewritten.
struct LoadPayloads: ~Copyable {
    let target: Target
    private var writer: PayloadWriter
    private let copy = CopiedValue()

    /// Makes payloads for `target`; `permitted` may be left out of them.
    init(for target: Target, permitted: PayloadWriter.Losses) {
        self.target = target
        writer = PayloadWriter(for: target)
        writer.permittedLosses = permitted
    }

    /// Reads the value of `record` and lends it as a payload.
    ///
    /// Throws `unsupportedByTarget` where the server has nothing that could hold it.
    mutating func read(
        _ record: KeyRecord,
        from reader: inout FileReader,
        _ body: (RawSpan) throws(RDBError) -> Void
    ) throws(RDBError) {
        guard target.accepts(record.encoding) else {
            do {
                try reader.readValue(into: &writer)
            } catch {
                writer.cancel()
                throw error
            }
            return try writer.finishPayload(body)
        }
        copy.bytes.removeAll(keepingCapacityUpTo: 16 << 20)
        copy.bytes.append(record.encoding.typeByte)
        var visitor = SkippingVisitor()
        try reader.readValue(into: &visitor, copyingTo: copy)
        // Taken out while it is lent.
        var payload = ByteWriter()
        swap(&payload, &copy.bytes)
        defer { swap(&payload, &copy.bytes) }
        payload.appendInteger(UInt16(target.format.version))
        payload.appendInteger(CRC64.checksum(payload.bytes))
        try body(payload.bytes)
    }

    /// Lends a hash as a payload.
    mutating func make(
        of hash: borrowing HeldHash,
        _ body: (RawSpan) throws(RDBError) -> Void
    ) throws(RDBError) {
        try hash.write(as: .hash, into: &writer)
        try writer.finishPayload(body)
    }
}

/// The bytes of a value as they are in the file.
private final class CopiedValue: ByteSink {
    var bytes = ByteWriter()

    func write(_ more: RawSpan) {
        bytes.append(more)
    }
}
