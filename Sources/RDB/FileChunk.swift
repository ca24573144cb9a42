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
}

/// Where the chunks of a file go.
public protocol ChunkSink: AnyObject {
    /// Takes the next chunk.
    func take(_ chunk: consuming FileChunk) throws
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
    private var output = ByteWriter()
    private var aside: Int?

    /// Begins with the first chunk of a file.
    public init() {}

    /// Gives the bytes of the next chunk to `file`.
    public mutating func finish(_ chunk: borrowing FileChunk, to file: any FinishedFile) throws {
        let bytes = chunk.bytes.bytes
        var position = 0
        for step in chunk.steps {
            output.append(bytes.part(from: position, count: step.offset - position))
            position = step.offset
            if case .string(let count) = step.action {
                appendString(bytes.part(from: position, count: count))
                position += count
            } else {
                try flush(to: file)
                try turn(to: step.action, of: file)
            }
        }
        output.append(bytes.part(from: position, count: bytes.byteCount - position))
        try flush(to: file)
    }

    private mutating func turn(to action: FileChunk.Action, of file: any FinishedFile) throws {
        switch action {
        case .aside(let number): aside = number
        case .file: aside = nil
        case .fetch(let number): try file.fetch(number)
        case .string: break
        }
    }

    /// Appends a string, compressed if that saves four bytes or more, as servers demand.
    private mutating func appendString(_ bytes: RawSpan) {
        compressed.removeAll(keepingCapacityUpTo: Output.chunkByteCount * 4)
        guard compressor.compress(bytes, limit: bytes.byteCount - 4, to: &compressed) else {
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
