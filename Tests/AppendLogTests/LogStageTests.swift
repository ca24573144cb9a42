import AppendLog
import Bytes
import Platform
import TestKit
import Testing

/// What was staged when the process died is read by the next start.
struct LogStageTests {
    private let storage = SimulatedStorage()

    private func request(_ text: String) -> [UInt8] {
        Array("*2\r\n$3\r\nDEL\r\n$\(text.utf8.count)\r\n\(text)\r\n".utf8)
    }

    /// A log that wrote `written`, and staged `staged` behind it.
    private func die(
        written: [UInt8],
        staged: [[UInt8]],
        halfByteCount: Int = 4096
    ) throws -> LogDirectory {
        let directory = LogDirectory(storage: storage)
        var generator = SeededGenerator(seed: 1)
        var writer = try LogWriter(
            continuing: nil,
            in: directory,
            compression: .lz4,
            time: SimulatedClock(),
            generator: &generator
        )
        let id = writer.lineage.id
        let stage = try LogStage(in: directory, id, at: 0, halfByteCount: halfByteCount)
        #expect(stage.append(written.bytes, at: 0) { 0 })
        try writer.write(written.bytes)
        var offset = written.count
        for effects in staged {
            #expect(stage.append(effects.bytes, at: offset) { written.count })
            offset += effects.count
        }
        return directory
    }

    private func found() throws -> FoundLog {
        try #require(try recover(SimulatedStorage(storage.disk)))
    }

    @Test func `staged effects follow those of the last segment`() throws {
        let (one, two, three) = (request("one"), request("two"), request("three"))
        let directory = try die(written: one, staged: [two, three])
        let found = try found()
        #expect(found.stream == one + two + three)
        #expect(found.recovered.offset == found.stream.count)
        #expect(found.recovered.staged == ByteString(two + three))
        #expect(found.recovered.requestCount == 3)

        // The next life puts them into its first segment, and needs the stage no more.
        var generator = SeededGenerator(seed: 2)
        _ = try LogWriter(
            continuing: found.recovered,
            in: directory,
            compression: .lz4,
            time: SimulatedClock(),
            generator: &generator
        )
        try storage.remove(directory.stagePath)
        #expect(try self.found().stream == one + two + three)
    }

    @Test func `a half begins again only when all in it was written`() throws {
        let id = ReplicationID(text: String(repeating: "a1", count: 20)[...])
        let stage = try LogStage(
            in: LogDirectory(storage: storage),
            try #require(id),
            at: 0,
            halfByteCount: 1024
        )
        let effects = request(String(repeating: "x", count: 400))
        var offset = 0
        var isKept: [Bool] = []
        for _ in 0..<5 {
            isKept.append(stage.append(effects.bytes, at: offset) { 0 })
            offset += effects.count
        }
        #expect(isKept == [true, true, true, true, false])
        #expect(!stage.append(effects.bytes, at: offset) { 0 }, "it would follow a gap")
        let written = offset
        #expect(stage.append(effects.bytes, at: offset) { written })
    }

    @Test func `effects that no half can hold are not staged`() throws {
        let directory = try die(written: request("one"), staged: [])
        let stage = try LogStage(
            in: directory,
            try #require(try found().recovered.lineage?.id),
            at: 0,
            halfByteCount: 1024
        )
        #expect(!stage.append([UInt8](repeating: 0x2A, count: 2000).bytes, at: 0) { 0 })
    }

    @Test func `what has changed in the stage is not read, nor what follows`() throws {
        let requests = (0..<20).map { request("key:\($0)") }
        let directory = try die(written: requests[0], staged: Array(requests.dropFirst()))
        let whole = storage.disk
        let byteCount = whole.content(of: directory.stagePath)?.count ?? 0
        var shorter = 0
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<400 {
            var disk = whole
            let bit = Int.random(in: 0..<(byteCount / 2 * 8), using: &generator)
            disk.flipBit(bit, of: directory.stagePath)
            let found = try #require(try recover(SimulatedStorage(disk)))
            let all = requests.joined()
            #expect(all.starts(with: found.stream), "bit \(bit)")
            #expect(found.stream.count >= requests[0].count)
            if found.stream.count < all.count { shorter += 1 }
        }
        #expect(shorter > 0)
    }

    @Test func `a stage of another history is not read`() throws {
        let directory = try die(written: request("one"), staged: [request("two")])
        var other = SimulatedStorage(storage.disk)
        let id = try #require(ReplicationID(text: String(repeating: "b2", count: 20)[...]))
        let stage = try LogStage(
            in: LogDirectory(storage: other),
            id,
            at: request("one").count,
            halfByteCount: 4096
        )
        // Its first half lies where the staged effects were.
        let offset = request("one").count
        #expect(stage.append(request("strange").bytes, at: offset) { offset })
        other = SimulatedStorage(other.disk)
        #expect(try recover(other)?.stream == request("one"))
        #expect(directory.stagePath.hasSuffix(".stage"))
    }
}
