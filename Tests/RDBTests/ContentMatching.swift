import Bytes
import Foundation
import RDB

/// Says how content differs from a description of it.
struct Differences {
    private(set) var found: [String] = []
    /// Whether the server knew what consumer groups had read.
    private var hasCounters = true

    mutating func expect(_ holds: Bool, _ text: @autoclosure () -> String) {
        if !holds, found.count < 20 { found.append(text()) }
    }

    /// Compares a file with what its server said.
    mutating func compare(_ content: Content, _ description: [String: Any]) {
        guard description["summary"] == nil else { return }
        hasCounters = content.format?.version ?? 0 >= 10
        let databases = description["dbs"] as? [String: [[String: Any]]] ?? [:]
        let notEmpty = content.keys.mapValues { $0.filter { !$0.value.value.isEmpty } }
            .filter { !$0.value.isEmpty }
        expect(
            Set(databases.keys) == Set(notEmpty.keys.map { "\($0)" }),
            "databases \(notEmpty.keys.sorted()), expected \(databases.keys.sorted())"
        )
        for (number, expected) in databases {
            let keys = notEmpty[UInt64(number) ?? 0] ?? [:]
            expect(
                keys.count == expected.count,
                "\(keys.count) keys in \(number), expected \(expected.count)"
            )
            for object in expected {
                guard let name = Self.find(object["key"], in: keys) else {
                    expect(false, "key \(object["key"] ?? "") is missing")
                    continue
                }
                if let key = keys[name] { compare(key, object, ByteString(name).description) }
            }
        }
        let codes = (description["functions"] as? [[String: Any]] ?? []).map {
            BytesExpectation($0["code"])
        }
        expect(codes.count == content.functions.count, "\(content.functions.count) functions")
        for code in codes {
            expect(content.functions.contains { code.matches($0) }, "a function is missing")
        }
    }

    /// The key of a dictionary that a description names.
    private static func find<Other>(_ json: Any?, in dictionary: [[UInt8]: Other]) -> [UInt8]? {
        let expectation = BytesExpectation(json)
        if case .bytes(let bytes) = expectation, dictionary[bytes] != nil { return bytes }
        return dictionary.keys.first { expectation.matches($0) }
    }

    /// Compares a key with what its server said.
    mutating func compare(_ key: Key, _ object: [String: Any], _ name: String) {
        func number(_ name: String) -> Int64? { (object[name] as? NSNumber)?.int64Value }
        expect(key.deadline == number("ttl_ms"), "\(name): deadline \(key.deadline ?? -1)")
        if let frequency = number("freq") {
            expect(key.frequency.map { Int64($0) } == frequency, "\(name): frequency")
        }
        if let idle = number("idle_s") {
            expect(abs(Int64(key.idleSeconds ?? 0) - idle) <= 1, "\(name): idle time")
        }
        switch key.value {
        case .string(let bytes):
            expect(BytesExpectation(object["value"]).matches(bytes), "\(name): value")
        case .list(let elements):
            compare(elements, object["items"], "\(name): elements")
        case .set(let members):
            let members = Dictionary(uniqueKeysWithValues: members.map { ($0, ()) })
            let expected = object["members"] as? [Any] ?? []
            expect(members.count == expected.count, "\(name): \(members.count) members")
            for member in expected {
                expect(Self.find(member, in: members) != nil, "\(name): no \(member)")
            }
        case .sortedSet(let members):
            compare(sortedSet: members, object["entries"] as? [[Any]] ?? [], name)
        case .hash(let fields):
            compare(hash: fields, object["fields"] as? [[String: Any]] ?? [], name)
        case .stream(let stream):
            compare(stream: stream, object["stream"] as? [String: Any] ?? [:], name)
        case .module(let module, _):
            expect(module.hasPrefix(object["type"] as? String ?? "?"), "\(name): \(module)")
        }
    }

    private mutating func compare(_ found: [[UInt8]], _ json: Any?, _ name: String) {
        let expected = json as? [Any] ?? []
        expect(found.count == expected.count, "\(name): \(found.count), not \(expected.count)")
        for (index, (bytes, object)) in zip(found, expected).enumerated() {
            expect(BytesExpectation(object).matches(bytes), "\(name): at \(index)")
        }
    }

    private mutating func compare(
        sortedSet members: [[UInt8]: Double],
        _ expected: [[Any]],
        _ name: String
    ) {
        let sorted = members.sorted {
            $0.value != $1.value
                ? $0.value < $1.value : $0.key.lexicographicallyPrecedes($1.key)
        }
        compare(sorted.map(\.key), expected.map { $0[0] }, "\(name): members")
        for (member, object) in zip(sorted, expected) {
            let bits = UInt64(object[2] as? String ?? "", radix: 16) ?? 0
            expect(
                Double(bitPattern: bits) == member.value,
                "\(name): score of \(ByteString(member.key))"
            )
        }
    }

