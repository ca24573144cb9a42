import Bytes

/// One item of a file.
public enum Record: Sendable {
    /// A fact about the file: `redis-ver`, `ctime`, `repl-offset`, …; unknown names are none of
    /// the reader's business.
    case auxiliary(name: ByteString, value: ByteString)
    /// The keys that follow belong to this database.
    case database(UInt64)
    /// How many keys, and keys with a deadline, the database has.
    ///
    /// A hint that may be false: reserve no memory from it.
    case sizes(keys: UInt64, deadlines: UInt64)
    /// How many keys the cluster slot that follows has; a hint.
    case slotSizes(slot: UInt64, keys: UInt64, deadlines: UInt64)
    /// Valkey: slots whose import had not ended, so that their keys are half of a truth.
    case slotImport(job: ByteString, slots: [ClosedRange<UInt64>])
    /// The source of a library of functions.
    case function(ByteString)
    /// Data of a module beyond its keys; the pieces can be read like a value.
    case moduleAuxiliary(ModuleAuxiliary)
    /// Field names that hashes refer to from here on. The reader keeps them.
    case hashTemplate(id: UInt64, fields: [ByteString])
    /// A key; its value can be read next.
    case key(KeyRecord)
    /// The end of the file; the checksum was right, or nil if the file has none.
    case end(checksum: UInt64?)
}

/// What stands before the value of a key.
public struct KeyRecord: Equatable, Sendable {
    /// How the value is laid out.
    public var encoding: Encoding
    /// When it expires, in milliseconds since 1970.
    public var deadline: Int64?
    /// How long nobody asked for it, in seconds.
    public var idleSeconds: UInt64?
    /// How often it is asked for, as a logarithm.
    public var frequency: UInt8?
    /// What modules attached to the key, as it is in the file; nil if nothing.
    public var metadata: ByteString?
    /// Where the record begins.
    public var offset: Int
}

/// Data of a module beyond its keys.
public struct ModuleAuxiliary: Equatable, Sendable {
    /// The module.
    public var module: ModuleID
    /// 1 = to be loaded before the keys, 2 = after.
    public var when: UInt64

    /// Data of `module`, to be loaded before or after the keys.
    public init(module: ModuleID, when: UInt64) {
        self.module = module
        self.when = when
    }
}
