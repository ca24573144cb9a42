/// What is wrong with LZF data.
public enum LZFError: Error, Equatable, Sendable {
    /// No data of this size can give so many bytes.
    case impossibleByteCount
    /// The data ends inside an instruction.
    case truncated
    /// A reference to before the first byte.
    case badReference
    /// The instructions give more bytes than promised.
    case tooLong
    /// The instructions give fewer bytes than promised.
    case tooShort
}

/// LZF, the compression inside RDB strings.
///
/// A stream of instructions, each a control byte and what belongs to it:
///
///     000nnnnn                     literal run: the n + 1 bytes that follow
///     LLLddddd dddddddd            L in 1...6: copy L + 2 bytes from d + 1 bytes back
///     111ddddd llllllll dddddddd   copy l + 9 bytes from d + 1 bytes back
///
/// A copy may reach into what it writes: distance 1 repeats the last byte. Example, 21 times
/// `a`: the run `01 61 61`, then `E0 0A 00`, 19 bytes from one back. The data of two strings in a
/// row stand for both of them in a row.
public enum LZF {
    /// The most bytes that `count` compressed bytes can stand for.
    @inlinable
    public static func maximumByteCount(ofCompressed count: Int) -> Int {
        // Three bytes give 264 at best.
        count.multipliedReportingOverflow(by: 88).overflow ? .max : count * 88
    }

    /// Appends the `count` bytes that `data` stands for.
    ///
    /// On an error nothing is appended. Memory for `count` bytes is reserved only if the data
    /// could really give them.
    public static func decompress(
        _ data: RawSpan,
        byteCount count: Int,
        to output: inout ByteWriter
    ) throws(LZFError) {
        guard count >= 0, count <= maximumByteCount(ofCompressed: data.byteCount) else {
            throw .impossibleByteCount
        }
        // The copies below write whole words; the slack takes what they write too far.
        unsafe try output.append(upTo: count + slack) { room throws(LZFError) -> Int in
            unsafe try data.withUnsafeBytes { input throws(LZFError) in
                unsafe try expand(input, to: room, count)
            }
            return count
        }
    }

    fileprivate static let slack = 32
    /// The most bytes of a literal run.
    fileprivate static let longestRun = 32

    private static func expand(
        _ input: UnsafeRawBufferPointer,
        to room: UnsafeMutableRawBufferPointer,
        _ count: Int
    ) throws(LZFError) {
        guard var source = input.baseAddress, let start = room.baseAddress else {
            if count == 0 { return }
            throw .tooShort
        }
        let sourceEnd = unsafe source + input.count
        let end = unsafe start + count
        var target = unsafe start
        unsafe try run(&source, sourceEnd, &target, start, end)
        guard unsafe target == end else { throw .tooShort }
    }

    /// Follows instructions from `source` on; on an error both stand where the instruction begins
    /// that could not be followed.
    @inline(__always)
    fileprivate static func run(
        _ source: inout UnsafeRawPointer,
        _ sourceEnd: UnsafeRawPointer,
        _ target: inout UnsafeMutableRawPointer,
        _ start: UnsafeMutableRawPointer,
        _ end: UnsafeMutableRawPointer
    ) throws(LZFError) {
        while unsafe source < sourceEnd {
            let control = Int(unsafe source.load(as: UInt8.self))
            var next = unsafe source + 1
            let available = unsafe sourceEnd - next
            if control < 32 {
                let length = control + 1
                guard length <= available else { throw .truncated }
                guard unsafe length <= end - target else { throw .tooLong }
                if available >= 32 {
                    unsafe copyWord(target, next, SIMD16<UInt8>.self)
                    unsafe copyWord(target + 16, next + 16, SIMD16<UInt8>.self)
                } else {
                    unsafe target.copyMemory(from: next, byteCount: length)
                }
                unsafe source = next + length
                unsafe target += length
                continue
            }
            var length = control >> 5 + 2
            guard available >= (length == 9 ? 2 : 1) else { throw .truncated }
            if length == 9 {
                length += Int(unsafe next.load(as: UInt8.self))
                unsafe next += 1
            }
            let distance = (control & 0x1F) << 8 | Int(unsafe next.load(as: UInt8.self)) + 1
            guard unsafe distance <= target - start else { throw .badReference }
            guard unsafe length <= end - target else { throw .tooLong }
            unsafe copyBack(target, distance, length)
            unsafe source = next + 1
            unsafe target += length
        }
    }

