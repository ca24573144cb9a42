import Bytes
import Inspect
import RDB
import TestKit
import Testing

struct `A content digest` {
    private func digest(
        _ encoding: Encoding,
        ignoring: ValueDigest.Ignored = [],
        _ body: (inout ValueDigest) throws -> Void
    ) rethrows -> Digest128 {
        var digest = ValueDigest(ignoring: ignoring)
        _ = digest.begin(encoding)
        try body(&digest)
        digest.end()
        return digest.value
    }

    private func hash(_ fields: [(String, String)], _ encoding: Encoding = .hash) -> Digest128 {
        digest(encoding) { digest in
            for (field, value) in fields {
                digest.hashField(
                    .bytes(ByteString(field).bytes),
                    value: .bytes(ByteString(value).bytes),
                    deadline: nil
                )
            }
        }
    }

    @Test
    func `does not depend on the order or the encoding of a hash`() throws {
        let fields = (0..<50).map { ("field:\($0)", "\($0 * 7)") }
        var generator = SeededGenerator(seed: 1)
        let expected = hash(fields)
        #expect(hash(fields.shuffled(using: &generator)) == expected)
        #expect(hash(fields, .hashDeadlines) == expected)
        var listpack = ListpackWriter()
        for (field, value) in fields.reversed() {
            listpack.append(PackedValue(packing: ByteString(field).bytes))
            listpack.append(PackedValue(packing: ByteString(value).bytes))
        }
        var packed = ByteWriter()
        listpack.finish { packed.append($0) }
        let whole = try digest(.hashListpack) { try $0.listpack(packed.bytes, count: 50) }
        #expect(whole == expected)
        #expect(hash(fields.dropLast()) != expected)
    }

    @Test
    func `does not let neighbours run together`() {
        #expect(hash([("ab", "c")]) != hash([("a", "bc")]))
        #expect(hash([("a", "b"), ("c", "d")]) != hash([("a", "d"), ("c", "b")]))
    }

    @Test
    func `takes a name in parts for the name`() {
        let name = ByteString("a long name")
        let header = StreamGroup(lastDeliveredID: .zero, entriesRead: nil, pendingCount: 1)
        let consumer = StreamConsumer(seenTime: 1, activeTime: nil, pendingCount: 1)
        func report(_ role: StreamNameRole, _ digest: inout ValueDigest) {
            let count = name.byteCount
            for offset in 0..<count {
                let part = name.bytes.part(from: offset, count: 1)
                digest.streamNamePart(part, at: offset, of: count, role)
            }
        }
        func stream(_ isInParts: Bool) -> Digest128 {
            digest(.stream3) { digest in
                let held = isInParts ? ByteString([]) : name
                if isInParts { report(.group, &digest) }
                digest.streamGroup(.bytes(held.bytes), header)
                if isInParts { report(.consumer, &digest) }
                digest.streamConsumer(.bytes(held.bytes), consumer)
                digest.consumerPending(StreamID(1, 1))
            }
        }
        #expect(stream(true) == stream(false))
    }

    @Test
    func `takes an element in parts for the element`() {
        let field = ByteString("field")
        let value = ByteString("a long value")
        let whole = digest(.hash) {
            $0.hashField(.bytes(field.bytes), value: .bytes(value.bytes), deadline: 77)
        }
        let parts = digest(.hash) {
            $0.elementPart(field.bytes, at: 0, of: 5, .hashField)
            $0.elementPart(value.bytes.part(from: 0, count: 5), at: 0, of: 12, .hashValue)
            $0.elementPart(value.bytes.part(from: 5, count: 7), at: 5, of: 12, .hashValue)
            $0.endElement(score: nil, deadline: 77)
        }
        #expect(parts == whole)
        let member = digest(.sortedSet) { $0.sortedSetMember(.bytes(value.bytes), score: 2) }
        let memberParts = digest(.sortedSet) {
            $0.elementPart(value.bytes.part(from: 0, count: 3), at: 0, of: 12, .sortedSetMember)
            $0.elementPart(value.bytes.part(from: 3, count: 9), at: 3, of: 12, .sortedSetMember)
            $0.endElement(score: 2, deadline: nil)
        }
        #expect(memberParts == member)
        let list = digest(.list) { $0.listElement(.bytes(value.bytes)) }
        let listParts = digest(.list) {
            $0.elementPart(value.bytes.part(from: 0, count: 3), at: 0, of: 12, .listElement)
            $0.elementPart(value.bytes.part(from: 3, count: 9), at: 3, of: 12, .listElement)
            $0.endElement(score: nil, deadline: nil)
        }
        #expect(listParts == list)
    }

    @Test
    func `takes a number for the text that it spells`() {
        let number = digest(.string) { $0.string(.integer(-12)) }
        let text = digest(.string) { $0.string(.bytes(ByteString("-12").bytes)) }
        #expect(number == text)
        let parts = digest(.string) {
            $0.stringPart(ByteString("-1").bytes, at: 0, of: 3)
            $0.stringPart(ByteString("2").bytes, at: 2, of: 3)
        }
        #expect(parts == text)
    }

    @Test
    func `depends on the order of a list`() {
        func list(_ elements: [String]) -> Digest128 {
            digest(.list) { digest in
                for element in elements { digest.listElement(.bytes(ByteString(element).bytes)) }
            }
        }
        #expect(list(["a", "b"]) != list(["b", "a"]))
        #expect(list(["a", "b"]) != list(["ab"]))
        #expect(list(["a"]) != digest(.set) { $0.setMember(.bytes(ByteString("a").bytes)) })
    }

    @Test
    func `leaves field deadlines out where it is told to`() {
        func field(_ deadline: Int64?, _ ignored: ValueDigest.Ignored) -> Digest128 {
            digest(.hashDeadlines, ignoring: ignored) {
                $0.hashField(.integer(1), value: .integer(2), deadline: deadline)
            }
        }
        #expect(field(5, []) != field(6, []))
        #expect(field(5, []) != field(nil, []))
        #expect(field(5, .fieldDeadlines) == field(nil, []))
    }

    @Test
    func `of a data set is the sum of its keys in any order`() {
        var one = ContentDigest()
        var other = ContentDigest()
        let value = Digest128(high: 1, low: 2)
        for index in 0..<100 {
            let key = ByteString("\(index)")
            one.add(key: key.bytes, value: value, deadline: nil, database: UInt64(index % 3))
        }
        for index in (0..<100).reversed() {
            let key = ByteString("\(index)")
            other.add(key: key.bytes, value: value, deadline: nil, database: UInt64(index % 3))
        }
        #expect(one == other && one.total == other.total)
        other.add(key: ByteString("0").bytes, value: value, deadline: 5, database: 0)
        #expect(one.total != other.total)
    }
}
