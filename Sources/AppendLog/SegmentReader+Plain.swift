import Bytes

/// What a plain segment is made of.
///
/// It is what Redis and Valkey read as their own: requests, and between them remarks, which
/// they skip.
///
///     segment = (mark  batch*)*  [mark]
///     mark    = #LARDER:1 ...\r\n           see Mark
///     batch   = #35:9ae0daaf\r\n            bytes that follow, and their CRC-32C
///               *3\r\n$3\r\nSET\r\n...      so many bytes of requests
///
/// The remark comes before the batch and not after it, so that what a crash left of a batch is
/// known to be incomplete. Requests that follow a batch without a remark were written by
/// another server, which found the log in good order and went on.
enum PlainBatch {
    /// Appends the remark for a batch.
    static func writeHead(_ batch: RawSpan, to writer: inout ByteWriter) {
        writer.append("#")
        writer.append(decimal: Int64(batch.byteCount))
        writer.append(utf8: ":\(hexadecimal(CRC32C.checksum(batch)))\r\n")
    }

    /// What that remark says.
    struct Head: Equatable {
        var byteCount: Int
        var checksum: UInt32

        /// Reads the remark; nil if it is another one.
        init?(_ line: RawSpan) {
            guard line.byteCount > 1, line.byteCount <= 32, line.byte(at: 1) &- 0x30 <= 9 else {
                return nil
            }
            let words = line.text.dropFirst().dropLast().split(separator: ":")
            guard words.count == 2, words[1].utf8.count == 8, let byteCount = Int(words[0]),
                let checksum = UInt32(words[1], radix: 16), byteCount > 0
            else { return nil }
            self.byteCount = byteCount
            self.checksum = checksum
        }
    }
}

/// A line between requests.
enum PlainRemark {
    case mark(Mark)
    case batchHead(PlainBatch.Head)
    /// A line of another server.
    case other

    init(_ line: RawSpan) {
        if let head = PlainBatch.Head(line) {
            self = .batchHead(head)
        } else if let mark = Mark(line: line) {
            self = .mark(mark)
        } else {
            self = .other
        }
    }
}

/// Requests at the front of some bytes that no checksum covers.
struct LooseRequests {
    /// Bytes that are whole requests.
    private(set) var byteCount = 0
    /// Bytes before the transaction that is open at their end.
    private(set) var wholeByteCount = 0
    private var isInTransaction = false

    /// Hands out this much before more is looked at.
    static let enoughByteCount = 64 << 10

    /// Looks further into `bytes`; returns what stopped it, or nil if it has enough.
    mutating func scan(_ bytes: RawSpan) -> RequestScanner.Finding? {
        while byteCount < LooseRequests.enoughByteCount || wholeByteCount == 0 {
            guard byteCount < bytes.byteCount else { return .incomplete }
            let finding = RequestScanner.next(in: bytes, at: byteCount)
            guard case .request(let kind, let end) = finding else { return finding }
            byteCount = end
            if kind == .multi { isInTransaction = true }
            if kind == .exec { isInTransaction = false }
            if !isInTransaction { wholeByteCount = end }
        }
        return nil
    }

    /// Takes out the whole part, or all of it if none is whole.
    mutating func take() -> Int {
        let count = wholeByteCount > 0 ? wholeByteCount : byteCount
        byteCount -= count
        wholeByteCount = 0
        return count
    }
}

// Reading plain segments.
extension SegmentReader {
    mutating func nextPlain(into window: inout ByteWriter) throws(Failure) -> Piece {
        while try fill(1) {
            guard loose.byteCount == 0, raw.available.byte(at: 0) == UInt8(ascii: "#") else {
                if try readLoose(into: &window) { return .effects }
                continue
            }
            let byteCount = try remark()
            switch PlainRemark(raw.available.part(from: 0, count: byteCount)) {
            case .mark(let mark):
                raw.use(byteCount)
                return .mark(mark)
            case .batchHead(let head):
                try readBatch(head, after: byteCount, &window)
                return .effects
            case .other:
                raw.use(byteCount)
            }
        }
        return .end
    }

    /// How long the remark is that begins here.
    private mutating func remark() throws(Failure) -> Int {
        _ = try fill(RequestScanner.maximumRemarkByteCount)
        switch RequestScanner.next(in: raw.available, at: 0) {
        case .remark(let end): return end
        case .incomplete: throw .cut(at: fileOffset, "a remark is cut")
        case .request, .malformed: throw .unreadable(at: fileOffset, "a remark without an end")
        }
    }

    private mutating func readBatch(
        _ head: PlainBatch.Head,
        after headByteCount: Int,
        _ window: inout ByteWriter
    ) throws(Failure) {
        try need(headByteCount + head.byteCount, "a batch")
        let checksum = CRC32C.checksum(
            raw.available.part(from: headByteCount, count: head.byteCount)
        )
        guard checksum == head.checksum else {
            throw .unreadable(at: fileOffset, "a damaged batch")
        }
        raw.use(headByteCount)
        raw.move(head.byteCount, to: &window)
    }

    /// Reads requests of another server; false if nothing was appended yet.
    private mutating func readLoose(into window: inout ByteWriter) throws(Failure) -> Bool {
        let finding = loose.scan(raw.available)
        if finding == .incomplete, !raw.isReadToEnd {
            _ = try fill(raw.availableByteCount + RawFile.pieceByteCount)
            return false
        }
        if loose.byteCount > 0 {
            raw.move(loose.take(), to: &window)
            return true
        }
        switch finding {
        case .incomplete:
            throw .cut(at: fileOffset, "the last request is cut")
        case .malformed(let place, let problem):
            throw .unreadable(at: fileOffset + place, problem)
        case .request, .remark, nil:
            return false
        }
    }
}
