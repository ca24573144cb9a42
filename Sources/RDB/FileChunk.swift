import Bytes

/// A piece of a file that is being written, and what another thread still has to do to it.
///
/// Whoever walks over the data writes strings as they are and says where they lie; compressing
/// them, and everything that touches a disk, is the work of whoever finishes the chunk.
public struct FileChunk: ~Copyable, Sendable {
    let bytes: ByteWriter
    let steps: [Step]

    /// Something to do at a place in the bytes.
    struct Step: Sendable {
        let offset: Int
        let action: Action
    }

    enum Action: Sendable {
        /// A string of so many bytes lies here, without its length.
        case string(Int)
        /// What follows is put aside under this number.
        case aside(Int)
        /// What follows belongs to the file again.
        case file
        /// What was put aside under this number follows.
        case fetch(Int)
    }

    init(_ bytes: consuming ByteWriter, _ steps: [Step]) {
        self.bytes = bytes
        self.steps = steps
    }

    /// Bytes of memory.
    public var byteCount: Int { bytes.capacityByteCount + steps.count * MemoryLayout<Step>.stride }

    /// The memory of a chunk that was finished, for another one.
    public consuming func room() -> ByteWriter {
        var room = bytes
        room.removeAll(keepingCapacityUpTo: Output.chunkByteCount * 4)
        return room
    }
}

/// Where the chunks of a file go.
public protocol ChunkSink: AnyObject {
    /// Takes the next chunk.
    func take(_ chunk: consuming FileChunk) throws
    /// Memory of a chunk that was finished, if there is some: fresh memory costs more than what
    /// is written into it.
    func takeRoom() -> ByteWriter?
}

/// Where a finished file goes.
public protocol FinishedFile: AnyObject {
    /// Takes the next bytes of the file.
    func write(_ bytes: RawSpan) throws
    /// Keeps bytes that belong to a later place of the file, behind those of the same number.
    func putAside(_ bytes: RawSpan, as number: Int) throws
    /// Takes everything that was put aside under `number` as the next bytes of the file.
    func fetch(_ number: Int) throws
}

/// Makes bytes of a file of its chunks.
public struct ChunkFinisher: ~Copyable {
    private var compressor = LZFCompressor()
    private var compressed = ByteWriter()
    /// Where what comes next goes: to the file, or aside.
    private var output = ByteWriter()
    /// What goes to the file, while something is put aside.
    private var paused = ByteWriter()
    private var aside: Int?
    /// Strings in a row that did not get shorter.
    private var failureCount = 0

    /// After so many of them, only each eighth is tried: who keeps pictures keeps many.
    private static let patience = 16

    /// Begins with the first chunk of a file.
    public init() {}

    /// Gives the bytes of the next chunk to `file`.
    ///
    /// Strings are left as they are where there is no time to compress them.
    public mutating func finish(
        _ chunk: borrowing FileChunk,
        isCompressing: Bool = true,
        to file: any FinishedFile
    ) throws {
        let bytes = chunk.bytes.bytes
        var position = 0
        for step in chunk.steps {
            output.append(bytes.part(from: position, count: step.offset - position))
            position = step.offset
            if case .string(let count) = step.action {
                appendString(bytes.part(from: position, count: count), isCompressing)
                position += count
            } else {
                try turn(to: step.action, of: file)
            }
        }
        output.append(bytes.part(from: position, count: bytes.byteCount - position))
        try flush(to: file)
    }

    private mutating func turn(to action: FileChunk.Action, of file: any FinishedFile) throws {
        switch action {
        case .aside(let number):
            aside = number
            swap(&output, &paused)
        case .file:
            try flush(to: file)
            aside = nil
            swap(&output, &paused)
        case .fetch(let number):
            try flush(to: file)
            try file.fetch(number)
        case .string: break
        }
    }

    /// Appends a string, compressed if that saves four bytes or more, as servers demand.
    private mutating func appendString(_ bytes: RawSpan, _ isCompressing: Bool) {
        guard isCompressing, compress(bytes) else {
            output.append(length: UInt64(bytes.byteCount))
            return output.append(bytes)
        }
        output.append(Output.compressedMark)
        output.append(length: UInt64(compressed.count))
        output.append(length: UInt64(bytes.byteCount))
        var room = ByteWriter()
        swap(&room, &output)
        room.append(compressed.bytes)
        swap(&room, &output)
    }

    private mutating func compress(_ bytes: RawSpan) -> Bool {
        if failureCount >= Self.patience, failureCount % 8 != 0 {
            failureCount += 1
            return false
        }
        compressed.removeAll(keepingCapacityUpTo: Output.chunkByteCount * 4)
        let isShorter = compressor.compress(bytes, limit: bytes.byteCount - 4, to: &compressed)
        failureCount = isShorter ? 0 : failureCount + 1
        return isShorter
    }

    private mutating func flush(to file: any FinishedFile) throws {
        guard output.count > 0 else { return }
        if let aside {
            try file.putAside(output.bytes, as: aside)
        } else {
            try file.write(output.bytes)
        }
        output.removeAll(keepingCapacityUpTo: Output.chunkByteCount * 4)
    }
}
