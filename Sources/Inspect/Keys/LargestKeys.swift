import Bytes

/// The few keys that have most of something.
package struct LargestKeys: Sendable {
    private let limit: Int
    private let metric: KeyMetric
    /// A binary heap, the least of them at the front.
    private var heap: [Entry] = []

    /// A key that was kept.
    package struct Entry: Sendable {
        package var key: ByteString
        package var row: KeyRow
        package var value: Int
    }

    /// Keeps the `limit` keys with most of `metric`.
    package init(_ limit: Int, by metric: KeyMetric) {
        self.limit = limit
        self.metric = metric
    }

    /// Looks at a key.
    @inline(__always)
    package mutating func add(_ key: RawSpan, _ row: KeyRow) {
        let value = metric.value(of: row)
        if heap.count < limit || value > heap[0].value { keep(key, row, value) }
    }

    private mutating func keep(_ key: RawSpan, _ row: KeyRow, _ value: Int) {
        guard limit > 0 else { return }
        let entry = Entry(key: ByteString(key), row: row, value: value)
        if heap.count < limit {
            heap.append(entry)
            var index = heap.count - 1
            while index > 0, heap[index].value < heap[(index - 1) / 2].value {
                heap.swapAt(index, (index - 1) / 2)
                index = (index - 1) / 2
            }
            return
        }
        heap[0] = entry
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if heap[child].value < heap[least].value { least = child }
            }
            if least == index { return }
            heap.swapAt(index, least)
            index = least
        }
    }

    /// The keys that were kept, the largest first.
    package var sorted: [Entry] {
        heap.sorted { one, other in
            one.value != other.value ? one.value > other.value : one.key < other.key
        }
    }
}

/// What keys are compared by.
package enum KeyMetric: String, Sendable, CaseIterable {
    /// Bytes of the record in the file.
    case bytes
    /// Bytes of memory that the target needs.
    case memory
    /// Elements, or bytes of a string.
    case elements
    /// Bytes of the largest element.
    case largest
    /// Seconds that nobody asked for it.
    case idle
    /// How often it is asked for.
    case frequency
    /// When it expires.
    case deadline

    /// How much of it a key has.
    package func value(of row: KeyRow) -> Int {
        switch self {
        case .bytes: row.byteCount
        case .memory: row.memory
        case .elements: row.elementCount
        case .largest: row.largestElement
        case .idle: Int(clamping: row.idleSeconds ?? 0)
        case .frequency: Int(row.frequency ?? 0)
        case .deadline: row.deadline.map { Int($0) } ?? .max
        }
    }
}
