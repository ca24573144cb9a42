import Bytes

/// How much a client may ask for at once.
public struct RequestLimits: Sendable {
    /// The longest argument, in bytes.
    public var maximumBulkByteCount: Int
    /// A client that still has to authenticate gets ten short arguments.
    ///
    /// Otherwise anybody could make the daemon hold as much memory as they like to send.
    public var isAuthenticated: Bool

    /// The usual limits.
    public init(maximumBulkByteCount: Int = 512 << 20, isAuthenticated: Bool = true) {
        self.maximumBulkByteCount = maximumBulkByteCount
        self.isAuthenticated = isAuthenticated
    }

    /// A line that gives a length, or an inline request, may not be longer.
    static let maximumLineByteCount = 64 << 10
    static let maximumUnauthenticatedArguments = 10
    static let maximumUnauthenticatedBulkByteCount = 16 << 10
}

/// Turns bytes, in whatever pieces they arrive, into requests.
///
/// The bytes stay where they are: the parser looks at the connection's waiting input, finds
/// out where the arguments lie, and lends them as a `Request`.
///
///     while try parser.parse(input, within: limits) {
///         execute(parser.request(in: input))
///     }
///     dropFirst(parser.takeConsumed())
///
/// When a request is not all there, `parse` is called again with the same input and more
/// behind it, and goes on where it stopped: what an argument costs does not depend on the
/// number of pieces it came in.
public struct RequestParser: ~Copyable, Sendable {
    /// Where the current request starts in the input.
    private var start = 0
    /// The first byte not yet looked at.
    private var cursor = 0
    /// A line that starts at `cursor` does not end before this offset.
    private var searched = 0
    private var phase = Phase.betweenRequests
    private var missingArguments = 0
    /// Length of the argument being read; negative while that is not known.
    private var bulkByteCount = -1
    private var table = ArgumentTable()
    private var ahead = RequestsAhead()
    /// The words of an inline request, freed of quotes and escapes.
    private var words = ByteWriter()

    private enum Phase {
        case betweenRequests
        case foundAhead
        case readingArguments
        case foundArray
        case foundInline
    }

    /// Starts before the first request of a connection.
    public init() {}

    /// Looks for the next request in `input`; false when it is not all there yet.
    public mutating func parse(
        _ input: RawSpan,
        within limits: RequestLimits
    ) throws(RESPError) -> Bool {
        if phase != .readingArguments {
            if takeAhead() || (findAhead(input, limits) && takeAhead()) { return true }
            guard try beginRequest(input, limits) else { return false }
            if phase == .foundInline { return true }
        }
        while missingArguments > 0 {
            guard try parseArgument(input, limits) else { return false }
        }
        phase = .foundArray
        return true
    }

    /// Finds the next requests that can be found the quick way; if none, nothing has moved.
    private mutating func findAhead(_ input: RawSpan, _ limits: RequestLimits) -> Bool {
        guard limits.isAuthenticated,
            limits.maximumBulkByteCount >= WholeRequest.largestLength
        else { return false }
        ahead.removeAll()
        table.removeAll()
        var end = cursor
        while !ahead.isFull, let next = WholeRequest.find(input, at: end, into: &table) {
            ahead.append(end: next, argumentEnd: table.count)
            end = next
        }
        return !ahead.isEmpty
    }

    /// Makes the next request that was found ahead the current one.
    @inline(__always)
    private mutating func takeAhead() -> Bool {
        guard !ahead.isEmpty else { return false }
        start = cursor
        cursor = ahead.take()
        phase = .foundAhead
        return true
    }

    /// How many requests were found together, if the current one is the first of them; else 0.
    public var batchCount: Int { ahead.taken == 1 ? ahead.count : 0 }

    /// The second argument of a request of the batch, in most commands the key; nil if none.
    @_lifetime(copy input)
    public func batchKey(_ index: Int, in input: RawSpan) -> RawSpan? {
        let arguments = ahead.arguments(of: index)
        guard arguments.count > 1 else { return nil }
        let start = index == 0 ? start : ahead.end(of: index - 1)
        let range = table.ranges[arguments.lowerBound + 1]
        return input.extracting((start + range.offset)..<(start + range.offset + range.count))
    }

    /// The request that `parse` just found in the same `input`.
    @_lifetime(borrow self, copy input)
    public func request(in input: RawSpan) -> Request {
        switch phase {
        case .foundAhead:
            Request(
                bytes: input.extracting(start..<cursor),
                ranges: table.ranges.extracting(ahead.arguments(of: ahead.taken - 1)),
                isEncoded: true
            )
        case .foundArray:
            Request(bytes: input.extracting(start..<cursor), ranges: table.ranges, isEncoded: true)
        case .foundInline:
            Request(bytes: words.bytes, ranges: table.ranges)
        case .betweenRequests, .readingArguments:
            preconditionFailure("a request was asked for before it was found")
        }
    }

    /// How many bytes of the input the request that was just found takes.
    public var requestByteCount: Int { cursor - start }

    /// Takes the request just found for not found: `parse` will find it again.
    public mutating func putBack() {
        cursor = start
        searched = start
        phase = .betweenRequests
        ahead.removeAll()
    }

