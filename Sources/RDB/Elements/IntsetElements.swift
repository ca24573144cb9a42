import Bytes

/// Reads an intset through a window; its layout is told where `Intset` is.
struct IntsetElements: ElementFormat {
    private let offset: Int
    private let byteCount: Int
    private let isStrict: Bool
    private var width = 0
    private var left = 0
    private var previous: Int64?

    static let damage = RDBError.Code.invalidIntset

    /// An intset of `byteCount` bytes that begins at `offset`, in the order of servers if
    /// `isStrict`.
    init(_ byteCount: Int, at offset: Int, isStrict: Bool) {
        self.byteCount = byteCount
        self.offset = offset
        self.isStrict = isStrict
    }

    private mutating func begin(_ input: inout Input) throws(RDBError) {
        try input.need(Intset.headerByteCount)
        (width, left) = try Intset.layout(
            width: input.integer(at: 0, as: UInt32.self),
            count: input.integer(at: 4, as: UInt32.self),
            byteCount: byteCount,
            offset: offset
        )
        input.consume(Intset.headerByteCount)
    }

    mutating func next(_ input: inout Input) throws(RDBError) -> ElementHead {
        if width == 0 { try begin(&input) }
        guard left > 0 else {
            guard try input.isAtEnd() else {
                throw RDBError(.invalidIntset, at: input.position, "intset: an early end")
            }
            return .end
        }
        let position = input.position
        let member: Int64 =
            switch width {
            case 2: Int64(try input.readInteger(as: Int16.self))
            case 4: Int64(try input.readInteger(as: Int32.self))
            default: try input.readInteger(as: Int64.self)
            }
        if isStrict, let previous, member <= previous { throw Intset.outOfOrder(position) }
        previous = member
        left -= 1
        return .integer(member)
    }

    mutating func endString(_ input: inout Input) throws(RDBError) {}
}
