import Bytes

/// How a packed string lies, for reading it through a window: element by element, and the bytes
/// of each in parts.
///
/// Whoever reads calls `next`, and after the bytes of a string that it announced `endString`.
protocol ElementFormat {
    /// What a packed string that ends too early is.
    static var damage: RDBError.Code { get }

    /// Reads up to the next element, or past the end.
    mutating func next(_ input: inout Input) throws(RDBError) -> ElementHead

    /// Reads what follows the bytes of a string.
    mutating func endString(_ input: inout Input) throws(RDBError)
}

/// How an element begins.
enum ElementHead {
    case integer(Int64)
    /// So many bytes follow.
    case string(Int)
    /// There is no other.
    case end
}

/// The elements of a packed string as strings of a file, one after the other.
///
/// So whoever walks over plain layouts walks over what is packed as well, and no more of it is in
/// memory than a window.
final class ElementSource<Format: ElementFormat>: ByteSource {
    private var input: Input
    private var format: Format
    private var output = ByteWriter()
    /// Bytes of the output that were handed out.
    private var given = 0
    /// Bytes of the string that is being copied.
    private var left = 0
    private var isAtEnd = false
    /// What ends the elements early.
    private var damage: RDBError?

    /// What is made at a time.
    private static var pieceByteCount: Int { 32 << 10 }

    /// Reads a packed string that is laid out as `format` says.
    init(_ input: consuming Input, _ format: Format) {
        self.input = input
        self.format = format
    }

    func read(into room: inout OutputRawSpan) throws(RDBError) {
        if given == output.count {
            given = 0
            output.removeAll()
            try fill()
        }
        let count = min(room.freeCapacity, output.count - given)
        room.append(output.bytes.part(from: given, count: count))
        given += count
    }

    /// Makes the next piece; what comes before damage is still handed out.
    private func fill() throws(RDBError) {
        if let damage { throw damage }
        do throws(RDBError) {
            while !isAtEnd, output.count < Self.pieceByteCount { try step() }
        } catch {
            guard output.count > 0 else { throw error }
            damage = error
        }
    }

    private func step() throws(RDBError) {
        if left > 0 { return try copy() }
        switch try format.next(&input) {
        case .integer(let integer):
            output.append(0xC0 | StringForm.elementKind)
            output.appendInteger(integer)
        case .string(let count):
            output.append(count: count)
            left = count
            if count == 0 { try format.endString(&input) }
        case .end:
            isAtEnd = true
        }
    }

    private func copy() throws(RDBError) {
        try input.need(1)
        let count = min(input.available, left, Self.pieceByteCount)
        output.append(input.window(at: 0, count: count))
        input.consume(count)
        left -= count
        if left == 0 { try format.endString(&input) }
    }
}

/// The bytes of a string of an input, as a source for another.
final class StringSource: ByteSource {
    /// What the string is in; whoever has given it takes it back.
    var input: Input
    private var parts: StringParts

    /// Reads a string of `form` whose data is next.
    init(_ input: consuming Input, _ form: StringForm) {
        self.input = input
        parts = StringParts(form)
    }

    func read(into room: inout OutputRawSpan) throws(RDBError) {
        let limit = room.freeCapacity
        let before = room.byteCount
        // What is left of compressed data may give nothing.
        while !parts.isAtEnd, room.byteCount == before {
            try parts.next(in: &input, upTo: limit) { part throws(RDBError) in room.append(part) }
        }
    }
}

extension OutputRawSpan {
    /// Appends bytes, for which there is room.
    @_lifetime(self: copy self)
    fileprivate mutating func append(_ part: RawSpan) {
        unsafe withUnsafeMutableBytes { free, filled in
            unsafe part.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: free[filled...])
                    .copyMemory(from: bytes)
            }
            filled += part.byteCount
        }
    }
}
