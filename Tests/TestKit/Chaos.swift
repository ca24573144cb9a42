import Bytes
import Store

/// What a key holds, in a form that compares.
package struct Content: Hashable {
    package var kind: Kind
    package var deadline: Int64?
    /// Members, fields with values and deadlines, members with scores, what a stream has besides
    /// its entries.
    package var parts: [ByteString: String] = [:]
    /// Elements of a list, entries of a stream, or the one string.
    package var elements: [ByteString] = []

    package init(_ kind: Kind, deadline: Int64?) {
        self.kind = kind
        self.deadline = deadline
    }

    package init(_ entry: Entry) {
        self.init(entry.kind, deadline: entry.deadline)
        switch entry.kind {
        case .string: elements = [ByteString(entry.bytes)]
        case .list:
            var elements: [ByteString] = []
            entry.list.forEach(in: 0..<entry.list.count) { elements.append($0.byteString) }
            self.elements = elements
        case .set:
            var parts: [ByteString: String] = [:]
            entry.set.forEachMember { parts[$0.byteString] = "" }
            self.parts = parts
        case .sortedSet:
            var parts: [ByteString: String] = [:]
            entry.sortedSet.forEachMember { parts[$0.byteString] = "\($1)" }
            self.parts = parts
        case .hash:
            var parts: [ByteString: String] = [:]
            entry.hash.forEachWithDeadline { parts[$0.byteString] = Content.text($1, $2) }
            self.parts = parts
        case .stream: describe(entry.stream)
        default: preconditionFailure("chaos makes no \(entry.kind)")
        }
    }

    private mutating func describe(_ stream: StreamValue) {
        elements = Content.entries(of: stream)
        parts["state"] = Content.text(
            "\(stream.count) \(stream.entriesAdded)",
            [stream.lastID, stream.firstID, stream.maximumDeletedID]
        )
        for index in 0..<stream.groupCount {
            let group = stream.group(at: index)
            let name = ByteString(group.name)
            parts[ByteString("group \(name)")] = Content.text(
                "\(group.pendingCount) \(group.consumerCount) \(group.entriesRead ?? -1)",
                [group.lastDeliveredID]
            )
            for index in 0..<group.consumerCount {
                let consumer = group.consumer(at: index)
                parts[ByteString("consumer \(name) \(ByteString(consumer.name))")] =
                    "\(consumer.pendingCount) \(consumer.seenTime) \(consumer.activeTime ?? -1)"
            }
            var next = group.pending(atOrAfter: .zero)
            while let pending = next {
                let owner = pending.consumer.map { "\(ByteString($0.name))" } ?? "-"
                parts[ByteString(Content.text("pending \(name)", [pending.id]))] =
                    "\(owner) \(pending.deliveryTime) \(pending.deliveryCount)"
                next = pending.id.next.flatMap { group.pending(atOrAfter: $0) }
            }
        }
    }

    /// The entries in their order, each as a text.
    package static func entries(of stream: StreamValue) -> [ByteString] {
        var entries: [ByteString] = []
        stream.forEachEntry { entry in
            var line = text("", [entry.id])
            entry.forEachField { line += " \($0.byteString)=\($1.byteString)" }
            entries.append(ByteString(line))
            return true
        }
        return entries
    }

    package static func text(_ start: String, _ ids: [StreamEntryID]) -> String {
        ids.reduce(start) { "\($0) \($1.milliseconds)-\($1.sequence)" }
    }

    package static func text(_ value: borrowing PackedValue, _ deadline: Int64?) -> String {
        "\(value.byteString) until \(deadline ?? -1)"
    }
}

package struct Place: Hashable {
    package let database: Int
    package let key: ByteString

    package init(database: Int, key: ByteString) {
        self.database = database
        self.key = key
    }
}

