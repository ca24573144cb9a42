import Bytes

/// Elements of collections, one by one: held back while they may become compact, else passed on.
extension PayloadWriter {
    /// Writes an element of a list.
    public mutating func listElement(_ element: PackedValue) throws(RDBError) {
        try beginElement()
        switch phase {
        case .nodes: try writeLargeElement(element)
        case .holding:
            hold(element)
            if held.byteCount > Target.maximumListNodeByteCount { try stream() }
        default: try output.append(string: element)
        }
    }

    /// Writes a member of a set.
    public mutating func setMember(_ member: PackedValue) throws(RDBError) {
        try beginElement()
        guard case .holding = phase else { return try output.append(string: member) }
        hold(member)
        let isPackable =
            target.hasSetListpacks && (extent.count ?? 0) <= Target.maximumPackedMembers
            && member.byteCount <= Target.maximumPackedElement
        // Integers are short enough for a listpack, should another member not be one.
        if !isHoldingIntegersOnly, !isPackable { try stream() }
    }

    /// Writes a member of a sorted set.
    public mutating func sortedSetMember(
        _ member: PackedValue,
        score: Double
    ) throws(RDBError) {
        try beginElement()
        guard case .holding = phase else {
            try output.append(string: member)
            return output.appendInteger(score.bitPattern)
        }
        hold(member)
        heldScores.append(score)
        if member.byteCount > Target.maximumPackedElement { try stream() }
    }

    /// Writes a field of a hash.
    public mutating func hashField(
        _ field: PackedValue,
        value: PackedValue,
        deadline: Int64?
    ) throws(RDBError) {
        try beginElement()
        guard case .holding = phase else {
            return try write(field, value, deadline ?? Self.noDeadline)
        }
        if deadline != nil { try checkDeadline(deadline) }
        hold(field)
        hold(value)
        // Zero means none to some servers and long ago to others.
        heldDeadlines.append(deadline.map { max($0, 1) } ?? Self.noDeadline)
        if max(field.byteCount, value.byteCount) > Target.maximumPackedElement { try stream() }
    }

    static let noDeadline: Int64 = -1

    func checkDeadline(_ deadline: Int64?) throws(RDBError) {
        guard target.holdsFieldDeadlines else { throw unsupported("deadlines of hash fields") }
        if target.format.dialect == .redis, let deadline, deadline >= 1 << 48 {
            throw unsupported("deadlines of hash fields as late as \(deadline)")
        }
    }

    mutating func beginElement() throws(RDBError) {
        precondition(remaining > 0, "more elements than were announced")
        if case .holding = phase, isTooLarge { try stream() }
        remaining -= 1
    }

    mutating func hold(_ value: PackedValue) {
        switch value {
        case .integer(let integer): held.append(integer: integer)
        case .bytes(let bytes):
            if let integer = DecimalText.parseInteger(bytes) {
                held.append(integer: integer)
            } else {
                held.append(string: bytes)
                isHoldingIntegersOnly = false
            }
        }
    }

    /// Writes what was held back in the plain layout, and lets the rest follow.
    mutating func stream() throws(RDBError) {
        let form = try deadlineForm()
        try openPlain(form)
        phase = .streaming(form)
        if held.count > 0 { try writeHeld() }
    }

    /// Writes the head of a plain layout.
    mutating func openPlain(_ form: DeadlineForm) throws(RDBError) {
        switch source.kind {
        case .list: try open(.list)
        case .set: try open(.set)
        case .sortedSet: try open(.sortedSet)
        default:
            switch form {
            case .none: try open(.hash)
            case .absolute: try open(.hashDeadlines)
            case .relative(let base):
                try open(.hashRelativeDeadlines)
                output.appendInteger(base)
            }
        }
        output.append(count: extent.count ?? 0)
    }

    func deadlineForm() throws(RDBError) -> DeadlineForm {
        let isNeeded =
            extent.hasFieldDeadlines
            && (remaining > 0 || heldDeadlines.contains { $0 != Self.noDeadline })
        guard source.kind == .hash, isNeeded else { return .none }
        try checkDeadline(nil)
        if target.format.dialect == .valkey { return .absolute }
        // A base of 1 leaves every deadline as it is.
        return .relative(max(extent.earliestDeadline ?? 1, 1))
    }

    private mutating func writeHeld() throws(RDBError) {
        var taken = ListpackWriter()
        swap(&taken, &held)
        try taken.finish { bytes throws(RDBError) in
            var reader = try PackedReader(bytes, offset: 0, checks: .bounds)
            var index = 0
            while let element = try reader.next() {
                switch source.kind {
                case .sortedSet:
                    try output.append(string: element)
                    output.appendInteger(heldScores[index].bitPattern)
                case .hash:
                    let value = try reader.require(.oddCount)
                    try write(element, value, heldDeadlines[index])
                default:
                    try output.append(string: element)
                }
                index += 1
            }
        }
        heldScores.removeAll()
        heldDeadlines.removeAll()
    }

    private mutating func write(
        _ field: PackedValue,
        _ value: PackedValue,
        _ deadline: Int64
    ) throws(RDBError) {
        guard case .streaming(let form) = phase else {
            preconditionFailure("a field before its hash was announced")
        }
        switch form {
        case .none:
            precondition(deadline == Self.noDeadline, "a deadline that was not announced")
            try output.append(string: field)
            try output.append(string: value)
        case .absolute:
            try output.append(string: field)
            try output.append(string: value)
            output.appendInteger(deadline == 0 ? 1 : deadline)
        case .relative(let base):
            if deadline == Self.noDeadline {
                output.append(number: 0)
            } else {
                try checkDeadline(deadline)
                output.append(number: UInt64(max(deadline - base + 1, 1)))
            }
            try output.append(string: field)
            try output.append(string: value)
        }
    }
}
