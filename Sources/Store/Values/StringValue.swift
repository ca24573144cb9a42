import Bytes

/// How a string came to be; what OBJECT ENCODING tells depends on it.
package enum StringForm: UInt8, Sendable {
    /// Set as a whole.
    case whole = 0
    /// Grown or written in place.
    case edited = 0x40
    /// Set as a whole, and text even if it spells an integer.
    case text = 0x80

    static let mask: UInt8 = 0xC0
}

extension Entry {
    /// How the string, which the value must be, came to be.
    package var stringForm: StringForm {
        let bits = unsafe EntryNode.form(node) & StringForm.mask
        return StringForm(rawValue: bits) ?? .whole
    }
}

extension Keyspace {
    /// Sets `key` to a string, whatever it held.
    ///
    /// `deadline` replaces the deadline that the key had; nil takes it away.
    package func setString(_ key: RawSpan, _ value: RawSpan, deadline: Int64? = nil) {
        guard let entry = find(key) else {
            let open = insert(key, .string, byteCount: value.byteCount, deadline: deadline)
            return unsafe open.entry.valueBytes.store(value)
        }
        let open = entry.open()
        open.setString(value)
        open.setDeadline(deadline)
        open.resetAccess()
    }

    /// Adds `key`, which must be absent, with an empty string.
    package func insertString(_ key: RawSpan) -> OpenEntry {
        insert(key, .string, byteCount: 0)
    }

    /// Adds `key`, which must be absent, with the text of an integer.
    package func insertInteger(_ key: RawSpan, _ value: Int64) {
        let open = insert(key, .string, byteCount: DecimalText.byteCount(of: value))
        unsafe open.entry.valueBytes.store(decimal: value)
    }
}

extension OpenEntry {
    /// Replaces the value, of any kind, by a string; the deadline stays.
    package func setString(_ value: RawSpan, as form: StringForm = .whole) {
        unsafe replaceValue(.string, byteCount: value.byteCount).store(value)
        setForm(form)
    }

    /// Replaces the value, of any kind, by the text of an integer; the deadline stays.
    package func setInteger(_ value: Int64) {
        let count = DecimalText.byteCount(of: value)
        unsafe replaceValue(.string, byteCount: count).store(decimal: value)
        setForm(.whole)
    }

    /// Appends to a string; returns its new length.
    package func append(_ bytes: RawSpan) -> Int {
        let count = unsafe entry.valueBytes.count
        let value = unsafe resizeValue(to: count + bytes.byteCount)
        unsafe UnsafeMutableRawBufferPointer(rebasing: value[count...]).store(bytes)
        setForm(.edited)
        return value.count
    }

    /// Writes into a string at `offset`, with zeros between its end and there.
    ///
    /// Returns its new length.
    package func write(_ bytes: RawSpan, at offset: Int) -> Int {
        let count = unsafe entry.valueBytes.count
        let end = offset + bytes.byteCount
        passDoor(min(offset, count)..<min(end, count))
        let value = end > count ? unsafe resizeValue(to: end) : unsafe entry.valueBytes
        if offset > count {
            let gap = unsafe UnsafeMutableRawBufferPointer(rebasing: value[count..<offset])
            unsafe gap.initializeMemory(as: UInt8.self, repeating: 0)
        }
        unsafe UnsafeMutableRawBufferPointer(rebasing: value[offset...]).store(bytes)
        setForm(.edited)
        return value.count
    }

    /// Makes a string at least `count` bytes long, with zeros; returns whether it grew.
    @discardableResult
    package func extendString(to count: Int) -> Bool {
        let old = unsafe entry.valueBytes.count
        setForm(.edited)
        guard count > old else { return false }
        let value = unsafe resizeValue(to: count)
        let gap = unsafe UnsafeMutableRawBufferPointer(rebasing: value[old...])
        unsafe gap.initializeMemory(as: UInt8.self, repeating: 0)
        return true
    }

    /// Lets `body` change the bytes of a string in place, those in `range` only.
    package func withMutableBytes<Result>(
        in range: Range<Int>,
        _ body: (inout MutableRawSpan) -> Result
    ) -> Result {
        passDoor(range)
        setForm(.edited)
        var span = unsafe entry.valueBytes.mutableBytes
        return body(&span)
    }

    private func setForm(_ form: StringForm) {
        let bits = unsafe EntryNode.form(node) & ~StringForm.mask | form.rawValue
        unsafe node.storeBytes(of: bits, as: UInt8.self)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes a copy of `bytes` at the start.
    @unsafe
    func store(_ bytes: RawSpan) {
        guard let base = baseAddress else { return }
        unsafe base.store(bytes)
    }

    /// Writes the text of an integer at the start, which has room for it.
    @unsafe
    func store(decimal value: Int64) {
        guard let base = baseAddress else { return }
        _ = unsafe DecimalText.write(value, to: base)
    }
}
