import Bytes
import Migrate
import Platform
import RDB
import RESP
import Testing
import Transport

struct LoadTests {
    private let address = SocketAddress.tcp(host: "127.0.0.1", port: 1)

    private func verdict(_ text: ByteString) -> LoadVerdict {
        LoadVerdict(.error(text), from: address)
    }

    @Test func `answers are told apart by what can be done about them`() {
        #expect(LoadVerdict(.status("OK"), from: address) == .done)
        #expect(verdict("BUSYKEY Target key name already exists.") == .occupied)
        for text: ByteString in [
            "OOM command not allowed when used memory > 'maxmemory'.", "LOADING Valkey is loading",
            "READONLY You can't write against a read only replica.", "TRYAGAIN Multiple keys",
            "CLUSTERDOWN The cluster is down", "MISCONF Errors writing to the AOF file",
        ] {
            #expect(verdict(text) == .later(text))
        }
        #expect(verdict("ERR Bad data format") == .payloadRefused("ERR Bad data format"))
        #expect(verdict("NOPERM no permissions") == .hopeless("NOPERM no permissions"))
        #expect(verdict("ERR syntax error") == .refused("ERR syntax error"))
        guard case .redirected(let redirection) = verdict("ASK 7 127.0.0.1:2") else {
            Issue.record("ASK is a redirection")
            return
        }
        #expect(!redirection.isLasting && redirection.slot == 7)
    }

    @Test func `pauses get longer until something succeeds, and end in despair`() {
        var pause = LoadPause(patience: .seconds(60))
        var now = MonotonicTime(nanoseconds: 0)
        var isNews = pause.begin("OOM", at: now)
        #expect(isNews && pause.isOn && !pause.isOver(at: now))
        now = now + .milliseconds(100)
        var hasEnded = pause.end()
        #expect(pause.isOver(at: now) && !hasEnded, "what succeeds during a pause ends nothing")
        pause.probe()
        #expect(!pause.isOn)
        isNews = pause.begin("OOM", at: now)
        #expect(!isNews, "the second is no news")
        #expect(!pause.isOver(at: now + .milliseconds(100)))
        #expect(pause.isOver(at: now + .milliseconds(200)))
        pause.probe()
        hasEnded = pause.end()
        #expect(hasEnded)
        hasEnded = pause.end()
        #expect(!hasEnded)
        isNews = pause.begin("OOM", at: now)
        #expect(isNews)
        #expect(!pause.isHopeless(at: now + .seconds(60)))
        #expect(pause.isHopeless(at: now + .seconds(61)))
    }

    @Test func `a budget lets no more through than it has`() {
        var budget = LoadBudget(bytesPerSecond: 1000)
        var now = MonotonicTime(nanoseconds: 0)
        var sent = 0
        for _ in 0..<1000 {
            while budget.allows(at: now) {
                budget.spend(50)
                sent += 50
            }
            now = now + .milliseconds(10)
        }
        #expect((9_500...10_500).contains(sent))
        var unlimited = LoadBudget(bytesPerSecond: nil)
        unlimited.spend(1 << 40)
        let isAllowed = unlimited.allows(at: now)
        #expect(isAllowed)
    }

    @Test func `the note of a load is read back as it was written`() throws {
        var state = LoadState(
            server: "redis://h:1",
            files: [
                LoadedFile(path: "/data/a file.rdb", byteCount: 10, checksum: 0xABC),
                LoadedFile(path: "b.rdb", byteCount: 20, checksum: nil),
            ]
        )
        state.done = LoadPosition(file: 1, offset: 5)
        state.sent = LoadPosition(file: 1, offset: 15)
        let read = try #require(LoadState(state.text))
        #expect(read == state)
        #expect(read.isOf(LoadState(server: "redis://h:1", files: state.files)))
        #expect(!read.isOf(LoadState(server: "redis://h:2", files: state.files)))
        #expect(!read.isOf(LoadState(server: "redis://h:1", files: [state.files[0]])))
        #expect(LoadState("something else\n") == nil)
        #expect(LoadState("larder-load 1\ndone 0\n") == nil)
    }
}

/// What a value becomes as commands.
struct LoadCommandsTests {
    private final class Sent {
        var steps: [LoadCommands.Step] = []
    }

