import Bytes
import RDB
import Store

/// Data of a module beyond its keys, as a file had it, to be written back.
package struct ModuleData: Sendable {
    package let auxiliary: ModuleAuxiliary
    /// The pieces, up to and with the end.
    package let pieces: ByteString

    package init(_ auxiliary: ModuleAuxiliary, pieces: ByteString) {
        self.auxiliary = auxiliary
        self.pieces = pieces
    }

    /// Whether it is to be loaded before the keys.
    package var comesBeforeKeys: Bool { auxiliary.when == 1 }
}

/// Writes the stored value of `entry`; that of a module as it came.
package func write(_ entry: Entry, to writer: inout PayloadWriter) throws(RDBError) {
    if entry.kind == .module {
        try writer.copy(.module, entry.bytes)
    } else {
        try encode(entry, into: &writer)
    }
}

extension Entry {
    /// The module whose value this is; nil for other values.
    package var module: ModuleID? {
        guard kind == .module, bytes.byteCount > 8 else { return nil }
        // The id as servers write it: a length prefix of the longest form.
        var bits: UInt64 = 0
        for offset in 1...8 { bits = bits << 8 | UInt64(bytes.byte(at: offset)) }
        return ModuleID(bits: bits)
    }
}
