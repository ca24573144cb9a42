import Bytes

/// Which family of servers a file belongs to, and the version of the format.
///
///     52 45 44 49 53 30 30 31 31      "REDIS0011"   Redis, and Valkey up to 8.1
///     56 41 4C 4B 45 59 30 38 30      "VALKEY080"   Valkey from 9.0 on
///
/// Versions 12 to 79 are Redis's own since the two went apart. From there on the same type
/// bytes and opcodes mean different things in the two dialects.
public struct Format: Hashable, Sendable {
    /// Whose meanings the type bytes have.
    public enum Dialect: Sendable {
        /// `REDIS` files.
        case redis
        /// `VALKEY` files.
        case valkey
    }

    /// Whose meanings the type bytes have.
    public let dialect: Dialect
    /// The number in the magic, or in the footer of a payload.
    public let version: Int

    /// Names a format.
    public init(_ dialect: Dialect, version: Int) {
        self.dialect = dialect
        self.version = version
    }

    /// The format of a payload whose footer says `version`: it has no magic to go by.
    ///
    /// Up to 11 the two dialects agree, except that Valkey reads its hash with field
    /// deadlines in such payloads too.
    public init(payloadVersion version: Int) {
        self.init((12...79).contains(version) ? .redis : .valkey, version: version)
    }

    /// The magic as text.
    public var description: String {
        let digits = String(version)
        let width = dialect == .redis ? 4 : 3
        let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count))
        return (dialect == .redis ? "REDIS" : "VALKEY") + zeros + digits
    }

    /// Bytes of the magic.
    static let magicByteCount = 9

    /// Whether the layouts of this version are known here.
    public var isKnown: Bool {
        switch dialect {
        case .redis: version >= 1 && version <= 15
        case .valkey: version == 80
        }
    }

    /// Whether the file ends with a checksum.
    var hasChecksum: Bool { version >= 5 }

    /// Reads a magic.
    init(magic: RawSpan) throws(RDBError) {
        let dialect: Dialect
        let digits: RawSpan
        if magic.starts(with: "REDIS") {
            dialect = .redis
            digits = magic.part(from: 5, count: 4)
        } else if magic.starts(with: "VALKEY") {
            dialect = .valkey
            digits = magic.part(from: 6, count: 3)
        } else {
            throw RDBError(.wrongMagic, at: 0, "expected REDIS or VALKEY and a version")
        }
        var version = 0
        for index in 0..<digits.byteCount {
            let digit = Int(digits.byte(at: index)) - 0x30
            guard (0...9).contains(digit) else {
                throw RDBError(.unsupportedVersion, at: 0, "the version is not a number")
            }
            version = version * 10 + digit
        }
        self.init(dialect, version: version)
        let range = dialect == .redis ? 1...79 : 80...999
        guard range.contains(version) else {
            throw RDBError(.unsupportedVersion, at: 0, "no server writes \(description)")
        }
    }
}

extension Format: CustomStringConvertible {}

/// The bytes that begin a record without a value.
enum Opcode {
    /// Redis from 8.10 on: the field names that hashes refer to.
    static let hashTemplate: UInt8 = 242
    /// Redis from 8.6 on: what modules attach to the next key.
    static let keyMetadata: UInt8 = 243
    /// Valkey: slots whose import has not ended.
    static let slotImport: UInt8 = 243
    static let slotSizes: UInt8 = 244
    static let function: UInt8 = 245
    /// Release candidates of Redis 7.0 only.
    static let functionBeforeRelease: UInt8 = 246
    static let moduleAuxiliary: UInt8 = 247
    static let idle: UInt8 = 248
    static let frequency: UInt8 = 249
    static let auxiliary: UInt8 = 250
    static let sizes: UInt8 = 251
    static let deadlineMilliseconds: UInt8 = 252
    static let deadlineSeconds: UInt8 = 253
    static let database: UInt8 = 254
    static let end: UInt8 = 255
}

/// The kinds of value.
public enum ValueKind: String, Sendable, CaseIterable {
    /// A string; bitmaps and HyperLogLogs too.
    case string
    /// A list.
    case list
    /// A set.
    case set
    /// A sorted set.
    case sortedSet
    /// A hash.
    case hash
    /// A stream.
    case stream
    /// A value that only its module understands.
    case module
    /// A sparse array of Redis 8.8, or a rate limiter: kinds no other server has.
    case other
}

