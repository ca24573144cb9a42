import Bytes
import RDB

/// The live entries of a stream's node, for visitors that take nodes whole.
///
/// The layout is told where RDB reads it; the reader has checked the node.
struct StreamNode: ~Escapable {
    private var reader: ElementReader
    private let master: StreamID
    private var liveCount: Int64
    private let masterFieldCount: Int
    private let masterFields: ElementReader

    @_lifetime(copy listpack)
    init(_ listpack: RawSpan, master: StreamID) throws(RDBError) {
        var reader = try ElementReader(listpack)
        self.master = master
        liveCount = try reader.requireInteger()
        _ = try reader.requireInteger()
        masterFieldCount = Int(clamping: try reader.requireInteger())
        masterFields = reader
        for _ in 0..<masterFieldCount { _ = try reader.require() }
        _ = try reader.require()
        self.reader = reader
    }

    /// Reports every live entry, and its fields.
    @_lifetime(self: copy self)
    mutating func report<Visitor: PayloadVisitor & ~Copyable>(
        to visitor: inout Visitor
    ) throws(RDBError) {
        while liveCount > 0 {
            let flags = try reader.requireInteger()
            let milliseconds = UInt64(bitPattern: try reader.requireInteger())
            let sequence = UInt64(bitPattern: try reader.requireInteger())
            let id = StreamID(
                master.milliseconds &+ milliseconds,
                master.sequence &+ sequence
            )
            let usesMaster = flags & 2 != 0
            let isLive = flags & 1 == 0
            let count =
                usesMaster ? masterFieldCount : Int(clamping: try reader.requireInteger())
            if isLive {
                liveCount -= 1
                try visitor.streamEntry(id, fieldCount: count)
            }
            var names = masterFields
            for _ in 0..<count {
                let name = usesMaster ? try names.require() : try reader.require()
                let value = try reader.require()
                if isLive { try visitor.streamField(name, value: value) }
            }
            _ = try reader.require()
        }
    }
}
