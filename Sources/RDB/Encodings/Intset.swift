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
        func wrong(_ position: Int, _ detail: String) -> RDBError {
            RDBError(.invalidIntset, at: offset + position, "intset: \(detail)")
        }
        var reader = ByteReader(bytes)
        do {
            width = Int(try reader.readInteger(as: UInt32.self))
            count = Int(try reader.readInteger(as: UInt32.self))
        } catch {
            throw wrong(error.offset, "ends too early")
        }
        guard width == 2 || width == 4 || width == 8 else {
            throw wrong(0, "\(width) is no width")
        }
        guard bytes.byteCount == Self.headerByteCount + width * count else {
            throw wrong(4, "\(bytes.byteCount) bytes cannot hold \(count) members of \(width)")
        }
        // Servers call it damage: they remove a set with its last member.
        guard count > 0 else { throw wrong(4, "no members") }
        self.bytes = bytes
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
