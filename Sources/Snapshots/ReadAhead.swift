import Bytes
import Platform
import RDB

/// A file as a source of an RDB reader, read and checksummed ahead by a thread of its own.
final class ReadAheadSource: ByteSource {
    private let file: any StorageFile
    private let byteCount: Int
    private let ahead: ReadAhead
    private let thread: WorkerThread
    private var block: ReadAhead.Block?
    private var position = 0

    init(_ file: any StorageFile) throws(SystemError) {
        self.file = file
        byteCount = try file.byteCount()
        let ahead = ReadAhead(file)
        self.ahead = ahead
        thread = try WorkerThread("read-ahead") { ahead.run() }
    }

    deinit {
        ahead.abandon()
        thread.join()
    }

    var remainingByteCount: Int? { byteCount - position }

    func read(into room: inout OutputRawSpan) throws {
        while block.map({ $0.isExhausted }) ?? true {
            if let block { ahead.giveBack(block) }
            block = try ahead.next()
            if block == nil { return }
        }
        guard let block else { return }
        position += block.take(into: &room)
    }

    var keepsChecksum: Bool { true }

    /// The thread has noted the checksum before each block; the rest is little.
    func checksum(upTo offset: Int) throws -> UInt64 {
        let (start, value) = ahead.checksum(before: offset)
        var checksum = CRC64(continuing: value)
        var bytes = ByteWriter(reserving: offset - start)
        _ = try file.read(offset - start, at: start, into: &bytes)
        checksum.update(bytes.bytes)
        return checksum.value
    }
}

/// What a thread reads ahead of whoever decodes it.
private final class ReadAhead: Sendable {
    static let blockByteCount = 1 << 20
    /// The most blocks that wait.
    private static let blockCount = 4

    private let file: any StorageFile
    private let monitor = Monitor(State())

    private struct State: ~Copyable {
        var ready: [Block] = []
        var free: [Block] = []
        var isAtEnd = false
        var isAbandoned = false
        var failure: SystemError?
        /// The checksum of everything before each block.
        var checksums: [UInt64] = [0]
    }

    /// A piece of the file; owned by one side at a time.
    final class Block: @unchecked Sendable {
        fileprivate var bytes = ByteWriter(reserving: ReadAhead.blockByteCount)
        private var position = 0

        var isExhausted: Bool { position >= bytes.count }

        func take(into room: inout OutputRawSpan) -> Int {
            // Taken out while it is borrowed, and put back for the next call.
            var taken = ByteWriter()
            swap(&taken, &bytes)
            let count = min(room.freeCapacity, taken.count - position)
            Block.copy(taken.bytes.part(from: position, count: count), into: &room)
            swap(&taken, &bytes)
            position += count
            return count
        }

        private static func copy(_ part: RawSpan, into room: inout OutputRawSpan) {
            unsafe room.withUnsafeMutableBytes { free, filled in
                unsafe part.withUnsafeBytes { bytes in
                    unsafe UnsafeMutableRawBufferPointer(rebasing: free[filled...])
                        .copyMemory(from: bytes)
                }
                filled += part.byteCount
            }
        }

        /// Reads the next bytes of `file`; returns the checksum behind them.
        fileprivate func fill(
            from file: any StorageFile,
            at offset: Int,
            _ checksum: UInt64
        ) throws(SystemError) -> UInt64 {
            position = 0
            var filled = ByteWriter()
            swap(&filled, &bytes)
            filled.removeAll()
            _ = try file.read(ReadAhead.blockByteCount, at: offset, into: &filled)
            var updated = CRC64(continuing: checksum)
            updated.update(filled.bytes)
            swap(&filled, &bytes)
            return updated.value
        }
    }

    init(_ file: any StorageFile) {
        self.file = file
    }

    // The decoding side.

    /// Waits for the next block; nil at the end of the file.
    func next() throws(SystemError) -> Block? {
        let (block, failure) = monitor.wait { state, _ -> (Block?, SystemError?)? in
            if !state.ready.isEmpty { return (state.ready.removeFirst(), nil) }
            return state.isAtEnd || state.failure != nil ? (nil, state.failure) : nil
        }
        if let failure { throw failure }
        return block
    }

    func giveBack(_ block: Block) {
        monitor.update { $0.free.append(block) }
    }

    func abandon() {
        monitor.update { $0.isAbandoned = true }
    }

    /// A place at or before `offset`, which was read, and the checksum of everything before it.
    func checksum(before offset: Int) -> (offset: Int, value: UInt64) {
        monitor.withLock { state in
            let index = min(offset / Self.blockByteCount, state.checksums.count - 1)
            return (index * Self.blockByteCount, state.checksums[index])
        }
    }

    // The reading side.

    func run() {
        var offset = 0
        var checksum: UInt64 = 0
        for _ in 0..<Self.blockCount { giveBack(Block()) }
        while true {
            let block = monitor.wait { state, _ -> Block?? in
                if state.isAbandoned { return .some(nil) }
                return state.free.popLast().map { .some($0) }
            }
            guard let block else { return }
            do throws(SystemError) {
                checksum = try block.fill(from: file, at: offset, checksum)
            } catch {
                return monitor.update { $0.failure = error }
            }
            let count = block.bytes.count
            offset += count
            let value = checksum
            let isAtEnd = count < Self.blockByteCount
            monitor.update { state in
                if count > 0 { state.ready.append(block) }
                state.isAtEnd = isAtEnd
                state.checksums.append(value)
            }
            if isAtEnd { return }
        }
    }
}
