import Bytes

/// Elements of a large value that are on their way into its table.
///
/// A table that is larger than the processor's caches is a wait for memory for each element. Those
/// of some elements at once, asked for before the first is used, are little more than one.
struct ElementBatch: ~Copyable {
    /// A member, or a field and its value.
    struct Element {
        /// Where the first text lies, and where the second ends.
        fileprivate(set) var first = 0..<0
        fileprivate(set) var second = 0..<0
        fileprivate(set) var score = 0.0
        fileprivate(set) var deadline: Int64?
    }

    private static let capacity = 16
    /// With so many bytes of texts it is full, too.
    private static let byteCapacity = 64 << 10

    private(set) var elements: [Element] = []
    private var texts = ByteWriter()

    init() {
        elements.reserveCapacity(Self.capacity)
    }

    var isFull: Bool {
        elements.count >= Self.capacity || texts.count >= Self.byteCapacity
    }

    /// The texts that the elements point into.
    var bytes: RawSpan {
        @_lifetime(borrow self)
        get { texts.bytes }
    }

    mutating func append(_ member: RawSpan, score: Double = 0) {
        elements.append(Element(first: add(member), score: score))
    }

    mutating func append(_ field: RawSpan, _ value: RawSpan, deadline: Int64?) {
        elements.append(Element(first: add(field), second: add(value), deadline: deadline))
    }

    mutating func removeAll() {
        elements.removeAll(keepingCapacity: true)
        texts.removeAll()
    }

    private mutating func add(_ text: RawSpan) -> Range<Int> {
        let start = texts.count
        texts.append(text)
        return start..<texts.count
    }
}