    /// Copies `length` bytes from `distance` back; may write up to a word more.
    @inline(__always)
    private static func copyBack(
        _ target: UnsafeMutableRawPointer,
        _ distance: Int,
        _ length: Int
    ) {
        var target = unsafe target
        let stop = unsafe target + length
        if distance >= 16 {
            var source = unsafe UnsafeRawPointer(target - distance)
            repeat {
                unsafe copyWord(target, source, SIMD16<UInt8>.self)
                unsafe target += 16
                unsafe source += 16
            } while unsafe target < stop
        } else if distance >= 8 {
            var source = unsafe UnsafeRawPointer(target - distance)
            repeat {
                unsafe copyWord(target, source, UInt64.self)
                unsafe target += 8
                unsafe source += 8
            } while unsafe target < stop
        } else {
            // A short period: build eight bytes of it, then step by a multiple of the period.
            var pattern: UInt64 = 0
            for index in 0..<8 {
                let byte = unsafe (target - distance + index % distance).load(as: UInt8.self)
                pattern |= UInt64(byte) << UInt64(index * 8)
            }
            let step = 8 - 8 % distance
            repeat {
                unsafe target.storeBytes(of: pattern.littleEndian, as: UInt64.self)
                unsafe target += step
            } while unsafe target < stop
        }
    }

    @inline(__always)
    private static func copyWord<Word: BitwiseCopyable>(
        _ target: UnsafeMutableRawPointer,
        _ source: UnsafeRawPointer,
        _ word: Word.Type
    ) {
        unsafe target.storeBytes(of: source.loadUnaligned(as: word), as: word)
    }
}

/// Expands LZF data that comes in pieces, a piece at a time.
///
/// Copies reach 8 KiB back and no further, so that no more than that and the piece is kept.
@safe
public struct LZFExpansion: ~Copyable {
    /// What was expanded last, behind the bytes that copies may reach.
    private let buffer: UnsafeMutableRawBufferPointer
    private var pieceStart = 0
    private var pieceEnd = 0
    /// Bytes that are still to come.
    private var remaining: Int

    private static let reach = 8 << 10
    private static let pieceByteCount = 64 << 10
    /// The most bytes that an instruction has.
    public static let longestInstruction = 33

    /// An expansion to `byteCount` bytes.
    public init(byteCount: Int) {
        remaining = byteCount
        unsafe buffer = .allocate(
            byteCount: Self.reach + Self.pieceByteCount + LZF.slack,
            alignment: 16
        )
    }

    deinit {
        unsafe buffer.deallocate()
    }

    /// Follows the instructions at the beginning of `data` as far as there is room, and returns
    /// how many bytes of it they had.
    ///
    /// What they give is `piece` then. Data that goes on has to have an instruction's length.
    public mutating func expand(_ data: RawSpan, isLast: Bool) throws(LZFError) -> Int {
        let kept = min(pieceEnd, Self.reach)
        guard let start = unsafe buffer.baseAddress else { throw .tooShort }
        unsafe start.copyMemory(from: start + (pieceEnd - kept), byteCount: kept)
        pieceStart = kept
        let room = min(remaining, Self.pieceByteCount)
        var used = 0
        var failure: LZFError?
        unsafe data.withUnsafeBytes { input in
            guard let first = input.baseAddress else { return }
            var source = unsafe first
            var target = unsafe start + kept
            let end = unsafe target + room
            do throws(LZFError) {
                unsafe try LZF.run(&source, first + input.count, &target, start, end)
            } catch {
                failure = error
            }
            unsafe used = source - first
            unsafe pieceEnd = target - start
        }
        remaining -= pieceEnd - pieceStart
        switch failure {
        case nil:
            if isLast, remaining > 0 { throw .tooShort }
        case .truncated where !isLast: break
        // The piece is full, not the string.
        case .tooLong where room == Self.pieceByteCount && remaining > 0 && used > 0: break
        case let failure?: throw failure
        }
        return used
    }

