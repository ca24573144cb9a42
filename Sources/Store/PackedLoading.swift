import Bytes

extension Keyspace {
    /// Adds `key`, which must be absent, with a value of a module, which nothing here reads.
    package func insertModule(_ key: RawSpan, _ bytes: RawSpan) -> OpenEntry {
        let open = insert(key, .module, byteCount: bytes.byteCount)
        unsafe open.entry.valueBytes.store(bytes)
        return open
    }

    /// Adds `key`, which must be absent, with a packed value that was checked throughout.
    ///
    /// One that is larger than the limits becomes the structure that it should be.
    package func insertPacked(
        _ key: RawSpan,
        _ encoding: Encoding,
        _ bytes: RawSpan
    ) -> OpenEntry {
        let open = insert(key, encoding, byteCount: bytes.byteCount)
        unsafe open.entry.valueBytes.store(bytes)
        switch encoding {
        case .packedHash: open.hash.applyLimits()
        case .packedSet, .integerSet: open.set.applyLimits()
        case .packedSortedSet: open.sortedSet.applyLimits()
        default: break
        }
        return open
    }
}

extension Entry {
    /// The length of the longest element of a packed value.
    var longestPackedElement: Int {
        var cursor = unsafe PackedCursor(valueBytes)
        var longest = 0
        while unsafe !cursor.isAtEnd {
            unsafe longest = max(longest, cursor.value().byteCount)
            unsafe cursor.advance()
        }
        return longest
    }
}
