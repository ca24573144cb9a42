import Bytes

// Moving past any key of the usual encodings, as fast as the bytes can be looked at: nothing is
// checked that is not needed to find where the record ends.
extension RunScanner {
    /// Moves past a key with its value; false if it is not whole, or of a kind that is rare.
    @_lifetime(self: copy self)
    mutating func skipKey(_ dialect: Format.Dialect) -> Bool {
        guard let typeByte = skipHead(), let encoding = Encoding(typeByte: typeByte, in: dialect),
            skipString()
        else { return false }
        switch encoding {
        case .string, .hashZipmap, .listZiplist, .setIntset, .sortedSetZiplist, .hashZiplist,
            .hashListpack, .sortedSetListpack, .setListpack, .hashListpackDeadlinesBeforeRelease:
            return skipString()
        case .list, .set, .listQuicklist: return skip(stringsPerItem: 1, extra: 0)
        case .hash: return skip(stringsPerItem: 2, extra: 0)
        case .sortedSet: return skip(stringsPerItem: 1, extra: 8)
        case .hashDeadlines: return skip(stringsPerItem: 2, extra: 8)
        case .hashListpackDeadlines: return skipBytes(8) && skipString()
        case .hashRelativeDeadlines: return skipBytes(8) && skip(numbersPerItem: 1, strings: 2)
        case .listQuicklist2: return skip(numbersPerItem: 1, strings: 1)
        case .stream1: return skipStream(version: 1)
        case .stream2: return skipStream(version: 2)
        case .stream3: return skipStream(version: 3)
        case .module: return skipModule()
        default: return false
        }
    }

    /// Moves past deadline and hints; the type byte, if what follows is a key.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func skipHead() -> UInt8? {
        while remaining > 0 {
            let byte = bytes.byte(at: position)
            position += 1
            if byte < Opcode.idle { return byte }
            switch byte {
            case Opcode.deadlineMilliseconds: position += 8
            case Opcode.deadlineSeconds: position += 4
            case Opcode.frequency: position += 1
            case Opcode.idle:
                guard readCount() != nil else { return nil }
            default: return nil
            }
        }
        return nil
    }

    @_lifetime(self: copy self)
    private mutating func skipBytes(_ count: Int) -> Bool {
        position += count
        return remaining >= 0
    }

    /// Count, then items of numbers and strings.
    @_lifetime(self: copy self)
    private mutating func skip(numbersPerItem: Int, strings: Int) -> Bool {
        guard let count = readCount(), count > 0, count <= remaining else { return false }
        for _ in 0..<count {
            guard skipNumbers(numbersPerItem) else { return false }
            for _ in 0..<strings {
                guard skipString() else { return false }
            }
        }
        return true
    }

    /// Numbers that are kept as lengths, of any size.
    @_lifetime(self: copy self)
    private mutating func skipNumbers(_ count: Int) -> Bool {
        for _ in 0..<count {
            guard remaining > 0 else { return false }
            let first = bytes.byte(at: position)
            switch first {
            case 0..<0x40: position += 1
            case 0x40..<0x80: position += 2
            case 0x80: position += 5
            case 0x81: position += 9
            default: return false
            }
        }
        return remaining >= 0
    }

    /// The layout is told where streams are walked.
    @_lifetime(self: copy self)
    private mutating func skipStream(version: Int) -> Bool {
        guard let nodes = readCount(), nodes <= remaining else { return false }
        for _ in 0..<nodes {
            guard skipString(), skipString() else { return false }
        }
        guard skipNumbers(version >= 2 ? 8 : 3), let groups = readCount() else { return false }
        for _ in 0..<groups {
            guard skipString(), skipNumbers(version >= 2 ? 3 : 2), let pending = readCount() else {
                return false
            }
            for _ in 0..<pending {
                guard skipBytes(24), skipNumbers(1) else { return false }
            }
            guard let consumers = readCount() else { return false }
            for _ in 0..<consumers {
                guard skipString(), skipBytes(version >= 3 ? 16 : 8), let count = readCount(),
                    skipBytes(count * 16)
                else { return false }
            }
        }
        return true
    }

    /// The layout is told where modules are walked.
    @_lifetime(self: copy self)
    private mutating func skipModule() -> Bool {
        guard skipNumbers(1) else { return false }
        while let opcode = readCount() {
            switch opcode {
            case 0: return true
            case 1, 2: guard skipNumbers(1) else { return false }
            case 3: guard skipBytes(4) else { return false }
            case 4: guard skipBytes(8) else { return false }
            case 5: guard skipString() else { return false }
            default: return false
            }
        }
        return false
    }
}
