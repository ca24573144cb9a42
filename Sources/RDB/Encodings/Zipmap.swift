import Bytes

/// A zipmap: what Redis up to 2.4 keeps small hashes in.
///
///     u8       number of fields; 254 or more = walk and count
///     pairs    length of the field, field, length of the value, u8 free, value, free bytes
///     FF       end
///
/// A length is one byte below FE, or FE and a u32 LE.
///
/// Example, `a` = `1`:
///
///     01  01 61  01 00 31  FF
enum Zipmap {
    /// Reads a zipmap to its end and appends fields and values to `listpack`.
    static func convert(
        _ bytes: RawSpan,
        to listpack: inout ListpackWriter,
        offset: Int
    ) throws(RDBError) {
        func wrong(_ position: Int, _ detail: String) -> RDBError {
            RDBError(.invalidZipmap, at: offset + position, "zipmap: \(detail)")
        }
        var reader = ByteReader(bytes)
        do {
            let stated = try reader.readByte()
            var count = 0
            while let fieldLength = try length(&reader) {
                listpack.append(try reader.readBytes(fieldLength))
                guard let valueLength = try length(&reader) else {
                    throw wrong(reader.position - 1, "a field without a value")
                }
                let free = Int(try reader.readByte())
                listpack.append(try reader.readBytes(valueLength))
                try reader.skip(free)
                count += 1
            }
            guard reader.isAtEnd else { throw wrong(reader.position, "an early end") }
            guard stated >= 254 || Int(stated) == count else {
                throw wrong(0, "the first byte counts \(stated) fields, there are \(count)")
            }
        } catch let error as Truncated {
            throw wrong(error.offset, "ends too early")
        } catch let error as RDBError {
            throw error
        } catch {
            throw wrong(0, "\(error)")
        }
    }

    private static func length(_ reader: inout ByteReader) throws(Truncated) -> Int? {
        let first = try reader.readByte()
        switch first {
        case 0xFF: return nil
        case 0xFE: return Int(try reader.readInteger(as: UInt32.self))
        default: return Int(first)
        }
    }
}
