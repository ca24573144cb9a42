import Bytes
import RDB

/// A small set, sorted set, hash or list read element by element, to be packed anew: without the
/// members that are there twice, of which the first is kept, and in the right order.
struct CollectedValue: PayloadVisitor {
    private var encoding = Encoding.string
    private var elements: [Element] = []
    private var seen: Set<ByteString> = []

    private struct Element {
        var name: ByteString
        var value = ByteString([])
        var score = 0.0
        var deadline: Int64?
    }

    mutating func begin(_ encoding: Encoding) throws(RDBError) -> Reporting {
        self.encoding = encoding
        try encoding.requireElements()
        return .elements
    }

    mutating func listElement(_ element: PackedValue) {
        elements.append(Element(name: element.byteString))
    }

    mutating func setMember(_ member: PackedValue) {
        add(Element(name: member.byteString))
    }

    mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        add(Element(name: member.byteString, score: score))
    }

    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        add(Element(name: field.byteString, value: value.byteString, deadline: deadline))
    }

    /// Takes the elements of a listpack as far as it can be read; false if there are none.
    mutating func take(listpack bytes: RawSpan) -> Bool {
        guard var reader = try? ListpackReader(bytes) else { return false }
        while let element = try? reader.next() {
            switch encoding.kind {
            case .set: setMember(element)
            case .hash:
                guard let value = try? reader.next() else { return !elements.isEmpty }
                hashField(element, value: value, deadline: nil)
            default:
                guard let score = try? reader.next()?.byteString,
                    let number = DecimalText.parseDouble(score.bytes)
                else { return !elements.isEmpty }
                sortedSetMember(element, score: number)
            }
        }
        return !elements.isEmpty
    }

    private mutating func add(_ element: Element) {
        if seen.insert(element.name).inserted { elements.append(element) }
    }

    /// Writes the value, packed if it is small enough.
    func write(to writer: inout PayloadWriter) throws(RDBError) {
        _ = try writer.begin(encoding)
        var extent = Extent(count: elements.count)
        extent.hasFieldDeadlines = encoding.hasFieldDeadlines
        extent.earliestDeadline = elements.compactMap(\.deadline).min()
        try writer.announce(extent)
        for element in sorted {
            let name = PackedValue.bytes(element.name.bytes)
            switch encoding.kind {
            case .list: try writer.listElement(name)
            case .set: try writer.setMember(name)
            case .sortedSet: try writer.sortedSetMember(name, score: element.score)
            default:
                try writer.hashField(
                    name,
                    value: .bytes(element.value.bytes),
                    deadline: element.deadline
                )
            }
        }
        try writer.end()
    }

    private var sorted: [Element] {
        guard encoding.kind == .sortedSet else { return elements }
        return elements.sorted { one, other in
            one.score != other.score ? one.score < other.score : one.name < other.name
        }
    }
}
