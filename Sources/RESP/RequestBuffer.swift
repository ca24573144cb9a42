import Bytes

/// A request that owns its bytes: one made by the program itself, or kept for later.
public struct RequestBuffer: ~Copyable, Sendable {
    private var bytes = ByteWriter()
    private var table = ArgumentTable()

    /// Starts without arguments.
    public init() {}

    /// Copies `arguments`, the command's name first.
    public init(_ arguments: [ByteString]) {
        for argument in arguments { append(argument.bytes) }
    }

    /// Copies every argument of `request`.
    public init(copying request: borrowing Request) {
        bytes.reserve(request.byteCount)
        for index in 0..<request.count { append(request[index]) }
    }

    /// Arguments so far.
    public var count: Int { table.count }

    /// Bytes in all of them together.
    public var byteCount: Int { bytes.count }

    /// The request; only one that has an argument can be lent.
    public var request: Request {
        @_lifetime(borrow self)
        get {
            precondition(table.count > 0, "a request has a command's name")
            return Request(bytes: bytes.bytes, ranges: table.ranges)
        }
    }

    /// Appends a copy of `argument`.
    public mutating func append(_ argument: RawSpan) {
        table.append(offset: bytes.count, count: argument.byteCount)
        bytes.append(argument)
    }

    /// Appends an integer as decimal text.
    public mutating func append(decimal value: Int64) {
        let start = bytes.count
        bytes.append(decimal: value)
        table.append(offset: start, count: bytes.count - start)
    }

    /// Forgets the arguments; keeps the memory unless it is larger than `limit`.
    public mutating func removeAll(keepingCapacityUpTo limit: Int = 64 << 10) {
        bytes.removeAll(keepingCapacityUpTo: limit)
        table.removeAll()
    }
}
