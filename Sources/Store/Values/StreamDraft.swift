import Bytes

/// The fields of an entry that is about to be added to a stream, packed as a node has them.
package struct StreamDraft: ~Copyable {
    /// Field and value in turn, as entries of a listpack.
    private(set) var elements = ByteWriter(reserving: 256)
    package private(set) var fieldCount = 0
    /// Bytes of all fields and values.
    package private(set) var textByteCount = 0

    package init() {}

    package mutating func append(_ field: RawSpan, _ value: RawSpan) {
        append(field)
        append(value)
        fieldCount += 1
    }

    private mutating func append(_ text: RawSpan) {
        textByteCount += text.byteCount
        switch PackedValue(packing: text) {
        case .integer(let integer):
            unsafe elements.append(upTo: Listpack.entryByteCount(of: integer)) { room in
                unsafe Listpack.writeEntry(integer, to: room.baseAddress.unsafelyUnwrapped)
            }
        case .bytes(let bytes):
            let size = Listpack.entryByteCount(ofStringOf: bytes.byteCount)
            unsafe elements.append(upTo: size) { room in
                unsafe Listpack.writeEntry(bytes, to: room.baseAddress.unsafelyUnwrapped)
            }
        }
    }

    /// Lends where the first field begins.
    func withElements<Result>(_ body: (PackedCursor) -> Result) -> Result {
        unsafe elements.bytes.withUnsafeBytes { bytes in
            unsafe body(PackedCursor(UnsafeMutableRawBufferPointer(mutating: bytes), at: 0))
        }
    }
}
