import Bytes
import RDB

/// The digest of a data set: of each database and of all of them.
///
/// Keys can be added in any order, and from several places: a file, its converted form, and a
/// live server that was asked for each key with `DUMP` come to the same digest.
public struct ContentDigest: Equatable, Sendable {
    /// What was added for each database.
    public private(set) var databases: [UInt64: Database] = [:]

    /// The keys of one database.
    public struct Database: Equatable, Sendable {
        /// How many keys.
        public internal(set) var keyCount = 0
        /// The sum of their digests.
        public internal(set) var digest = Digest128.zero
    }

    /// A digest of nothing.
    package init() {}

    /// The digest of a key with its value and deadline.
    package static func digest(
        key: RawSpan,
        value: Digest128,
        deadline: Int64?
    ) -> Digest128 {
        var name = SipHash128()
        name.combine(text: key)
        return digest(name: name, value: value, deadline: deadline)
    }

    /// The digest of a key of whose name `name` is the hash.
    static func digest(name: SipHash128, value: Digest128, deadline: Int64?) -> Digest128 {
        var hash = name
        hash.combine(value)
        if let deadline { hash.combine(UInt64(bitPattern: deadline)) }
        return hash.finish()
    }

    /// Adds a key.
    package mutating func add(
        key: RawSpan,
        value: Digest128,
        deadline: Int64?,
        database: UInt64
    ) {
        add(Self.digest(key: key, value: value, deadline: deadline), database: database)
    }

    /// Adds the last key of `reader`, by its whole name if that is too long to be held.
    mutating func add(
        _ record: KeyRecord,
        _ reader: borrowing FileReader,
        _ longName: LongText?,
        _ value: Digest128
    ) {
        guard let longName else {
            return add(
                key: reader.key,
                value: value,
                deadline: record.deadline,
                database: reader.database
            )
        }
        let digest = Self.digest(name: longName.hash, value: value, deadline: record.deadline)
        add(digest, database: reader.database)
    }

    /// Adds the digest of a key.
    package mutating func add(_ digest: Digest128, database: UInt64) {
        databases[database, default: Database()].keyCount += 1
        databases[database, default: Database()].digest += digest
    }

    /// Adds what another has.
    package mutating func add(_ other: ContentDigest) {
        for (number, database) in other.databases {
            databases[number, default: Database()].keyCount += database.keyCount
            databases[number, default: Database()].digest += database.digest
        }
    }

    /// The digest of all databases with their numbers.
    public var total: Digest128 {
        var sum = Digest128.zero
        for (number, database) in databases {
            var hash = SipHash128()
            hash.combine(number)
            hash.combine(UInt64(database.keyCount))
            hash.combine(database.digest)
            sum += hash.finish()
        }
        return sum
    }
}

/// Adds every key of a data set to a digest.
package struct DigestConsumer: SharedConsumer {
    /// The digest of what was read.
    package private(set) var digest = ContentDigest()
    private var visitor: ValueDigest
    private var longName: LongText?

    /// Digests everything that is not `ignored`.
    package init(ignoring ignored: ValueDigest.Ignored = []) {
        visitor = ValueDigest(ignoring: ignored)
    }

    package func makePart(_ options: FileReader.Options) -> RunPart<DigestConsumer> {
        RunPart(options, DigestConsumer(visitor))
    }

    private init(_ visitor: ValueDigest) {
        self.visitor = visitor
    }

    package mutating func take(_ part: RunPart<DigestConsumer>) {
        digest.add(part.consumer.digest)
        part.consumer.digest = ContentDigest()
    }

    package mutating func longText(_ text: LongText?) {
        longName = text
    }

    package mutating func key(
        _ record: KeyRecord,
        _ reader: inout FileReader
    ) throws(RDBError) {
        try reader.readValue(into: &visitor)
        guard !visitor.isEmpty else { return }
        digest.add(record, reader, longName, visitor.value)
    }
}
