import Bytes
import RDB
import RESP

/// What a server says it is, and what follows for the payloads it takes.
package struct ServerIdentity: Equatable, Sendable {
    /// The programs that speak the protocol and are known here.
    package enum Program: String, Sendable {
        case redis = "Redis"
        case valkey = "Valkey"
        case larder = "Larder"
    }

    /// The program.
    package let program: Program
    /// Its version.
    package let version: String
    /// Whether it is a node of a cluster.
    package let isClusterNode: Bool
    /// How it makes room once its memory is full; nil: it does not, or has no limit.
    package let evictionPolicy: String?
    /// Bytes of memory that it has in use.
    package let usedMemory: Int
    /// The databases with keys in them, and how many.
    package let keyCounts: [Int: Int]

    /// Reads the reply to `INFO`.
    package init(information: ByteString) {
        var fields: [Substring: Substring] = [:]
        for line in information.text.split(whereSeparator: { $0 == "\r\n" || $0 == "\n" }) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...]
        }
        if fields["server_name"] == "larder" {
            program = .larder
            version = String(fields["larder_version"] ?? "")
        } else if let own = fields["valkey_version"] {
            program = .valkey
            version = String(own)
        } else {
            program = .redis
            version = String(fields["redis_version"] ?? "")
        }
        isClusterNode = fields["cluster_enabled"] == "1"
        usedMemory = fields["used_memory"].flatMap { Int($0) } ?? .max
        let policy = fields["maxmemory_policy"] ?? "noeviction"
        let isLimited = fields["maxmemory"] ?? "0" != "0"
        evictionPolicy = isLimited && policy != "noeviction" ? String(policy) : nil
        var counts: [Int: Int] = [:]
        for (name, value) in fields where name.hasPrefix("db") && value.hasPrefix("keys=") {
            guard let number = Int(name.dropFirst(2)) else { continue }
            counts[number] = Int(value.dropFirst(5).prefix { $0 != "," })
        }
        keyCounts = counts
    }

    /// The payloads it takes: those of its own version, or of the last one known before it.
    package var target: Target {
        let parts = version.split(separator: ".").prefix(2).map { Int($0) ?? 0 }
        let (major, minor) = (parts.first ?? 0, parts.dropFirst().first ?? 0)
        return switch program {
        case .larder: .valkey9
        case .valkey where major >= 9: .valkey9
        case .valkey where major == 8: .valkey8
        case .valkey: .valkey72
        case .redis where major >= 8: .redis8
        case .redis where major == 7:
            [.redis70, .redis70, .redis72, .redis72, .redis74][min(minor, 4)]
        case .redis where major == 6: .redis6
        case .redis: .redis5
        }
    }

    /// What conversions are made for that such servers load: the last one known up to its version.
    package var destination: Destination {
        let parts = version.split(separator: ".").prefix(2).map { Int($0) ?? 0 }
        let number = (parts.first ?? 0) * 100 + (parts.dropFirst().first ?? 0)
        let family: Destination.Family =
            switch program {
            case .larder: .larder
            case .valkey: .valkey
            case .redis: .redis
            }
        let all = Destination.all.filter { $0.family == family }
        return all.last { $0.version <= number } ?? all[0]
    }

    /// Whether it can tell a deadline as a moment: Redis from 7.0 on, and all others.
    package var knowsDeadlineMoments: Bool { program != .redis || target.holdsFunctions }
}

extension ServerIdentity: CustomStringConvertible {
    /// Program and version.
    package var description: String { "\(program.rawValue) \(version)" }
}
