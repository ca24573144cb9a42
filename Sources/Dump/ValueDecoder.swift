import Bytes
import RDB
import Store

/// Builds the value of one key in a keyspace from what a walk over its payload reports.
///
/// Compact encodings are taken as they are; a value that says it is packed but is larger than
/// the limits becomes the structure it should be. A collection without elements adds no key, but
/// for a stream.
package struct ValueDecoder: PayloadVisitor, ~Copyable {
    private let keyspace: Keyspace
    private var key = ByteWriter()
    private let deadline: Int64?
    private let keepsModules: Bool
    /// The most bytes that the value can take in the file; what it claims is held against it.
    private let byteCount: Int
    private var announced = 0
    /// Called after so many elements, so that nobody waits for a whole value.
    private let pause: (() -> Void)?
    private var elementsToPause = Self.pauseInterval

    private static let pauseInterval = 4096
    /// From so many elements on they go into their table in batches.
    private static let batchThreshold = 1 << 14
    private var batch: ElementBatch?
    private var kind = ValueKind.string
    private var open: OpenEntry?
    private var field = TextBuffer()
    private var value = TextBuffer()
    var stream: StreamDecoder?

    /// Builds `key`, which must be absent in `keyspace`.
    ///
    /// Values of modules are refused by name unless they are to be kept: `keep` adds them then.
    /// Room for elements is made ahead if so many fit into `byteCount`. While a large value is
    /// built, `pause` is called now and then; it must not change the keyspace.
    package init(
        _ key: RawSpan,
        deadline: Int64?,
        in keyspace: Keyspace,
        keepsModules: Bool = false,
        byteCount: Int = 0,
        pause: (() -> Void)? = nil
    ) {
        self.pause = pause
        self.keepsModules = keepsModules
        self.keyspace = keyspace
        self.byteCount = byteCount
        self.deadline = deadline
        self.key.append(key)
    }

    /// The entry that was built; nil after an empty collection.
    package var entry: OpenEntry? { open }

    package mutating func begin(_ encoding: RDB.Encoding) throws(RDBError) -> Reporting {
        kind = encoding.kind
        switch kind {
        case .string, .list, .set, .sortedSet, .hash: return .encoded
        case .stream:
            let stream = keyspace.insertStream(key.bytes)
            open = stream.open
            self.stream = StreamDecoder(stream)
            return .encoded
        case .module where encoding == .module: return .elements
        default:
            throw RDBError(
                .unsupportedByTarget,
                at: 0,
                "values of type \(encoding.name) cannot be kept"
            )
        }
    }

    package mutating func module(_ module: ModuleID) throws(RDBError) {
        guard !keepsModules else { return }
        throw RDBError(
            .unsupportedByTarget,
            at: 0,
            "a value of the module \(module): `module-data keep` would carry it along"
        )
    }

    /// Adds a value of a module that was read: what follows its type byte.
    package mutating func keep(module bytes: RawSpan) {
        open = keyspace.insertModule(key.bytes, bytes)
        if let deadline { open?.setDeadline(deadline) }
    }

    package mutating func announce(_ extent: Extent) throws(RDBError) {
        let least =
            switch kind {
            case .sortedSet: 9
            case .hash: 2
            default: 1
            }
        announced = min(extent.count ?? 0, byteCount / least)
        if announced >= Self.batchThreshold { batch = ElementBatch() }
    }

    package mutating func end() throws(RDBError) {
        try stream?.finishGroup()
        addBatch()
        guard let deadline, let open else { return }
        open.setDeadline(deadline)
    }

    package mutating func string(_ value: PackedValue) throws(RDBError) {
        let text = self.value.text(of: value)
        keyspace.setString(key.bytes, text, deadline: deadline)
        open = keyspace.find(key.bytes)?.open()
    }

    package mutating func listElement(_ element: PackedValue) throws(RDBError) {
        list().append(value.text(of: element))
        countElement()
    }

    package mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError) {
        // A node may be empty, and a list of nothing but such nodes is no key.
        guard count > 0 else { return }
        list().append(listpack: listpack, count: count)
        countElement(count)
    }

    /// Counts elements, and pauses when there were many.
    mutating func countElement(_ count: Int = 1) {
        elementsToPause -= count
        guard elementsToPause <= 0 else { return }
        elementsToPause = Self.pauseInterval
        pause?()
    }

    package mutating func setMember(_ member: PackedValue) throws(RDBError) {
        countElement()
        let text = value.text(of: member)
        if open == nil {
            let set = keyspace.insertSet(key.bytes, toHold: text)
            set.reserve(announced)
            open = set.open
        }
        if batch != nil {
            batch?.append(text)
            addBatchIfFull()
        } else {
            open?.set.add(text)
        }
    }

    package mutating func sortedSetMember(
        _ member: PackedValue,
        score: Double
    ) throws(RDBError) {
        let text = value.text(of: member)
        if open == nil {
            let set = keyspace.insertSortedSet(key.bytes, toHold: 1, longest: text.byteCount)
            set.reserve(announced)
            open = set.open
        }
        if batch != nil {
            batch?.append(text, score: score)
            addBatchIfFull()
        } else {
            open?.sortedSet.load(text, score)
        }
        countElement()
    }

    package mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        if open == nil {
            let hash = keyspace.insertHash(key.bytes)
            hash.reserve(announced)
            open = hash.open
        }
        let name = self.field.text(of: field)
        let text = self.value.text(of: value)
        if batch != nil {
            batch?.append(name, text, deadline: deadline)
            addBatchIfFull()
        } else {
            open?.hash.set(name, text, deadline: deadline)
        }
        countElement()
    }

    private mutating func addBatchIfFull() {
        if batch?.isFull ?? false { addBatch() }
    }

    /// Adds the elements that wait.
    private mutating func addBatch() {
        guard var waiting = batch.take() else { return }
        if let open { add(waiting, to: open) }
        waiting.removeAll()
        batch = consume waiting
    }

    private func add(_ batch: borrowing ElementBatch, to open: OpenEntry) {
        let bytes = batch.bytes
        switch kind {
        case .set:
            let set = open.set
            for element in batch.elements { set.prefetch(bytes.extracting(element.first)) }
            for element in batch.elements { set.add(bytes.extracting(element.first)) }
        case .sortedSet:
            let set = open.sortedSet
            for element in batch.elements { set.prefetch(bytes.extracting(element.first)) }
            for element in batch.elements {
                set.load(bytes.extracting(element.first), element.score)
            }
        default:
            let hash = open.hash
            for element in batch.elements { hash.prefetch(bytes.extracting(element.first)) }
            for element in batch.elements {
                let value = bytes.extracting(element.second)
                hash.set(bytes.extracting(element.first), value, deadline: element.deadline)
            }
        }
    }

    package mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError) {
        guard count > 0 else { return }
        switch kind {
        case .set: open = keyspace.insertPacked(key.bytes, .packedSet, bytes)
        case .sortedSet: open = keyspace.insertPacked(key.bytes, .packedSortedSet, bytes)
        case .hash: open = keyspace.insertPacked(key.bytes, .packedHash, bytes)
        default: preconditionFailure("a \(kind) does not come as one listpack")
        }
    }

    package mutating func intset(_ bytes: RawSpan, count: Int) throws(RDBError) {
        guard count > 0 else { return }
        open = keyspace.insertPacked(key.bytes, .integerSet, bytes)
    }

    private mutating func list() -> OpenList {
        if let open { return open.list }
        let list = keyspace.insertList(key.bytes)
        open = list.open
        return list
    }
}
