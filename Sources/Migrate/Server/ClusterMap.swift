import Bytes
import RESP
import Transport

/// Which primary of a cluster has which slots, as one of its nodes sees it.
package struct ClusterMap: Equatable, Sendable {
    /// The primaries, in the order of their first slots.
    package private(set) var primaries: [SocketAddress] = []
    /// For each slot, which of `primaries` has it; -1 if none has.
    private var owners = [Int16](repeating: -1, count: ClusterSlot.count)

    /// Reads the reply to `CLUSTER SLOTS` of the node at `address`.
    ///
    /// Each item: first slot, last slot, the primary as host, port, id, …, its replicas. A node
    /// that does not know its own host leaves it empty.
    package init?(slots reply: Reply, from address: SocketAddress) {
        guard case .array(let ranges) = reply else { return nil }
        for range in ranges {
            guard case .array(let parts) = range, parts.count >= 3,
                case .integer(let first) = parts[0], case .integer(let last) = parts[1],
                first >= 0, first <= last, last < ClusterSlot.count,
                case .array(let node) = parts[2], node.count >= 2,
                case .integer(let port) = node[1], (1...65535).contains(port)
            else { return nil }
            let owner = Int16(index(of: Self.address(node[0], Int(port), from: address)))
            for slot in Int(first)...Int(last) { owners[slot] = owner }
        }
    }

    private static func address(
        _ host: Reply,
        _ port: Int,
        from address: SocketAddress
    ) -> SocketAddress {
        if case .bulk(let name) = host, name.byteCount > 0, name != "?" {
            return .tcp(host: name.text, port: port)
        }
        guard case .tcp(let own, _) = address else { return .tcp(host: "127.0.0.1", port: port) }
        return .tcp(host: own, port: port)
    }

    private mutating func index(of address: SocketAddress) -> Int {
        if let index = primaries.firstIndex(of: address) { return index }
        primaries.append(address)
        return primaries.count - 1
    }

    /// The primary that has `slot`; nil if none has.
    package func primary(of slot: Int) -> SocketAddress? {
        owners[slot] < 0 ? nil : primaries[Int(owners[slot])]
    }

    /// How many slots have no primary.
    package var missingCount: Int { owners.count { $0 < 0 } }

    /// Learns that `slot` is at `address` now.
    package mutating func move(_ slot: Int, to address: SocketAddress) {
        owners[slot] = Int16(index(of: address))
    }
}

/// Where a node of a cluster says that a key has to be asked for.
package struct ClusterRedirection: Equatable, Sendable {
    /// `MOVED`: from now on; `ASK`: this once, since the slot is on its way.
    package let isLasting: Bool
    /// The key's slot.
    package let slot: Int
    /// The node.
    package let address: SocketAddress

    /// Reads an error such as `MOVED 3999 127.0.0.1:6381`; nil if it is another error.
    package init?(_ text: ByteString, from asked: SocketAddress) {
        let words = text.text.split(separator: " ")
        guard words.count >= 3, words[0] == "MOVED" || words[0] == "ASK",
            let slot = Int(words[1]), (0..<ClusterSlot.count).contains(slot),
            let colon = words[2].lastIndex(of: ":"),
            let port = Int(words[2][words[2].index(after: colon)...]), (1...65535).contains(port)
        else { return nil }
        isLasting = words[0] == "MOVED"
        self.slot = slot
        let host = words[2][..<colon]
        if host.isEmpty, case .tcp(let own, _) = asked {
            address = .tcp(host: own, port: port)
        } else {
            address = .tcp(host: String(host), port: port)
        }
    }
}