/// A data set under random changes of every sort.
package struct Chaos: ~Copyable {
    package static let databases = 3
    package var data: DataSet
    package var random: SeededGenerator
    package let keys: Int

    /// Changes of so many keys, or as many as the seed says.
    package init(seed: UInt64, keys: Int? = nil) {
        random = SeededGenerator(seed: seed)
        data = DataSet(databaseCount: Self.databases, seed: seed)
        self.keys = keys ?? [3, 20, 60].randomElement(using: &random) ?? 50
        var limits = LargeValueLimits()
        limits.elements = [0, 5, 40].randomElement(using: &random) ?? 5
        limits.bytes = [0, 200, 4000].randomElement(using: &random) ?? 200
        limits.stringBytes = 1100
        limits.pageBytes = [16, 300].randomElement(using: &random) ?? 16
        data.largeValueLimits = limits
        var encodings = EncodingLimits()
        encodings.hashEntries = 3
        encodings.setEntries = 3
        encodings.setIntegers = 3
        encodings.sortedSetEntries = 3
        encodings.listSize = 3
        encodings.streamEntries = 4
        data.limits = encodings
        data.now = 1_700_000_000_000
    }

    /// Everything there is, by a plain pass.
    package func clone() -> [Place: Content] { Chaos.clone(data) { $0 } }

    /// What `value` makes of each content of a data set, by a plain pass.
    package static func clone<Value>(
        _ data: borrowing DataSet,
        _ value: (Content) -> Value
    ) -> [Place: Value] {
        var all: [Place: Value] = [:]
        for number in 0..<Self.databases {
            data[number].forEachEntry {
                all[Place(database: number, key: ByteString($0.key))] = value(Content($0))
            }
        }
        return all
    }

    private mutating func number(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

    private mutating func key() -> ByteString { ByteString("key:\(number(keys))") }

    private mutating func text() -> ByteString {
        ByteString("\(number(60)):" + String(repeating: "v", count: number(4) == 0 ? 90 : 2))
    }

    private mutating func deadline() -> Int64? {
        Bool.random(using: &random) ? data.now + Int64(number(2000)) - 100 : nil
    }

    /// One random change.
    package mutating func change() {
        let keyspace = data[number(Self.databases)]
        let key = key()
        switch number(100) {
        case 0..<15: changeString(key, in: keyspace)
        case 15..<32: changeList(key, in: keyspace)
        case 32..<47: changeSet(key, in: keyspace)
        case 47..<65: changeSortedSet(key, in: keyspace)
        case 65..<75: changeHash(key, in: keyspace)
        case 75..<84: changeStream(key, in: keyspace)
        case 84..<87:
            if let entry = keyspace.find(key.bytes) { keyspace.remove(entry) }
        case 87..<93: moveOrCopy(key, from: keyspace)
        case 93..<96: keyspace.find(key.bytes)?.open().setDeadline(deadline())
        case 96: data.swap(number(Self.databases), number(Self.databases))
        case 97:
            // Rarely, so that tables grow in between.
            if number(keys > 100 ? keys : 8) == 0 { keyspace.removeAll() }
        case 98: data.now += Int64(number(20))
        default: data.freeSome(number(50))
        }
    }

    private mutating func changeString(_ key: ByteString, in keyspace: Keyspace) {
        let value = text()
        guard let entry = keyspace.find(key.bytes), entry.kind == .string, number(4) > 0 else {
            let size = number(3) == 0 ? 120 + number(200) : number(20)
            let whole = ByteString("\(value)" + String(repeating: "abcdefghij", count: size))
            return keyspace.setString(key.bytes, whole.bytes, deadline: deadline())
        }
        let open = entry.open()
        let count = entry.bytes.byteCount
        switch number(3) {
        case 0: _ = open.append(value.bytes)
        case 1: _ = open.write(value.bytes, at: number(count + 10))
        default:
            let place = number(count)
            open.withMutableBytes(in: place..<(place + 1)) {
                $0.storeBytes(of: 65, toByteOffset: place, as: UInt8.self)
            }
        }
    }

    private mutating func changeList(_ key: ByteString, in keyspace: Keyspace) {
        let value = text()
        guard let entry = keyspace.find(key.bytes) else {
            let list = keyspace.insertList(key.bytes)
            for _ in 0..<(1 + number(60)) { list.append(text().bytes) }
            return
        }
        guard entry.kind == .list else { return }
        let list = entry.open().list
        let count = list.value.count
        switch number(8) {
        case 0: list.prepend(value.bytes)
        case 1: list.append(value.bytes)
        case 2: list.insert(value.bytes, at: number(count + 1))
        case 3: list.set(value.bytes, at: number(count))
        case 4: _ = list.remove(value.bytes, limit: 1 + number(3), fromEnd: number(2) == 0)
        case 5: list.remove(in: 0..<1)
        case 6: list.remove(in: (count - 1)..<count)
        default:
            let first = number(count)
            list.remove(in: first..<(first + 1 + number(count - first)))
        }
        if list.value.count == 0 { return keyspace.remove(list.open.entry) }
        if number(3) == 0 { list.settle() }
    }

    private mutating func changeSet(_ key: ByteString, in keyspace: Keyspace) {
        let value = text()
        guard let entry = keyspace.find(key.bytes) else {
            let set = keyspace.insertSet(key.bytes, toHold: value.bytes)
            for _ in 0..<(1 + number(60)) { set.add(text().bytes) }
            return
        }
        guard entry.kind == .set else { return }
        let set = entry.open().set
        switch number(5) {
        case 0, 1: set.add(value.bytes)
        case 2, 3: set.remove(value.bytes)
        default: set.removeRandom { _ in }
        }
        if set.value.isEmpty { keyspace.remove(set.open.entry) }
    }

    private mutating func changeSortedSet(_ key: ByteString, in keyspace: Keyspace) {
        let value = text()
        let score = Double(number(40))
        guard let entry = keyspace.find(key.bytes) else {
            let set = keyspace.insertSortedSet(key.bytes, toHold: 1, longest: 1)
            for _ in 0..<(1 + number(400)) {
                _ = set.set(ByteString("\(number(600))").bytes, Double(number(1000)))
            }
            return
        }
        guard entry.kind == .sortedSet else { return }
        let set = entry.open().sortedSet
        let count = set.value.count
        switch number(6) {
        case 0: _ = set.set(value.bytes, score)
        case 1, 2: _ = set.set(ByteString("\(number(600))").bytes, Double(number(1000)))
        case 3, 4: _ = set.remove(ByteString("\(number(600))").bytes)
        default:
            let first = number(count)
            set.remove(in: first..<(first + 1 + number(min(count - first, 30))))
        }
        if set.value.count == 0 { keyspace.remove(set.open.entry) }
    }

    private mutating func changeHash(_ key: ByteString, in keyspace: Keyspace) {
        let field = text()
        guard let entry = keyspace.find(key.bytes) else {
            let hash = keyspace.insertHash(key.bytes)
            for _ in 0..<(1 + number(60)) { hash.set(text().bytes, field.bytes) }
            return
        }
        guard entry.kind == .hash else { return }
        let hash = entry.open().hash
        switch number(6) {
        case 0, 1, 2: hash.set(field.bytes, text().bytes, deadline: deadline())
        case 3:
            if hash.value.contains(field.bytes) { hash.setDeadline(deadline(), of: field.bytes) }
        case 4: _ = hash.removeExpired(limit: 3) { _ in }
        default: _ = hash.remove(field.bytes)
        }
        if hash.value.isEmpty { keyspace.remove(hash.open.entry) }
    }

    private mutating func changeStream(_ key: ByteString, in keyspace: Keyspace) {
        guard let entry = keyspace.find(key.bytes) else {
            let stream = keyspace.insertStream(key.bytes)
            for _ in 0..<number(60) { append(to: stream) }
            for _ in 0..<number(3) { addGroup(to: stream) }
            for _ in 0..<number(40) { deliver(from: stream) }
            return
        }
        guard entry.kind == .stream else { return }
        let stream = entry.open().stream
        switch number(12) {
        case 0..<3: append(to: stream)
        case 3: _ = stream.remove(someID(of: stream))
        case 4:
            let count = stream.value.count
            var trimming = StreamTrimming(
                number(2) == 0
                    ? .length(count - number(min(count, 8) + 1)) : .firstID(someID(of: stream))
            )
            trimming.isApproximate = number(2) == 0
            _ = stream.trim(trimming)
        case 5: addGroup(to: stream)
        case 6 where stream.value.groupCount > 0:
            let group = stream.value.group(at: number(stream.value.groupCount))
            if number(3) == 0 {
                _ = stream.removeGroup(ByteString(group.name).bytes)
            } else {
                stream.setPosition(of: group, someID(of: stream), entriesRead: nil)
            }
        case 7 where stream.value.groupCount > 0:
            let group = stream.value.group(at: number(stream.value.groupCount))
            guard group.consumerCount > 0, number(3) == 0 else { return }
            let consumer = group.consumer(at: number(group.consumerCount))
            _ = stream.removeConsumer(consumer, from: group)
        case 8:
            stream.setCounters(lastID: stream.value.lastID, entriesAdded: UInt64(number(1000)))
        default: deliver(from: stream)
        }
    }

    private mutating func append(to stream: OpenStream) {
        let last = stream.value.lastID
        let sequence = last.sequence + 1 + UInt64(number(3))
        var draft = StreamDraft()
        draft.append(ByteString("field").bytes, text().bytes)
        if number(3) == 0 { draft.append(text().bytes, text().bytes) }
        stream.append(StreamEntryID(last.milliseconds + UInt64(number(2)), sequence), draft)
    }

    private mutating func addGroup(to stream: OpenStream) {
        let name = ByteString("group:\(number(3))")
        stream.addGroup(name.bytes, after: someID(of: stream), entriesRead: nil)
    }

    /// The id of an entry, or one that is close to one.
    private mutating func someID(of stream: OpenStream) -> StreamEntryID {
        let last = stream.value.lastID
        let limit = StreamEntryID(
            last.milliseconds,
            UInt64(number(Int(min(last.sequence, 300)) + 1))
        )
        var found = limit
        stream.value.forEachEntry(from: limit) { entry in
            found = entry.id
            return false
        }
        return found
    }

    /// Makes something pending for somebody, or acknowledges it.
    private mutating func deliver(from stream: OpenStream) {
        guard stream.value.groupCount > 0 else { return }
        let group = stream.value.group(at: number(stream.value.groupCount))
        let name = ByteString("consumer:\(number(3))")
        let id = someID(of: stream)
        let consumer =
            group.consumer(named: name.bytes)
            ?? stream.addConsumer(name.bytes, to: group, seenTime: data.now)
        stream.setActiveTime(of: consumer, data.now)
        guard number(4) > 0 else {
            _ = stream.acknowledge(group.pending(atOrAfter: id)?.id ?? id, in: group)
            return
        }
        stream.assign(
            id,
            to: consumer,
            of: group,
            deliveryTime: data.now,
            deliveryCount: UInt64(number(5))
        )
    }

    private static let large: [ByteString] = ["set", "sorted set", "hash", "list", "stream"]

    /// Adds one value of so many elements of each kind.
    package mutating func addLargeValues(elements: Int) {
        let keyspace = data[0]
        for key in Self.large {
            if let entry = keyspace.find(key.bytes) { keyspace.remove(entry) }
        }
        let (first, second, third) = (Self.large[0], Self.large[1], Self.large[2])
        let (fourth, fifth) = (Self.large[3], Self.large[4])
        let set = keyspace.insertSet(first.bytes, toHold: text().bytes)
        let sorted = keyspace.insertSortedSet(second.bytes, toHold: elements, longest: 20)
        let hash = keyspace.insertHash(third.bytes)
        let list = keyspace.insertList(fourth.bytes)
        let stream = keyspace.insertStream(fifth.bytes)
        for _ in 0..<3 { addGroup(to: stream) }
        for index in 0..<elements {
            let name = ByteString("element:\(index)")
            set.add(name.bytes)
            _ = sorted.set(name.bytes, Double(number(1000)))
            hash.set(name.bytes, text().bytes)
            list.append(name.bytes)
            append(to: stream)
            if index % 4 == 0 { deliver(from: stream) }
        }
    }

    /// Changes each of the large values somewhere.
    package mutating func changeLargeValues() {
        let name = ByteString("element:\(number(keys * 2))")
        for key in Self.large {
            guard let entry = data[0].find(key.bytes) else { continue }
            let open = entry.open()
            switch entry.kind {
            case .set:
                _ = number(2) == 0 ? open.set.add(name.bytes) : open.set.remove(name.bytes)
            case .sortedSet: _ = open.sortedSet.set(name.bytes, Double(number(1000)))
            case .hash: open.hash.set(name.bytes, text().bytes, deadline: deadline())
            case .list:
                let count = open.list.value.count
                guard count > 1 else { continue }
                open.list.set(name.bytes, at: number(count))
                open.list.prepend(name.bytes)
                open.list.remove(in: (count - 1)..<count)
            default: changeStream(key, in: data[0])
            }
        }
    }

    private mutating func moveOrCopy(_ key: ByteString, from keyspace: Keyspace) {
        let target = data[number(Self.databases)]
        let name = self.key()
        guard let entry = keyspace.find(key.bytes), target.find(name.bytes) == nil else { return }
        if number(2) == 0 {
            keyspace.move(entry, to: name.bytes, in: target)
        } else {
            keyspace.copy(entry, to: name.bytes, in: target)
        }
    }

    /// Structures are whole, and no walk has left anything out.
    package func checkInvariants() {
        for number in 0..<Self.databases { data[number].checkInvariants() }
    }
}

/// What is different between two contents of a data set, in a few words each.
package func differences(_ found: [Place: Content], _ expected: [Place: Content]) -> [String] {
    let places = Set(found.keys).union(expected.keys)
    return places.filter { found[$0] != expected[$0] }.prefix(3).map { place in
        guard let one = found[place], let other = expected[place] else {
            return "\(place): \(found[place] == nil ? "missing" : "not expected")"
        }
        let parts = Set(one.parts.keys).union(other.parts.keys)
            .filter { one.parts[$0] != other.parts[$0] }.prefix(3)
            .map { "\($0): \(one.parts[$0] ?? "-") instead of \(other.parts[$0] ?? "-")" }
        return """
            \(place): \(one.kind) \(other.kind), \(one.deadline ?? 0) \(other.deadline ?? 0), \
            \(parts), \(one.elements.count) and \(other.elements.count) elements
            """
    }
}
