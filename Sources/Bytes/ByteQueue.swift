/// Bytes waiting to be parsed or sent: appended behind, dropped in front.
///
///     [ dropped | waiting            | room ]
///
/// Dropping moves nothing. The dropped part is reclaimed when the queue runs empty, or when
/// an append finds it larger than what waits: a byte is moved at most once for each time the
/// queue drains by as much, so a long queue does not cost more per byte than a short one.
public struct ByteQueue: ~Copyable, Sendable {
    private var buffer = ByteWriter()
    private var dropped = 0

    /// Starts empty and allocates nothing.
    public init() {}

    /// Bytes waiting.
    public var count: Int { buffer.count - dropped }

    /// Whether nothing waits.
    public var isEmpty: Bool { count == 0 }

    /// Bytes of memory held.
    public var capacityByteCount: Int { buffer.capacityByteCount }

    /// The bytes waiting.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { buffer.bytes.extracting(dropped...) }
    }

    /// Appends a copy of `bytes`.
    public mutating func append(_ bytes: RawSpan) {
        reclaim()
        buffer.append(bytes)
    }

    /// Makes room for `size` bytes, the first of no more than `expected`.
    public mutating func reserve(_ size: Int, ofExpected expected: Int) {
        reclaim()
        buffer.reserve(size, ofExpected: expected)
    }

    /// Appends up to `size` bytes that `fill` writes; `fill` returns how many it kept.
    public mutating func append<Failure: Error>(
        upTo size: Int,
        _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        reclaim()
        unsafe try buffer.append(upTo: size, fill)
    }

    /// Drops the first `count` bytes.
    public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "cannot drop more than there is")
        dropped += count
        if isEmpty { removeAll(keepingCapacityUpTo: .max) }
    }

    /// Forgets the bytes; keeps the memory unless it is larger than `limit`.
    public mutating func removeAll(keepingCapacityUpTo limit: Int) {
        dropped = 0
        buffer.removeAll(keepingCapacityUpTo: limit)
    }

    private mutating func reclaim() {
        guard dropped > count else { return }
        buffer.removeFirst(dropped)
        dropped = 0
    }
}
