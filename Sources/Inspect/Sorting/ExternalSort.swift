import Bytes
import Platform

/// Sorts any number of items in little memory: what does not fit lies in scratch files.
///
/// An item is a rank and some bytes. Items come out by rank, those of equal rank by their bytes.
/// Sorted runs of a few megabytes are written out and merged at the end, sixty-four at a time
/// (Knuth, "The Art of Computer Programming", 5.4.1). Where only the first few are wanted, the
/// others are forgotten before they are written.
package struct ExternalSort: ~Copyable {
    private let limit: Int
    private let memoryByteCount: Int
    private var items: [Item] = []
    private var bytes = ByteWriter()
    private var runs: [Run] = []

    /// An item in memory.
    private struct Item {
        var rank: UInt64
        var offset: Int
        var count: Int
    }

    /// A sorted run in a scratch file.
    private struct Run {
        var file: ScratchFile
        /// How many runs were merged into it: only such of about the same size are merged.
        var level: Int
    }

    /// How many runs are merged at a time.
    private static let fanIn = 64

    /// Sorts; of all items the first `limit` will come out.
    package init(limit: Int = .max, memoryByteCount: Int = 8 << 20) {
        self.limit = limit
        self.memoryByteCount = memoryByteCount
    }

    /// Adds an item.
    package mutating func add(_ rank: UInt64, _ content: RawSpan) throws(SystemError) {
        items.append(Item(rank: rank, offset: bytes.count, count: content.byteCount))
        bytes.append(content)
        let held = bytes.count + items.count * MemoryLayout<Item>.stride
        if held > memoryByteCount { try makeRoom() }
    }

    /// Moves all items of another here, which has nothing in scratch files.
    mutating func take(_ other: inout ExternalSort) throws(SystemError) {
        precondition(other.runs.isEmpty, "items in scratch files are not moved")
        for item in other.items {
            try add(item.rank, other.bytes.bytes.part(from: item.offset, count: item.count))
        }
        other.items.removeAll(keepingCapacity: true)
        other.bytes.removeAll()
    }

    private mutating func makeRoom() throws(SystemError) {
        sortItems()
        if limit <= items.count / 2 {
            keepFirst()
        } else {
            try writeRun()
        }
    }

    private mutating func sortItems() {
        // Taken out while the items are moved.
        var content = ByteWriter()
        swap(&content, &bytes)
        items.sort { one, other in
            if one.rank != other.rank { return one.rank < other.rank }
            return content.bytes.part(from: one.offset, count: one.count)
                .compared(to: content.bytes.part(from: other.offset, count: other.count)) < 0
        }
        swap(&content, &bytes)
        if items.count > limit { items.removeSubrange(limit...) }
    }

    private mutating func keepFirst() {
        var kept = ByteWriter()
        for index in items.indices {
            let item = items[index]
            items[index].offset = kept.count
            kept.append(bytes.bytes.part(from: item.offset, count: item.count))
        }
        swap(&kept, &bytes)
    }

    private mutating func writeRun() throws(SystemError) {
        let file = try ScratchFile()
        var writer = RunWriter(file)
        for item in items {
            try writer.append(
                item.rank,
                bytes.bytes.part(from: item.offset, count: item.count)
            )
        }
        try writer.flush()
        items.removeAll(keepingCapacity: true)
        bytes.removeAll()
        runs.append(Run(file: file, level: 0))
        try mergeLevels()
    }

    /// Merges runs of a level into one of the next once there are too many of them.
    private mutating func mergeLevels() throws(SystemError) {
        while let level = runs.last?.level, runs.count >= Self.fanIn,
            runs.suffix(Self.fanIn).allSatisfy({ $0.level == level })
        {
            let file = try ScratchFile()
            var writer = RunWriter(file)
            try merge(Array(runs.suffix(Self.fanIn))) { rank, content throws(SystemError) in
                try writer.append(rank, content)
            }
            try writer.flush()
            runs.removeLast(Self.fanIn)
            runs.append(Run(file: file, level: level + 1))
        }
    }

    /// Hands out all items in order, and forgets them.
    package mutating func finish(
        _ body: (UInt64, RawSpan) throws(SystemError) -> Void
    ) throws(SystemError) {
        sortItems()
        guard !runs.isEmpty else {
            for item in items {
                try body(item.rank, bytes.bytes.part(from: item.offset, count: item.count))
            }
            items.removeAll(keepingCapacity: true)
            return bytes.removeAll()
        }
        if !items.isEmpty { try writeRun() }
        try merge(runs, body)
        runs.removeAll()
    }

    private func merge(
        _ runs: [Run],
        _ body: (UInt64, RawSpan) throws(SystemError) -> Void
    ) throws(SystemError) {
        var readers = try RunReaders(runs.map(\.file))
        var left = limit
        while left > 0, try readers.next(body) { left -= 1 }
    }
}

/// Writes a run: rank, count of bytes, the bytes, and again.
private struct RunWriter: ~Copyable {
    private let file: ScratchFile
    private var buffer = ByteWriter()

    init(_ file: ScratchFile) {
        self.file = file
    }

    mutating func append(_ rank: UInt64, _ content: RawSpan) throws(SystemError) {
        buffer.appendInteger(rank)
        buffer.appendInteger(UInt64(content.byteCount))
        buffer.append(content)
        if buffer.count >= 256 << 10 { try flush() }
    }

    mutating func flush() throws(SystemError) {
        try file.append(buffer.bytes)
        buffer.removeAll()
    }
}
