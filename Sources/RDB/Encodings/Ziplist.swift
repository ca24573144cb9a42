import Bytes

/// A ziplist: what servers before Redis 7.0 keep small collections in.
///
///     u32 LE   byte count of the whole
///     u32 LE   offset of the last entry
///     u16 LE   number of entries; 65535 = walk and count
///     entries  size of the entry before, encoding, data
///     FF       end
///
/// The size of the entry before is one byte below FE, or FE and a u32 LE. The encoding:
///
///     00nnnnnn                       string of 0...63 bytes
///     01nnnnnn nnnnnnnn              string, high bits first
///     10...... + u32 big-endian      string
///     11000000 + i16 LE              integer
///     11010000 + i32 LE              integer
///     11100000 + i64 LE              integer
///     11110000 + 3 bytes LE          integer, signed
///     11111110 + i8                  integer
///     1111nnnn                       the integer n - 1, n in 1...13
///
/// Example, the list `a`, `5`:
///
///     10 00 00 00  0D 00 00 00  02 00  00 01 61  03 F6  FF
enum Ziplist {
    static let headerByteCount = 10
    static let unknownCount = 0xFFFF

    /// Reads a ziplist to its end and appends its elements to `listpack`.
    static func convert(
        _ bytes: RawSpan,
        to listpack: inout ListpackWriter,
        offset: Int
    ) throws(RDBError) {
        func wrong(_ position: Int, _ detail: String) -> RDBError {
            RDBError(.invalidZiplist, at: offset + position, "ziplist: \(detail)")
        }
        var reader = ByteReader(bytes)
        do {
            let byteCount = Int(try reader.readInteger(as: UInt32.self))
            let lastOffset = Int(try reader.readInteger(as: UInt32.self))
            let stated = Int(try reader.readInteger(as: UInt16.self))
            guard byteCount == bytes.byteCount else {
                throw wrong(0, "the header says \(byteCount) bytes, there are \(bytes.byteCount)")
            }
            var previous = 0
            var last = headerByteCount
            var count = 0
            while true {
                let start = reader.position
                let first = try reader.readByte()
                if first == 0xFF { break }
                var size = Int(first)
                if first == 0xFE { size = Int(try reader.readInteger(as: UInt32.self)) }
                guard size == previous else {
                    throw wrong(start, "the entry before has \(previous) bytes, not \(size)")
                }
                try convertEntry(&reader, to: &listpack, wrong)
                previous = reader.position - start
                last = start
                count += 1
            }
            guard reader.isAtEnd else { throw wrong(reader.position, "an early end") }
            guard lastOffset == last else { throw wrong(4, "the last entry is not there") }
            guard stated == count || stated == unknownCount else {
                throw wrong(8, "the header counts \(stated) entries, there are \(count)")
            }
        } catch let error as Truncated {
            throw wrong(error.offset, "ends too early")
        } catch let error as RDBError {
            throw error
        } catch {
            throw wrong(0, "\(error)")
        }
    }

    private static func convertEntry(
        _ reader: inout ByteReader,
        to listpack: inout ListpackWriter,
        _ wrong: (Int, String) -> RDBError
    ) throws {
        let position = reader.position
        let encoding = try reader.readByte()
        switch encoding {
        case 0..<0x40:
            listpack.append(string: try reader.readBytes(Int(encoding)))
        case 0x40..<0x80:
            let low = Int(try reader.readByte())
            listpack.append(string: try reader.readBytes(Int(encoding & 0x3F) << 8 | low))
        case 0x80..<0xC0:
            let count = Int(try reader.readBigEndian(as: UInt32.self))
            listpack.append(string: try reader.readBytes(count))
        case 0xC0:
            listpack.append(integer: Int64(try reader.readInteger(as: Int16.self)))
        case 0xD0:
            listpack.append(integer: Int64(try reader.readInteger(as: Int32.self)))
        case 0xE0:
            listpack.append(integer: try reader.readInteger(as: Int64.self))
        case 0xF0:
            let low = Int64(try reader.readInteger(as: UInt16.self))
            let high = Int64(try reader.readInteger(as: Int8.self))
            listpack.append(integer: high << 16 | low)
        case 0xFE:
            listpack.append(integer: Int64(try reader.readInteger(as: Int8.self)))
        case 0xF1...0xFD:
            listpack.append(integer: Int64(encoding & 0x0F) - 1)
        default:
            throw wrong(position, "no entry has encoding \(encoding)")
        }
    }
}
