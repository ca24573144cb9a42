import Bytes
import RESP
import Store

extension Command {
    static let bitFields: [Command] = [
        Command("bitfield", .atLeast(2), keys: .first, [.write, .denyOOM], bitField),
        Command("bitfield_ro", .atLeast(2), keys: .first, [.readonly, .fast], readBitField),
    ]
}

private func bitField(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let steps = try engine.bitFieldSteps(request)
    guard let lastBit = steps.compactMap(\.lastWrittenBit).max() else {
        return try read(steps, request, &engine, &reply)
    }
    let found = try engine.lookupForWrite(request.key, .string)
    let open = found?.open() ?? engine.keyspace.insertString(request.key)
    let hasGrown = open.extendString(to: lastBit >> 3 + 1)
    var changes = 0
    reply.array(steps.count)
    for step in steps {
        let old = step.field.read(open.entry.bytes)
        guard let new = step.result(of: old) else {
            reply.null()
            continue
        }
        reply.integer(step.repliesOld ? old : new)
        if new != old {
            open.withMutableBytes(in: step.byteRange) { step.field.write(new, to: &$0) }
        }
        if step.lastWrittenBit != nil, hasGrown || new != old { changes += 1 }
    }
    if changes > 0 {
        engine.changed(request.key, .string, "setbit", count: changes)
    } else if hasGrown {
        // A string that grew for writes which then failed has changed, but that is no event.
        engine.changed(request.key, [], "setbit", count: 1)
    }
}

private func readBitField(
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let steps = try engine.bitFieldSteps(request)
    guard steps.allSatisfy({ $0.lastWrittenBit == nil }) else {
        throw .text("ERR BITFIELD_RO only supports the GET subcommand")
    }
    try read(steps, request, &engine, &reply)
}

private func read(
    _ steps: [Step],
    _ request: borrowing Request,
    _ engine: inout Engine,
    _ reply: inout ReplyWriter
) throws(CommandError) {
    let entry = try engine.lookup(request.key, .string)
    reply.array(steps.count)
    for step in steps {
        if let entry {
            reply.integer(step.field.read(entry.bytes))
        } else {
            reply.integer(0)
        }
    }
}

/// What happens to a sum that does not fit.
private enum Overflow {
    case wrap
    case saturate
    case fail
}

/// One of the things that a request asks of a bit field.
private struct Step {
    enum Action {
        case get
        case set(Int64)
        case add(Int64)
    }

    let field: BitField
    let action: Action
    let overflow: Overflow

    var lastWrittenBit: Int? {
        if case .get = action { return nil }
        return field.offset + field.width - 1
    }

    /// The bytes that the field is in.
    var byteRange: Range<Int> {
        field.offset >> 3..<(field.offset + field.width - 1) >> 3 + 1
    }

    var repliesOld: Bool {
        if case .add = action { return false }
        return true
    }

    /// What the field shall hold after it held `old`; nil if it shall stay because of an
    /// overflow.
    func result(of old: Int64) -> Int64? {
        switch action {
        case .get: old
        case .set(let value): field.sum(value, 0, overflow)
        case .add(let amount): field.sum(old, amount, overflow)
        }
    }
}

/// An integer of any width at any bit of a string.
private struct BitField {
    let isSigned: Bool
    /// Up to 64 bits; 63 if there is no sign.
    let width: Int
    let offset: Int

    func read(_ bytes: RawSpan) -> Int64 {
        let bits = Bits.integer(bytes, at: offset, width: width)
        let unused = UInt64(64 - width)
        guard isSigned else { return Int64(bits) }
        return Int64(bitPattern: bits << unused) >> Int64(unused)
    }

    func write(_ value: Int64, to bytes: inout MutableRawSpan) {
        Bits.setInteger(&bytes, at: offset, width: width, to: UInt64(bitPattern: value))
    }

    private var least: Int64 { isSigned ? -1 << Int64(width - 1) : 0 }
    private var greatest: Int64 {
        isSigned ? ~(-1 << Int64(width - 1)) : (1 << Int64(width)) &- 1
    }

    /// `value + amount` as far as the field can hold it.
    ///
    /// A value outside of the field's range can only be one that shall be set; a negative one
    /// is too great for a field without sign, as servers have it.
    func sum(_ value: Int64, _ amount: Int64, _ overflow: Overflow) -> Int64? {
        let (total, wraps) = value.addingReportingOverflow(amount)
        let isSetting = !isSigned && value < 0
        if !isSetting, !wraps, total >= least, total <= greatest { return total }
        switch overflow {
        case .fail: return nil
        case .saturate:
            // Wraps like the servers' own comparison: a value that is far too small to be set
            // saturates at the greatest.
            let isTooGreat =
                isSetting || value > greatest
                || (width < 64 ? amount > greatest &- value : amount > 0)
            return isTooGreat ? greatest : least
        case .wrap:
            let unused = UInt64(64 - width)
            let shifted = UInt64(bitPattern: value &+ amount) << unused
            guard isSigned else { return Int64(shifted >> unused) }
            return Int64(bitPattern: shifted) >> Int64(unused)
        }
    }
}

extension Engine {
    /// What the arguments after the key ask for.
    fileprivate func bitFieldSteps(
        _ request: borrowing Request
    ) throws(CommandError) -> [Step] {
        var steps: [Step] = []
        var overflow = Overflow.wrap
        var index = 2
        while index < request.count {
            let remaining = request.count - index - 1
            if request.is(index, "overflow"), remaining >= 1 {
                overflow = try Overflow(request, index + 1)
                index += 2
                continue
            }
            let isGet = request.is(index, "get") && remaining >= 2
            let isSet = request.is(index, "set") && remaining >= 3
            let isAdd = request.is(index, "incrby") && remaining >= 3
            guard isGet || isSet || isAdd else { throw .syntax }
            let (isSigned, width) = try fieldType(request[index + 1])
            let offset = try bitOffset(request, index + 2, width: width)
            let field = BitField(isSigned: isSigned, width: width, offset: offset)
            var action = Step.Action.get
            if !isGet {
                let operand = try request.integer(index + 3)
                action = isSet ? .set(operand) : .add(operand)
            }
            steps.append(Step(field: field, action: action, overflow: overflow))
            index += isGet ? 3 : 4
        }
        return steps
    }

    private func fieldType(_ text: RawSpan) throws(CommandError) -> (isSigned: Bool, width: Int) {
        let letter = text.byteCount > 0 ? text.byte(at: 0) : 0
        let isSigned = letter == UInt8(ascii: "i")
        guard isSigned || letter == UInt8(ascii: "u"),
            let width = DecimalText.parseInteger(text.extracting(1...)),
            width >= 1, width <= (isSigned ? 64 : 63)
        else {
            throw .text(
                "ERR Invalid bitfield type. Use something like i16 u8. "
                    + "Note that u64 is not supported but i64 is."
            )
        }
        return (isSigned, Int(width))
    }
}

extension Overflow {
    fileprivate init(_ request: borrowing Request, _ index: Int) throws(CommandError) {
        if request.is(index, "wrap") {
            self = .wrap
        } else if request.is(index, "sat") {
            self = .saturate
        } else if request.is(index, "fail") {
            self = .fail
        } else {
            throw .text("ERR Invalid OVERFLOW type specified")
        }
    }
}
