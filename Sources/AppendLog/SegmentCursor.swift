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
    /// Where in a plain file `scanned` is.
    private var scannedFileOffset: Int

    /// The last place that was whole.
    private(set) var lastCut: Cut
    /// Requests after it.
    private(set) var requestCountSinceCut = 0
    /// Where the last mark stands in the file.
    private(set) var lastMarkFileOffset: Int?

    /// Starts at the place where `reader` is; `offset` is that of the stream there, if known.
    init(_ reader: consuming SegmentReader, at offset: StreamOffset?) {
        let fileOffset = reader.fileOffset
        self.reader = reader
        streamOffset = offset ?? 0
        isOffsetKnown = offset != nil
        scannedFileOffset = fileOffset
        lastCut = Cut(fileOffset: fileOffset, streamOffset: offset ?? 0, needsEndMark: false)
    }

    /// Where the stream stands after the whole effects.
    var wholeStreamOffset: StreamOffset { streamOffset + wholeByteCount }

    /// Stops reading at a place of the file.
    mutating func limit(to fileOffset: Int) {
        reader.limit = fileOffset
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
        let count = isAll ? wholeByteCount : wholePrefix(upTo: last)
        let taken = Taken(
            end: streamOffset + count,
            requestCount: wholeRequestCount,
            isAll: isAll
        )
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

    private func wholePrefix(upTo last: StreamOffset) -> Int {
        var end = 0
        var position = 0
        var isInTransaction = false
        while position < wholeByteCount {
            let finding = RequestScanner.next(in: window.bytes, at: position)
            guard case .request(let kind, let next) = finding, streamOffset + next <= last else {
                break
            }
            position = next
            if kind == .multi { isInTransaction = true }
            if kind == .exec { isInTransaction = false }
            if !isInTransaction { end = next }
        }
        return end
    }

    /// Goes on until there is something to tell.
    mutating func advance() throws(SegmentReader.Failure) -> Event {
        while true {
            if let mark = try scan() { return .mark(mark) }
            if wholeByteCount > 0 { return .effects }
            let before = reader.fileOffset
            switch try reader.next(into: &window) {
            case .effects:
                continue
            case .mark(let mark):
                try accept(mark, at: before)
                return .mark(mark)
            case .end:
                try finish()
                return .end
            }
        }
    }

    /// Looks at the bytes not yet looked at; stops behind a mark.
    private mutating func scan() throws(SegmentReader.Failure) -> Mark? {
        while scanned < window.count {
            switch RequestScanner.next(in: window.bytes, at: scanned) {
            case .request(let kind, let end):
                note(kind, end: end)
            case .remark(let end):
                guard reader.format == .plain else {
                    throw .unreadable(at: reader.fileOffset, "a remark inside a frame")
                }
                // What comes before a mark is handed out before it.
                if wholeByteCount > 0 { return nil }
                if let mark = try removeRemark(end - scanned) { return mark }
            case .incomplete:
                return nil
            case .malformed(let place, let problem):
                // Inside a frame the place is only known by its block.
                let offset =
                    reader.format == .plain
                    ? scannedFileOffset + place - scanned : lastCut.fileOffset
                throw .unreadable(at: offset, problem)
            }
        }
        if reader.format != .plain, !isInTransaction, reader.mayEndHere { noteCut() }
        return nil
    }

    private mutating func note(_ kind: RequestScanner.Kind, end: Int) {
        scannedFileOffset += end - scanned
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
        if reader.format == .plain { noteCut() }
    }

    private mutating func noteCut() {
        requestCountSinceCut = 0
        lastCut = Cut(
            fileOffset: reader.format == .plain ? scannedFileOffset : reader.fileOffset,
            streamOffset: streamOffset + scanned,
            needsEndMark: reader.needsEndMark
        )
    }

    /// Takes a remark out of the window, so that it is not taken for effects.
    ///
    /// There is about one in a second of a busy log, so moving the rest does not matter.
    private mutating func removeRemark(
        _ byteCount: Int
    ) throws(SegmentReader.Failure) -> Mark? {
        let place = scannedFileOffset
        let mark = Mark(line: window.bytes.part(from: scanned, count: byteCount))
        var rest = ByteWriter()
        let after = scanned + byteCount
        rest.append(window.bytes.part(from: after, count: window.count - after))
        window.truncate(to: scanned)
        window.append(rest.bytes)
        scannedFileOffset += byteCount
        if let mark { try accept(mark, at: place) }
        if !isInTransaction { noteCut() }
        return mark
    }

    /// Compares what a mark says with what was read before it.
    private mutating func accept(
        _ mark: Mark,
        at fileOffset: Int
    ) throws(SegmentReader.Failure) {
        let offset = streamOffset + scanned
        let isOpen = isInTransaction || (reader.format != .plain && scanned < window.count)
        guard !isOpen else {
            throw .unreadable(at: fileOffset, "a mark inside a request or a transaction")
        }
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
