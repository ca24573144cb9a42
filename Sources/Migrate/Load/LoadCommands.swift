import Bytes
import RDB

/// Spells a value as commands that make it, a bounded number of bytes at a time.
///
/// A visitor: what a walk reports becomes RPUSH, SADD, ZADD, HSET, SET and SETRANGE, XADD and the
/// commands of consumer groups, all for one key. `send` takes each step and returns when it is
/// done. Steps other than those of lists come to the same when they are repeated.
package struct LoadCommands: PayloadVisitor, ~Copyable {
    /// Some commands that are sent together.
    package struct Step {
        /// The commands, spelled out.
        package var requests: [UInt8]
        /// How many there are.
        package var count: Int
        /// For elements of a list: how many the list has before.
        package var listLength: Int?
        /// Whether the server would rather not do some without the others.
        package var isOrdered = false
    }

    let key: ByteString
    let target: Target
    let send: (Step) throws(RDBError) -> Void

    private var kind = ValueKind.string
    private var command: StaticString = "SET"
    /// Arguments behind command and key.
    private var arguments = ByteWriter()
    private var argumentCount = 0
    /// Commands that follow the elements of a step, or are a step of their own.
    var others = ByteWriter()
    var otherCount = 0
    private var listLength = 0
    private var newElements = 0
    var stream = StreamCommands()

    /// Makes commands for `key`.
    package init(
        key: ByteString,
        for target: Target,
        send: @escaping (Step) throws(RDBError) -> Void
    ) {
        self.key = key
        self.target = target
        self.send = send
    }

    package mutating func begin(_ encoding: Encoding) throws(RDBError) -> Reporting {
        kind = encoding.kind
        switch kind {
        case .list: command = "RPUSH"
        case .set: command = "SADD"
        case .sortedSet: command = "ZADD"
        case .hash: command = "HSET"
        case .string, .stream: break
        case .module, .other:
            throw RDBError(.unsupportedByTarget, at: 0, "no commands make \(encoding.name) values")
        }
        if encoding.hasFieldDeadlines, !target.holdsFieldDeadlines {
            throw RDBError(.unsupportedByTarget, at: 0, "\(target.name) has no field deadlines")
        }
        return .elements
    }

    package mutating func end() throws(RDBError) {
        try flush()
    }

    // Strings.

    package var largestWholeString: Int { LoadOptions.stepByteCount }

    package mutating func string(_ value: PackedValue) throws(RDBError) {
        other("SET", count: 1) { $0.append(argument: value) }
        try flush()
    }

    package mutating func stringPart(
        _ bytes: RawSpan,
        at offset: Int,
        of byteCount: Int
    ) throws(RDBError) {
        other("SETRANGE", count: 2) {
            $0.append(argument: Int64(offset))
            $0.append(argument: bytes)
        }
        try flush()
    }

    // Collections.

    package mutating func listElement(_ element: PackedValue) throws(RDBError) {
        arguments.append(argument: element)
        try added(1)
    }

    package mutating func setMember(_ member: PackedValue) throws(RDBError) {
        arguments.append(argument: member)
        try added(1)
    }

    package mutating func sortedSetMember(_ member: PackedValue, score: Double) throws(RDBError) {
        var text = ByteWriter()
        text.append(shortest: score)
        arguments.append(argument: text.bytes)
        arguments.append(argument: member)
        try added(2)
    }

    package mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        arguments.append(argument: field)
        arguments.append(argument: value)
        if let deadline {
            other("HPEXPIREAT", count: 4) {
                $0.append(argument: max(deadline, 1))
                $0.append(argument: "FIELDS")
                $0.append(argument: 1)
                $0.append(argument: field)
            }
        }
        try added(2)
    }

    private mutating func added(_ count: Int) throws(RDBError) {
        argumentCount += count
        newElements += 1
        if arguments.count + others.count >= LoadOptions.stepByteCount { try flush() }
    }

    /// Adds a command that follows.
    mutating func other(
        _ name: StaticString,
        count: Int,
        _ body: (inout ByteWriter) -> Void
    ) {
        let key = key
        others.beginRequest(count: count + 2)
        others.append(argument: name)
        others.append(argument: key.bytes)
        body(&others)
        otherCount += 1
    }

    /// Adds a command whose first argument is not the key.
    mutating func other(
        _ name: StaticString,
        _ subcommand: StaticString,
        count: Int,
        _ body: (inout ByteWriter) -> Void
    ) {
        let key = key
        others.beginRequest(count: count + 3)
        others.append(argument: name)
        others.append(argument: subcommand)
        others.append(argument: key.bytes)
        body(&others)
        otherCount += 1
    }

    /// Sends what has come together, if it is much.
    mutating func flushIfFull() throws(RDBError) {
        if others.count >= LoadOptions.stepByteCount { try flush() }
    }

    /// Sends what has come together.
    mutating func flush() throws(RDBError) {
        guard argumentCount + otherCount > 0 else { return }
        var requests = ByteWriter(reserving: arguments.count + others.count + key.byteCount + 64)
        if argumentCount > 0 {
            requests.beginRequest(count: argumentCount + 2)
            requests.append(argument: command)
            requests.append(argument: key.bytes)
            requests.append(arguments.bytes)
        }
        requests.append(others.bytes)
        let step = Step(
            requests: ByteString(requests.bytes).array,
            count: otherCount + (argumentCount > 0 ? 1 : 0),
            listLength: kind == .list ? listLength : nil,
            isOrdered: kind == .stream
        )
        listLength += newElements
        (argumentCount, otherCount, newElements) = (0, 0, 0)
        arguments.removeAll(keepingCapacityUpTo: 1 << 20)
        others.removeAll(keepingCapacityUpTo: 1 << 20)
        try send(step)
    }
}
