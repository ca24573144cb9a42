/// Builds a listpack element by element.
public struct ListpackWriter: ~Copyable {
    @usableFromInline var output: ByteWriter
    @usableFromInline var elements = 0

    /// Starts an empty listpack.
    @inlinable
    public init(reserving capacity: Int = 64) {
        output = ByteWriter(reserving: max(capacity, Listpack.emptyByteCount))
        output.appendInteger(UInt32(0))
        output.appendInteger(UInt16(0))
    }

    /// How many elements were appended.
    @inlinable public var count: Int { elements }

    /// The bytes of the finished listpack, if nothing more were appended.
    @inlinable public var byteCount: Int { output.count + 1 }

    /// Appends a string, as an integer if it spells one canonically.
    @inlinable
    public mutating func append(_ text: RawSpan) {
        append(PackedValue(packing: text))
    }

    /// Appends an integer.
    @inlinable
    public mutating func append(integer: Int64) {
        unsafe output.append(upTo: Listpack.entryByteCount(of: integer)) { room in
            unsafe Listpack.writeEntry(integer, to: room.baseAddress.unsafelyUnwrapped)
        }
        elements += 1
    }

    /// Appends a value as it is: bytes stay bytes even if they spell an integer.
    @inlinable
    public mutating func append(_ value: borrowing PackedValue) {
        switch value {
        case .integer(let integer): append(integer: integer)
        case .bytes(let bytes): append(string: bytes)
        }
    }

    /// Appends a string that is known to spell no integer.
    @inlinable
    public mutating func append(string: RawSpan) {
        unsafe output.append(upTo: Listpack.entryByteCount(ofStringOf: string.byteCount)) { room in
            unsafe Listpack.writeEntry(string, to: room.baseAddress.unsafelyUnwrapped)
        }
        elements += 1
    }

    /// Appends `count` entries that lie as they do in a listpack.
    @inlinable
    public mutating func append(entries: RawSpan, count: Int) {
        output.append(entries)
        elements += count
    }

    /// Writes the header and the end, hands the bytes to `body`, and starts anew.
    @inlinable
    public mutating func finish<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        output.append(Listpack.end)
        precondition(output.count <= Listpack.maximumByteCount, "a listpack over 4 GiB")
        output.overwrite(at: 0, with: UInt32(output.count))
        output.overwrite(at: 4, with: UInt16(min(elements, Listpack.unknownCount)))
        defer { removeAll() }
        return try body(output.bytes)
    }

    /// Drops every element.
    @inlinable
    public mutating func removeAll() {
        output.truncate(to: Listpack.headerByteCount)
        elements = 0
    }
}
