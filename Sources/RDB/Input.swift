import Bytes

/// The bytes being read: a window that slides over the source.
///
/// Reading looks ahead first and consumes afterwards: `need` brings bytes into the window,
/// offsets into it count from the first unconsumed byte and stay right while the window
/// grows, and only `consume` moves on. So whatever a visitor is shown lies in one piece, and
/// a value longer than the window makes the window grow, with the bytes that really come.
struct Input: ~Copyable {
    private var source: (any ByteSource)?
    private var buffer: ByteWriter
    /// Consumed bytes at the start of the buffer.
    private var start = 0
    /// Where in the file the buffer begins.
    private var bufferOffset = 0

    private var checksum = CRC64()
    /// Bytes at the start of the buffer that are in the checksum.
    private var checksummed = 0
    private let isChecksumming: Bool
    /// What it is if bytes are missing.
    private let endCode: RDBError.Code
    /// Where the packed string begins whose elements are read: they lie nowhere as they are here.
    private let elementsOffset: Int?

    /// Where in the buffer the bytes begin that stay although they were consumed; -1 if none do.
    private var heldStart = -1

    /// What `gather` ran into, for whoever needs the bytes that did not come.
    private var failure: (any Error)?

    private var tap: (any ByteSink)?
    /// Bytes at the start of the buffer that the tap has had.
    private var tapped = 0

    /// Whether a compressed string has come so far.
    var hasCompressedStrings = false

    var scratch = ByteWriter()
    var otherScratch = ByteWriter()

    /// What one call asks of the source; also the memory that stays when nothing large is read.
    static let chunkByteCount = 128 << 10

    /// Reads from `source`.
    init(_ source: any ByteSource, isChecksumming: Bool) {
        self.isChecksumming = isChecksumming && !source.keepsChecksum
        self.source = source
        endCode = .truncated
        elementsOffset = nil
        buffer = ByteWriter(reserving: Self.chunkByteCount)
    }

    /// Reads the bytes of a string that begins at `offset` of the file; if it ends too early, that
    /// is `damage`.
    init(_ source: any ByteSource, startingAt offset: Int, damage: RDBError.Code) {
        isChecksumming = false
        self.source = source
        endCode = damage
        elementsOffset = nil
        bufferOffset = offset
        buffer = ByteWriter(reserving: Self.chunkByteCount)
    }

    /// Reads the elements of the packed string at `offset`; if there are too few, that is `damage`.
    init(_ source: any ByteSource, elementsOf offset: Int, damage: RDBError.Code) {
        isChecksumming = false
        self.source = source
        endCode = damage
        elementsOffset = offset
        buffer = ByteWriter(reserving: Self.chunkByteCount)
    }

    /// Reads a copy of `bytes`.
    init(copying bytes: RawSpan) {
        source = nil
        isChecksumming = false
        endCode = .truncated
        elementsOffset = nil
        buffer = ByteWriter(reserving: bytes.byteCount)
        buffer.append(bytes)
    }

    /// Where in the file the next unconsumed byte is; of elements, where their string begins.
    var position: Int { elementsOffset ?? bufferOffset + start }

    /// Whether these are the elements of a packed string.
    var isElements: Bool { elementsOffset != nil }

    /// Bytes in the window.
    var available: Int { buffer.count - start }

    /// Bytes that are still to be consumed, if that is known.
    var remainingByteCount: Int? { source?.remainingByteCount.map { $0 + available } }

    /// Makes sure that the window has `count` bytes.
    @inline(__always)
    mutating func need(_ count: Int) throws(RDBError) {
        if buffer.count - start < count { try fill(count) }
    }

    /// Moves past `count` bytes of the window.
    @inline(__always)
    mutating func consume(_ count: Int) {
        assert(count <= available, "consumed what was not there")
        start += count
    }

    /// Bytes of the window.
    @inline(__always)
    @_lifetime(borrow self)
    func window(at offset: Int, count: Int) -> RawSpan {
        buffer.bytes.part(from: start + offset, count: count)
    }

