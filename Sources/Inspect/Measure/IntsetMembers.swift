import Bytes

/// The members of an intset whose layout was checked: width, count, members in ascending order.
struct IntsetMembers: ~Escapable {
    private let bytes: RawSpan
    private let width: Int
    let count: Int

    private static let headerByteCount = 8

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
        width = Int(bytes.byte(at: 0))
        count = (bytes.byteCount - Self.headerByteCount) / max(1, width)
    }

    var first: Int64? { count > 0 ? self[0] : nil }
    var last: Int64? { count > 0 ? self[count - 1] : nil }

    subscript(index: Int) -> Int64 {
        let offset = Self.headerByteCount + index * width
        switch width {
        case 2:
            return Int64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int16.self))
        case 4:
            return Int64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int32.self))
        default:
            return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int64.self)
        }
    }
}
