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
    case digest(count: Int, sha256: String)

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
                    sha256: object["sha256"] as? String ?? ""
                )
            }
        } else {
            self = .digest(count: -1, sha256: "")
        }
    }

    func matches(_ bytes: [UInt8]) -> Bool {
        switch self {
        // Foundation leaves a byte order mark out of the strings it reads.
        case .bytes(let expected): bytes == expected || bytes == [0xEF, 0xBB, 0xBF] + expected
        case .digest(let count, let sha256):
            bytes.count == count && SHA256.hexadecimal(of: bytes) == sha256
        }
    }
}

/// The digest that descriptions give of long byte strings (FIPS 180-4).
enum SHA256 {
    /// The first 32 bits of the fractional parts of the roots of the first primes.
    private static func fractions(_ count: Int, _ root: (Double) -> Double) -> [UInt32] {
        var primes: [Int] = []
        var candidate = 2
        while primes.count < count {
            if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map {
            let value = root(Double($0))
            return UInt32((value - value.rounded(.down)) * 4_294_967_296)
        }
    }

    private static let constants = fractions(64) { cbrt($0) }
    private static let start = fractions(8) { $0.squareRoot() }

    static func hexadecimal(of bytes: [UInt8]) -> String {
        var message = bytes + [0x80]
        while message.count % 64 != 56 { message.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: (bytes.count * 8) >> shift))
        }
        var state = start
        for block in stride(from: 0, to: message.count, by: 64) {
            fold(message[block..<(block + 64)], into: &state)
        }
        return state.map { String(format: "%08x", $0) }.joined()
    }

    private static func fold(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 {
            value >> bits | value << (32 - bits)
        }
        var words: [UInt32] = []
        for index in stride(from: block.startIndex, to: block.endIndex, by: 4) {
            words.append(block[index..<(index + 4)].reduce(0) { $0 << 8 | UInt32($1) })
        }
        for index in 16..<64 {
            let one = words[index - 15]
            let two = words[index - 2]
            let low = rotate(one, 7) ^ rotate(one, 18) ^ one >> 3
            let high = rotate(two, 17) ^ rotate(two, 19) ^ two >> 10
            words.append(words[index - 16] &+ low &+ words[index - 7] &+ high)
        }
        var s = state
        for index in 0..<64 {
            let high = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)
            let choice = (s[4] & s[5]) ^ (~s[4] & s[6])
            let one = s[7] &+ high &+ choice &+ constants[index] &+ words[index]
            let low = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)
            let majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])
            s = [one &+ low &+ majority, s[0], s[1], s[2], s[3] &+ one, s[4], s[5], s[6]]
        }
        for index in 0..<8 { state[index] = state[index] &+ s[index] }
    }
}
