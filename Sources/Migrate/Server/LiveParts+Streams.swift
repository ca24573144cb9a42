import Bytes
import RDB
import RESP

/// Streams in parts: entries by `XRANGE`, pending ones by `XPENDING`.
extension LiveParts {
    /// What does not grow with the stream; nil if that cannot be told.
    private func stream() throws(ServerError) -> LiveStream? {
        LiveStream(try client.ask(["XINFO", "STREAM", key, "FULL", "COUNT", "1"]))
    }

    /// Reads a stream, and says how it might be laid out; nil if it has changed meanwhile, or is
    /// none that can be read so.
    func readStream(into visitor: inout some PayloadVisitor) throws(ServerError) -> Encoding? {
        guard let stream = try stream() else { return nil }
        let encoding = stream.hasCounters ? Encoding.stream3 : .stream1
        try report { () throws(RDBError) in _ = try visitor.begin(encoding) }
        guard try readEntries(&visitor) == stream.state.length else { return nil }
        try report { () throws(RDBError) in try visitor.streamState(stream.state) }
        for group in stream.groups {
            guard try read(group, &visitor) else { return nil }
        }
        guard try self.stream() == stream else { return nil }
        try report { () throws(RDBError) in try visitor.end() }
        return encoding
    }

    private func readEntries(_ visitor: inout some PayloadVisitor) throws(ServerError) -> UInt64 {
        var size = PartSize()
        var count: UInt64 = 0
        var start: StreamID? = .zero
        while let first = start {
            let request: [ByteString] = [
                "XRANGE", key, text(first), "+", "COUNT", text(size.count),
            ]
            let entries = try parts(try client.ask(request), "XRANGE")
            guard !entries.isEmpty else { return count }
            var byteCount = 0
            for entry in entries {
                guard case .array(let entry) = entry, entry.count == 2, let id = entry[0].streamID
                else { throw unexpected("XRANGE") }
                let fields = try texts(entry[1], "XRANGE")
                try report { () throws(RDBError) in
                    try visitor.streamEntry(id, fieldCount: fields.count / 2)
                    for index in stride(from: 0, to: fields.count - 1, by: 2) {
                        let (field, value) = (fields[index], fields[index + 1])
                        try visitor.streamField(
                            PackedValue(packing: field.bytes),
                            value: PackedValue(packing: value.bytes)
                        )
                    }
                }
                byteCount += fields.reduce(32) { $0 + $1.byteCount + 16 }
                count += 1
                start = id.next
            }
            size.adapt(to: entries.count, byteCount: byteCount)
        }
        return count
    }

    /// Reads a group; false if it has changed meanwhile.
    private func read(
        _ group: LiveStream.Group,
        _ visitor: inout some PayloadVisitor
    ) throws(ServerError) -> Bool {
        try report { () throws(RDBError) in
            try visitor.streamGroup(
                .bytes(group.name.bytes),
                StreamGroup(
                    lastDeliveredID: group.lastDeliveredID,
                    entriesRead: group.entriesRead,
                    pendingCount: group.pendingCount
                )
            )
        }
        guard try readPending(of: group, &visitor) == group.pendingCount else { return false }
        for consumer in group.consumers {
            guard try read(consumer, of: group, &visitor) == consumer.pendingCount else {
                return false
            }
        }
        return true
    }

    /// Reads what is pending; says how much that is, or less if it has changed meanwhile.
    ///
    /// `XPENDING` tells how long ago something was delivered, by a clock that is not told. So each
    /// part begins with the last entry of the one before, whose moment is known.
    private func readPending(
        of group: LiveStream.Group,
        _ visitor: inout some PayloadVisitor
    ) throws(ServerError) -> Int {
        guard var last = group.firstPending else { return 0 }
        try report { () throws(RDBError) in try visitor.pendingEntry(last) }
        var count = 1
        while count < group.pendingCount {
            let page = try pending(of: group, from: last.id)
            // What is said to be no time ago may be to come.
            guard page.count > 1, page[0].id == last.id, page.allSatisfy({ $0.age > 0 }) else {
                return 0
            }
            let now = last.deliveryTime + page[0].age
            for entry in page.dropFirst() {
                last = PendingEntry(
                    id: entry.id,
                    deliveryTime: now - entry.age,
                    deliveryCount: entry.deliveryCount
                )
                try report { () throws(RDBError) in try visitor.pendingEntry(last) }
                count += 1
            }
        }
        return count
    }

    private func read(
        _ consumer: LiveStream.Consumer,
        of group: LiveStream.Group,
        _ visitor: inout some PayloadVisitor
    ) throws(ServerError) -> Int {
        try report { () throws(RDBError) in
            try visitor.streamConsumer(
                .bytes(consumer.name.bytes),
                StreamConsumer(seenTime: 0, activeTime: nil, pendingCount: consumer.pendingCount)
            )
        }
        var count = 0
        var start: StreamID? = .zero
        while let first = start, count < consumer.pendingCount {
            let page = try pending(of: group, from: first, consumer)
            guard let last = page.last else { return count }
            try report { () throws(RDBError) in
                for entry in page { try visitor.consumerPending(entry.id) }
            }
            count += page.count
            start = last.id.next
        }
        return count
    }

    /// An entry that is pending, by `XPENDING`.
    private struct Pending {
        let id: StreamID
        /// Milliseconds since it was delivered.
        let age: Int64
        let deliveryCount: UInt64
    }

    private static let pendingPartCount = 8192

    private func pending(
        of group: LiveStream.Group,
        from first: StreamID,
        _ consumer: LiveStream.Consumer? = nil
    ) throws(ServerError) -> [Pending] {
        let count = text(Self.pendingPartCount)
        let request: [ByteString] = ["XPENDING", key, group.name, text(first), "+", count]
        let reply = try client.ask(request + (consumer.map { [$0.name] } ?? []))
        var found: [Pending] = []
        for entry in try parts(reply, "XPENDING") {
            guard case .array(let entry) = entry, entry.count == 4, let id = entry[0].streamID,
                case .integer(let age) = entry[2], case .integer(let count) = entry[3]
            else { throw unexpected("XPENDING") }
            found.append(Pending(id: id, age: age, deliveryCount: UInt64(clamping: count)))
        }
        return found
    }

    private func parts(_ reply: Reply, _ command: ByteString) throws(ServerError) -> [Reply] {
        guard case .array(let parts) = reply else { throw unexpected(command) }
        return parts
    }

    private func text(_ id: StreamID) -> ByteString { ByteString("\(id)") }

    /// Reads a value in one piece.
    func readWhole(into visitor: inout some PayloadVisitor) throws(ServerError) -> Encoding {
        guard case .bulk(let bytes) = try client.ask(["DUMP", key]) else {
            throw unexpected("DUMP")
        }
        do throws(RDBError) {
            var payload = try Payload(bytes.bytes, validation: [])
            try payload.readValue(into: &visitor)
            return payload.encoding
        } catch {
            throw ServerError(
                client.url.description,
                .damaged(key: key, "\(error)")
            )
        }
    }
}
