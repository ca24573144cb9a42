import Bytes

/// The servers that a file or payload is written for: what they can read.
///
/// Every target reads the encodings that were written before it; what it cannot hold is an error.
public struct Target: Hashable, Sendable {
    /// What people call it.
    public let name: String
    /// The magic and version to write.
    public let format: Format

    private init(_ name: String, _ dialect: Format.Dialect, _ version: Int) {
        self.name = name
        format = Format(dialect, version: version)
    }

    /// Redis 5.0.
    public static let redis5 = Target("Redis 5", .redis, 9)
    /// Redis 6.0 and 6.2.
    public static let redis6 = Target("Redis 6", .redis, 9)
    /// Redis 7.0.
    public static let redis70 = Target("Redis 7.0", .redis, 10)
    /// Redis 7.2.
    public static let redis72 = Target("Redis 7.2", .redis, 11)
    /// Redis 7.4.
    public static let redis74 = Target("Redis 7.4", .redis, 12)
    /// Redis 8.
    public static let redis8 = Target("Redis 8", .redis, 12)
    /// Valkey 7.2.
    public static let valkey72 = Target("Valkey 7.2", .redis, 11)
    /// Valkey 8.
    public static let valkey8 = Target("Valkey 8", .redis, 11)
    /// Valkey 9.
    public static let valkey9 = Target("Valkey 9", .valkey, 80)
    /// What Redis from 7.2 on and every Valkey reads.
    public static let neutral = Target("every server since 7.2", .redis, 11)

    /// Every target, oldest first.
    public static let all: [Target] = [
        redis5, redis6, redis70, redis72, valkey72, valkey8, neutral, redis74, redis8, valkey9,
    ]

    /// The target of a format that was asked for by number: 9, 10, 11 or 80.
    public init?(forcedVersion version: Int) {
        switch version {
        case 9, 10, 11: self.init("RDB \(version)", .redis, version)
        case 80: self.init("RDB 80", .valkey, version)
        default: return nil
        }
    }

    /// The target of a file that shall keep its format.
    public init(keeping format: Format) {
        name = format.description
        self.format = format
    }

    private var version: Int { format.version }

    /// Whether fields of hashes can have deadlines.
    public var holdsFieldDeadlines: Bool { version >= 12 }
    /// Whether there are functions.
    public var holdsFunctions: Bool { version >= 10 }
    /// Whether streams keep what was added and deleted, and groups what they read.
    ///
    /// A stream written for a target without it loses these counters.
    public var holdsStreamCounters: Bool { version >= 10 }
    /// Whether consumers keep when they were given an entry last.
    public var holdsActiveTimes: Bool { version >= 11 }

    /// Whether collections are packed in listpacks; before, in ziplists.
    var hasListpacks: Bool { version >= 10 }
    var hasSetListpacks: Bool { version >= 11 }

    /// Whether a value in this encoding can be copied as it is.
    public func accepts(_ encoding: Encoding) -> Bool {
        switch encoding {
        case .string, .list, .set, .sortedSetText, .hash, .sortedSet, .module, .hashZipmap,
            .listZiplist, .setIntset, .sortedSetZiplist, .hashZiplist, .listQuicklist, .stream1:
            true
        case .hashListpack, .sortedSetListpack, .listQuicklist2, .stream2:
            version >= 10
        case .setListpack, .stream3:
            version >= 11
        case .hashDeadlines:
            format.dialect == .valkey
        case .hashRelativeDeadlines, .hashListpackDeadlines:
            format.dialect == .redis && version >= 12
        case .stream4:
            format.dialect == .redis && version >= 13
        case .stream5:
            format.dialect == .redis && version >= 14
        default:
            // Layouts of release candidates, and those that refer to other records.
            false
        }
    }

    // The defaults of the targets, up to which they pack collections themselves.

    static let maximumPackedElement = 64
    static let maximumPackedFields = 512
    static let maximumPackedScores = 128
    static let maximumPackedMembers = 128
    static let maximumIntsetMembers = 512
    static let maximumListNodeByteCount = 8192
}

extension Target: CustomStringConvertible {
    /// Name and format.
    public var description: String { "\(name) (\(format))" }
}
