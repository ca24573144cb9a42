import Bytes

/// Data of a module beyond its keys, as a file had it, to be written back.
package struct ModuleData: Sendable {
    /// The module's name and the version of its format, in the 64 bits of a file.
    package let module: UInt64
    /// Whether it is to be loaded before the keys; if not, after them.
    package let comesBeforeKeys: Bool
    /// The pieces, up to and with the end.
    package let pieces: ByteString

    package init(module: UInt64, comesBeforeKeys: Bool, pieces: ByteString) {
        self.module = module
        self.comesBeforeKeys = comesBeforeKeys
        self.pieces = pieces
    }
}
