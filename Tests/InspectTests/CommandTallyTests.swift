import Bytes
import Inspect
import Testing

/// Commands of a log, counted by name and key.
struct `Command tallies` {
    private func requests(_ commands: [[String]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for command in commands {
            bytes += Array("*\(command.count)\r\n".utf8)
            for word in command { bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        }
        return bytes
    }

    @Test
    func `names, keys, databases and offsets are told apart`() {
        var tally = CommandTally(keeping: 2)
        let first = requests([["SET", "user:1:name", "ada"], ["select", "5"]])
        let second = requests([["XGROUP", "CREATE", "events", "g", "0"], ["del", "user:2:name"]])
        tally.add(first.bytes, at: 100, startsFile: true)
        tally.add(second.bytes, at: 100 + first.count, startsFile: false)
        #expect(tally.total.count == 4)
        #expect(tally.total.byteCount == first.count + second.count)
        #expect(tally.names["DEL"]?.count == 1)
        #expect(tally.names["SELECT"]?.count == 1)
        let paths = tally.prefixes.nodes.indices.dropFirst().map {
            tally.prefixes.path(to: $0).description
        }
        #expect(Set(paths) == ["user:", "user:*:", "user:*:name", "events"])
        let last = tally.last
        #expect(last.map(\.database) == [5, 5])
        #expect(last.map(\.text) == ["XGROUP CREATE events g 0", "del user:2:name"])
        #expect(last[0].offset == 100 + first.count)
    }

    @Test
    func `long and binary words are cut and escaped`() {
        var tally = CommandTally(keeping: 1)
        let long = String(repeating: "x", count: 60)
        let request = requests([["SET", "a b\u{1}", long] + (1...20).map(String.init)])
        tally.add(request.bytes, at: 0, startsFile: true)
        let text = tally.last[0].text
        #expect(text.hasPrefix("SET \"a b\\x01\" \(long.prefix(48))… 60 B 1 2 "))
        #expect(text.hasSuffix(" … 11 more"))
    }
}