    /// A byte of the window.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        buffer.bytes.byte(at: start + offset)
    }

    /// A little-endian integer of the window.
    @inline(__always)
    func integer<T: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        as type: T.Type
    ) -> T {
        T(
            littleEndian: unsafe buffer.bytes.unsafeLoadUnaligned(
                fromByteOffset: start + offset,
                as: type
            )
        )
    }

    /// Throws if it is known that fewer than `count` bytes are left.
    func expect(_ count: Int) throws(RDBError) {
        guard let source else {
            if count > available { throw tooShort(position, count) }
            return
        }
        if let remaining = source.remainingByteCount, count - available > remaining {
            throw tooShort(position, count)
        }
    }

    /// Moves past `count` bytes, however many.
    mutating func skip(_ count: Int) throws(RDBError) {
        try expect(count)
        var left = count
        while left > available {
            left -= available
            start = buffer.count
            try need(1)
        }
        start += left
    }

    @inline(never)
    private mutating func fill(_ count: Int) throws(RDBError) {
        let wanted = position
        // What has no source can be read again from its beginning.
        guard source != nil else { throw tooShort(wanted, count) }
        try settle()
        guard count <= Int.max / 4 else { throw tooShort(wanted, count) }
        try expect(count)
        shrink(toHold: count)
        while available < count {
            // Never more memory than twice what has come.
            let room = max(Self.chunkByteCount, min(count, buffer.count * 2)) - buffer.count
            guard try read(upTo: max(room, Self.chunkByteCount / 2)) > 0 else {
                throw tooShort(wanted, count)
            }
        }
    }

    func tooShort(_ offset: Int, _ count: Int) -> RDBError {
        guard endCode == .truncated else {
            let what = isElements ? "expected another element, found the end" : "ends too early"
            return RDBError(endCode, at: offset, what)
        }
        let found = available + (source?.remainingByteCount ?? 0)
        return RDBError(
            .truncated,
            at: offset,
            "expected \(count) bytes, found \(found) before the end"
        )
    }

    private mutating func read(upTo count: Int) throws(RDBError) -> Int {
        let before = buffer.count
        do {
            if let failure { throw failure }
            unsafe try buffer.append(upTo: count) { room in
                var output = unsafe OutputRawSpan(buffer: room, initializedCount: 0)
                try source?.read(into: &output)
                return unsafe output.finalize(for: room)
            }
        } catch let error as RDBError {
            // A string inside the file tells more of its own.
            throw error
        } catch {
            throw RDBError(
                .transferFailed,
                at: bufferOffset + buffer.count,
                "cannot read on",
                cause: error
            )
        }
        return buffer.count - before
    }

    /// Gives the consumed bytes to the checksum and the tap, and forgets them unless they are held.
    private mutating func settle() throws(RDBError) {
        takeChecksum()
        try drain()
        let count = heldStart >= 0 ? heldStart : start
        buffer.removeFirst(count)
        bufferOffset += count
        start -= count
        checksummed = start
        tapped = start
        if heldStart >= 0 { heldStart = 0 }
    }

    /// Keeps what is consumed from here on in the window, until `release`.
    @inline(__always)
    mutating func hold() {
        heldStart = start
    }

    /// Keeps nothing any longer.
    @inline(__always)
    mutating func release() {
        heldStart = -1
    }

    /// What was consumed since `hold`, and `count` bytes more of the window.
    @_lifetime(borrow self)
    func held(with count: Int = 0) -> RawSpan {
        guard heldStart >= 0 else { return buffer.bytes.part(from: start, count: 0) }
        return buffer.bytes.part(from: heldStart, count: start - heldStart + count)
    }

    private mutating func takeChecksum() {
        if isChecksumming, start > checksummed {
            var updated = checksum
            updated.update(buffer.bytes.part(from: checksummed, count: start - checksummed))
            checksum = updated
            checksummed = start
        }
    }

    private mutating func drain() throws(RDBError) {
        guard let tap, start > tapped else { return }
        do {
            try tap.write(buffer.bytes.part(from: tapped, count: start - tapped))
        } catch {
            throw RDBError(.transferFailed, at: position, "cannot write a copy", cause: error)
        }
        tapped = start
    }

    /// Gives back the memory of a value that was larger than others are.
    private mutating func shrink(toHold count: Int) {
        let enough = Self.chunkByteCount * 2
        guard buffer.capacityByteCount > enough * 2, max(count, buffer.count) <= enough else {
            return
        }
        var smaller = ByteWriter(reserving: enough)
        smaller.append(buffer.bytes)
        buffer = smaller
    }

    /// The checksum of everything consumed.
    mutating func currentChecksum() throws(RDBError) -> UInt64 {
        if source?.keepsChecksum ?? false {
            let end = position
            do {
                return try source?.checksum(upTo: end) ?? 0
            } catch {
                throw RDBError(.transferFailed, at: position, "cannot read again", cause: error)
            }
        }
        takeChecksum()
        return checksum.value
    }

    /// Copies what is consumed from here on to `sink`; nil ends it.
    mutating func copy(to sink: (any ByteSink)?) throws(RDBError) {
        try drain()
        tap = sink
        tapped = start
    }

    /// Brings `count` bytes into the window, or fewer before the end and before what cannot be
    /// read: that is an error only once those bytes are needed.
    mutating func gather(_ count: Int) throws(RDBError) {
        guard available < count, source != nil, failure == nil else { return }
        try settle()
        shrink(toHold: count)
        do throws(RDBError) {
            while available < count, try read(upTo: count - available) > 0 {}
        } catch {
            failure = error.cause
        }
    }

    /// Moves the first `count` bytes of the window to an input that has no source.
    mutating func move(_ count: Int, to other: inout Input) throws(RDBError) {
        try settle()
        other.buffer.removeAll()
        other.start = 0
        other.tapped = 0
        other.bufferOffset = bufferOffset
        if available - count > count {
            other.buffer.append(window(at: 0, count: count))
            return consume(count)
        }
        swap(&buffer, &other.buffer)
        buffer.append(other.window(at: count, count: other.available - count))
        other.buffer.truncate(to: count)
        if isChecksumming { checksum.update(other.buffer.bytes) }
        bufferOffset += count
    }

    /// Moves everything, also what was consumed, to an input that has no source either.
    mutating func moveAll(to other: inout Input) {
        swap(&buffer, &other.buffer)
        other.bufferOffset = bufferOffset
    }

    /// Goes back to a place in the window, of an input that has no source.
    mutating func rewind(to position: Int) {
        start = position - bufferOffset
    }

    /// Whether nothing is left, in the window or the source.
    mutating func isAtEnd() throws(RDBError) -> Bool {
        if available > 0 { return false }
        guard source != nil else { return true }
        try settle()
        return try read(upTo: Self.chunkByteCount / 2) == 0
    }
}