    /// How many bytes of input the complete requests took, for the caller to drop.
    ///
    /// From here on offsets count from what is left. Ends the last request's life.
    public mutating func takeConsumed() -> Int {
        if phase != .readingArguments { endRequest() }
        ahead.removeAll()
        let consumed = start
        cursor -= consumed
        searched = max(0, searched - consumed)
        start = 0
        return consumed
    }

    /// How many more bytes the argument being read needs, so that they can be read at once.
    public func missingByteCount(in input: RawSpan) -> Int {
        guard bulkByteCount >= 0 else { return 0 }
        return max(0, bulkByteCount - (input.byteCount - cursor)) + 2
    }

    /// Bytes of the argument that is not whole yet, as far as it has told; 0 if none has.
    public var pendingArgumentByteCount: Int { max(bulkByteCount, 0) }

    /// Bytes of the request that is not whole yet which are parsed already.
    public var parsedByteCount: Int { cursor }

    private mutating func endRequest() {
        start = cursor
        phase = .betweenRequests
    }

    private mutating func beginRequest(
        _ input: RawSpan,
        _ limits: RequestLimits
    ) throws(RESPError) -> Bool {
        while true {
            endRequest()
            table.removeAll()
            guard cursor < input.byteCount else { return false }
            guard input.byte(at: cursor) == UInt8(ascii: "*") else {
                guard let isEmpty = try parseInline(input) else { return false }
                if isEmpty { continue }
                phase = .foundInline
                return true
            }
            guard let count = try readLength(.array, in: input) else { return false }
            guard count <= Int(Int32.max) else { throw .invalidArrayLength }
            guard
                limits.isAuthenticated || count <= RequestLimits.maximumUnauthenticatedArguments
            else { throw .unauthenticatedArrayLength }
            // An empty or null array asks for nothing and gets no reply.
            guard count > 0 else { continue }
            missingArguments = count
            phase = .readingArguments
            return true
        }
    }

    private mutating func parseArgument(
        _ input: RawSpan,
        _ limits: RequestLimits
    ) throws(RESPError) -> Bool {
        if bulkByteCount < 0 {
            guard try beginArgument(input, limits) else { return false }
        }
        let count = bulkByteCount
        guard input.byteCount - cursor - 2 >= count else { return false }
        let end = cursor + count
        guard
            input.byte(at: end) == UInt8(ascii: "\r"),
            input.byte(at: end + 1) == UInt8(ascii: "\n")
        else { throw .invalidLineEnd }
        table.append(offset: cursor - start, count: count)
        cursor = end + 2
        bulkByteCount = -1
        missingArguments -= 1
        return true
    }

    private mutating func beginArgument(
        _ input: RawSpan,
        _ limits: RequestLimits
    ) throws(RESPError) -> Bool {
        guard let count = try readLength(.bulk, in: input) else { return false }
        guard count >= 0, count <= limits.maximumBulkByteCount else { throw .invalidBulkLength }
        guard
            limits.isAuthenticated || count <= RequestLimits.maximumUnauthenticatedBulkByteCount
        else { throw .unauthenticatedBulkLength }
        bulkByteCount = count
        return true
    }

    /// What a length line counts, by its first byte.
    private enum Counted: UInt8 {
        case array = 0x2A
        case bulk = 0x24
    }

    /// Reads `*3\r\n` or `$5\r\n`; nil, without moving, when it is not all there.
    ///
    /// Finds errors in the order in which Valkey finds them.
    private mutating func readLength(
        _ counted: Counted,
        in input: RawSpan
    ) throws(RESPError) -> Int? {
        guard
            let end = try findLineEnd(
                UInt8(ascii: "\r"),
                in: input,
                ifTooLong: counted == .array ? .arrayLengthTooLong : .bulkLengthTooLong
            )
        else { return nil }
        guard end + 1 < input.byteCount else {
            searched = end
            return nil
        }
        guard input.byte(at: end + 1) == UInt8(ascii: "\n") else { throw .invalidLineEnd }
        let type = input.byte(at: cursor)
        guard type == counted.rawValue else { throw .expectedBulk(got: type) }
        guard let value = DecimalText.parseInteger(input.extracting((cursor + 1)..<end)) else {
            throw counted == .array ? .invalidArrayLength : .invalidBulkLength
        }
        cursor = end + 2
        return Int(value)
    }

    /// Splits the line at `cursor` into words; nil when it has no end yet, true when empty.
    private mutating func parseInline(_ input: RawSpan) throws(RESPError) -> Bool? {
        guard
            let end = try findLineEnd(UInt8(ascii: "\n"), in: input, ifTooLong: .inlineTooLong)
        else { return nil }
        words.removeAll(keepingCapacityUpTo: 1024)
        let line = InlineRequest(line: input.extracting(cursor..<end))
        try line.split(into: &words, &table)
        cursor = end + 1
        return table.count == 0
    }

    /// Where the line that starts at `cursor` ends, if it does.
    private mutating func findLineEnd(
        _ terminator: UInt8,
        in input: RawSpan,
        ifTooLong tooLong: RESPError
    ) throws(RESPError) -> Int? {
        var index = max(searched, cursor)
        while index < input.byteCount, input.byte(at: index) != terminator { index += 1 }
        guard index - cursor <= RequestLimits.maximumLineByteCount else { throw tooLong }
        if index < input.byteCount { return index }
        searched = index
        return nil
    }
}
