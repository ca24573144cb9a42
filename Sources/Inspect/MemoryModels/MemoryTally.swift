import Bytes
import RDB

/// What a memory model has been told of the value being measured.
///
/// The calls for one value are those of a walk that reports compact encodings whole.
package struct MemoryTally: Sendable {
    /// Starts without a value.
    package init() {}

    mutating func begin(_ encoding: Encoding) {}
    mutating func announce(_ extent: Extent) {}
    mutating func end() {}
    mutating func string(_ value: PackedValue) {}
    /// A string that is too long to be looked at whole.
    mutating func longString(_ byteCount: Int) {}
    mutating func listElement(_ element: PackedValue) {}
    mutating func listNode(_ listpack: RawSpan, count: Int) {}
    mutating func setMember(_ member: PackedValue) {}
    mutating func sortedSetMember(_ member: PackedValue, score: Double) {}
    mutating func hashField(_ field: PackedValue, value: PackedValue, deadline: Int64?) {}
    mutating func listpack(_ bytes: RawSpan, count: Int) {}
    mutating func intset(_ bytes: RawSpan, count: Int) {}
    mutating func streamNode(_ listpack: RawSpan, liveCount: Int) {}
    mutating func streamState(_ state: StreamState) {}
    mutating func streamGroup(_ name: PackedValue, _ group: StreamGroup) {}
    mutating func streamConsumer(_ name: PackedValue, _ consumer: StreamConsumer) {}
    mutating func moduleItem(_ item: ModuleItem) {}

    /// Bytes of memory that the key and its value take.
    package func byteCount(ofKey keyByteCount: Int, hasDeadline: Bool) -> Int { 0 }
}
