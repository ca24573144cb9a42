import Bytes
import Foundation
import RDB
import Testing

private func bytes(hexadecimal: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var digits = hexadecimal[...]
    while let byte = UInt8(digits.prefix(2), radix: 16) {
        bytes.append(byte)
        digits = digits.dropFirst(2)
    }
    return bytes
}

/// Reads what DUMP answered.
private func value(
    of payload: [UInt8],
    validation: Validation = .deep
) throws(RDBError) -> (Value, Encoding) {
    var reader = try Payload(payload.bytes, validation: validation)
    var collector = Collector()
    try reader.readValue(into: &collector)
    return (collector.value, reader.encoding)
}

struct PayloadTests {
    @Test(arguments: Fixture.all(kind: "dump"))
    func `reads what DUMP answered`(fixture: Fixture) throws {
        let databases = try fixture.description()["dbs"] as? [String: [[String: Any]]] ?? [:]
        var differences = Differences()
        for object in databases.values.joined() {
            let payload = bytes(hexadecimal: object["dump_hex"] as? String ?? "")
            let (value, encoding) = try value(of: payload)
            var key = Key(value: value, encoding: encoding)
            key.deadline = (object["ttl_ms"] as? NSNumber)?.int64Value
            differences.compare(key, object, "\(object["key"] ?? "")")
        }
        #expect(differences.found == [])
    }

    @Test(arguments: Fixture.all(kind: "dump"))
    func `a payload written again holds the same, for whom it is written`(
        fixture: Fixture
    ) throws {
        let databases = try fixture.description()["dbs"] as? [String: [[String: Any]]] ?? [:]
        for object in databases.values.joined() {
            let payload = bytes(hexadecimal: object["dump_hex"] as? String ?? "")
            let (original, _) = try value(of: payload)
            if case .stream = original { continue }
            for target in Target.all {
                var writer = PayloadWriter(for: target)
                var reader = try Payload(payload.bytes)
                do {
                    try reader.readValue(into: &writer)
                } catch {
                    #expect(error.code == .unsupportedByTarget)
                    continue
                }
                let written = writer.payload()
                let (found, encoding) = try value(of: written)
                #expect(found == original)
                #expect(target.accepts(encoding))
                var footer = ByteReader(written.bytes.part(from: written.count - 10, count: 2))
                let version = try footer.readInteger(as: UInt16.self)
                #expect(Int(version) == target.format.version)
            }
        }
    }

    @Test func `the example in the documentation holds`() throws {
        let payload = bytes(hexadecimal: "00C0050B000AF0E2157EB05AD8")
        #expect(try value(of: payload).0 == .string(Array("5".utf8)))
        var writer = PayloadWriter(for: .neutral)
        _ = try writer.begin(.string)
        try writer.string(.integer(5))
        try writer.end()
        #expect(writer.payload() == payload)
    }

    @Test func `any changed bit is noticed`() throws {
        let payload = bytes(hexadecimal: "00C0050B000AF0E2157EB05AD8")
        for bit in 0..<(payload.count * 8) {
            var damaged = payload
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: RDBError(.checksumMismatch, at: 0, "")) { try value(of: damaged) }
        }
        for count in 0..<payload.count {
            #expect(throws: RDBError.self) { try value(of: Array(payload.prefix(count))) }
        }
    }

    @Test func `a value is all there is`() throws {
        var writer = PayloadWriter(for: .neutral)
        _ = try writer.begin(.string)
        try writer.string(.integer(5))
        try writer.end()
        var payload = Array(writer.payload().dropLast(8))
        payload.insert(0, at: 3)
        let checksum = CRC64.checksum(payload.bytes)
        withUnsafeBytes(of: checksum.littleEndian) { payload += $0 }
        #expect(throws: RDBError(.invalidLength, at: 0, "")) { try value(of: payload) }
    }

    @Test func `the version decides what type 22 means`() throws {
        let valkey: [UInt8] = [22, 1, 1, 0x66, 1, 0x76] + [UInt8](repeating: 0xFF, count: 8)
        let redis: [UInt8] = [22, 1, 0, 1, 0x66, 1, 0x76]
        let expected = Value.hash([[0x66]: Value.Field(value: [0x76], deadline: nil)])
        for (body, version) in [(valkey, 80), (valkey, 11), (redis, 12)] {
            var payload = body + [UInt8(version), 0]
            let checksum = CRC64.checksum(payload.bytes)
            withUnsafeBytes(of: checksum.littleEndian) { payload += $0 }
            #expect(try value(of: payload).0 == expected)
        }
    }
}

extension PayloadWriter {
    /// The payload as an array.
    mutating func payload() -> [UInt8] {
        var bytes: [UInt8] = []
        finishPayload { bytes = ByteString($0).array }
        return bytes
    }
}
