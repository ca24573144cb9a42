import CLinux
import Glibc
import Platform

/// Where a socket is reached: an address with a port, or a path.
package enum SocketAddress: Hashable, Sendable {
    case tcp(host: String, port: Int)
    case unix(path: String)

    /// Whether only processes on this machine can be at this address.
    package var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host.hasPrefix("127.") || host == "::1"
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// As CLIENT LIST says it: `127.0.0.1:50412`, `[::1]:50412`, `/run/larder.sock:0`.
    package var description: String {
        switch self {
        case .tcp(let host, let port):
            host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "\(path):0"
        }
    }
}

/// An address as the kernel spells it.
struct RawAddress {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)

    var family: CInt { CInt(storage.ss_family) }

    /// Room for any address.
    init() {}

    /// What `host` is: an address, a name, `*` for any IPv4 or `::*` for any IPv6.
    init(host: String, port: Int) throws(SystemError) {
        let isIPv6 = host.utf8.contains(UInt8(ascii: ":"))
        let isAny = host == "*" || host == "::*"
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = isIPv6 ? AF_INET6 : AF_INET
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(isAny ? nil : host, "\(port)", &hints, &found)
        defer { unsafe freeaddrinfo(found) }
        guard code == 0, let first = unsafe found, let name = unsafe first.pointee.ai_addr else {
            // The resolver has reasons of its own; of those that matter here, all mean this.
            throw SystemError("bind", host, code: EADDRNOTAVAIL)
        }
        size = unsafe first.pointee.ai_addrlen
        unsafe withUnsafeMutableBytes(of: &storage) { place in
            unsafe place.copyMemory(from: UnsafeRawBufferPointer(start: name, count: Int(size)))
        }
    }

    /// A path, which has to be shorter than 108 bytes.
    init(path: String) throws(SystemError) {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: name.sun_path)
        guard path.utf8.count < room else { throw SystemError("bind", path, code: ENAMETOOLONG) }
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        size = socklen_t(MemoryLayout<sockaddr_un>.size)
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.storeBytes(of: name, as: sockaddr_un.self)
        }
    }

    /// The near end of a socket.
    init(of socket: borrowing Socket) {
        unsafe withUnsafeMutableBytes(of: &storage) { place in
            let name = unsafe place.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            _ = unsafe getsockname(socket.descriptor, name, &size)
        }
    }

    func bind(_ socket: borrowing Socket) throws(SystemError) {
        let result = unsafe withUnsafeBytes(of: storage) { place in
            let name = unsafe place.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            return unsafe Glibc.bind(socket.descriptor, name, size)
        }
        _ = try check("bind", "", result)
    }

    /// For people.
    var readable: SocketAddress {
        unsafe withUnsafeBytes(of: storage) { bytes in
            switch family {
            case AF_INET:
                let name = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
                return unsafe .tcp(
                    host: Self.text(
                        AF_INET,
                        withUnsafeBytes(of: name.sin_addr) { unsafe Array($0) }
                    ),
                    port: Int(UInt16(bigEndian: name.sin_port))
                )
            case AF_INET6:
                let name = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
                return unsafe .tcp(
                    host: Self.text(
                        AF_INET6,
                        withUnsafeBytes(of: name.sin6_addr) { unsafe Array($0) }
                    ),
                    port: Int(UInt16(bigEndian: name.sin6_port))
                )
            default: return .unix(path: "")
            }
        }
    }

    private static func text(_ family: CInt, _ address: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard unsafe inet_ntop(family, address, &text, socklen_t(text.count)) != nil else {
            return "?"
        }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }
}
