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
        /// A string of so many bytes begins here, without its length; it comes in parts, some of
        /// which may be fetched.
        case longString(Int)
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
    /// Gives everything that was put aside under `number` to `body`, in its order.
    func fetch(_ number: Int, _ body: (RawSpan) throws -> Void) throws
    /// Leaves so many bytes open as the next ones of the file; one such gap at a time.
    func writeGap(byteCount: Int) throws
    /// Puts `bytes` into the gap, as many as it has.
    func fillGap(_ bytes: RawSpan) throws
}
