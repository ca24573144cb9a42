import Bytes
import Structures

/// An entry of a stream, where it lies; valid until the stream changes.
@safe
package struct StreamEntry {
    package let id: StreamEntryID
    package let fieldCount: Int
    let isDeleted: Bool
    let flags: PackedCursor
    /// The first value, or the first field where the entry has its own.
    fileprivate let content: PackedCursor
    /// The first field of the node, where the entry shares them.
    fileprivate let sharedFields: PackedCursor?

    /// Visits fields and values in their order.
    package func forEachField(_ visit: (_ field: PackedValue, _ value: PackedValue) -> Void) {
        var values = unsafe content
        guard var fields = unsafe sharedFields else {
            for _ in 0..<fieldCount {
                let field = unsafe values
                unsafe values.advance()
                unsafe visit(field.value(), values.value())
                unsafe values.advance()
            }
            return
        }
        for _ in 0..<fieldCount {
            unsafe visit(fields.value(), values.value())
            unsafe fields.advance()
            unsafe values.advance()
        }
    }

    fileprivate var elementCount: Int { unsafe sharedFields == nil ? fieldCount * 2 : fieldCount }
}

/// A walk over the entries of one node in either direction, deleted ones included.
@unsafe
struct StreamNodeCursor {
    private let master: StreamEntryID
    private let fieldCount: Int
    private let fields: PackedCursor
    /// Between two entries: where the next one begins.
    private var place: PackedCursor

    /// Stands before the first entry, or behind the last.
    init(_ node: StreamNode, _ master: StreamEntryID, atEnd: Bool = false) {
        unsafe self.master = master
        let listpack = unsafe node.listpack
        var cursor = unsafe PackedCursor(listpack)
        unsafe cursor.advance(by: 2)
        let count = unsafe Int(cursor.integer)
        unsafe fieldCount = count
        unsafe cursor.advance()
        unsafe fields = unsafe cursor
        if atEnd {
            unsafe place = PackedCursor(listpack, at: listpack.count - 1)
        } else {
            unsafe cursor.advance(by: count + 1)
            unsafe place = unsafe cursor
        }
    }

    /// The next entry; nil at the end of the node.
    mutating func next() -> StreamEntry? {
        guard unsafe !place.isAtEnd else { return nil }
        let entry = unsafe self.entry(at: place)
        var end = unsafe entry.content
        unsafe end.advance(by: entry.elementCount + 1)
        unsafe place = unsafe end
        return entry
    }

    /// The entry before; nil at the start of the node.
    mutating func previous() -> StreamEntry? {
        var start = unsafe place
        unsafe start.retreat()
        let count = unsafe Int(start.integer)
        guard count > 0 else { return nil }
        for _ in 0..<count { unsafe start.retreat() }
        unsafe place = unsafe start
        return unsafe entry(at: start)
    }

    private func entry(at start: PackedCursor) -> StreamEntry {
        var cursor = unsafe start
        let flags = unsafe cursor.integer
        unsafe cursor.advance()
        let milliseconds = unsafe UInt64(bitPattern: cursor.integer)
        unsafe cursor.advance()
        let sequence = unsafe UInt64(bitPattern: cursor.integer)
        unsafe cursor.advance()
        let isShared = unsafe flags & StreamNode.sharedFieldsFlag != 0
        var count = unsafe fieldCount
        if !isShared {
            unsafe count = Int(cursor.integer)
            unsafe cursor.advance()
        }
        return unsafe StreamEntry(
            id: StreamEntryID(
                master.milliseconds &+ milliseconds,
                master.sequence &+ sequence
            ),
            fieldCount: count,
            isDeleted: flags & StreamNode.deletedFlag != 0,
            flags: start,
            content: cursor,
            sharedFields: isShared ? fields : nil
        )
    }
}
