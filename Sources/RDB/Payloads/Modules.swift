import Bytes

/// The module that wrote a value, and the version of its encoding.
///
/// 64 bits: nine characters of six bits, the first in the highest bits, then ten bits of version.
/// Characters are `A-Z a-z 0-9 - _`. Example: `ReJSON-RL` version 3 is 45 17 92 38 DF 91 2C 03.
public struct ModuleID: Hashable, Sendable {
    /// The 64 bits.
    public let bits: UInt64

    /// Takes the 64 bits.
    public init(bits: UInt64) {
        self.bits = bits
    }

    /// The name of the module's type.
    public var name: String {
        let characters = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8
        )
        let name = (0..<9).map { characters[Int(bits >> UInt64(58 - $0 * 6) & 63)] }
        return String(decoding: name, as: UTF8.self)
    }

    /// The version of the encoding.
    public var version: Int { Int(bits & 1023) }
}

extension ModuleID: CustomStringConvertible {
    /// Name and version.
    public var description: String { "\(name) version \(version)" }
}

/// A piece of a module value.
///
/// What it means is the module's business.
public enum ModuleItem: ~Escapable {
    /// A signed integer.
    case signed(Int64)
    /// An unsigned integer.
    case unsigned(UInt64)
    /// A number of four bytes.
    case float(Float)
    /// A number of eight bytes.
    case double(Double)
    /// A string.
    case string(PackedValue)
}

extension PayloadWalk {
    /// MODULE_2: module id as a length prefix, then pieces, each an opcode and its operand.
    ///
    ///     1  signed integer as length prefix        4  f64 LE
    ///     2  unsigned integer as length prefix      5  string
    ///     3  f32 LE                                 0  the end
    mutating func walkModule<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        let id = ModuleID(bits: try input.readNumber())
        if reporting != .nothing { try visitor.module(id) }
        try walkModuleItems(&visitor, reporting)
    }

    /// The pieces of a module value, up to and with the end.
    mutating func walkModuleItems<Visitor: PayloadVisitor & ~Copyable>(
        _ visitor: inout Visitor,
        _ reporting: Reporting
    ) throws(RDBError) {
        while true {
            let offset = input.position
            let opcode = try input.readNumber()
            if opcode == 0 { return }
            if reporting == .nothing {
                try skipModuleItem(opcode, offset)
                continue
            }
            switch opcode {
            case 1:
                let value = Int64(bitPattern: try input.readNumber())
                try visitor.moduleItem(.signed(value))
            case 2:
                try visitor.moduleItem(.unsigned(try input.readNumber()))
            case 3:
                let value = Float(bitPattern: try input.readInteger(as: UInt32.self))
                try visitor.moduleItem(.float(value))
            case 4:
                let value = Double(bitPattern: try input.readInteger(as: UInt64.self))
                try visitor.moduleItem(.double(value))
            case 5:
                if try input.isLong(at: 0, limit: visitor.largestWholeElement) {
                    try walkParts(.moduleString, &visitor)
                    try visitor.endElement(score: nil, deadline: nil)
                    continue
                }
                var cursor = 0
                let located = try input.locateString(at: &cursor)
                try visitor.moduleItem(.string(input.value(located)))
                input.consume(cursor)
            default:
                throw unknownOpcode(opcode, offset)
            }
        }
    }

    /// KEY_META: count of classes; each: u32 LE class, pieces up to and with the end.
    ///
    /// Kept as it is, for a file of the same dialect.
    mutating func readMetadata() throws(RDBError) -> ByteString {
        let sink = MemorySink()
        try input.copy(to: sink)
        for _ in 0..<(try input.readCount()) {
            try input.skip(4)
            var visitor = SkippingVisitor()
            try walkModuleItems(&visitor, .nothing)
        }
        try input.copy(to: nil)
        return ByteString(sink.array)
    }

    private mutating func skipModuleItem(_ opcode: UInt64, _ offset: Int) throws(RDBError) {
        switch opcode {
        case 1, 2: _ = try input.readNumber()
        case 3: try input.skip(4)
        case 4: try input.skip(8)
        case 5: try input.skipString()
        default: throw unknownOpcode(opcode, offset)
        }
    }

    private func unknownOpcode(_ opcode: UInt64, _ offset: Int) -> RDBError {
        RDBError(.invalidModule, at: offset, "no module data has opcode \(opcode)")
    }
}
