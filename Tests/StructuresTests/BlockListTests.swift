import Bytes
import Structures
import TestKit
import Testing

/// A list beside an array.
private final class Subject {
    let arena = Arena()
    private let place = UnsafeMutablePointer<BlockList>.allocate(capacity: 1)
    var twin: [ByteString] = []

    init(byteLimit: Int = BlockList.usualByteLimit, countLimit: Int = .max) {
        place.initialize(
            to: BlockList(arena: arena, byteLimit: byteLimit, countLimit: countLimit)
        )
    }

    var list: BlockList {
        unsafeAddress { UnsafePointer(place) }
        unsafeMutableAddress { place }
    }

    func check() {
        list.checkInvariants()
        #expect(list.count == twin.count)
        #expect(walk(from: 0) == twin)
        #expect(walkBack(from: twin.count) == twin.reversed())
        #expect(first == twin.first)
        #expect(last == twin.last)
    }

    var first: ByteString? {
        if let value = list.first { value.byteString } else { nil }
    }

    var last: ByteString? {
        if let value = list.last { value.byteString } else { nil }
    }

    func value(at index: Int) -> ByteString {
        list.value(at: index).byteString
    }

    func walk(from index: Int, count: Int = .max) -> [ByteString] {
        var result: [ByteString] = []
        var cursor = list.cursor(at: index)
        while result.count < count, let value = cursor.next() { result.append(value.byteString) }
        return result
    }

    func walkBack(from index: Int, count: Int = .max) -> [ByteString] {
        var result: [ByteString] = []
        var cursor = list.cursor(at: index)
        while result.count < count, let value = cursor.previous() {
            result.append(value.byteString)
        }
        return result
    }

    func removeAll(_ text: ByteString, limit: Int, fromBack: Bool) {
        let removed = list.removeMatching(text.bytes, limit: limit, fromBack: fromBack)
        let places = twin.indices.filter { twin[$0] == text }
        let chosen = fromBack ? places.suffix(limit) : places.prefix(limit)
        for place in chosen.reversed() { twin.remove(at: place) }
        #expect(removed == chosen.count)
    }

    /// Frees everything and looks for what is left.
    func finish() {
        while !list.destroy(upTo: 2) {}
        let isEmpty = list.isEmpty
        #expect(isEmpty)
        place.deinitialize(count: 1)
        place.deallocate()
        #expect(arena.usedByteCount == 0)
        arena.destroy()
    }
}

/// Texts of every packed form, few enough to meet again, and now and then one too big for it.
private func drawText(_ random: inout SeededGenerator, limit: Int) -> ByteString {
    switch Int.random(in: 0..<12, using: &random) {
    case 0...3: return ByteString("\(Int.random(in: -3...130, using: &random))")
    case 4: return ByteString("\(Int.random(in: -5000...5000, using: &random))")
    case 5: return ByteString("\(Int64(bitPattern: random.next()))")
    case 6: return ByteString("\(Int32(truncatingIfNeeded: random.next()))")
    case 7: return ByteString("\(Int.random(in: -9_000_000...9_000_000, using: &random))")
    case 8: return ByteString("0\(Int.random(in: 0...9, using: &random))")
    case 9:
        let count = Int.random(in: 0...(2 * limit), using: &random)
        return ByteString(Array(repeating: UInt8(ascii: "x"), count: count))
    default:
        return ByteString("text \(Int.random(in: 0...20, using: &random))")
    }
}

struct BlockListTests {
    static let limits = [(16, Int.max), (60, Int.max), (200, 5), (200, 1), (300, Int.max)]

