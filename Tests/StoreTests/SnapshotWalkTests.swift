import Bytes
import Store
import TestKit
import Testing

/// Puts what the walk gives together, and checks that it comes in the order that is promised.
private final class Recorder: SnapshotSink {
    var taken: [Place: Content] = [:]
    private(set) var largeCount = 0
    private(set) var asideCount = 0
    private var record: (value: LargeValue, content: Content)?
    private var aside: [Int: [(ByteString, String)]] = [:]
    private var asideNumber: Int?
    private var fetched: Set<Int> = []
    private let scratch = DataSet(databaseCount: 1, seed: 1)

    func take(_ entry: Entry, database number: Int) {
        #expect(record == nil, "a key came into the record of another")
        add(Content(entry), at: Place(database: number, key: ByteString(entry.key)))
    }

    private func add(_ content: Content, at place: Place) {
        #expect(taken[place] == nil, "an entry came twice")
        taken[place] = content
    }

    func begin(_ value: LargeValue) {
        #expect(record == nil, "a record began in another")
        let kind: Kind =
            switch value.shape {
            case .string: .string
            case .list: .list
            case .set: .set
            case .sortedSet: .sortedSet
            case .hash: .hash
            case .stream: .stream
            }
        record = (value, Content(kind, deadline: value.deadline))
        largeCount += 1
    }

    func beginPart(of value: LargeValue, aside number: Int?) {
        asideNumber = number
        if number == nil { #expect(record?.value === value, "a part came into a foreign record") }
        if let number {
            asideCount += 1
            if aside[number] == nil { aside[number] = [] }
        }
    }

    private func put(_ element: ByteString, _ rest: String) {
        guard let asideNumber else { return store(element, rest) }
        aside[asideNumber]?.append((element, rest))
    }

    private func store(_ element: ByteString, _ rest: String) {
        switch record?.content.kind {
        case .string:
            var whole = ByteWriter()
            if let before = record?.content.elements.first { whole.append(before.bytes) }
            whole.append(element.bytes)
            record?.content.elements = [ByteString(whole.bytes)]
        case .list: record?.content.elements.append(element)
        case .stream where rest.isEmpty: record?.content.elements.append(element)
        case .stream: storePending(element, rest)
        default:
            #expect(record?.content.parts[element] == nil, "an element came twice")
            record?.content.parts[element] = rest
        }
    }

    func member(_ member: RawSpan) { put(ByteString(member), "") }
    func member(_ member: RawSpan, score: Double) { put(ByteString(member), "\(score)") }

    func field(_ field: RawSpan, value: RawSpan, deadline: Int64?) {
        put(ByteString(field), Content.text(.bytes(value), deadline))
    }

    func block(_ bytes: RawSpan, count: Int, isPlain: Bool) {
        guard !isPlain else { return put(ByteString(bytes), "") }
        let list = scratch[0].insertList(ByteString("list").bytes)
        var packed = ListpackWriter()
        packed.append(entries: bytes, count: count)
        packed.finish { list.append(listpack: $0, count: count) }
        list.value.forEach(in: 0..<list.value.count) { put($0.byteString, "") }
        scratch[0].removeAll()
    }

    func bytes(_ bytes: RawSpan) { put(ByteString(bytes), "") }

    // Streams: what is pending comes once for its group and once for its consumer.

    private var groupName: ByteString = ""
    private var consumerName: ByteString = ""

    func node(_ listpack: RawSpan, master: StreamEntryID, liveCount: Int) {
        let stream = scratch[0].insertStream(ByteString("stream").bytes)
        let isAdded = stream.append(node: listpack, master: master, liveCount: liveCount)
        #expect(isAdded)
        for entry in Content.entries(of: stream.value) { put(entry, "") }
        scratch[0].removeAll()
    }

    func state(_ state: LargeStream.State) {
        record?.content.parts["state"] = Content.text(
            "\(state.count) \(state.entriesAdded)",
            [state.lastID, state.firstID, state.maximumDeletedID]
        )
    }

    func group(_ group: LargeStream.Group) {
        groupName = group.name
        record?.content.parts[ByteString("group \(group.name)")] = Content.text(
            "\(group.pendingCount) \(group.consumers.count) \(group.entriesRead ?? -1)",
            [group.lastDeliveredID]
        )
    }

    func pending(_ id: StreamEntryID, deliveryTime: Int64, deliveryCount: UInt64) {
        put(ByteString(Content.text("", [id])), "\(deliveryTime) \(deliveryCount)")
    }

    func consumers(_ count: Int) {}

    func consumer(_ consumer: LargeStream.Consumer) {
        consumerName = consumer.name
        record?.content.parts[ByteString("consumer \(groupName) \(consumer.name)")] =
            "\(consumer.pendingCount) \(consumer.seenTime) \(consumer.activeTime ?? -1)"
    }

    func pending(_ id: StreamEntryID) { put(ByteString(Content.text("", [id])), "owned") }

    private func storePending(_ id: ByteString, _ rest: String) {
        let key = ByteString("pending \(groupName)\(id)")
        guard rest == "owned" else {
            #expect(record?.content.parts[key] == nil, "an entry is pending twice")
            record?.content.parts[key] = rest
            return
        }
        let delivery = record?.content.parts[key] ?? "never delivered"
        record?.content.parts[key] = "\(consumerName) \(delivery)"
    }

    func endPart() { asideNumber = nil }

    func fetch(_ number: Int) {
        guard fetched.insert(number).inserted else {
            Issue.record("what was put aside was fetched twice")
            return
        }
        for (element, rest) in aside.removeValue(forKey: number) ?? [] { store(element, rest) }
    }

    func end(_ value: LargeValue) {
        guard let ended = record, ended.value === value else {
            Issue.record("a record ended that had not begun")
            return
        }
        add(ended.content, at: Place(database: value.database, key: value.key))
        record = nil
    }
}

struct SnapshotWalkTests {
    /// A walk in small steps amid random changes, against a copy made at its start.
    ///
    /// A failure names its seed. Add that seed to the list, and it stays fixed.
    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `a snapshot holds every key as it was when it began`(seed: UInt64) {
        var chaos = Chaos(seed: seed)
        for _ in 0..<(chaos.keys * 5) { chaos.change() }
        for _ in 0..<3 {
            let expected = chaos.clone()
            let recorder = Recorder()
            chaos.data.beginSnapshot(into: recorder)
            let isCancelled = Int.random(in: 0..<4, using: &chaos.random) == 0
            let pace = [4, 40, 400].randomElement(using: &chaos.random) ?? 4
            var steps = 0
            repeat {
                for _ in 0..<Int.random(in: 0..<10, using: &chaos.random) { chaos.change() }
                steps += 1
                if isCancelled, steps == 3 { chaos.data.cancelSnapshot() }
            } while !chaos.data.advanceSnapshot(Int.random(in: 1...pace, using: &chaos.random))
            if !isCancelled { #expect(differences(recorder.taken, expected) == []) }
            let held = chaos.data.snapshotByteCount
            #expect(held == 0)
            chaos.checkInvariants()
            for _ in 0..<chaos.keys { chaos.change() }
        }
    }
}
