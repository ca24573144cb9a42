import Bytes
import RESP
import Transport

/// What a server's answer to an item means for the load.
package enum LoadVerdict: Equatable {
    /// It is done.
    case done
    /// The key is there already.
    case occupied
    /// Another node is to be asked.
    case redirected(ClusterRedirection)
    /// It may be done later: the server has no memory, is loading, lost its place in a cluster….
    case later(ByteString)
    /// The payload is not one that this server takes.
    case payloadRefused(ByteString)
    /// Nothing more can be done with this server.
    case hopeless(ByteString)
    /// This key cannot be done.
    case refused(ByteString)

    /// Errors that pass.
    private static let passing: [StaticString] = [
        "OOM", "READONLY", "LOADING", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "MISCONF",
        "NOREPLICAS", "BUSY ",
    ]
    private static let final: [StaticString] = ["NOAUTH", "NOPERM", "WRONGPASS"]

    package init(_ reply: Reply, from address: SocketAddress) {
        guard case .error(let text) = reply else {
            self = .done
            return
        }
        if let redirection = ClusterRedirection(text, from: address) {
            self = .redirected(redirection)
        } else if text.bytes.starts(with: "BUSYKEY") {
            self = .occupied
        } else if Self.passing.contains(where: { text.bytes.starts(with: $0) }) {
            self = .later(text)
        } else if Self.final.contains(where: { text.bytes.starts(with: $0) }) {
            self = .hopeless(text)
        } else if text.bytes.starts(with: "ERR DUMP payload")
            || text.bytes.starts(with: "ERR Bad data format")
            || text.bytes.starts(with: "ERR unknown command")
        {
            self = .payloadRefused(text)
        } else {
            self = .refused(text)
        }
    }
}
