import Bytes
import Store
import TestKit
import Testing

/// What a stream shall hold, kept the plainest way.
private struct Twin: Equatable {
    struct Entry: Equatable {
        let id: StreamEntryID
        let fields: [[ByteString]]
    }

    struct Delivery: Equatable {
        var consumer: ByteString
        var time: Int64
        var count: UInt64
    }

    struct Group: Equatable {
        var lastDelivered: StreamEntryID
        var consumers: Set<ByteString> = []
        var pending: [StreamEntryID: Delivery] = [:]
    }

    var entries: [Entry] = []
    var lastID = StreamEntryID.zero
    var maximumDeletedID = StreamEntryID.zero
    var entriesAdded: UInt64 = 0
    var groups: [ByteString: Group] = [:]

    init() {}

    /// Reads a stream, forward and back.
    init(_ stream: StreamValue) {
        stream.forEachEntry { entry in
            entries.append(Twin.read(entry))
            return true
        }
        var reversed: [Entry] = []
        stream.forEachEntry(isReversed: true) { entry in
            reversed.append(Twin.read(entry))
            return true
        }
        #expect(entries == reversed.reversed())
        #expect(stream.count == entries.count)
        #expect(stream.firstID == entries.first?.id ?? .zero)
        lastID = stream.lastID
        maximumDeletedID = stream.maximumDeletedID
        entriesAdded = stream.entriesAdded
        for index in 0..<stream.groupCount {
            let group = stream.group(at: index)
            groups[ByteString(group.name)] = Twin.read(group)
        }
    }

    static func read(_ entry: StreamEntry) -> Entry {
        var fields: [[ByteString]] = []
        entry.forEachField { fields.append([$0.byteString, $1.byteString]) }
        return Entry(id: entry.id, fields: fields)
    }

    private static func read(_ group: ConsumerGroup) -> Group {
        var copy = Group(lastDelivered: group.lastDeliveredID)
        for index in 0..<group.consumerCount {
            copy.consumers.insert(ByteString(group.consumer(at: index).name))
        }
        var next = group.pending(atOrAfter: .zero)
        while let pending = next {
            copy.pending[pending.id] = Delivery(
                consumer: pending.consumer.map { ByteString($0.name) } ?? "nobody",
                time: pending.deliveryTime,
                count: pending.deliveryCount
            )
            next = pending.id.next.flatMap { group.pending(atOrAfter: $0) }
        }
        return copy
    }
}

/// Random steps on a stream and its twin.
private struct Driver {
    var random: SeededGenerator
    var twin = Twin()
    let keyspace: Keyspace

    var stream: OpenStream {
        guard let entry = keyspace.find(ByteString("s").bytes) else {
            preconditionFailure("the stream is gone")
        }
        return entry.open().stream
    }

    mutating func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: add()
        case 9..<12: remove()
        case 12: trim()
        case 13: changeGroups()
        case 14..<18: deliver()
        default: acknowledge()
        }
    }

    private mutating func number(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

    private mutating func add() {
        let last = twin.lastID
        // Mostly in one millisecond, at times far ahead, at times with a smaller sequence.
        let id =
            switch number(6) {
            case 0: StreamEntryID(last.milliseconds + UInt64(number(1 << 40) + 1), 0)
            case 1: StreamEntryID(last.milliseconds + 1, UInt64(number(3)))
            default: StreamEntryID(last.milliseconds, last.sequence + 1 + UInt64(number(3)))
            }
        var fields: [[ByteString]] = []
        let names: [ByteString] = ["temperature", "12", "", "a"]
        for index in 0...number(3) {
            let name = number(4) == 0 ? names[number(4)] : names[index]
            let value: ByteString =
                number(2) == 0
                ? ByteString("\(number(100_000) - 50_000)")
                : ByteString(String(repeating: "v", count: number(90)))
            fields.append([name, value])
        }
        var draft = StreamDraft()
        for field in fields {
            let (name, value) = (field[0], field[1])
            draft.append(name.bytes, value.bytes)
        }
        stream.append(id, draft)
        twin.entries.append(Twin.Entry(id: id, fields: fields))
        twin.lastID = id
        twin.entriesAdded += 1
    }

    private mutating func remove() {
        guard !twin.entries.isEmpty else { return }
        let index = number(twin.entries.count)
        let id = twin.entries[index].id
        #expect(stream.value.entry(at: id).map { Twin.read($0) } == twin.entries[index])
        #expect(stream.remove(id))
        #expect(!stream.remove(id))
        twin.entries.remove(at: index)
        twin.maximumDeletedID = max(twin.maximumDeletedID, id)
    }

    private mutating func trim() {
        let isByLength = number(2) == 0
        let kept = number(twin.entries.count + 2)
        let id = kept < twin.entries.count ? twin.entries[kept].id : twin.lastID
        var trimming = StreamTrimming(isByLength ? .length(kept) : .firstID(id))
        trimming.isApproximate = number(2) == 0
        let most =
            isByLength ? max(twin.entries.count - kept, 0) : twin.entries.count { $0.id < id }
        let removed = stream.trim(trimming)
        #expect(trimming.isApproximate ? removed <= most : removed == most)
        twin.entries.removeFirst(removed)
    }

    private mutating func changeGroups() {
        let name = ByteString("g\(number(3))")
        if twin.groups[name] != nil, number(4) == 0 {
            let isRemoved = stream.removeGroup(name.bytes)
            #expect(isRemoved)
            twin.groups[name] = nil
        } else {
            let added = stream.addGroup(name.bytes, after: twin.lastID, entriesRead: nil) != nil
            #expect(added == (twin.groups[name] == nil))
            if added { twin.groups[name] = Twin.Group(lastDelivered: twin.lastID) }
        }
    }

    private mutating func deliver() {
        let name = ByteString("g\(number(3))")
        guard let group = stream.value.group(named: name.bytes) else { return }
        let consumerName = ByteString("consumer \(number(4))")
        let known = group.consumer(named: consumerName.bytes)
        #expect((known != nil) == twin.groups[name]?.consumers.contains(consumerName))
        let consumer = known ?? stream.addConsumer(consumerName.bytes, to: group, seenTime: 1)
        twin.groups[name]?.consumers.insert(consumerName)
        if number(8) == 0 {
            let count = stream.removeConsumer(consumer, from: group)
            let owned = twin.groups[name]?.pending.filter { $0.value.consumer == consumerName }
            #expect(count == owned?.count)
            for id in owned ?? [:] { twin.groups[name]?.pending[id.key] = nil }
            twin.groups[name]?.consumers.remove(consumerName)
            return
        }
        for _ in 0..<number(5) {
            guard let entry = twin.entries.randomElement(using: &random) else { return }
            let delivery = Twin.Delivery(
                consumer: consumerName,
                time: Int64(number(1000)),
                count: UInt64(number(9))
            )
            stream.assign(
                entry.id,
                to: consumer,
                of: group,
                deliveryTime: delivery.time,
                deliveryCount: delivery.count
            )
            stream.advance(group, to: entry.id)
            twin.groups[name]?.pending[entry.id] = delivery
            let last = twin.groups[name]?.lastDelivered ?? .zero
            twin.groups[name]?.lastDelivered = max(last, entry.id)
        }
    }

    private mutating func acknowledge() {
        let name = ByteString("g\(number(3))")
        guard let group = stream.value.group(named: name.bytes),
            let id = twin.groups[name]?.pending.keys.min()
        else { return }
        #expect(stream.acknowledge(id, in: group))
        #expect(!stream.acknowledge(id, in: group))
        twin.groups[name]?.pending[id] = nil
    }
}

