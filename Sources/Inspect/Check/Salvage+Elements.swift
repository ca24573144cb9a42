import Bytes
import RDB

// Elements of a damaged listpack.

extension Salvage {
    /// The record at `start` with the elements of its listpack that come before the damage.
    ///
    /// The listpack lies in a string, compressed or not. So with the type byte of a string before
    /// it, it can be read as one.
    func readElements(at start: Int) -> (ByteString, [UInt8])? {
        var reader = reader(from: start, [], firstPiece: 4096)
        do throws(RDBError) {
            guard case .key(let record) = try reader.next(), record.encoding.isOneListpack,
                let offset = typeByteOffset(at: start)
            else { return nil }
            var strings = self.reader(
                from: start,
                [],
                firstPiece: 64 << 10,
                patch: .init(offset: offset, bytes: [Encoding.string.typeByte])
            )
            guard case .key = try strings.next() else { return nil }
            var whole = WholeString()
            try strings.readValue(into: &whole)
            var collected = CollectedValue()
            _ = try collected.begin(record.encoding)
            guard collected.take(listpack: whole.bytes.bytes) else { return nil }
            let key = ByteString(reader.key)
            return (key, try collected.record(key.bytes, record, for: format))
        } catch {
            return nil
        }
    }

    /// Where the type byte of the record at `start` is: after its deadline and hints.
    private func typeByteOffset(at start: Int) -> Int? {
        var head = ByteWriter()
        guard (try? content.read(32, at: start, into: &head)) != nil else { return nil }
        var offset = 0
        while offset + 1 < head.count {
            switch head.bytes.byte(at: offset) {
            case 252: offset += 9
            case 253: offset += 5
            case 249: offset += 2
            case 248:
                switch head.bytes.byte(at: offset + 1) {
                case 0..<0x40: offset += 2
                case 0x40..<0x80: offset += 3
                case 0x80: offset += 6
                default: offset += 10
                }
            case 243: return nil
            default: return start + offset
            }
        }
        return nil
    }
}

/// A string value, all of it.
private struct WholeString: PayloadVisitor {
    private(set) var bytes = ByteString([])

    mutating func begin(_ encoding: Encoding) -> Reporting { .elements }

    mutating func string(_ value: PackedValue) {
        bytes = value.byteString
    }
}

extension Encoding {
    /// Whether the value is one listpack.
    fileprivate var isOneListpack: Bool {
        switch self {
        case .hashListpack, .sortedSetListpack, .setListpack: true
        default: false
        }
    }
}
