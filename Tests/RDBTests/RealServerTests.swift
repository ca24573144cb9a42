import Bytes
import Foundation
import Glibc
import RDB
import Testing

/// A real server, to load what was written here and save what it made of it.
final class RealServer {
    private let process = Process()
    private let directory: URL
    private var descriptor: Int32 = -1

    /// The programs that `Tools/peers` provides.
    static func program(_ name: String) -> URL? {
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let kind = name.prefix { $0 != "-" }
        let url = package.appendingPathComponent(".peers/\(name)/\(kind)-server")
        return FileManager.default.isExecutableFile(atPath: url.path) ? url : nil
    }

    /// Starts a server on a file and waits until it has loaded it.
    init(_ program: URL, loading file: [UInt8], databases: Int) throws {
        directory = URL(fileURLWithPath: NSTemporaryDirectory())
            .appendingPathComponent("rdb-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Data(file).write(to: directory.appendingPathComponent("dump.rdb"))
        process.executableURL = program
        process.currentDirectoryURL = directory
        process.arguments = [
            "--port", "0", "--unixsocket", socketPath, "--dir", directory.path,
            "--databases", "\(databases)", "--logfile", "server.log", "--save", "",
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        for _ in 0..<600 {
            if connect(), ask("PING")?.hasPrefix("+PONG") == true { return }
            guard process.isRunning else { break }
            usleep(50_000)
        }
        let log = try String(
            contentsOf: directory.appendingPathComponent("server.log"),
            encoding: .utf8
        )
        throw Refusal(log: String(log.suffix(2000)))
    }

    struct Refusal: Error {
        var log: String
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if process.isRunning {
            // The child has inherited a mask that keeps the gentler signals from it.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: directory)
    }

    private var socketPath: String { directory.path + "/s" }

    private func connect() -> Bool {
        if descriptor >= 0 { return true }
        let connection = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: socketPath.utf8)
        }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(connection, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 {
            descriptor = connection
            return true
        }
        close(connection)
        return false
    }

    private func ask(_ command: String) -> String? {
        let line = Array((command + "\r\n").utf8)
        guard send(descriptor, line, line.count, 0) == line.count else { return nil }
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &reply, reply.count, 0)
        return count > 0 ? String(decoding: reply[..<count], as: UTF8.self) : nil
    }

    /// What the server holds now, as it writes it itself.
    func save() throws -> [UInt8] {
        guard let reply = ask("SAVE"), reply.hasPrefix("+OK") else { throw Refusal(log: "SAVE") }
        return Array(try Data(contentsOf: directory.appendingPathComponent("dump.rdb")))
    }
}

/// A server and what is written for it.
struct Pairing: CustomTestStringConvertible, Sendable {
    let server: String
    let target: Target

    var testDescription: String { "\(server) reads what is for \(target)" }

    static let all = [
        Pairing(server: "redis-6.2.5", target: .redis6),
        Pairing(server: "redis-7.0.15", target: .redis70),
        Pairing(server: "redis-7.0.15", target: .redis6),
        Pairing(server: "redis-8.2.3", target: .redis8),
        Pairing(server: "redis-8.2.3", target: .neutral),
        Pairing(server: "valkey-8.1.8", target: .valkey8),
        Pairing(server: "valkey-9.1.2", target: .valkey9),
        Pairing(server: "valkey-9.1.2", target: .neutral),
    ]
}

/// All fixtures in one file, each of their databases under a number of its own.
struct Collection {
    var content = Content()
    var file: [UInt8] = []
    var databases = 0

    init(for target: Target, isTransferring: Bool) throws {
        let sink = MemorySink()
        var writer = try FileWriter(for: target, to: sink)
        var hasFunctions = !target.holdsFunctions
        for fixture in Fixture.all(kind: "rdb") {
            let file = try fixture.file()
            guard !(try fixture.description()["content_from"] is NSNull) else { continue }
            guard let all = try? Content(reading: file, validation: .deep) else { continue }
            try add(
                file,
                expected(all, in: target),
                &writer,
                isTransferring: isTransferring,
                hasFunctions: &hasFunctions
            )
        }
        try writer.finish()
        file = sink.array
    }

    private mutating func add(
        _ file: [UInt8],
        _ all: Content,
        _ writer: inout FileWriter,
        isTransferring: Bool,
        hasFunctions: inout Bool
    ) throws(RDBError) {
        var reader = FileReader(MemorySource(file))
        var numbers: [UInt64: UInt64] = [:]
        while true {
            switch try reader.next() {
            case .function(let source) where !hasFunctions:
                try writer.function(source.bytes)
                content.functions.append(source.array)
                hasFunctions = true
            case .key(let record):
                guard record.encoding.kind != .module else { continue }
                let name = ByteString(reader.key).array
                // Redis 6.2 keeps an empty collection, and saves it as what it cannot load.
                guard all.keys[reader.database]?[name]?.value.isEmpty == false else { continue }
                if numbers[reader.database] == nil {
                    numbers[reader.database] = UInt64(databases)
                    databases += 1
                    try writer.database(numbers[reader.database] ?? 0)
                }
                do {
                    if isTransferring {
                        try writer.transfer(record, from: &reader)
                    } else {
                        try writer.beginKey(reader.key, deadline: record.deadline)
                        try reader.readValue(into: &writer.value)
                    }
                } catch {
                    guard error.code == .unsupportedByTarget else { throw error }
                    continue
                }
                let number = numbers[reader.database] ?? 0
                content.keys[number, default: [:]][name] = all.keys[reader.database]?[name]
            case .end: return
            default: break
            }
        }
    }
}

extension Content {
    /// Nothing.
    init() {}

    /// Without what a server drops: what has expired or is empty; and without access hints.
    func surviving(at now: Int64) -> Content {
        var content = self
        content.keys = keys.mapValues { keys in
            keys.compactMapValues { key in
                var key = key
                key.idleSeconds = nil
                key.frequency = nil
                if let deadline = key.deadline, deadline < now { return nil }
                if case .stream(var stream) = key.value, stream.state?.length == 0 {
                    // Servers show an emptied stream of version 1 with an impossible first id.
                    stream.state?.firstID = .zero
                    key.value = .stream(stream)
                }
                if case .hash(let fields) = key.value {
                    key.value = .hash(fields.filter { $0.value.deadline ?? .max >= now })
                }
                return key.value.isEmpty ? nil : key
            }
        }
        content.keys = content.keys.filter { !$0.value.isEmpty }
        return content
    }
}

@Suite(.enabled(if: RealServer.program("valkey-9.1.2") != nil), .serialized)
struct RealServerTests {
    @Test(arguments: Pairing.all, [true, false])
    func `a real server holds what was written for it`(
        pairing: Pairing,
        isTransferring: Bool
    ) throws {
        let program = try #require(RealServer.program(pairing.server))
        let collection = try Collection(for: pairing.target, isTransferring: isTransferring)
        let server = try RealServer(
            program,
            loading: collection.file,
            databases: collection.databases + 1
        )
        let found = try Content(reading: server.save(), validation: .deep)
        // Whatever expires within minutes may be there or not.
        let now = Int64(Date().timeIntervalSince1970 * 1000) + 600_000
        let left = found.surviving(at: now)
        let right = collection.content.surviving(at: now)
        #expect(left.functions == right.functions)
        for number in 0..<UInt64(collection.databases) {
            let one = left.keys[number] ?? [:]
            let other = right.keys[number] ?? [:]
            for name in Set(one.keys).union(other.keys) {
                #expect(one[name] == other[name], "\(ByteString(name)) in \(number)")
            }
        }
        #expect(!left.keys.isEmpty)
    }
}
