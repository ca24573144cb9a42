import Bytes

/// What `DUMP` answers and `RESTORE` takes: one serialised value with a footer.
///
///     what modules attached to the key, if anything (opcode 243)
///     type byte, value       as in a file
///     u16 LE                 version of the format
///     u64 LE                 CRC-64 of everything before
///
/// There is no magic: the version decides what the type bytes mean. Unlike in a file, a checksum
/// of zero does not stand for none.
///
/// Example, the string `5`:
///
///     00 C0 05  0B 00  0A F0 E2 15 7E B0 5A D8
public struct Payload: ~Copyable {
    private var walk: PayloadWalk
    private var isRead = false

    /// The format, as the footer has it.
    public let format: Format
    /// How the value is laid out.
    public let encoding: Encoding
    /// What modules attached to the key, as it is; nil if nothing.
    public let metadata: ByteString?

    static let footerByteCount = 10

    /// Checks the footer of `bytes` and copies the rest.
    public init(_ bytes: RawSpan, validation: Validation = .containers) throws(RDBError) {
        let count = bytes.byteCount - Self.footerByteCount
        guard count > 0 else {
            throw RDBError(.truncated, at: 0, "no room for a value and the footer of a payload")
        }
        let version: UInt16
        let checksum: UInt64
        do {
            var footer = ByteReader(bytes.part(from: count, count: Self.footerByteCount))
            version = try footer.readInteger()
            checksum = try footer.readInteger()
        } catch {
            throw RDBError(.truncated, at: count, "the footer of a payload")
        }
        guard CRC64.checksum(bytes.part(from: 0, count: count + 2)) == checksum else {
            throw RDBError(.checksumMismatch, at: count + 2, "the payload was changed")
        }
        let format = Format(payloadVersion: Int(version))
        guard (1...79).contains(format.version) || format.isKnown else {
            throw RDBError(.unsupportedVersion, at: count, "version \(version) is not known")
        }
        let input = Input(copying: bytes.part(from: 0, count: count))
        var walk = PayloadWalk(input, validation: validation)
        var byte = try walk.input.readByte()
        var metadata: ByteString?
        if byte == Opcode.keyMetadata, format.dialect == .redis {
            metadata = try walk.readMetadata()
            byte = try walk.input.readByte()
        }
        guard let encoding = Encoding(typeByte: byte, in: format.dialect) else {
            throw RDBError(.unknownType, at: 0, "no value has type \(byte)")
        }
        self.walk = walk
        self.format = format
        self.encoding = encoding
        self.metadata = metadata
    }

    /// Reads the value and writes its bytes to `sink` as they are; can be done once.
    public mutating func readValue(
        into visitor: inout some PayloadVisitor & ~Copyable,
        copyingTo sink: any ByteSink
    ) throws(RDBError) {
        try walk.input.copy(to: sink)
        try readValue(into: &visitor)
        try walk.input.copy(to: nil)
    }

    /// Reads the value; can be done once.
    public mutating func readValue(
        into visitor: inout some PayloadVisitor & ~Copyable
    ) throws(RDBError) {
        precondition(!isRead, "a payload can be read once")
        isRead = true
        try walk.walk(encoding, &visitor)
        guard walk.input.available == 0 else {
            throw RDBError(.invalidLength, at: walk.input.position, "bytes after the value")
        }
    }
}
