import Bytes
import RESP
import Store

extension Command {
    static let bitmaps: [Command] = [
        Command("bitcount", .atLeast(2), keys: .first, [.readonly], count),
        Command(
            "bitop",
            .atLeast(4),
            keys: KeyPositions(2, -1, 1),
            [.write, .denyOOM],
            combine
        ),
        Command("bitpos", .atLeast(3), keys: .first, [.readonly], position),
        Command("getbit", .exactly(3), keys: .first, [.readonly, .fast], getBit),
        Command("setbit", .exactly(4), keys: .first, [.write, .denyOOM], setBit),
    ]
}

private func setBit(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let offset = try engine.bitOffset(request, 2)
    guard let bit = DecimalText.parseInteger(request[3]), bit == 0 || bit == 1 else {
        throw .text("ERR bit is not an integer or out of range")
    }
    let found = try engine.lookupForWrite(request.key, .string)
    let open = found?.open() ?? engine.keyspace.insertString(request.key)
    let isLonger = open.extendString(to: offset >> 3 + 1)
    let mask = UInt8(0x80) >> UInt8(offset & 7)
    let old = open.entry.bytes.byte(at: offset >> 3)
    let wasSet = old & mask != 0
    if isLonger || wasSet != (bit == 1) {
        open.withMutableBytes(in: offset >> 3..<offset >> 3 + 1) { bytes in
            let byte = bit == 1 ? old | mask : old & ~mask
            bytes.storeBytes(of: byte, toByteOffset: offset >> 3, as: UInt8.self)
        }
        engine.changed(request.key, .string, "setbit")
    }
    reply.integer(wasSet ? 1 : 0)
}

private func getBit(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let offset = try engine.bitOffset(request, 2)
    guard let entry = try engine.lookup(request.key, .string),
        offset >> 3 < entry.bytes.byteCount
    else { return reply.integer(0) }
    let bit = entry.bytes.byte(at: offset >> 3) >> UInt8(7 - offset & 7) & 1
    reply.integer(Int(bit))
}

/// The part of a string that BITCOUNT and BITPOS look at.
private struct BitRange {
    private var start: Int64 = 0
    private var end: Int64?
    private var countsBits = false

    /// Reads `[start [end [BYTE|BIT]]]` from the argument at `index` on.
    init(_ request: borrowing Request, from index: Int) throws(CommandError) {
        guard request.count <= index + 3 else { throw .syntax }
        guard request.count > index else { return }
        start = try request.integer(index)
        if request.count > index + 2 {
            if request.is(index + 2, "bit") {
                countsBits = true
            } else if !request.is(index + 2, "byte") {
                throw .syntax
            }
        }
        if request.count > index + 1 { end = try request.integer(index + 1) }
    }

    var hasEnd: Bool { end != nil }

    /// Whether both ends are counted from the end of the string, and are the wrong way round.
    var isReversed: Bool {
        guard let end else { return false }
        return start < 0 && end < 0 && start > end
    }

    /// The bits that are meant in a string of `byteCount` bytes.
    func bits(of byteCount: Int) -> Range<Int> {
        let total = Int64(countsBits ? byteCount * 8 : byteCount)
        let first = start < 0 ? max(0, start + total) : start
        var last = end ?? total - 1
        if last < 0 { last = max(0, last + total) }
        last = min(last, total - 1)
        guard first <= last else { return 0..<0 }
        let width = countsBits ? 1 : 8
        return Int(first) * width..<(Int(last) + 1) * width
    }
}

private func count(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let range = try BitRange(request, from: 2)
    guard let entry = try engine.lookup(request.key, .string), !range.isReversed else {
        return reply.integer(0)
    }
    let bytes = entry.bytes
    reply.integer(Bits.count(bytes, in: range.bits(of: bytes.byteCount)))
}

private func position(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let bit = try request.integer(2)
    guard bit == 0 || bit == 1 else { throw .text("ERR The bit argument must be 1 or 0.") }
    let range = try BitRange(request, from: 3)
    guard let entry = try engine.lookup(request.key, .string) else {
        // A key that is absent is zeros without end.
        return reply.integer(bit == 1 ? -1 : 0)
    }
    let bytes = entry.bytes
    let bits = range.bits(of: bytes.byteCount)
    if let index = Bits.firstIndex(of: bit == 1, bytes, in: bits) { return reply.integer(index) }
    // Without an end, the string is followed by zeros.
    let isFollowed = bit == 0 && !range.hasEnd && !bits.isEmpty
    reply.integer(isFollowed ? bits.upperBound : -1)
}

private func combine(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    var operation: Bits.Operation?
    if request.is(1, "and") {
        operation = .and
    } else if request.is(1, "or") {
        operation = .or
    } else if request.is(1, "xor") {
        operation = .xor
    } else if !request.is(1, "not") {
        throw .syntax
    }
    guard operation != nil || request.count == 4 else {
        throw .text("ERR BITOP NOT must be called with a single source key.")
    }
    var longest = 0
    for index in 3..<request.count {
        let entry = try engine.lookup(request[index], .string)
        longest = max(longest, entry?.bytes.byteCount ?? 0)
    }
    let target = request[2]
    reply.integer(longest)
    guard longest > 0 else {
        return engine.storeNothing(at: target)
    }
    let keyspace = engine.keyspace
    let result = engine.dataSet.scratch.insertString(target)
    _ = result.extendString(to: longest)
    result.withMutableBytes(in: 0..<longest) { bytes in
        if let first = keyspace.find(request[3]) {
            Bits.combine(&bytes, with: first.bytes, by: .or)
        }
        guard let operation else { return Bits.invert(&bytes) }
        for index in 4..<max(request.count, 4) {
            if let entry = keyspace.find(request[index]) {
                Bits.combine(&bytes, with: entry.bytes, by: operation)
            } else {
                Bits.combine(&bytes, with: RawSpan(), by: operation)
            }
        }
    }
    if let old = engine.lookupForWrite(target) { keyspace.remove(old) }
    engine.dataSet.scratch.move(result.entry, to: target, in: keyspace)
    engine.changed(target, .string, "set")
}

extension Engine {
    /// The number of a bit that the argument at `index` gives, if a string may have so many.
    func bitOffset(
        _ request: borrowing Request,
        _ index: Int,
        width: Int? = nil
    ) throws(CommandError) -> Int {
        let offset = try request.bitOffset(index, width: width)
        guard isReplaying || offset >> 3 < settings.longestString else { throw .bitOffset }
        return offset
    }
}

extension Request {
    /// The number of a bit that the argument at `index` gives; `#n` means the n-th of integers
    /// of `width` bits, where that is allowed.
    fileprivate func bitOffset(_ index: Int, width: Int?) throws(CommandError) -> Int {
        var text = self[index]
        var scale = 1
        if let width, text.byteCount > 0, text.byte(at: 0) == UInt8(ascii: "#") {
            text = text.extracting(1...)
            scale = width
        }
        guard let number = DecimalText.parseInteger(text), number >= 0 else { throw .bitOffset }
        let (offset, overflows) = Int(number).multipliedReportingOverflow(by: scale)
        guard !overflows else { throw .bitOffset }
        return offset
    }
}

extension CommandError {
    static let bitOffset = CommandError.text("ERR bit offset is not an integer or out of range")
}
