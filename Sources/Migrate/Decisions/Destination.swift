import RDB

/// A server that a migration is for, by the name that people know it by.
///
/// What one reads is what its default configuration reads: Valkey can be told to try files of
/// Redis's newer versions too, but then stops at the first thing that it does not know.
package struct Destination: Hashable, Sendable {
    /// Whose server it is.
    package enum Family: String, Sendable {
        case redis
        case valkey
        case larder
    }

    /// The name on the command line: `valkey-9.1`.
    package let name: String
    /// Whose server it is.
    package let family: Family
    /// Hundred times the major version, and the minor one.
    package let version: Int
    /// What is written as long as nothing needs more.
    package let target: Target
    /// What is written if deadlines of hash fields are to live; nil if they cannot.
    package let deadlineTarget: Target?

    private init(
        _ name: String,
        _ family: Family,
        _ version: Int,
        _ target: Target,
        deadlines: Target? = nil
    ) {
        self.name = name
        self.family = family
        self.version = version
        self.target = target
        deadlineTarget = deadlines
    }

    /// Every destination, in the order in which help lists them.
    package static let all: [Destination] = [
        Destination("valkey-7.2", .valkey, 702, .valkey72),
        Destination("valkey-8.0", .valkey, 800, .valkey8),
        Destination("valkey-8.1", .valkey, 801, .valkey8),
        Destination("valkey-9.0", .valkey, 900, .neutral, deadlines: .valkey9),
        Destination("valkey-9.1", .valkey, 901, .neutral, deadlines: .valkey9),
        Destination("redis-6.2", .redis, 602, .redis6),
        Destination("redis-7.0", .redis, 700, .redis70),
        Destination("redis-7.2", .redis, 702, .redis72),
        Destination("redis-7.4", .redis, 704, .redis74, deadlines: .redis74),
        Destination("redis-8", .redis, 800, .redis8, deadlines: .redis8),
        Destination("larder", .larder, 0, .neutral, deadlines: .valkey9),
    ]

    /// The destination of that name.
    package init?(named name: String) {
        guard let known = Self.all.first(where: { $0.name == name }) else { return nil }
        self = known
    }

    /// Whether a file that begins so is read at all.
    package func reads(_ format: Format) -> Bool {
        switch format.dialect {
        case .redis: format.version <= newestRedisVersion
        case .valkey: format.version == 80 && deadlineTarget?.format.dialect == .valkey
        }
    }

    /// Whether a file that begins so is tried, against the default, with `rdb-version-check
    /// relaxed`; the load then ends at the first thing that is not known.
    package func tries(_ format: Format) -> Bool {
        guard family == .valkey else { return false }
        return switch format.dialect {
        case .redis: version >= 900
        case .valkey: version >= 801
        }
    }

    private var newestRedisVersion: Int {
        switch family {
        case .larder: 15
        case .valkey: 11
        case .redis: target.format.version
        }
    }

    /// The target that a format asked for by its number stands for; nil if it is not read here.
    package func target(forcedVersion version: Int) -> Target? {
        let targets: [Target] = [.redis6, .redis70, .neutral, .redis8, .valkey9]
        return targets.first { $0.format.version == version && reads($0.format) }
    }

    /// Whether vector sets are a kind of value there.
    package var holdsVectorSets: Bool { family == .redis && version >= 800 }

    /// Whether a cluster of it has more databases than the first.
    package var hasClusterDatabases: Bool { family == .valkey && version >= 900 }

    /// Databases that it has unless told otherwise.
    package static let databaseCount = 16
}
