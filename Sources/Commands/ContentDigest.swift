import Bytes
import Dump
import RDB
import Store

/// A digest of content that does not depend on how it is kept: DEBUG DIGEST.
///
/// The same as that of Valkey 9: what has no order is combined by exclusive or, what
/// has one by digesting the digest again.
struct ContentDigest {
    private(set) var bytes = [UInt8](repeating: 0, count: 20)

    /// Adds something whose place does not matter.
    mutating func add(_ content: RawSpan) {
        let digest = SHA1.digest(content)
        for index in bytes.indices { bytes[index] ^= digest[index] }
    }

    /// Adds something behind what was added before.
    mutating func append(_ content: RawSpan) {
        add(content)
        bytes = SHA1.digest(bytes.bytes)
    }

    mutating func append(_ value: PackedValue) {
        append(value.byteString.bytes)
    }

    mutating func append(_ number: Int) {
        var bytes = ByteWriter()
        bytes.appendBigEndian(UInt32(truncatingIfNeeded: number))
        append(bytes.bytes)
    }

    /// As DEBUG tells it.
    var text: String {
        bytes.map { byte in String(String(256 + Int(byte), radix: 16).dropFirst()) }.joined()
    }
}

extension ContentDigest {
    /// Adds a value with its deadline, behind what was added before.
    mutating func append(_ entry: Entry) throws(RDBError) {
        append(entry.kind.digestNumber)
        var writer = PayloadWriter(for: .valkey9)
        try encode(entry, into: &writer)
        var copy = ByteString("")
        writer.finishPayload { copy = ByteString($0) }
        var payload = try Payload(copy.bytes)
        var visitor = DigestVisitor(digest: self)
        try payload.readValue(into: &visitor)
        self = visitor.digest
        if entry.deadline != nil { add(ByteString("!!expire!!").bytes) }
    }

    /// Adds all that a database holds.
    mutating func add(_ keyspace: Keyspace) throws(RDBError) {
        var failure: RDBError?
        keyspace.forEachEntry { entry in
            guard failure == nil else { return }
            do throws(RDBError) {
                var digest = ContentDigest()
                digest.append(entry.key)
                try digest.append(entry)
                add(digest.bytes.bytes)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

/// Digests the elements of one value.
private struct DigestVisitor: PayloadVisitor {
    var digest: ContentDigest

    mutating func begin(_ encoding: RDB.Encoding) -> Reporting { .elements }

    mutating func string(_ value: PackedValue) {
        digest.append(value)
    }

    mutating func listElement(_ element: PackedValue) {
        digest.append(element)
    }

    mutating func setMember(_ member: PackedValue) {
        digest.add(member.byteString.bytes)
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        var element = ContentDigest()
        element.append(member)
        var text = ByteWriter()
        text.append(exponential: score)
        element.append(text.bytes)
        digest.add(element.bytes.bytes)
    }

    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        var element = ContentDigest()
        element.append(field)
        element.append(value)
        digest.add(element.bytes.bytes)
    }

    mutating func streamEntry(_ id: StreamID, fieldCount: Int) {
        digest.append(ByteString("\(id.milliseconds).\(id.sequence)").bytes)
    }

    mutating func streamField(_ field: PackedValue, value: PackedValue) {
        digest.append(field)
        digest.append(value)
    }
}

extension Kind {
    /// The number that servers have for a type of value.
    fileprivate var digestNumber: Int {
        switch self {
        case .string: 0
        case .list: 1
        case .set: 2
        case .sortedSet: 3
        case .hash: 4
        case .module: 5
        case .stream: 6
        }
    }
}