    /// Drives the list and an array with the same random steps.
    ///
    /// A failure names its seed. Add that seed to the list, and it stays fixed.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `agrees with an array`(seed: UInt64) {
        for (byteLimit, countLimit) in BlockListTests.limits {
            var random = SeededGenerator(seed: seed)
            let subject = Subject(byteLimit: byteLimit, countLimit: countLimit)
            for step in 0..<1500 {
                // Phases of growth and of shrinking.
                takeStep(subject, &random, grows: (step / 400).isMultiple(of: 2))
                if step.isMultiple(of: 13) { subject.check() }
            }
            subject.check()
            subject.finish()
        }
    }

    private func takeStep(_ subject: Subject, _ random: inout SeededGenerator, grows: Bool) {
        let text = drawText(&random, limit: 150)
        let count = subject.twin.count
        let index = Int.random(in: 0...count, using: &random)
        switch Int.random(in: 0..<(grows ? 12 : 20), using: &random) {
        case 0...2:
            subject.list.pushFront(text.bytes)
            subject.twin.insert(text, at: 0)
        case 3...5:
            subject.list.pushBack(text.bytes)
            subject.twin.append(text)
        case 6...8:
            subject.list.insert(text.bytes, at: index)
            subject.twin.insert(text, at: index)
        case 9 where index < count:
            subject.list.set(text.bytes, at: index)
            subject.twin[index] = text
        case 10:
            subject.removeAll(text, limit: 3, fromBack: Bool.random(using: &random))
        case 11 where index < count:
            #expect(subject.value(at: index) == subject.twin[index])
            #expect(subject.walk(from: index, count: 5) == Array(subject.twin[index...].prefix(5)))
            #expect(
                subject.walkBack(from: index, count: 5)
                    == subject.twin[..<index].suffix(5).reversed()
            )
        case 12...14 where count > 0:
            subject.list.removeFirst()
            subject.twin.removeFirst()
        case 15...17 where count > 0:
            subject.list.removeLast()
            subject.twin.removeLast()
        case 18:
            let end = min(count, index + Int.random(in: 0..<12, using: &random))
            subject.list.removeRange(index..<end)
            subject.twin.removeSubrange(index..<end)
        case 19:
            subject.removeAll(text, limit: .max, fromBack: Bool.random(using: &random))
        default:
            break
        }
    }

    @Test func `every range of a small list can be removed`() {
        for count in 0...12 {
            for first in 0...count {
                for end in first...count {
                    let subject = Subject(byteLimit: 16)
                    for number in 0..<count {
                        let text = ByteString("e\(number)")
                        subject.list.pushBack(text.bytes)
                        subject.twin.append(text)
                    }
                    subject.list.removeRange(first..<end)
                    subject.twin.removeSubrange(first..<end)
                    subject.check()
                    subject.finish()
                }
            }
        }
    }

    @Test(arguments: [0, 1, 500, 1500, 20_000])
    func `a queue keeps its memory small`(length: Int) {
        let subject = Subject()
        for number in 0..<(length + 60_000) {
            let text = ByteString("job:\(number)")
            subject.list.pushFront(text.bytes)
            if number >= length {
                #expect(subject.last == ByteString("job:\(number - length)"))
                subject.list.removeLast()
            }
        }
        #expect(subject.list.count == length)
        subject.list.checkInvariants()
        #expect(subject.list.byteCount < 20_000 + 12 * length)
        subject.finish()
    }

    @Test func `blocks are what a file holds`() throws {
        let subject = Subject(byteLimit: 40)
        let big = ByteString(Array(repeating: UInt8(ascii: "b"), count: 99))
        for text in ["a", "200", "c"].map({ ByteString($0) }) + [big, "d"] {
            subject.list.pushBack(text.bytes)
        }
        #expect(subject.list.blockNumbers.count == 3)
        let first = subject.list.blockNumbers.lowerBound
        let bytes = ByteString(subject.list.blockBytes(first))
        #expect(bytes.array == [0x81, 0x61, 0x02, 0xC0, 0xC8, 0x02, 0x81, 0x63, 0x02])
        #expect(subject.list.blockShape(first) == (count: 3, isPlain: false))
        #expect(subject.list.blockShape(first + 1) == (count: 1, isPlain: true))
        let plain = ByteString(subject.list.blockBytes(first + 1))
        #expect(plain == big)

        let copy = Subject()
        for number in subject.list.blockNumbers {
            let shape = subject.list.blockShape(number)
            if shape.isPlain {
                copy.list.pushBack(subject.list.blockBytes(number))
            } else {
                copy.list.appendBlock(
                    entries: subject.list.blockBytes(number),
                    count: shape.count
                )
            }
        }
        #expect(copy.walk(from: 0) == subject.walk(from: 0))
        copy.list.checkInvariants()
        copy.finish()
        subject.finish()
    }

    @Test func `blocks keep their numbers while others come and go at the ends`() {
        let subject = Subject(byteLimit: 16)
        for number in 0..<20 {
            let text = ByteString("element \(number)")
            subject.list.pushBack(text.bytes)
        }
        let numbers = subject.list.blockNumbers
        let chosen = numbers.lowerBound + 9
        let before = ByteString(subject.list.blockBytes(chosen))
        let text = ByteString("another one")
        for _ in 0..<5 { subject.list.pushFront(text.bytes) }
        for _ in 0..<3 { subject.list.pushBack(text.bytes) }
        #expect(subject.list.blockNumbers == (numbers.lowerBound - 5)..<(numbers.upperBound + 3))
        let after = ByteString(subject.list.blockBytes(chosen))
        #expect(after == before)
        for _ in 0..<14 { subject.list.removeFirst() }
        #expect(subject.list.blockNumbers.lowerBound == chosen)
        subject.finish()
    }

    @Test func `an empty list answers`() {
        let subject = Subject()
        subject.check()
        #expect(subject.list.byteCount == 0)
        let text = ByteString("a")
        let removed = subject.list.removeMatching(text.bytes)
        #expect(removed == 0)
        subject.list.removeRange(0..<0)
        subject.finish()
    }
}