    private mutating func compare(
        hash fields: [[UInt8]: Value.Field],
        _ expected: [[String: Any]],
        _ name: String
    ) {
        expect(fields.count == expected.count, "\(name): \(fields.count) fields")
        for object in expected {
            guard let title = Self.find(object["field"], in: fields), let field = fields[title]
            else {
                expect(false, "\(name): no field \(object["field"] ?? "")")
                continue
            }
            let name = "\(name), field \(ByteString(title))"
            expect(BytesExpectation(object["value"]).matches(field.value), "\(name): value")
            expect(
                field.deadline == (object["ttl_ms"] as? NSNumber)?.int64Value,
                "\(name): deadline"
            )
        }
    }

    private mutating func compare(
        stream: Value.Stream,
        _ object: [String: Any],
        _ name: String
    ) {
        let entries = object["entries"] as? [[Any]] ?? []
        expect(
            entries.map { $0[0] as? String ?? "" } == stream.entries.map(\.id.description),
            "\(name): ids"
        )
        for (entry, expected) in zip(stream.entries, entries) {
            compare(entry.fields, expected[1], "\(name): \(entry.id)")
        }
        guard let state = stream.state else { return expect(false, "\(name): no counters") }
        func check(_ key: String, _ value: some CustomStringConvertible) {
            guard let expected = object[key], !(expected is NSNull) else { return }
            expect("\(expected)" == value.description, "\(name): \(key) \(value)")
        }
        check("length", state.length)
        check("last_id", state.lastID)
        check("max_deleted_entry_id", state.maximumDeletedID)
        check("entries_added", state.entriesAdded)
        // Servers show an emptied stream of version 1 with an impossible first id.
        if state.length > 0 { check("recorded_first_entry_id", state.firstID) }
        compare(groups: stream.groups, object["groups"] as? [[String: Any]] ?? [], name)
    }

    private mutating func compare(
        groups: [[UInt8]: Value.Stream.Group],
        _ expected: [[String: Any]],
        _ name: String
    ) {
        expect(groups.count == expected.count, "\(name): \(groups.count) groups")
        for object in expected {
            let title = BytesExpectation(object["name"])
            guard let (text, group) = groups.first(where: { title.matches($0.key) }) else {
                expect(false, "\(name): group \(object["name"] ?? "") is missing")
                continue
            }
            let name = "\(name), group \(ByteString(text))"
            expect(
                group.group.lastDeliveredID.description == object["last_id"] as? String,
                "\(name): last id"
            )
            if let read = object["entries_read"], hasCounters {
                expect(
                    (read as? NSNumber)?.uint64Value == group.group.entriesRead,
                    "\(name): entries read \(group.group.entriesRead ?? 0)"
                )
            }
            compare(pending: group, object["pel"] as? [[String: Any]] ?? [], name)
            for object in object["consumers"] as? [[String: Any]] ?? [] {
                let title = BytesExpectation(object["name"])
                let consumer = group.consumers.first { title.matches($0.key) }?.value
                expect(consumer != nil, "\(name): consumer \(object["name"] ?? "")")
                if let seen = object["seen_time"] as? NSNumber {
                    expect(consumer?.seenTime == seen.int64Value, "\(name): seen time")
                }
                if let active = object["active_time"] as? NSNumber {
                    expect(
                        consumer?.activeTime ?? -1 == active.int64Value,
                        "\(name): active time"
                    )
                }
            }
        }
    }

    private mutating func compare(
        pending group: Value.Stream.Group,
        _ expected: [[String: Any]],
        _ name: String
    ) {
        expect(group.pending.count == expected.count, "\(name): \(group.pending.count) pending")
        for object in expected {
            let id = object["id"] as? String ?? ""
            guard let pending = group.pending.values.first(where: { $0.entry.id.description == id })
            else {
                expect(false, "\(name): \(id) is not pending")
                continue
            }
            expect(
                BytesExpectation(object["consumer"]).matches(pending.consumer ?? []),
                "\(name): consumer of \(id)"
            )
            if let time = object["delivery_time"] as? NSNumber {
                expect(pending.entry.deliveryTime == time.int64Value, "\(name): time of \(id)")
            }
            if let count = object["delivery_count"] as? NSNumber {
                expect(pending.entry.deliveryCount == count.uint64Value, "\(name): count of \(id)")
            }
        }
    }
}

extension Value {
    /// Whether servers would leave the key out.
    var isEmpty: Bool {
        switch self {
        case .list(let elements): elements.isEmpty
        case .set(let members): members.isEmpty
        case .sortedSet(let members): members.isEmpty
        case .hash(let fields): fields.isEmpty
        default: false
        }
    }
}
