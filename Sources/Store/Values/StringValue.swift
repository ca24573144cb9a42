import Bytes

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
}

extension OpenEntry {
    /// Replaces the value, of any kind, by a string; the deadline stays.
    package func setString(_ value: RawSpan) {
        unsafe replaceValue(.string, byteCount: value.byteCount).store(value)
    }

    /// Appends to a string; returns its new length.
    package func append(_ bytes: RawSpan) -> Int {
        let count = unsafe entry.valueBytes.count
        let value = unsafe resizeValue(to: count + bytes.byteCount)
        unsafe UnsafeMutableRawBufferPointer(rebasing: value[count...]).store(bytes)
        return value.count
    }

    /// Writes into a string at `offset`, with zeros between its end and there.
    ///
    /// Returns its new length.
    package func write(_ bytes: RawSpan, at offset: Int) -> Int {
        let count = unsafe entry.valueBytes.count
        let end = offset + bytes.byteCount
        let value = end > count ? unsafe resizeValue(to: end) : unsafe entry.valueBytes
        if offset > count {
            let gap = unsafe UnsafeMutableRawBufferPointer(rebasing: value[count..<offset])
            unsafe gap.initializeMemory(as: UInt8.self, repeating: 0)
        }
        unsafe UnsafeMutableRawBufferPointer(rebasing: value[offset...]).store(bytes)
        return value.count
    }

    /// Gives a string `count` bytes: cuts it, or adds zeros.
    package func resizeString(to count: Int) {
        let old = unsafe entry.valueBytes.count
        let value = unsafe resizeValue(to: count)
        guard count > old else { return }
        let gap = unsafe UnsafeMutableRawBufferPointer(rebasing: value[old...])
        unsafe gap.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// Lets `body` change the bytes of the value in place.
    package func withMutableBytes<Result>(_ body: (inout MutableRawSpan) -> Result) -> Result {
        var span = unsafe entry.valueBytes.mutableBytes
        return body(&span)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes a copy of `bytes` at the start.
    @unsafe
    func store(_ bytes: RawSpan) {
        guard let base = baseAddress else { return }
        unsafe base.store(bytes)
    }
}
