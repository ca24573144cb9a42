import Bytes

/// Walks through one segment request by request and keeps count of the stream.
///
/// What is not yet forgotten of it lies in a window:
///
///     | whole requests and transactions | begun, not whole | not looked at |
///     0                       wholeByteCount           scanned      window.count
///     ^ streamOffset
struct SegmentCursor: ~Copyable {
    /// What `advance` came to.
    enum Event: Equatable {
        /// There is something whole in the window.
        case effects
        /// A mark, which agrees with the bytes before it.
        case mark(Mark)
        /// The end of the segment; nothing is open.
        case end
    }

    /// A place at which the segment may be cut.
    struct Cut: Equatable {
        var fileOffset: Int
        var streamOffset: StreamOffset
        /// Whether a frame has to be closed there.
        var needsEndMark: Bool
    }

    private(set) var reader: SegmentReader
    private var window = ByteWriter()
    /// The stream before the window; counted from the first mark if it was not known.
    private(set) var streamOffset: StreamOffset
    private var isOffsetKnown: Bool

    /// Bytes of the window that may be used as they are.
    private(set) var wholeByteCount = 0
    /// Requests that may be used as they are, and those that wait for their EXEC.
    private(set) var wholeRequestCount = 0
    private var openRequestCount = 0
    private var scanned = 0
    private var isInTransaction = false
    /// What there is to tell after the whole effects.
    private var pending: Result<Event, SegmentReader.Failure>?

    /// The last place that was whole.
    private(set) var lastCut: Cut
    /// Requests after it.
    private(set) var requestCountSinceCut = 0
    /// Where the last mark stands in the file.
    private(set) var lastMarkFileOffset: Int?

    /// So much is handed out at a time, if nothing else is to be told before.
    static let enoughByteCount = 64 << 10

    /// Starts at the place where `reader` is; `offset` is that of the stream there, if known.
    init(_ reader: consuming SegmentReader, at offset: StreamOffset?) {
        let fileOffset = reader.fileOffset
        self.reader = reader
        streamOffset = offset ?? 0
        isOffsetKnown = offset != nil
        lastCut = Cut(fileOffset: fileOffset, streamOffset: offset ?? 0, needsEndMark: false)
    }

    /// Where the stream stands after the whole effects.
    var wholeStreamOffset: StreamOffset { streamOffset + wholeByteCount }

    /// Stops reading at a place of the file.
    mutating func limit(to fileOffset: Int) {
        reader.raw.limit(to: fileOffset)
    }

    /// What `takeWhole` took.
    struct Taken {
        /// Where the stream stands after it.
        var end: StreamOffset
        var requestCount: Int
        /// Whether nothing had to stay because of the limit.
        var isAll: Bool
    }

    /// Moves whole requests and transactions that end at or before `last` out of the window.
    mutating func takeWhole(
        upTo last: StreamOffset = .max,
        into output: inout ByteWriter
    ) -> Taken {
        let isAll = wholeStreamOffset <= last
        var count = wholeByteCount
        var requestCount = wholeRequestCount
        if !isAll {
            let whole = window.bytes.part(from: 0, count: wholeByteCount)
            (count, requestCount) = RequestScanner.whole(whole, upTo: last - streamOffset)
        }
        let taken = Taken(end: streamOffset + count, requestCount: requestCount, isAll: isAll)
        output.append(window.bytes.part(from: 0, count: count))
        forgetWhole()
        return taken
    }

    /// Drops the whole effects.
    mutating func forgetWhole() {
        window.removeFirst(wholeByteCount)
        streamOffset += wholeByteCount
        scanned -= wholeByteCount
        wholeByteCount = 0
        wholeRequestCount = 0
    }

    /// Goes on until there is something to tell.
    mutating func advance() throws(SegmentReader.Failure) -> Event {
        while true {
            // What comes before a mark, or before damage, is handed out before it.
            if wholeByteCount >= SegmentCursor.enoughByteCount || pending != nil {
                if wholeByteCount > 0 { return .effects }
                if let pending = pending.take() { return try pending.get() }
            }
            do throws(SegmentReader.Failure) {
                let before = reader.fileOffset
                switch try reader.next(into: &window) {
                case .effects:
                    try scan()
                case .mark(let mark):
                    try accept(mark, at: before)
                    pending = .success(.mark(mark))
                case .end:
                    try finish()
                    pending = .success(.end)
                }
            } catch {
                pending = .failure(error)
            }
        }
    }

    /// Looks at the bytes not yet looked at.
    private mutating func scan() throws(SegmentReader.Failure) {
        while scanned < window.count {
            switch RequestScanner.next(in: window.bytes, at: scanned) {
            case .request(let kind, let end):
                note(kind, end: end)
            case .incomplete:
                return
            case .malformed(_, let problem):
                throw .unreadable(at: lastCut.fileOffset, problem)
            case .remark:
                throw .unreadable(at: lastCut.fileOffset, "a remark among requests")
            }
        }
        if !isInTransaction, reader.mayEndHere { noteCut() }
    }

    private mutating func note(_ kind: RequestScanner.Kind, end: Int) {
        scanned = end
        openRequestCount += 1
        requestCountSinceCut += 1
        if kind == .multi { isInTransaction = true }
        if kind == .exec { isInTransaction = false }
        guard !isInTransaction else { return }
        wholeByteCount = end
        wholeRequestCount += openRequestCount
        openRequestCount = 0
        isOffsetKnown = true
    }

    private mutating func noteCut() {
        requestCountSinceCut = 0
        lastCut = Cut(
            fileOffset: reader.fileOffset,
            streamOffset: streamOffset + scanned,
            needsEndMark: reader.needsEndMark
        )
    }

    /// Compares what a mark says with what was read before it.
    private mutating func accept(
        _ mark: Mark,
        at fileOffset: Int
    ) throws(SegmentReader.Failure) {
        guard !isInTransaction, scanned == window.count else {
            throw .unreadable(at: fileOffset, "a mark inside a request or a transaction")
        }
        let offset = streamOffset + scanned
        if !isOffsetKnown {
            streamOffset = mark.offset
            isOffsetKnown = true
        } else if mark.offset != offset {
            throw .unreadable(
                at: fileOffset,
                "the stream goes on at offset \(mark.offset) instead of \(offset)"
            )
        }
        lastMarkFileOffset = fileOffset
        noteCut()
    }

    private mutating func finish() throws(SegmentReader.Failure) {
        if scanned < window.count {
            throw .cut(at: lastCut.fileOffset, "the last request is cut")
        }
        if isInTransaction {
            throw .cut(at: lastCut.fileOffset, "the last transaction is cut")
        }
        noteCut()
    }
}