    /// The commands for what `body` reports, as text.
    private func commands(
        _ target: Target = .valkey9,
        _ body: (inout LoadCommands) throws(RDBError) -> Void
    ) throws -> (lines: [String], steps: [LoadCommands.Step]) {
        let sent = Sent()
        var commands = LoadCommands(key: "k", for: target) { step in sent.steps.append(step) }
        try body(&commands)
        try commands.end()
        var lines: [String] = []
        for step in sent.steps {
            var parser = ReplyParser()
            parser.append(step.requests.bytes)
            while case .array(let arguments) = try parser.next() {
                lines.append(
                    arguments.map { if case .bulk(let text) = $0 { text.text } else { "?" } }
                        .joined(separator: " ")
                )
            }
            #expect(parser.waitingByteCount == 0)
        }
        return (lines, sent.steps)
    }

    @Test func `a string is one command, a long one is parts of it`() throws {
        let (lines, _) = try commands { commands throws(RDBError) in
            _ = try commands.begin(.string)
            try commands.string(.integer(12))
        }
        #expect(lines == ["SET k 12"])
        let (parts, _) = try commands { commands throws(RDBError) in
            _ = try commands.begin(.string)
            try commands.stringPart(ByteString("abc").bytes, at: 0, of: 5)
            try commands.stringPart(ByteString("de").bytes, at: 3, of: 5)
        }
        #expect(parts == ["SETRANGE k 0 abc", "SETRANGE k 3 de"])
    }

    @Test func `a long list knows how long it was before each step`() throws {
        let element = ByteString([UInt8](repeating: UInt8(ascii: "x"), count: 100_000))
        let (lines, steps) = try commands { commands throws(RDBError) in
            _ = try commands.begin(.list)
            for _ in 0..<12 { try commands.listElement(.bytes(element.bytes)) }
        }
        #expect(steps.map(\.listLength) == [0, 6])
        #expect(lines.map { $0.split(separator: " ").count } == [8, 8])
    }

    @Test func `members have their scores and fields their deadlines`() throws {
        let (lines, _) = try commands { commands throws(RDBError) in
            _ = try commands.begin(.sortedSet)
            try commands.sortedSetMember(.integer(7), score: 1.5)
            try commands.sortedSetMember(.integer(8), score: -.infinity)
        }
        #expect(lines == ["ZADD k 1.5 7 -inf 8"])
        let (fields, _) = try commands { commands throws(RDBError) in
            _ = try commands.begin(.hashDeadlines)
            try commands.hashField(.integer(1), value: .integer(2), deadline: 4_102_444_800_000)
            try commands.hashField(.integer(3), value: .integer(4), deadline: nil)
        }
        #expect(fields == ["HSET k 1 2 3 4", "HPEXPIREAT k 4102444800000 FIELDS 1 1"])
    }

    @Test func `what the server has no place for is not spelled`() throws {
        #expect(throws: RDBError(.unsupportedByTarget, at: 0, "")) {
            _ = try commands(.valkey8) { commands throws(RDBError) in
                _ = try commands.begin(.hashDeadlines)
            }
        }
        #expect(throws: RDBError(.unsupportedByTarget, at: 0, "")) {
            _ = try commands { commands throws(RDBError) in _ = try commands.begin(.module) }
        }
    }

    @Test func `a stream has its groups, its consumers and what they have not acknowledged`() throws
    {
        let (lines, steps) = try commands { commands throws(RDBError) in
            _ = try commands.begin(.stream3)
            try commands.streamEntry(StreamID(5, 1), fieldCount: 1)
            try commands.streamField(.integer(1), value: .integer(2))
            try commands.streamState(
                StreamState(
                    length: 1,
                    lastID: StreamID(7, 0),
                    firstID: StreamID(5, 1),
                    maximumDeletedID: StreamID(6, 0),
                    entriesAdded: 3,
                    groupCount: 1
                )
            )
            let group = StreamGroup(
                lastDeliveredID: StreamID(5, 1),
                entriesRead: nil,
                pendingCount: 1
            )
            try commands.streamGroup(.integer(9), group)
            try commands.pendingEntry(
                PendingEntry(id: StreamID(5, 1), deliveryTime: 1000, deliveryCount: 2)
            )
            try commands.streamConsumer(
                .integer(4),
                StreamConsumer(seenTime: 1, activeTime: nil, pendingCount: 1)
            )
            try commands.consumerPending(StreamID(5, 1))
        }
        #expect(
            lines == [
                "XADD k 5-1 1 2",
                "XSETID k 7-0 ENTRIESADDED 3 MAXDELETEDID 6-0",
                "XGROUP CREATE k 9 5-1",
                "XGROUP CREATECONSUMER k 9 4",
                "XCLAIM k 9 4 0 5-1 TIME 1000 RETRYCOUNT 2 JUSTID FORCE",
            ]
        )
        #expect(steps.map(\.isOrdered) == [true] && steps.map(\.count) == [5])
    }
}
