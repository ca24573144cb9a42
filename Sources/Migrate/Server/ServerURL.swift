import Bytes
import Transport

/// A server, or one node of a cluster, as the user names it.
///
///     redis://host                            port 6379, database 0
///     valkey://user:secret@host:7000/3        another user, port and database
///     redis://:secret@[::1]:7000              the user `default`
///     unix:///run/valkey.sock?db=3            a path
///     unix://:secret@/run/valkey.sock
///
/// What has a meaning in a URL is written as `%` and two hexadecimal digits.
package struct ServerURL: Equatable, Sendable {
    /// Where it is.
    package var address: SocketAddress
    /// Who asks; nil: the user `default`.
    package var user: String?
    /// What that user says; nil if the server wants none.
    package var password: String?
    /// The database that was named.
    package var database: Int?

    /// Why a text is not such a URL.
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    static let defaultPort = 6379

    /// Whether a text is meant as a URL of a server rather than as the path of a file.
    package static func isURL(_ text: String) -> Bool {
        ["redis://", "valkey://", "rediss://", "valkeys://", "unix://"].contains {
            text.hasPrefix($0)
        }
    }

    /// A server at `address` that is asked like `other`.
    package init(address: SocketAddress, like other: ServerURL) {
        self = other
        self.address = address
    }

    /// Reads a URL.
    package init(_ text: String) throws(Invalid) {
        guard let separator = text.firstPart(before: "://") else {
            throw Invalid(description: "\(text) is not a URL such as redis://host:6379")
        }
        let (scheme, rest) = separator
        let location: Substring
        switch rest.lastPart(after: "@") {
        case .some(let (credentials, behind)):
            location = behind
            let (name, secret) = credentials.firstPart(before: ":") ?? (credentials, "")
            user = name.isEmpty ? nil : try Self.decode(name)
            password = secret.isEmpty ? nil : try Self.decode(secret)
        case nil:
            location = rest
        }
        switch scheme {
        case "redis", "valkey":
            let (host, path) = location.firstPart(before: "/") ?? (location, "")
            address = try Self.address(of: host, in: text)
            if !path.isEmpty { database = try Self.database(path, in: text) }
        case "unix":
            let (path, query) = location.firstPart(before: "?") ?? (location, "")
            address = .unix(path: try Self.decode(path))
            if query.hasPrefix("db=") { database = try Self.database(query.dropFirst(3), in: text) }
        case "rediss", "valkeys":
            throw Invalid(
                description: "TLS is not there yet: \(scheme):// cannot be used. Where the network "
                    + "is not to be trusted, use redis:// through a tunnel such as stunnel"
            )
        default:
            throw Invalid(description: "\(scheme):// is none of redis://, valkey:// and unix://")
        }
    }

    private static func address(
        of text: Substring,
        in url: String
    ) throws(Invalid) -> SocketAddress {
        var host = text
        var port = "\(defaultPort)"[...]
        if text.hasPrefix("["), let (address, rest) = text.dropFirst().firstPart(before: "]") {
            host = address
            if rest.hasPrefix(":") { port = rest.dropFirst() }
        } else if let (name, number) = text.firstPart(before: ":") {
            (host, port) = (name, number)
        }
        guard let number = Int(port), (1...65535).contains(number) else {
            throw Invalid(description: "\(url) has no port from 1 to 65535")
        }
        let name = host.isEmpty ? "127.0.0.1" : try decode(host)
        return .tcp(host: name, port: number)
    }

    private static func database(
        _ text: Substring,
        in url: String
    ) throws(Invalid) -> Int {
        guard let number = Int(text), number >= 0 else {
            throw Invalid(description: "\(url) ends with \(text), which is not a database's number")
        }
        return number
    }

    /// Replaces `%` and two digits by the byte they stand for.
    private static func decode(_ text: Substring) throws(Invalid) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
                throw Invalid(description: "\(text) has a % without two hexadecimal digits")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ServerURL: CustomStringConvertible {
    /// For messages: without user and password.
    package var description: String {
        let suffix = database.map { "/\($0)" } ?? ""
        return switch address {
        case .tcp: "redis://\(address)\(suffix)"
        case .unix(let path): "unix://\(path)" + (database.map { "?db=\($0)" } ?? "")
        }
    }
}

extension StringProtocol where SubSequence == Substring {
    /// What is before the first `separator`, and what is behind it.
    fileprivate func firstPart(before separator: String) -> (Substring, Substring)? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(separator) {
                return (self[..<start], self[start...].dropFirst(separator.count))
            }
            start = index(after: start)
        }
        return nil
    }

    /// What is before the last `separator`, and what is behind it.
    fileprivate func lastPart(after separator: Character) -> (Substring, Substring)? {
        guard let place = lastIndex(of: separator) else { return nil }
        return (self[..<place], self[index(after: place)...])
    }
}