/// How a value is laid out: what its type byte says.
public enum Encoding: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// One string.
    case string
    /// Elements, head first.
    case list
    /// Members.
    case set
    /// Members with their scores as text.
    case sortedSetText
    /// Fields and values.
    case hash
    /// Members with their scores as doubles.
    case sortedSet
    /// Module data that cannot be skipped: release candidates of Redis 4.0.
    case moduleBeforeRelease
    /// Module data in typed pieces.
    case module
    /// A hash in a zipmap, up to Redis 2.4.
    case hashZipmap
    /// A list in a ziplist.
    case listZiplist
    /// A set of integers in an intset.
    case setIntset
    /// A sorted set in a ziplist.
    case sortedSetZiplist
    /// A hash in a ziplist.
    case hashZiplist
    /// A list in ziplists.
    case listQuicklist
    /// A stream, version 1.
    case stream1
    /// A hash in a listpack.
    case hashListpack
    /// A sorted set in a listpack.
    case sortedSetListpack
    /// A list in listpacks, large elements on their own.
    case listQuicklist2
    /// A stream with counters.
    case stream2
    /// A set in a listpack.
    case setListpack
    /// A stream with the time of each consumer's last success.
    case stream3
    /// Valkey: fields, values and absolute deadlines.
    case hashDeadlines
    /// Release candidates of Redis 7.4: absolute deadlines, fields and values.
    case hashDeadlinesBeforeRelease
    /// Release candidates of Redis 7.4: the same in a listpack.
    case hashListpackDeadlinesBeforeRelease
    /// Redis 7.4: deadlines relative to a base, fields and values.
    case hashRelativeDeadlines
    /// Redis 7.4: a base, and fields, values and absolute deadlines in a listpack.
    case hashListpackDeadlines
    /// Redis 8.6: a stream with the ids of idempotent producers.
    case stream4
    /// Redis 8.8: a stream with pending entries that nobody owns.
    case stream5
    /// Redis 8.8: a sparse array.
    case array
    /// Redis 8.10: field names, and the values in a listpack.
    case hashTemplateListpack
    /// Redis 8.10: a reference to field names, and the values in a listpack.
    case hashTemplateListpackReference
    /// Redis 8.10: field names and values.
    case hashTemplate
    /// Redis 8.10: a reference to field names, and values.
    case hashTemplateReference
    /// Redis 8.8: a rate limiter.
    case rateLimiter

    /// The meaning of a type byte in a dialect.
    public init?(typeByte: UInt8, in dialect: Format.Dialect) {
        switch typeByte {
        case 0...7: self.init(rawValue: typeByte)
        case 9...21: self.init(rawValue: typeByte - 1)
        case 22 where dialect == .valkey: self = .hashDeadlines
        case 22...33 where dialect == .redis: self.init(rawValue: typeByte)
        default: return nil
        }
    }

    /// The type byte, in the dialect that has this encoding.
    public var typeByte: UInt8 {
        // Type 8 was never assigned, and 22 has a meaning in each dialect.
        (8...21).contains(rawValue) ? rawValue + 1 : rawValue
    }

    /// What kind of value this encodes.
    public var kind: ValueKind {
        switch self {
        case .string: .string
        case .list, .listZiplist, .listQuicklist, .listQuicklist2: .list
        case .set, .setIntset, .setListpack: .set
        case .sortedSetText, .sortedSet, .sortedSetZiplist, .sortedSetListpack: .sortedSet
        case .stream1, .stream2, .stream3, .stream4, .stream5: .stream
        case .module, .moduleBeforeRelease: .module
        case .array, .rateLimiter: .other
        default: .hash
        }
    }

    /// Whether fields can have deadlines in this encoding.
    public var hasFieldDeadlines: Bool {
        switch self {
        case .hashDeadlines, .hashDeadlinesBeforeRelease, .hashListpackDeadlinesBeforeRelease,
            .hashRelativeDeadlines, .hashListpackDeadlines:
            true
        default: false
        }
    }

    /// The name servers know it by.
    public var name: String {
        switch self {
        case .string: "STRING"
        case .list: "LIST"
        case .set: "SET"
        case .sortedSetText: "ZSET"
        case .hash: "HASH"
        case .sortedSet: "ZSET_2"
        case .moduleBeforeRelease: "MODULE_PRE_GA"
        case .module: "MODULE_2"
        case .hashZipmap: "HASH_ZIPMAP"
        case .listZiplist: "LIST_ZIPLIST"
        case .setIntset: "SET_INTSET"
        case .sortedSetZiplist: "ZSET_ZIPLIST"
        case .hashZiplist: "HASH_ZIPLIST"
        case .listQuicklist: "LIST_QUICKLIST"
        case .stream1: "STREAM_LISTPACKS"
        case .hashListpack: "HASH_LISTPACK"
        case .sortedSetListpack: "ZSET_LISTPACK"
        case .listQuicklist2: "LIST_QUICKLIST_2"
        case .stream2: "STREAM_LISTPACKS_2"
        case .setListpack: "SET_LISTPACK"
        case .stream3: "STREAM_LISTPACKS_3"
        case .hashDeadlines: "HASH_2"
        case .hashDeadlinesBeforeRelease: "HASH_METADATA_PRE_GA"
        case .hashListpackDeadlinesBeforeRelease: "HASH_LISTPACK_EX_PRE_GA"
        case .hashRelativeDeadlines: "HASH_METADATA"
        case .hashListpackDeadlines: "HASH_LISTPACK_EX"
        case .stream4: "STREAM_LISTPACKS_4"
        case .stream5: "STREAM_LISTPACKS_5"
        case .array: "ARRAY"
        case .hashTemplateListpack: "HASH_TMPL_LP"
        case .hashTemplateListpackReference: "HASH_TMPL_LP_REF"
        case .hashTemplate: "HASH_TMPL_ARRAY"
        case .hashTemplateReference: "HASH_TMPL_ARRAY_REF"
        case .rateLimiter: "GCRA"
        }
    }
}
