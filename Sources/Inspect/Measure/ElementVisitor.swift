import Bytes
import RDB

/// From where on the elements of a packed string come one by one.
enum LongPacked {
    /// Bytes: more than servers pack unless they are told to.
    static let limit = 1 << 18
}

/// A visitor that wants every element, and takes compact encodings whole only because that is
/// how they are checked once and read fast.
package protocol ElementVisitor: PayloadVisitor, ~Copyable {
    /// What kind of value is being walked.
    var kind: ValueKind { get }
}

extension ElementVisitor where Self: ~Copyable {
    /// Takes the elements one by one.
    package mutating func listNode(_ listpack: RawSpan, count: Int) throws(RDBError) {
        var reader = try ElementReader(listpack)
        while let element = try reader.next() { try listElement(element) }
    }

    /// Takes the members or fields one by one.
    package mutating func listpack(_ bytes: RawSpan, count: Int) throws(RDBError) {
        var reader = try ElementReader(bytes)
        while let element = try reader.next() {
            switch kind {
            case .set: try setMember(element)
            case .sortedSet: try sortedSetMember(element, score: try reader.requireScore())
            default: try hashField(element, value: try reader.require(), deadline: nil)
            }
        }
    }

    /// Takes the members one by one.
    package mutating func intset(_ bytes: RawSpan, count: Int) throws(RDBError) {
        let members = IntsetMembers(bytes)
        for index in 0..<count { try setMember(.integer(members[index])) }
    }

    /// Takes the live entries one by one.
    package mutating func streamNode(
        _ listpack: RawSpan,
        master: StreamID,
        liveCount: Int
    ) throws(RDBError) {
        var node = try StreamNode(listpack, master: master)
        try node.report(to: &self)
    }
}
