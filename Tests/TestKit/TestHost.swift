import Bytes
import Commands
import RESP
import Store

/// A host that remembers what it was asked for and does nothing.
package final class TestHost: Host {
    package private(set) var calls: [String] = []
    /// Microseconds that have passed, by the driver's clock.
    package var elapsed: Int64 = 0
    package var lastSave: Int64 = 0
    package var replicationOffset: Int64 = 0
    package var durableOffset: Int64?
    package var connections: [SessionID: ConnectionDescription] = [:]
    package private(set) var closed: [SessionID] = []
    package var configuration: [ByteString: ByteString] = [:]

    package init() {}

    package func save(_ engine: inout Engine) throws(CommandError) {
        calls.append("save")
    }

    package func saveFlushed(_ engine: inout Engine) {
        calls.append("saveFlushed")
    }

    package func startSave(
        _ engine: inout Engine,
        schedule: Bool
    ) throws(CommandError) -> StaticString {
        calls.append("startSave")
        return "Background saving started"
    }

    package func cancelSave(_ engine: inout Engine) throws(CommandError) -> StaticString {
        calls.append("cancelSave")
        return "Background saving cancelled"
    }

    package func startCompaction(_ engine: inout Engine) throws(CommandError) -> StaticString {
        calls.append("startCompaction")
        return "Background append only file rewriting started"
    }

    package func shutdown(
        _ engine: inout Engine,
        _ request: ShutdownRequest
    ) throws(CommandError) {
        calls.append("shutdown \(request)")
    }

    package func reload(
        _ engine: inout Engine,
        _ request: ReloadRequest
    ) throws(CommandError) {
        calls.append("reload")
    }

    package func reloadLog(_ engine: inout Engine) throws(CommandError) {
        calls.append("reloadLog")
    }

    package func getConfiguration(_ patterns: [ByteString], _ reply: inout ReplyWriter) {
        let found = configuration.filter { pair in
            patterns.contains { GlobPattern($0.bytes, ignoringCase: true).matches(pair.key.bytes) }
        }
        reply.map(found.count)
        for (name, value) in found.sorted(by: { $0.key < $1.key }) {
            reply.bulk(name.bytes)
            reply.bulk(value.bytes)
        }
    }

    package func setConfiguration(
        _ pairs: [(name: ByteString, value: ByteString)],
        _ engine: inout Engine
    ) throws(CommandError) {
        for (name, value) in pairs { configuration[name] = value }
    }

    package func rewriteConfiguration() throws(CommandError) {
        calls.append("rewriteConfiguration")
    }

    package func resetStatistics(_ engine: inout Engine) {
        calls.append("resetStatistics")
    }

    package func information(
        _ sections: [ByteString],
        _ engine: borrowing Engine
    ) -> ByteString {
        "# Test\r\n"
    }

    package func connection(of session: SessionID) -> ConnectionDescription? {
        connections[session] ?? ConnectionDescription()
    }

    package func close(_ session: SessionID) {
        closed.append(session)
    }

    package var microseconds: Int64 { elapsed }

    package var ticks: UInt64 { UInt64(elapsed) }

    package func memory(_ engine: borrowing Engine) -> MemoryFigures {
        var figures = MemoryFigures()
        figures.used = engine.dataSet.usedByteCount + engine.settings.otherMemory
        return figures
    }

    package func releaseMemory() {
        calls.append("releaseMemory")
    }

    package func say(_ text: String) {
        calls.append("say \(text)")
    }

    package var timeOfDay: Int64 { 1_700_000_000_000_000 + elapsed }

    package func sleep(microseconds: Int64) {
        elapsed += microseconds
    }
}
