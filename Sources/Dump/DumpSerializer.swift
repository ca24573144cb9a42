import Bytes
import RDB
import Store

/// Values as DUMP of every server writes them: an RDB value, its version and a checksum.
package struct DumpSerializer: Serializer {
    package init() {}

    package func serialize(
        _ entry: Entry,
        _ body: (RawSpan) -> Void
    ) throws(SerializationError) {
        do throws(RDBError) {
            var writer = PayloadWriter(for: entry.hasFieldDeadlines ? .valkey9 : .neutral)
            try write(entry, to: &writer)
            writer.finishPayload(body)
        } catch {
            throw .notExpressible("\(error)")
        }
    }

    package func build(
        _ payload: RawSpan,
        under key: RawSpan,
        deadline: Int64?,
        in keyspace: Keyspace,
        keepsModules: Bool
    ) throws(SerializationError) -> OpenEntry {
        var payload = try open(payload)
        do throws(RDBError) {
            var decoder = ValueDecoder(
                key,
                deadline: deadline,
                in: keyspace,
                keepsModules: keepsModules
            )
            if payload.encoding == .module {
                let bytes = MemorySink()
                try payload.readValue(into: &decoder, copyingTo: bytes)
                decoder.keep(module: ByteString(bytes.array).bytes)
            } else {
                try payload.readValue(into: &decoder)
            }
            guard let built = decoder.entry else {
                throw RDBError(.truncated, at: 0, "no elements")
            }
            return built
        } catch {
            throw .wrongContent
        }
    }

    private func open(_ bytes: RawSpan) throws(SerializationError) -> Payload {
        do throws(RDBError) {
            return try Payload(bytes)
        } catch {
            switch error.code {
            case .checksumMismatch, .unsupportedVersion, .truncated: throw .wrongEnvelope
            default: throw .wrongContent
            }
        }
    }

    package func moduleName(of entry: Entry) -> String? {
        guard entry.kind == .module, entry.bytes.byteCount > 8 else { return nil }
        // The id as servers write it: a length prefix of the longest form.
        var bits: UInt64 = 0
        for offset in 1...8 { bits = bits << 8 | UInt64(entry.bytes.byte(at: offset)) }
        return ModuleID(bits: bits).name
    }

    /// A payload of libraries is what a file has between its magic and its end.
    package func functionLibraries(
        _ payload: RawSpan
    ) throws(SerializationError) -> [ByteString] {
        let footerByteCount = 10
        let body = payload.part(from: 0, count: max(payload.byteCount - footerByteCount, 0))
        let end: [UInt8] = [0xFF] + Array(repeating: 0, count: 8)
        let file = Array("REDIS0011".utf8) + ByteString(body).array + end
        var sources: [ByteString] = []
        do throws(RDBError) {
            var reader = FileReader(MemorySource(file))
            while true {
                switch try reader.next() {
                case .function(let source): sources.append(source)
                case .end: return sources
                default: throw RDBError(.unknownType, at: reader.offset, "not a library")
                }
            }
        } catch {
            throw .wrongContent
        }
    }
}

/// Writes the stored value of `entry`; that of a module as it came.
package func write(_ entry: Entry, to writer: inout PayloadWriter) throws(RDBError) {
    if entry.kind == .module {
        try writer.copy(.module, entry.bytes)
    } else {
        try encode(entry, into: &writer)
    }
}