    /// What was expanded last.
    public var piece: RawSpan {
        @_lifetime(borrow self)
        get {
            let piece = unsafe RawSpan(_unsafeBytes: buffer[pieceStart..<pieceEnd])
            return unsafe _overrideLifetime(piece, borrowing: self)
        }
    }
}

/// Compresses to LZF.
///
/// Holds the table of positions between strings, so that a short one costs no clearing. The
/// table remembers two positions for each hash of three bytes and the longer match wins, where
/// servers remember one: as fast here, and 1 to 4 % shorter on JSON and packed lists.
public struct LZFCompressor: ~Copyable {
    private var table: [UInt32]
    /// Added to positions; entries below it are of earlier strings.
    private var epoch: UInt32 = 0

    private static let tableBits = 14
    private static let maximumDistance = 8192
    private static let maximumLength = 264

    /// A compressor with an empty table of 128 KiB.
    public init() {
        table = [UInt32](repeating: 0, count: 2 << Self.tableBits)
    }

    /// Appends the compressed form of `text` if it has `limit` bytes or fewer.
    ///
    /// Otherwise appends nothing and returns false.
    public mutating func compress(
        _ text: RawSpan,
        limit: Int,
        to output: inout ByteWriter
    ) -> Bool {
        let count = text.byteCount
        // Positions are 32 bits, and none may be mistaken for one of another string.
        guard limit > 0, count >= 4, count < 1 << 31 else { return false }
        if epoch > UInt32.max - UInt32(count) - 1 || epoch == 0 {
            for index in table.indices { table[index] = 0 }
            epoch = 1
        }
        defer { epoch += UInt32(count) }
        let before = output.count
        // Runs are written as whole words; the slack takes what they write too far.
        unsafe output.append(upTo: limit + LZF.longestRun) { room in
            unsafe text.withUnsafeBytes { input in
                unsafe table.withUnsafeMutableBufferPointer { table in
                    var coder = unsafe Coder(input, room, table, epoch)
                    return coder.run(limit: limit) ? coder.written : 0
                }
            }
        }
        return output.count > before
    }

    /// The state of compressing one string.
    @safe
    private struct Coder {
        let input: UnsafeRawPointer
        let count: Int
        let output: UnsafeMutableRawPointer
        let table: UnsafeMutablePointer<UInt32>
        let epoch: UInt32
        var written = 0

        init(
            _ input: UnsafeRawBufferPointer,
            _ room: UnsafeMutableRawBufferPointer,
            _ table: UnsafeMutableBufferPointer<UInt32>,
            _ epoch: UInt32
        ) {
            unsafe self.input = input.baseAddress.unsafelyUnwrapped
            count = input.count
            unsafe output = room.baseAddress.unsafelyUnwrapped
            unsafe self.table = table.baseAddress.unsafelyUnwrapped
            self.epoch = epoch
        }

        mutating func run(limit: Int) -> Bool {
            var position = 0
            var pending = 0
            // A match is looked for by four bytes and needs three.
            let last = count - 4
            while position <= last {
                let (length, distance) = longestMatch(at: position)
                guard length >= 3 else {
                    // The longer nothing was found, the less is looked: noise passes by fast.
                    position += 1 + (position - pending) >> 6
                    continue
                }
                guard writeLiterals(from: pending, to: position, limit), written + 3 <= limit
                else { return false }
                writeReference(distance: distance, length: length)
                position += length
                pending = position
                // Entering more positions of the match than its end makes the table forget
                // better ones.
                if position - 2 <= last { enter(position - 2) }
                if position - 1 <= last { enter(position - 1) }
            }
            return writeLiterals(from: pending, to: count, limit)
        }

        @inline(__always)
        private func load(_ position: Int) -> UInt32 {
            UInt32(
                littleEndian: unsafe input.loadUnaligned(
                    fromByteOffset: position,
                    as: UInt32.self
                )
            )
        }

