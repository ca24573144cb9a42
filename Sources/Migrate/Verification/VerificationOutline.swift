import Bytes
import Inspect
import RDB

/// A value taken apart, so that it can be told what differs between two of them.
///
/// Holds up to a number of parts: elements, members, fields, entries and what belongs to groups.
/// Long parts are held as their beginning and a checksum.
package struct VerificationOutline: PayloadVisitor {
    /// A part of a value.
    package struct Part: Equatable {
        /// What it is, readable: all that two values have to have in common.
        package var content: ByteString
        /// When it expires, in milliseconds since 1970.
        package var deadline: Int64?
        /// Whether it counts what streams have had: before Redis 7.0 nobody did.
        package var isCounter = false
    }

    /// The parts by what they are called.
    package private(set) var parts: [ByteString: Part] = [:]
    /// How the value was laid out.
    private(set) var encoding = Encoding.string
    /// Whether there were more parts than are held.
    private(set) var isTruncated = false

    /// Starts with no value.
    package init() {}

    private var index = 0
    /// The stream's entry whose fields are being reported.
    private var entry: String?
    private var fields = ""
    private var group = ""
    private var consumer = ""
    private var vectors: VectorSetItems?
    private var checksum = CRC64()

    private static let maximumPartCount = 20_000
    private static let longestWhole = 64

    package mutating func begin(_ encoding: Encoding) -> Reporting {
        self = VerificationOutline()
        self.encoding = encoding
        return .elements
    }

    private mutating func add(_ label: ByteString, _ part: Part) {
        guard parts.count < Self.maximumPartCount else {
            isTruncated = true
            return
        }
        parts[label] = part
    }

    private mutating func add(_ label: String, _ content: String, isCounter: Bool = false) {
        add(ByteString(label), Part(content: ByteString(content), isCounter: isCounter))
    }

    /// A text as it is if it is short.
    private static func brief(_ value: PackedValue) -> ByteString {
        value.withText { bytes in
            guard bytes.byteCount > longestWhole else { return ByteString(bytes) }
            let checksum = String(CRC64.checksum(bytes), radix: 16)
            let beginning = ByteString(bytes.part(from: 0, count: 24))
            return ByteString(
                beginning.array + Array("… (\(bytes.byteCount) bytes, \(checksum))".utf8)
            )
        }
    }

    private static func quoted(_ value: PackedValue) -> String { "\"\(brief(value))\"" }

    package mutating func string(_ value: PackedValue) {
        add("value", Self.quoted(value))
    }

    package mutating func stringPart(_ bytes: RawSpan, at offset: Int, of byteCount: Int) {
        checksum.update(bytes)
        guard offset + bytes.byteCount == byteCount else { return }
        add("value", "\(byteCount) bytes, \(String(checksum.value, radix: 16))")
    }

    package var largestWholeString: Int { 1 << 20 }

    package mutating func listElement(_ element: PackedValue) {
        add("element \(index)", Self.quoted(element))
        index += 1
    }

    package mutating func setMember(_ member: PackedValue) {
        add("member \(Self.quoted(member))", "there")
    }

    package mutating func sortedSetMember(_ member: PackedValue, score: Double) {
        // Servers keep the sign of zero in one encoding and lose it in another.
        add("score of \(Self.quoted(member))", "\(score == 0 ? 0 : score)")
    }

    package mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {
        add(
            ByteString("field \(Self.quoted(field))"),
            Part(content: ByteString(Self.quoted(value)), deadline: deadline)
        )
    }

    // Streams.

    package mutating func streamEntry(_ id: StreamID, fieldCount: Int) {
        finishEntry()
        entry = "entry \(id)"
    }

    package mutating func streamField(_ field: PackedValue, value: PackedValue) {
        if !fields.isEmpty { fields += " " }
        fields += "\(Self.quoted(field))=\(Self.quoted(value))"
    }

    private mutating func finishEntry() {
        guard let entry else { return }
        add(entry, Self.brief(.bytes(ByteString(fields).bytes)).text)
        fields = ""
        self.entry = nil
    }

    package mutating func streamState(_ state: StreamState) {
        finishEntry()
        add("last id", "\(state.lastID)")
        add("greatest deleted id", "\(state.maximumDeletedID)", isCounter: true)
        add("entries added", "\(state.entriesAdded)", isCounter: true)
    }

    package mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {
        self.group = "group \(Self.quoted(name))"
        add("\(self.group) last id", "\(group.lastDeliveredID)")
        let read = group.entriesRead.map { "\($0)" } ?? "unknown"
        add("\(self.group) entries read", read, isCounter: true)
    }

    package mutating func pendingEntry(_ entry: PendingEntry) {
        add(
            "\(group) pending \(entry.id)",
            "delivered \(entry.deliveryCount) times, last at \(entry.deliveryTime)"
        )
    }

    package mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {
        self.consumer = Self.quoted(name)
        add("\(group) consumer \(self.consumer)", "there")
    }

    package mutating func consumerPending(_ id: StreamID) {
        add("\(group) owner of \(id)", consumer)
    }

    package mutating func producedEntry(producer: PackedValue, key: PackedValue, id: StreamID) {
        add("producer \(Self.quoted(producer)) key \(Self.quoted(key))", "\(id)")
    }

    // Modules.

    package mutating func module(_ module: ModuleID) {
        add("module", "\(module)")
        if module.isVectorSet { vectors = VectorSetItems() }
    }

    package mutating func end() {
        if let element = vectors?.finish() { add(element) }
    }

    private mutating func add(_ element: VectorSetItems.Element) {
        let name = "element \(Self.quoted(.bytes(element.name.bytes)))"
        let attributes = element.attributes ?? ""
        if attributes.byteCount > 0 {
            add("\(name) attributes", Self.quoted(.bytes(attributes.bytes)))
        }
        let checksum = String(CRC64.checksum(element.vector.bytes), radix: 16)
        let measures = String(element.measures, radix: 16)
        add("\(name) vector", "\(element.vector.byteCount) bytes, \(checksum), \(measures)")
    }

    package mutating func moduleItem(_ item: ModuleItem) {
        if vectors != nil {
            if let element = vectors?.take(item) { add(element) }
            return
        }
        let content =
            switch item {
            case .signed(let value): "\(value)"
            case .unsigned(let value): "\(value)"
            case .float(let value): "\(value)"
            case .double(let value): "\(value)"
            case .string(let text): Self.quoted(text)
            }
        add("piece \(index)", content)
        index += 1
    }
}
