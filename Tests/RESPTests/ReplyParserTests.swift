import Bytes
import RESP
import TestKit
import Testing

/// Every reply in `input`, fed in pieces of `pieceByteCount`.
private func replies(
    in input: [UInt8],
    pieceByteCount: Int = .max
) throws(RESPError) -> [Reply] {
    var parser = ReplyParser()
    var found: [Reply] = []
    var rest = input[...]
    repeat {
        parser.append(Array(rest.prefix(pieceByteCount)).bytes)
        rest = rest.dropFirst(pieceByteCount)
        while let reply = try parser.next() { found.append(reply) }
    } while !rest.isEmpty
    return found
}

private func replies(in input: String) throws(RESPError) -> [Reply] {
    try replies(in: Array(input.utf8))
}

private let everything = """
    +OK\r\n-ERR no\r\n:-12\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n\
    *2\r\n*1\r\n:1\r\n%1\r\n+k\r\n~2\r\n#t\r\n#f\r\n>1\r\n_\r\n,1.5\r\n(123\r\n=5\r\ntxt:x\r\n\
    !3\r\nERR\r\n|1\r\n+ttl\r\n:3\r\n*1\r\n|1\r\n+a\r\n*0\r\n:7\r\n%0\r\n
    """

private let understood: [Reply] = [
    .status("OK"), .error("ERR no"), .integer(-12), .bulk("a\r\nbc"), .bulk(""), .null,
    .nullArray, .array([]),
    .array([
        .array([.integer(1)]),
        .map([Reply.Pair(.status("k"), .set([.boolean(true), .boolean(false)]))]),
    ]),
    .push([.null]), .double("1.5"), .bigNumber("123"), .verbatim(format: "txt", text: "x"),
    .error("ERR"), .array([.integer(7)]), .map([]),
]

struct ReplyParserTests {
    @Test(arguments: 1...everything.utf8.count)
    func `pieces of any size hold the same replies`(size: Int) throws {
        #expect(try replies(in: Array(everything.utf8), pieceByteCount: size) == understood)
    }

    @Test(
        arguments: [
            ("?\r\n", RESPError.unknownReply(UInt8(ascii: "?"))), (":x\r\n", .invalidReply),
            ("$-2\r\n", .invalidReply), ("*-2\r\n", .invalidReply), ("#x\r\n", .invalidReply),
            ("=3\r\ntxt\r\n", .invalidReply),
            (String(repeating: "*1\r\n", count: 129), .replyTooDeep),
            ("%9223372036854775807\r\n", .invalidReply),
        ]
    )
    func `what no server says is refused`(input: String, error: RESPError) {
        #expect(throws: error) { try replies(in: input) }
    }

    @Test func `what a writer wrote reads back`() throws {
        for version in [ProtocolVersion.resp2, .resp3] {
            var writer = ReplyWriter(version)
            writer.array(3)
            writer.bulk("x")
            writer.null()
            writer.double(0.1)
            let read = try replies(in: ByteString(writer.bytes).array)
            let number: Reply = version == .resp2 ? .bulk("0.1") : .double("0.1")
            #expect(read == [.array([.bulk("x"), .null, number])])
        }
    }
}
