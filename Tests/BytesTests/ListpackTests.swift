import Bytes
import Testing

/// What a test expects of one element.
private enum Element: Equatable {
    case integer(Int64)
    case bytes([UInt8])
}

private func elements(
    of bytes: [UInt8],
    checks: ListpackReader.Checks = .everything
) throws -> [Element] {
    var reader = try ListpackReader(bytes.bytes, checks: checks)
    var found: [Element] = []
    while let element = try reader.next() {
        switch element {
        case .integer(let value): found.append(.integer(value))
        case .bytes(let bytes): found.append(.bytes(ByteString(bytes).array))
        }
    }
    return found
}

private func listpack(_ elements: [Element]) -> [UInt8] {
    var writer = ListpackWriter()
    for element in elements {
        switch element {
        case .integer(let value): writer.append(integer: value)
        case .bytes(let bytes): writer.append(bytes.bytes)
        }
    }
    return writer.finish { ByteString($0).array }
}

struct ListpackTests {
    @Test func `the example in the documentation holds`() {
        let bytes = listpack([.bytes([0x61]), .bytes(Array("200".utf8))])
        #expect(bytes == [13, 0, 0, 0, 2, 0, 0x81, 0x61, 2, 0xC0, 0xC8, 2, 0xFF])
        #expect(listpack([]) == [7, 0, 0, 0, 0, 0, 0xFF])
    }

    @Test func `integers take the smallest form and read back`() throws {
        var values: [Int64] = [0, 1, 127, 128, -1, 4095, 4096, -4096, -4097, .min, .max]
        for bits in [15, 23, 31, 63] {
            let edge = Int64(1) << Int64(bits - 1) - 1 + Int64(1) << Int64(bits - 1)
            values += [edge, edge &+ 1, -edge, -edge &- 1, -edge &- 2]
        }
        for value in values {
            let bytes = listpack([.integer(value)])
            #expect(try elements(of: bytes) == [.integer(value)])
            #expect(listpack([.bytes(Array(String(value).utf8))]) == bytes)
            #expect(bytes.count == Listpack.emptyByteCount + Listpack.entryByteCount(of: value))
        }
    }

    @Test(arguments: [0, 1, 62, 63, 64, 125, 126, 127, 4095, 4096, 16378, 16379, 16380, 2_097_150])
    func `strings of every length class read back`(count: Int) throws {
        let element = Element.bytes([UInt8](repeating: 0x78, count: count))
        let bytes = listpack([element, .integer(7), element])
        #expect(try elements(of: bytes) == [element, .integer(7), element])
    }

    @Test func `text that is no canonical number stays text`() throws {
        for text in ["", "-0", "+1", "01", " 1", "9223372036854775808", "1.0"] {
            let element = Element.bytes(Array(text.utf8))
            #expect(try elements(of: listpack([element])) == [element])
        }
    }

    @Test func `an unknown count is no contradiction`() throws {
        var bytes = listpack([.integer(1), .integer(2)])
        bytes[4] = 0xFF
        bytes[5] = 0xFF
        #expect(try elements(of: bytes).count == 2)
    }

    @Test func `more elements than the header can count read back`() throws {
        var writer = ListpackWriter()
        for value in 0..<70_000 { writer.append(integer: Int64(value)) }
        let bytes = writer.finish { ByteString($0).array }
        #expect(try elements(of: bytes).count == 70_000)
        let count = try Listpack.check(bytes.bytes)
        #expect(count == 70_000)
    }

    @Test func `damage is named`() {
        let good = listpack([.bytes([0x61]), .integer(200)])
        func reason(_ change: (inout [UInt8]) -> Void) -> ListpackError.Reason? {
            var bytes = good
            change(&bytes)
            do {
                _ = try elements(of: bytes)
                return nil
            } catch {
                return (error as? ListpackError)?.reason
            }
        }
        #expect(reason { $0.removeLast(8) } == .tooShort)
        #expect(reason { $0[0] = 12 } == .wrongByteCount)
        #expect(reason { $0[12] = 0 } == .missingEnd)
        #expect(reason { $0[6] = 0xFF } == .earlyEnd)
        #expect(reason { $0[6] = 0xF5 } == .unknownEncoding)
        #expect(reason { $0[6] = 0xBF } == .overrun)
        #expect(reason { $0[9] = 0xF4 } == .overrun)
        #expect(reason { $0[8] = 3 } == .wrongBackLength)
        #expect(reason { $0[4] = 3 } == .wrongCount)
        #expect(reason { $0[8] = 2 } == nil)
    }

    @Test func `no damaged byte makes a reader leave the listpack`() {
        let good = listpack([
            .bytes([0x61]), .integer(200), .integer(-70_000), .integer(.max),
            .bytes([UInt8](repeating: 1, count: 130)), .bytes([]),
        ])
        for offset in 0..<good.count {
            for value in 0...UInt8.max {
                var bytes = good
                bytes[offset] = value
                // Whatever comes of it: no trap.
                _ = try? elements(of: bytes, checks: .bounds)
                let read: ListpackError?
                do {
                    _ = try elements(of: bytes)
                    read = nil
                } catch {
                    read = error as? ListpackError
                }
                let checked: ListpackError?
                do {
                    _ = try Listpack.check(bytes.bytes)
                    checked = nil
                } catch {
                    checked = error
                }
                #expect(read == checked)
            }
        }
    }
}
