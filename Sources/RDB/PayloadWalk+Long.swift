import Bytes

// Packed strings that are too long to be held.
extension PayloadWalk {
    /// Whether the packed string that comes next is longer than a visitor takes one.
    @inline(__always)
    mutating func isLongPacked<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: borrowing Visitor
    ) throws(RDBError) -> Bool {
        try input.isLong(at: 0, limit: visitor.largestWholePacked)
    }

    /// Moves past the packed string that comes next, while `body` walks over its elements: for as
    /// long they are the input, plain strings and integers.
    ///
    /// If `body` finds too few of them, that is `damage`.
    mutating func walkLong(
        _ container: Container,
        _ damage: RDBError.Code,
        _ body: (inout PayloadWalk, _ byteCount: Int) throws(RDBError) -> Void
    ) throws(RDBError) {
        var offset = input.position
        let form = try input.readStringForm()
        if case .plain(let count) = form {
            offset = input.position
            try input.expect(count)
        }
        var outer = Input(copying: RawSpan())
        swap(&outer, &input)
        let string = StringSource(outer, form)
        input = elements(of: string, container, form.byteCount, offset, damage)
        do throws(RDBError) {
            try body(&self, form.byteCount)
            // The end of what is packed has to be there as well.
            guard try input.isAtEnd() else {
                throw RDBError(damage, at: offset, "more elements than there should be")
            }
        } catch {
            swap(&input, &string.input)
            throw error
        }
        swap(&input, &string.input)
    }

    private func elements(
        of string: StringSource,
        _ container: Container,
        _ byteCount: Int,
        _ offset: Int,
        _ damage: RDBError.Code
    ) -> Input {
        let isStrict = validation.contains(.containers)
        func read<Format: ElementFormat>(_ format: Format) -> Input {
            let bytes = Input(string, startingAt: offset, damage: Format.damage)
            return Input(ElementSource(bytes, format), elementsOf: offset, damage: damage)
        }
        return switch container {
        case .listpack: read(ListpackElements(byteCount, at: offset, isStrict: isStrict))
        case .ziplist: read(ZiplistElements(byteCount, at: offset))
        case .zipmap: read(ZipmapElements(at: offset))
        case .intset: read(IntsetElements(byteCount, at: offset, isStrict: isStrict))
        }
    }
}