        /// The first of the two slots for three bytes, the low ones of `word`.
        @inline(__always)
        private func slot(_ word: UInt32) -> Int {
            let hash = (word << 8) &* 0x9E37_79B1
            return Int(hash >> UInt32(32 - LZFCompressor.tableBits)) << 1
        }

        @inline(__always)
        private func enter(_ position: Int) {
            let slot = slot(load(position))
            unsafe table[slot + 1] = table[slot]
            unsafe table[slot] = epoch + UInt32(truncatingIfNeeded: position)
        }

        /// Looks at the two positions remembered for what is at `position`, and remembers it.
        @inline(__always)
        private func longestMatch(at position: Int) -> (length: Int, distance: Int) {
            let word = load(position)
            let slot = slot(word)
            let current = epoch + UInt32(truncatingIfNeeded: position)
            let one = unsafe table[slot]
            let other = unsafe table[slot + 1]
            unsafe table[slot + 1] = one
            unsafe table[slot] = current
            var best = matchLength(position, one, word)
            var distance = current &- one
            let length = matchLength(position, other, word)
            if length > best {
                best = length
                distance = current &- other
            }
            return (best, Int(distance))
        }

        /// How many bytes from `position` on are those from `entry` of the table on.
        @inline(__always)
        private func matchLength(_ position: Int, _ entry: UInt32, _ word: UInt32) -> Int {
            // An entry of an earlier string is below the epoch.
            guard entry >= epoch,
                epoch + UInt32(truncatingIfNeeded: position) &- entry
                    <= LZFCompressor.maximumDistance
            else { return 0 }
            let start = Int(entry &- epoch)
            guard (load(start) ^ word) << 8 == 0 else { return 0 }
            return matchLength(position, start)
        }

        @inline(__always)
        private func matchLength(_ position: Int, _ start: Int) -> Int {
            let most = min(LZFCompressor.maximumLength, count - position)
            var length = 0
            while length + 8 <= most {
                let one = unsafe input.loadUnaligned(
                    fromByteOffset: position + length,
                    as: UInt64.self
                )
                let other = unsafe input.loadUnaligned(
                    fromByteOffset: start + length,
                    as: UInt64.self
                )
                let difference = (one ^ other).littleEndian
                if difference != 0 { return length + difference.trailingZeroBitCount / 8 }
                length += 8
            }
            while length < most,
                unsafe input.load(fromByteOffset: position + length, as: UInt8.self)
                    == input.load(fromByteOffset: start + length, as: UInt8.self)
            {
                length += 1
            }
            return length
        }

        @inline(__always)
        private mutating func writeLiterals(from start: Int, to end: Int, _ limit: Int) -> Bool {
            var start = start
            while start < end {
                let run = min(end - start, LZF.longestRun)
                guard written + 1 + run <= limit else { return false }
                put(UInt8(run - 1))
                if start + LZF.longestRun <= count {
                    unsafe (output + written).copyMemory(
                        from: input + start,
                        byteCount: LZF.longestRun
                    )
                } else {
                    unsafe (output + written).copyMemory(from: input + start, byteCount: run)
                }
                written += run
                start += run
            }
            return true
        }

        @inline(__always)
        private mutating func writeReference(distance: Int, length: Int) {
            let code = length - 2
            let distance = distance - 1
            if code < 7 {
                put(UInt8(truncatingIfNeeded: code << 5 | distance >> 8))
            } else {
                put(UInt8(truncatingIfNeeded: 7 << 5 | distance >> 8))
                put(UInt8(truncatingIfNeeded: code - 7))
            }
            put(UInt8(truncatingIfNeeded: distance))
        }

        @inline(__always)
        private mutating func put(_ byte: UInt8) {
            unsafe output.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written += 1
        }
    }
}

extension ByteWriter {
    /// Appends LZF data that stands for `bytes`, a 32nd longer than they are.
    public mutating func append(lzfLiterals bytes: RawSpan) {
        reserve(bytes.byteCount + bytes.byteCount / LZF.longestRun + 1)
        var position = 0
        while position < bytes.byteCount {
            let count = min(bytes.byteCount - position, LZF.longestRun)
            append(UInt8(count - 1))
            append(bytes.part(from: position, count: count))
            position += count
        }
    }
}
