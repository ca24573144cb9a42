import CLinux
import Glibc
import Platform

/// A socket that connections arrive at.
package final class Listener: Sendable {
    let socket: Socket
    /// Where it listens.
    package let address: SocketAddress

    /// Listens on `port` of `host`: an address, a name, `*` for any IPv4 or `::*` for any IPv6.
    package init(host: String, port: Int, backlog: Int) throws(SystemError) {
        let place = try RawAddress(host: host, port: port)
        let socket = try Socket(family: place.family)
        try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
        if place.family == AF_INET6 { try socket.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        try place.bind(socket)
        _ = try check("listen", "", listen(socket.descriptor, CInt(clamping: backlog)))
        self.socket = socket
        address = .tcp(host: host, port: port)
    }

    /// Listens on a path, which is taken from whoever had it; `permissions` of 0 leaves them.
    package init(path: String, permissions: UInt32, backlog: Int) throws(SystemError) {
        let place = try RawAddress(path: path)
        let socket = try Socket(family: AF_UNIX)
        _ = unsafe unlink(path)
        try place.bind(socket)
        if permissions != 0 {
            _ = try check("chmod", path, unsafe chmod(path, mode_t(permissions)))
        }
        _ = try check("listen", "", listen(socket.descriptor, CInt(clamping: backlog)))
        self.socket = socket
        address = .unix(path: path)
    }

    /// Gives the address back, for another listener to take at once.
    package func stop() {
        shutdown(socket.descriptor, CInt(SHUT_RDWR))
    }

    /// The next connection that has arrived; nil when there is none left.
    ///
    /// Throws when the process or the machine has no room for another one.
    package func accept() throws(SystemError) -> Connection? {
        while true {
            var peer = RawAddress()
            let descriptor = unsafe clinux_accept(socket.descriptor, &peer.storage, &peer.size)
            guard descriptor < 0 else {
                return connection(Socket(owning: descriptor), from: peer)
            }
            switch errno {
            case EAGAIN: return nil
            // The connection broke before it was accepted; the next one may be whole.
            case EINTR, ECONNABORTED, EPERM, EPROTO: continue
            default: throw SystemError("accept", "", code: errno)
            }
        }
    }

    private func connection(
        _ socket: consuming Socket,
        from peer: RawAddress
    ) -> Connection {
        if case .unix = address { return Connection(socket, peer: address, local: address) }
        let local = RawAddress(of: socket)
        return Connection(socket, peer: peer.readable, local: local.readable)
    }
}
