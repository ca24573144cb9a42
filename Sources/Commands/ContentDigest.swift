import Bytes
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
    mutating func append(_ entry: Entry) {
        append(entry.kind.digestNumber)
        switch entry.kind {
        case .string, .module: append(entry.bytes)
        case .list: entry.list.forEach(in: 0..<entry.list.count) { append($0) }
        case .set: entry.set.forEachMember { add($0.byteString.bytes) }
        case .sortedSet:
            entry.sortedSet.forEachMember { member, score in
                var text = ByteWriter()
                text.append(exponential: score)
                var element = ContentDigest()
                element.append(member)
                element.append(text.bytes)
                add(element.bytes.bytes)
            }
        case .hash:
            entry.hash.forEachField { field, value in
                var element = ContentDigest()
                element.append(field)
                element.append(value)
                add(element.bytes.bytes)
            }
        case .stream:
            entry.stream.forEachEntry { entry in
                append(ByteString("\(entry.id.milliseconds).\(entry.id.sequence)").bytes)
                entry.forEachField { field, value in
                    append(field)
                    append(value)
                }
                return true
            }
        }
        if entry.deadline != nil { add(ByteString("!!expire!!").bytes) }
    }

    /// Adds all that a database holds.
    mutating func add(_ keyspace: Keyspace) {
        keyspace.forEachEntry { entry in
            var digest = ContentDigest()
            digest.append(entry.key)
            digest.append(entry)
            add(digest.bytes.bytes)
        }
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
