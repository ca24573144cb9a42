import CLinux
import Glibc
import Platform

/// The other end of a connection: who asks a server instead of being one.
extension Connection {
    /// Connects to a server that answers within `milliseconds`.
    package static func connect(
        to address: SocketAddress,
        within milliseconds: Int
    ) throws(SystemError) -> Connection {
        let raw = try rawAddress(of: address)
        let socket = try Socket(family: raw.family)
        let result = unsafe withUnsafeBytes(of: raw.storage) { place in
            let name = unsafe place.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            return unsafe Glibc.connect(socket.descriptor, name, raw.size)
        }
        if result == -1 {
            // A Unix socket whose server is busy says EAGAIN; all others go on on their own.
            guard errno == EINPROGRESS || errno == EINTR else {
                throw SystemError("connect", address.description, code: errno)
            }
            try finishConnecting(socket, address, within: milliseconds)
        }
        socket.sendWithoutDelay()
        let local = RawAddress(of: socket).readable
        return Connection(socket, peer: address, local: local)
    }

    private static func rawAddress(
        of address: SocketAddress
    ) throws(SystemError) -> RawAddress {
        switch address {
        case .unix(let path): return try RawAddress(path: path)
        case .tcp(let host, let port):
            do {
                return try RawAddress(host: host, port: port)
            } catch {
                throw SystemError("resolve", host, code: error.code)
            }
        }
    }

    private static func finishConnecting(
        _ socket: borrowing Socket,
        _ address: SocketAddress,
        within milliseconds: Int
    ) throws(SystemError) {
        let waiting = [Readiness.Interest(descriptor: socket.descriptor, isSending: true)]
        guard try Readiness.wait(for: waiting, milliseconds: milliseconds) > 0 else {
            throw SystemError("connect", address.description, code: ETIMEDOUT)
        }
        var code: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        let result = unsafe getsockopt(socket.descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        _ = try check("getsockopt", address.description, result)
        if code != 0 { throw SystemError("connect", address.description, code: code) }
    }
}
