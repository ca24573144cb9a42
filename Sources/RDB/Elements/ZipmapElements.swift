import Bytes

/// Reads a zipmap through a window; its layout is told where `Zipmap` is.
struct ZipmapElements: ElementFormat {
    private let offset: Int
    private var stated: Int?
    private var count = 0
    private var isValue = false
    /// Unused bytes after the value.
    private var free = 0

    static let damage = RDBError.Code.invalidZipmap

    /// A zipmap that begins at `offset`.
    init(at offset: Int) {
        self.offset = offset
    }

    private func wrong(_ position: Int, _ detail: String) -> RDBError {
        RDBError(.invalidZipmap, at: position, "zipmap: \(detail)")
    }

    mutating func next(_ input: inout Input) throws(RDBError) -> ElementHead {
        let stated: Int
        if let known = self.stated { stated = known } else { stated = Int(try input.readByte()) }
        self.stated = stated
        let start = input.position
        guard let byteCount = try readLength(&input) else {
            guard !isValue else { throw wrong(start, "a field without a value") }
            guard try input.isAtEnd() else { throw wrong(input.position, "an early end") }
            guard stated >= 254 || stated == count else {
                throw wrong(offset, "the first byte counts \(stated) fields, there are \(count)")
            }
            return .end
        }
        free = isValue ? Int(try input.readByte()) : 0
        if isValue { count += 1 }
        isValue.toggle()
        return .string(byteCount)
    }

    private func readLength(_ input: inout Input) throws(RDBError) -> Int? {
        let first = try input.readByte()
        switch first {
        case 0xFF: return nil
        case 0xFE: return Int(try input.readInteger(as: UInt32.self))
        default: return Int(first)
        }
    }

    mutating func endString(_ input: inout Input) throws(RDBError) {
        if free > 0 { try input.skip(free) }
    }
}
