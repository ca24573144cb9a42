import Bytes
import Foundation
import RDB
import Testing

/// A file written by a real server, with what the server said was in it.
struct Fixture: CustomTestStringConvertible, Sendable {
    let path: String
    let json: URL

    var testDescription: String { path }

    /// Folders with fixtures: our own, and a larger collection if the machine has one.
    static let roots: [URL] = {
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["LARDER_SHARED_FIXTURES"].map {
                URL(fileURLWithPath: $0)
            } ?? package.deletingLastPathComponent().appendingPathComponent("shared/fixtures")
        return [package.appendingPathComponent("Fixtures"), shared]
    }()

    /// Every description of a fixture, sorted.
    static let all: [Fixture] = {
        var found: [Fixture] = []
        for root in roots {
            let prefix = root.standardizedFileURL.path + "/"
            let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
            while let url = files?.nextObject() as? URL {
                guard url.pathExtension == "json" else { continue }
                let path = url.standardizedFileURL.path
                found.append(Fixture(path: String(path.dropFirst(prefix.count)), json: url))
            }
        }
        return found.sorted { $0.path < $1.path }
    }()

    /// Files of a kind: "rdb" or "dump".
    static func all(kind: String, isCorrupt: Bool = false) -> [Fixture] {
        all.filter { fixture in
            guard fixture.path.hasPrefix("corrupt/") == isCorrupt,
                let description = try? fixture.description()
            else { return false }
            return description["kind"] as? String == kind
        }
    }

    func description() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: json))
        return object as? [String: Any] ?? [:]
    }

    func file() throws -> [UInt8] {
        let name = try description()["file"] as? String ?? ""
        let url = json.deletingLastPathComponent().appendingPathComponent(name)
        return Array(try Data(contentsOf: url))
    }
}

/// A byte string of a description: text, base64, or what is known of a long one.
enum BytesExpectation {
    case bytes([UInt8])
    case digest(count: Int, crc32: UInt32, head: [UInt8], tail: [UInt8])

    init(_ json: Any?) {
        if let text = json as? String {
            self = .bytes(Array(text.utf8))
        } else if let object = json as? [String: Any] {
            func base64(_ key: String) -> [UInt8]? {
                (object[key] as? String).flatMap { Data(base64Encoded: $0) }.map(Array.init)
            }
            if let bytes = base64("b64") {
                self = .bytes(bytes)
            } else {
                self = .digest(
                    count: object["len"] as? Int ?? -1,
                    crc32: (object["crc32"] as? NSNumber)?.uint32Value ?? 0,
                    head: base64("head_b64") ?? [],
                    tail: base64("tail_b64") ?? []
                )
            }
        } else {
            self = .digest(count: -1, crc32: 0, head: [], tail: [])
        }
    }

    func matches(_ bytes: [UInt8]) -> Bool {
        switch self {
        // Foundation leaves a byte order mark out of the strings it reads.
        case .bytes(let expected): bytes == expected || bytes == [0xEF, 0xBB, 0xBF] + expected
        case .digest(let count, let crc32, let head, let tail):
            bytes.count == count && bytes.prefix(head.count).elementsEqual(head)
                && bytes.suffix(tail.count).elementsEqual(tail) && zlibChecksum(bytes) == crc32
        }
    }

    private func zlibChecksum(_ bytes: [UInt8]) -> UInt32 {
        var value = UInt32.max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~value
    }
}
