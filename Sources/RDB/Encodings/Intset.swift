import Bytes

/// An intset: a set of integers, sorted.
///
///     u32 LE   width of a member: 2, 4 or 8
///     u32 LE   number of members
///     members  signed, little-endian, ascending
///
/// Example, the set of 1 and 300:
///
///     02 00 00 00  02 00 00 00  01 00  2C 01
struct Intset: ~Escapable {
    private let bytes: RawSpan
    private let width: Int
    /// How many members.
    let count: Int

    static let headerByteCount = 8

    /// Checks the header of the intset that begins at `offset` of the file.
    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, offset: Int) throws(RDBError) {
        var reader = ByteReader(bytes)
        let width: UInt32
        let count: UInt32
        do {
            width = try reader.readInteger()
            count = try reader.readInteger()
        } catch {
            throw Self.wrong(offset + error.offset, "ends too early")
        }
        (self.width, self.count) = try Self.layout(
            width: width,
            count: count,
            byteCount: bytes.byteCount,
            offset: offset
        )
        self.bytes = bytes
    }

    /// Width and count as a header has them, if an intset of `byteCount` bytes can have them.
    static func layout(
        width: UInt32,
        count: UInt32,
        byteCount: Int,
        offset: Int
    ) throws(RDBError) -> (width: Int, count: Int) {
        guard width == 2 || width == 4 || width == 8 else {
            throw wrong(offset, "\(width) is no width")
        }
        guard byteCount == headerByteCount + Int(width) * Int(count) else {
            throw wrong(offset + 4, "\(byteCount) bytes cannot hold \(count) members of \(width)")
        }
        // Servers call it damage: they remove a set with its last member.
        guard count > 0 else { throw wrong(offset + 4, "no members") }
        return (Int(width), Int(count))
    }

    private static func wrong(_ offset: Int, _ detail: String) -> RDBError {
        RDBError(.invalidIntset, at: offset, "intset: \(detail)")
    }

    /// What it is if the member at `offset` of the file is not above the one before.
    static func outOfOrder(_ offset: Int) -> RDBError {
        RDBError(.wrongOrder, at: offset, "intset: the members do not ascend")
    }

    /// The member at `index`.
    func member(at index: Int) -> Int64 {
        let offset = Self.headerByteCount + index * width
        switch width {
        case 2: return Int64(load(offset, as: Int16.self).littleEndian)
        case 4: return Int64(load(offset, as: Int32.self).littleEndian)
        default: return load(offset, as: Int64.self).littleEndian
        }
    }

    /// The first member that is not above the one before; nil if they ascend.
    func firstOutOfOrder() -> Int? {
        var previous = member(at: 0)
        for index in 1..<max(count, 1) {
            let member = member(at: index)
            guard member > previous else { return index }
            previous = member
        }
        return nil
    }

    /// Where in the intset the member at `index` is.
    func offset(ofMemberAt index: Int) -> Int {
        Self.headerByteCount + index * width
    }

    private func load<T: BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }
}