struct StreamTests {
    /// A failure names its seed.
    ///
    /// Add that seed to the list, and it stays fixed.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `agrees with plain arrays and dictionaries`(seed: UInt64) {
        let data = DataSet(databaseCount: 1, seed: seed)
        let before = data.usedByteCount
        var limits = EncodingLimits()
        limits.streamEntries = [3, 10, 100][Int(seed % 3)]
        limits.streamBytes = seed.isMultiple(of: 2) ? 300 : 4096
        data.limits = limits
        _ = data[0].insertStream(ByteString("s").bytes)
        var driver = Driver(random: SeededGenerator(seed: seed), keyspace: data[0])
        for step in 0..<3000 {
            driver.step()
            if step.isMultiple(of: 37) {
                driver.stream.value.checkInvariants()
                #expect(Twin(driver.stream.value) == driver.twin)
            }
        }
        copyAndFree(data[0], driver)
        data.freeSome(.max)
        #expect(data.usedByteCount == before)
    }

    /// A copy is equal and lives on when the original is gone.
    private func copyAndFree(_ keyspace: Keyspace, _ driver: Driver) {
        let copyKey = ByteString("copy")
        keyspace.copy(driver.stream.open.entry, to: copyKey.bytes, in: keyspace)
        keyspace.remove(driver.stream.open.entry)
        guard let copy = keyspace.find(copyKey.bytes) else {
            Issue.record("the copy is gone")
            return
        }
        copy.stream.checkInvariants()
        #expect(Twin(copy.stream) == driver.twin)
        keyspace.remove(copy)
    }

    @Test func `large streams and groups are freed in slices`() {
        let data = DataSet(databaseCount: 1, seed: 1)
        let before = data.usedByteCount
        let stream = data[0].insertStream(ByteString("s").bytes)
        let group = stream.addGroup(ByteString("g").bytes, after: .zero, entriesRead: nil)
        for number in 1...20_000 as ClosedRange<UInt64> {
            var draft = StreamDraft()
            draft.append(ByteString("field").bytes, ByteString("\(number)").bytes)
            stream.append(StreamEntryID(number, 0), draft)
            guard let group else { continue }
            let name = ByteString("c\(number % 10)")
            let consumer =
                group.consumer(named: name.bytes)
                ?? stream.addConsumer(name.bytes, to: group, seenTime: 0)
            let id = StreamEntryID(number, 0)
            stream.assign(id, to: consumer, of: group, deliveryTime: 0, deliveryCount: 1)
        }
        data[0].remove(stream.open.entry)
        var slices = 0
        while data.hasGarbage {
            let held = data.usedByteCount
            data.freeSome(100)
            #expect(held - data.usedByteCount < 100 * 6000)
            slices += 1
        }
        #expect(slices > 100)
        #expect(data.usedByteCount == before)
    }

    @Test func `an entry takes little beside its text`() {
        let data = DataSet(databaseCount: 1, seed: 1)
        let stream = data[0].insertStream(ByteString("s").bytes)
        let before = data.usedByteCount
        for number in 0..<10_000 as Range<UInt64> {
            var draft = StreamDraft()
            draft.append(
                ByteString("field").bytes,
                ByteString("some text of 30 bytes long ...").bytes
            )
            stream.append(StreamEntryID(1_700_000_000_000 + number, 0), draft)
        }
        // Flags, two numbers of an id and the count are 8 bytes, the text with its lengths 32.
        let perEntry = Double(data.usedByteCount - before) / 10_000
        #expect(perEntry < 43)
    }
}
