import Bytes
import Platform

/// What the log says about itself between effects: where the stream stands.
///
/// Every segment begins with one, and at most a second of a busy log goes by without one.
/// Three things hang on them:
/// - the stream's offset and the replication id survive a restart, because they are read
///   from the marks;
/// - a torn tail is told from damage. `durableOffset` is a promise: this much was on disk when
///   the mark was written. Bytes that cannot be read are a torn tail if no later mark promises
///   them, and damage if one does;
/// - a reader can stop at a point in time.
///
/// In a plain segment a mark is a remark, which Redis 7 and Valkey skip:
///
///     #LARDER:1 replid=8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb offset=81920 durable=81920
///     time=1795380546695 crc=5f0a34c1\r\n
///
/// (one line), with `replid2=... second=...` before `crc` if there is a history before this
/// one and `closed` if the writer stopped here in good order. The checksum is that of the
/// bytes before ` crc=`.
package struct Mark: Equatable, Sendable {
    /// The history that the offsets belong to.
    package var lineage: Lineage
    /// Bytes of the stream before this place.
    package var offset: StreamOffset
    /// How much of the stream was safely on disk when this was written.
    package var durableOffset: StreamOffset
    /// When this was written.
    package var time: WallTime
    /// Whether the writer stopped here of its own will, with everything on disk.
    package var isClosing: Bool

    package init(
        lineage: Lineage,
        offset: StreamOffset,
        durableOffset: StreamOffset,
        time: WallTime,
        isClosing: Bool = false
    ) {
        self.lineage = lineage
        self.offset = offset
        self.durableOffset = durableOffset
        self.time = time
        self.isClosing = isClosing
    }

    static let linePrefix: StaticString = "#LARDER:1 "

    /// Appends the mark as a remark.
    package func writeLine(to writer: inout ByteWriter) {
        let start = writer.count
        writer.append(Mark.linePrefix)
        writer.append(utf8: "replid=\(lineage.id) offset=\(offset) durable=\(durableOffset)")
        writer.append(utf8: " time=\(time.milliseconds)")
        if let previous = lineage.previous {
            writer.append(utf8: " replid2=\(previous.id) second=\(previous.end)")
        }
        if isClosing { writer.append(" closed") }
        let checksum = CRC32C.checksum(
            writer.bytes.part(from: start, count: writer.count - start)
        )
        writer.append(utf8: " crc=\(hexadecimal(checksum))\r\n")
    }

    /// Reads a remark; nil if it is not a mark, or a damaged one.
    package init?(line: RawSpan) {
        let suffixByteCount = 15  // " crc=", eight digits, line end
        let toldByteCount = line.byteCount - suffixByteCount
        guard toldByteCount > Mark.linePrefix.utf8CodeUnitCount else { return nil }
        let text = line.text
        guard text.hasPrefix(Mark.linePrefix.description), text.hasSuffix("\r\n") else {
            return nil
        }
        let told = line.part(from: 0, count: toldByteCount)
        let end = " crc=\(hexadecimal(CRC32C.checksum(told)))\r\n"
        guard text.hasSuffix(end) else { return nil }

        var fields: [Substring: Substring] = [:]
        for word in told.text.split(separator: " ").dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            fields[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        func integer(_ name: Substring) -> Int? { fields[name].flatMap { Int($0) } }
        guard let id = fields["replid"].flatMap({ ReplicationID(text: $0) }),
            let offset = integer("offset"), let durable = integer("durable"),
            let time = integer("time")
        else { return nil }
        self.init(
            lineage: Lineage(id: id),
            offset: offset,
            durableOffset: durable,
            time: WallTime(milliseconds: Int64(time)),
            isClosing: fields["closed"] != nil
        )
        if let previous = fields["replid2"].flatMap({ ReplicationID(text: $0) }),
            let end = integer("second")
        {
            lineage.previous = Lineage.Ancestor(id: previous, end: end)
        }
    }
}
