import Bytes
import Platform

/// The runs of an external sort, each at its next item; knows which of them comes first.
struct RunReaders {
    /// A binary heap, the run with the first item at the front.
    private var heap: [RunReader] = []

    /// Reads the first item of each run.
    init(_ files: [ScratchFile]) throws(SystemError) {
        for file in files {
            let run = RunReader(file)
            guard try run.advance() else { continue }
            heap.append(run)
            siftUp(heap.count - 1)
        }
    }

    /// Hands out the first item of all, and moves on; false after the last.
    mutating func next(
        _ body: (UInt64, RawSpan) throws(SystemError) -> Void
    ) throws(SystemError) -> Bool {
        guard let run = heap.first else { return false }
        try run.handOut(body)
        if try !run.advance() {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
        }
        siftDown()
        return true
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0, heap[index].precedes(heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func siftDown() {
        var index = 0
        while true {
            var first = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if heap[child].precedes(heap[first]) { first = child }
            }
            if first == index { return }
            heap.swapAt(index, first)
            index = first
        }
    }
}

/// A sorted run at one of its items.
private final class RunReader {
    private var window: RunWindow

    init(_ file: ScratchFile) {
        window = RunWindow(file)
    }

    /// Moves to the next item; false after the last.
    func advance() throws(SystemError) -> Bool {
        try window.advance()
    }

    func handOut(
        _ body: (UInt64, RawSpan) throws(SystemError) -> Void
    ) throws(SystemError) {
        try window.handOut(body)
    }

    func precedes(_ other: RunReader) -> Bool {
        window.precedes(other.window)
    }
}

/// The part of a run that is in memory.
private struct RunWindow: ~Copyable {
    private let file: ScratchFile
    /// Where in the file the buffer ends.
    private var fileOffset = 0
    private var buffer = ByteWriter()
    /// Where in the buffer the item's bytes are.
    private var start = 0
    private var count = 0
    private var rank: UInt64 = 0

    private static let pieceByteCount = 64 << 10
    private static let headerByteCount = 16

    init(_ file: ScratchFile) {
        self.file = file
    }

    mutating func advance() throws(SystemError) -> Bool {
        guard try fill(start + count, Self.headerByteCount) else { return false }
        rank = buffer.bytes.word(at: start)
        count = Int(buffer.bytes.word(at: start + 8))
        return try fill(start + Self.headerByteCount, count)
    }

    /// Makes the buffer hold `wanted` bytes from `position` on, which becomes `start`.
    private mutating func fill(_ position: Int, _ wanted: Int) throws(SystemError) -> Bool {
        start = position
        if buffer.count - start >= wanted { return true }
        buffer.removeFirst(start)
        start = 0
        let before = buffer.count
        let piece = max(Self.pieceByteCount, wanted) - before
        try file.read(piece, at: fileOffset, into: &buffer)
        fileOffset += buffer.count - before
        return buffer.count >= wanted
    }

    func handOut(
        _ body: (UInt64, RawSpan) throws(SystemError) -> Void
    ) throws(SystemError) {
        try body(rank, buffer.bytes.part(from: start, count: count))
    }

    func precedes(_ other: borrowing RunWindow) -> Bool {
        if rank != other.rank { return rank < other.rank }
        return buffer.bytes.part(from: start, count: count)
            .compared(to: other.buffer.bytes.part(from: other.start, count: other.count)) < 0
    }
}

extension RawSpan {
    /// A little-endian word.
    func word(at offset: Int) -> UInt64 {
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}
