import Bytes

/// What is known of a hash that lies in a listpack of field, value, deadline, …; 0 = none.
public struct DeadlineListpack: Sendable {
    /// How many fields it has.
    public private(set) var count = 0
    /// How many of them have a deadline.
    public private(set) var deadlineCount = 0
    /// The first of the deadlines.
    public private(set) var earliest: Int64 = .max
    /// The last of the deadlines.
    public private(set) var latest: Int64 = 0
    /// Bytes of the longest entry of a field or value.
    private var longestEntry = 0

    /// Which fields are written, and how.
    public enum Choice: Sendable {
        /// All, with their deadlines.
        case all
        /// All, and none expires.
        case withoutDeadlines
        /// Those that have no deadline.
        case lasting
    }

    /// Looks through a listpack; nil unless all of it is sound.
    init?(_ bytes: RawSpan) {
        do throws(ListpackError) {
            var scan = try ListpackScan(bytes)
            while let field = try scan.next() {
                guard let value = try scan.next(), let moment = try scan.next(),
                    let deadline = scan.integer(at: moment), 0..<(1 << 48) ~= deadline
                else { return nil }
                longestEntry = max(longestEntry, value - field, moment - value)
                count += 1
                guard deadline > 0 else { continue }
                deadlineCount += 1
                earliest = min(earliest, deadline)
                latest = max(latest, deadline)
            }
        } catch {
            return nil
        }
    }

    /// How many fields a choice leaves.
    func count(of choice: Choice) -> Int {
        choice == .lasting ? count - deadlineCount : count
    }

    /// Whether servers keep so many fields, so long, in a listpack.
    func isPackable(_ choice: Choice) -> Bool {
        // The encoding of so many bytes takes two, and their back length one.
        count(of: choice) <= Target.maximumPackedFields
            && longestEntry <= Target.maximumPackedElement + 3
    }
}

extension PayloadWriter {
    /// Writes the hash that `bytes` are, of which `listpack` is known.
    ///
    /// The same as to report its fields, in less time.
    public mutating func hash(
        _ bytes: RawSpan,
        _ listpack: DeadlineListpack,
        _ choice: DeadlineListpack.Choice
    ) throws(RDBError) {
        guard case .idle = phase else { preconditionFailure("the value before has not ended") }
        do {
            if choice == .all, listpack.deadlineCount > 0 {
                try writeDeadlines(bytes, listpack)
            } else if listpack.isPackable(choice) {
                try writeEntries(bytes, choice)
            } else {
                try writeFields(bytes, listpack, choice)
            }
        } catch let error as ListpackError {
            throw RDBError(error, in: output.count)
        } catch {
            throw error as? RDBError ?? RDBError(.transferFailed, at: output.count, "\(error)")
        }
        try output.flushIfFull()
    }

    private mutating func writeDeadlines(
        _ bytes: RawSpan,
        _ listpack: DeadlineListpack
    ) throws {
        guard target.format.dialect == .valkey else { throw unsupported("deadlines so laid out") }
        try open(.hashDeadlines)
        output.append(count: listpack.count)
        var scan = try ListpackScan(bytes)
        while let field = try scan.next(), let value = try scan.next(),
            let moment = try scan.next()
        {
            try output.append(entry: field, of: scan)
            try output.append(entry: value, of: scan)
            let deadline = scan.integer(at: moment) ?? 0
            output.appendInteger(deadline > 0 ? deadline : Self.noDeadline)
        }
    }

    /// As a listpack, in which an entry is what it was.
    private mutating func writeEntries(
        _ bytes: RawSpan,
        _ choice: DeadlineListpack.Choice
    ) throws {
        held.removeAll()
        var scan = try ListpackScan(bytes)
        while let field = try scan.next(), try scan.next() != nil, let moment = try scan.next() {
            if choice == .lasting, scan.integer(at: moment) != 0 { continue }
            held.append(entries: bytes.part(from: field, count: moment - field), count: 2)
        }
        try open(target.hasListpacks ? .hashListpack : .hashZiplist)
        try finishPacked()
    }

    private mutating func writeFields(
        _ bytes: RawSpan,
        _ listpack: DeadlineListpack,
        _ choice: DeadlineListpack.Choice
    ) throws {
        try open(.hash)
        output.append(count: listpack.count(of: choice))
        var scan = try ListpackScan(bytes)
        while let field = try scan.next(), let value = try scan.next(),
            let moment = try scan.next()
        {
            if choice == .lasting, scan.integer(at: moment) != 0 { continue }
            try output.append(entry: field, of: scan)
            try output.append(entry: value, of: scan)
        }
    }
}

extension Output {
    /// Appends an entry of a listpack as a string.
    fileprivate mutating func append(entry: Int, of scan: ListpackScan) throws(RDBError) {
        if let integer = scan.integer(at: entry) { return try append(string: .integer(integer)) }
        let bytes = scan.string(at: entry)
        if isCompressing { return try append(string: bytes) }
        append(count: bytes.byteCount)
        try append(bytes)
    }
}
