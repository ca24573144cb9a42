/// The id of a stream entry: when it was added, and a number among those of the same moment.
package struct StreamEntryID: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970, usually.
    package let milliseconds: UInt64
    package let sequence: UInt64

    package init(_ milliseconds: UInt64, _ sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    init(bits: UInt128) {
        self.init(UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits))
    }

    /// Before every entry.
    package static let zero = StreamEntryID(0, 0)
    /// The last id there can be.
    package static let maximum = StreamEntryID(.max, .max)

    /// Both numbers as one, in the order of ids.
    var bits: UInt128 { UInt128(milliseconds) << 64 | UInt128(sequence) }

    /// The next id; nil after the last.
    package var next: StreamEntryID? {
        self == .maximum ? nil : StreamEntryID(bits: bits + 1)
    }

    /// The id before; nil before the first.
    package var previous: StreamEntryID? {
        self == .zero ? nil : StreamEntryID(bits: bits - 1)
    }

    package static func < (one: StreamEntryID, other: StreamEntryID) -> Bool {
        (one.milliseconds, one.sequence) < (other.milliseconds, other.sequence)
    }
}
