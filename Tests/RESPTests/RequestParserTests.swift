import Bytes
import RESP
import TestKit
import Testing

/// Everything `input` says, fed in pieces of `pieceByteCount`, as a connection would.
private func requests(
    in input: [UInt8],
    pieceByteCount: Int = .max,
    limits: RequestLimits = RequestLimits()
) throws(RESPError) -> [[String]] {
    var found: [[String]] = []
    var parser = RequestParser()
    var waiting: [UInt8] = []
    var rest = input[...]
    repeat {
        waiting += rest.prefix(pieceByteCount)
        rest = rest.dropFirst(pieceByteCount)
        while try parser.parse(waiting.bytes, within: limits) {
            let request = parser.request(in: waiting.bytes)
            found.append((0..<request.count).map { request[$0].text })
        }
        waiting.removeFirst(parser.takeConsumed())
    } while !rest.isEmpty
    return found
}

private func requests(
    in input: String,
    limits: RequestLimits = RequestLimits()
) throws(RESPError) -> [[String]] {
    try requests(in: Array(input.utf8), limits: limits)
}

private let pipeline = """
    *3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$12\r\nwith\r\nbreaks\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n\
    *0\r\n\r\n*-1\r\n   \r\nSET "a b" 'c d'\n*1\r\n$4\r\nPING\r\n
    """
private let pipelined = [
    ["SET", "key", "with\r\nbreaks"], ["PING"], ["ECHO", ""], ["SET", "a b", "c d"], ["PING"],
]

struct RequestParserTests {
    @Test(arguments: 1...pipeline.utf8.count)
    func `pieces of any size hold the same requests`(size: Int) throws {
        #expect(try requests(in: Array(pipeline.utf8), pieceByteCount: size) == pipelined)
    }

    @Test(arguments: 0...pipeline.utf8.count)
    func `requests survive a cut at any byte`(cut: Int) throws {
        var parser = RequestParser()
        let bytes = Array(pipeline.utf8)
        var found: [[String]] = []
        for end in [cut, bytes.count] {
            let input = Array(bytes[..<end])
            while try parser.parse(input.bytes, within: RequestLimits()) {
                let request = parser.request(in: input.bytes)
                found.append((0..<request.count).map { request[$0].text })
            }
        }
        #expect(found == pipelined)
        #expect(parser.takeConsumed() == bytes.count)
        #expect(parser.takeConsumed() == 0)
    }

    @Test func `an unfinished request stays in the input`() throws {
        var parser = RequestParser()
        let input = ByteString("PING\r\n*2\r\n$4\r\nECHO\r\n$100\r\nabc").array
        #expect(try parser.parse(input.bytes, within: RequestLimits()))
        #expect(try !parser.parse(input.bytes, within: RequestLimits()))
        #expect(parser.missingByteCount(in: input.bytes) == 99)
        #expect(parser.takeConsumed() == 6)
        var rest = Array(input[6...])
        #expect(try !parser.parse(rest.bytes, within: RequestLimits()))
        rest += [UInt8](repeating: 0x61, count: 97) + [13, 10]
        #expect(try parser.parse(rest.bytes, within: RequestLimits()))
        let argument = parser.request(in: rest.bytes)[1].byteCount
        #expect(argument == 100)
        #expect(parser.takeConsumed() == rest.count)
    }

    @Test(arguments: ["PING\r\n*1\r\n$4\r\nECHO\r\n", "PING\r\nECHO\r\n"])
    func `a request can be put back`(text: String) throws {
        var parser = RequestParser()
        let input = ByteString(text).array
        #expect(try parser.parse(input.bytes, within: RequestLimits()))
        #expect(try parser.parse(input.bytes, within: RequestLimits()))
        parser.putBack()
        #expect(parser.takeConsumed() == 6)
        let rest = Array(input[6...])
        #expect(try parser.parse(rest.bytes, within: RequestLimits()))
        let name = parser.request(in: rest.bytes)[0].text
        #expect(name == "ECHO")
        #expect(parser.takeConsumed() == rest.count)
    }

    @Test(
        arguments: [
            "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n*0\r\n*1\r\n$4\r\nPING\r\n", "ECHO \"\"\r\n\r\nPING\r\n",
            "*1\r\n$1200\r\n" + String(repeating: "x", count: 1200) + "\r\n*1\r\n$4\r\nPING\r\n",
        ]
    )
    func `a request is encoded as an array of bulk strings, however it came`(
        text: String
    ) throws {
        var parser = RequestParser()
        let input = ByteString(text).array
        while try parser.parse(input.bytes, within: RequestLimits()) {
            let request = parser.request(in: input.bytes)
            var words: [ByteString] = []
            for index in 0..<request.count { words.append(ByteString(request[index])) }
            var expected = ByteWriter()
            RequestBuffer(words).request.encode(into: &expected)
            var found = ByteWriter()
            request.encode(into: &found)
            #expect(ByteString(found.bytes) == ByteString(expected.bytes))
            let isArray = text.hasPrefix("*")
            #expect(!isArray || parser.requestByteCount == found.count)
        }
        #expect(parser.takeConsumed() == input.count)
    }

    @Test func `a long request and then a short one`() throws {
        let long = (0..<5000).map { "value \($0)" }
        var writer = ByteWriter()
        for words in [long, ["PING"]] {
            RequestBuffer(words.map { ByteString($0) }).request.encode(into: &writer)
        }
        let bytes = ByteString(writer.bytes).array
        #expect(try requests(in: bytes) == [long, ["PING"]])
        #expect(try requests(in: bytes, pieceByteCount: 7) == [long, ["PING"]])
    }

    @Test(
        arguments: [
            ("*3x\r\n", "invalid multibulk length"),
            ("*03\r\n", "invalid multibulk length"),
            ("*+1\r\n", "invalid multibulk length"),
            ("*\r\n", "invalid multibulk length"),
            ("*2147483648\r\n", "invalid multibulk length"),
            ("*99999999999999999999\r\n", "invalid multibulk length"),
            ("*1\rx$4\r\nPING\r\n", "invalid CRLF in request"),
            ("*1\r\n+PING\r\n", "expected '$', got '+'"),
            ("*1\r\n$-1\r\n", "invalid bulk length"),
            ("*1\r\n$x\r\n", "invalid bulk length"),
            ("*1\r\n$\r\n", "invalid bulk length"),
            ("*1\r\n$04\r\nPING\r\n", "invalid bulk length"),
            ("*1\r\n$536870913\r\n", "invalid bulk length"),
            ("*1\r\n$4\r\nPINGxx", "invalid CRLF in request"),
            ("PING 'a\r\n", "unbalanced quotes in request"),
            ("PING \"a\r\n", "unbalanced quotes in request"),
            ("PING \"a\\\r\n", "unbalanced quotes in request"),
        ]
    )
    func `what is not the protocol is refused`(input: String, reason: String) throws {
        let expected = ByteString("ERR Protocol error: \(reason)")
        let bytes = Array(input.utf8)
        for size in [bytes.count, 1] {
            let error = #expect(throws: RESPError.self) {
                try requests(in: bytes, pieceByteCount: size)
            }
            #expect(error?.text == expected)
        }
    }

    @Test func `requests before the damage are found`() throws {
        var parser = RequestParser()
        let input = ByteString("PING\r\n*1\r\n+").array + ByteString("\r\n").array
        #expect(try parser.parse(input.bytes, within: RequestLimits()))
        #expect(throws: RESPError.expectedBulk(got: UInt8(ascii: "+"))) {
            try parser.parse(input.bytes, within: RequestLimits())
        }
    }

    @Test(arguments: [
        ("", "x", RESPError.inlineTooLong), ("*", "1", .arrayLengthTooLong),
        ("*1\r\n$", "1", .bulkLengthTooLong),
    ])
    func `a line has a limit`(prefix: String, filler: String, error: RESPError) throws {
        let start = Array(prefix.utf8)
        let line = start.last.map { [$0] } ?? []
        let room = 64 << 10
        let full = start + [UInt8](repeating: filler.utf8.first!, count: room - line.count)
        #expect(try requests(in: full).isEmpty)
        #expect(throws: error) { try requests(in: full + full.suffix(1)) }
        #expect(throws: error) { try requests(in: full + full.suffix(1), pieceByteCount: 4099) }
    }

    @Test(arguments: [
        ("*10\r\n$16384\r\n", nil), ("*11\r\n", RESPError.unauthenticatedArrayLength),
        ("*1\r\n$16385\r\n", .unauthenticatedBulkLength),
    ])
    func `who has not authenticated gets little`(input: String, error: RESPError?) throws {
        #expect(try requests(in: input).isEmpty)
        let limits = RequestLimits(isAuthenticated: false)
        if let error {
            #expect(throws: error) { try requests(in: input, limits: limits) }
        } else {
            #expect(try requests(in: input, limits: limits).isEmpty)
        }
    }

    @Test func `the longest argument is configured`() throws {
        let limits = RequestLimits(maximumBulkByteCount: 4)
        #expect(try requests(in: "*1\r\n$4\r\nPING\r\n", limits: limits) == [["PING"]])
        #expect(throws: RESPError.invalidBulkLength) {
            try requests(in: "*1\r\n$5\r\n", limits: limits)
        }
    }

    @Test(
        arguments: [
            ("ECHO \"a\"b", ["ECHO", "ab"]), ("ECHO a\"b c\"d", ["ECHO", "ab cd"]),
            ("ECHO \"\\x41\\n\\q\\\"\\x4\"", ["ECHO", "A\nq\"x4"]),
            ("ECHO 'a\\'b\\n'", ["ECHO", "a'b\\n"]), ("ECHO ''", ["ECHO", ""]),
            ("\tping\tx ", ["ping", "x"]), ("ECHO a\u{0B}b", ["ECHO", "a\u{0B}b"]),
            ("ECHO a\r\rb\r", ["ECHO", "a", "b"]), ("$4", ["$4"]),
        ]
    )
    func `inline words take quotes and escapes`(line: String, words: [String]) throws {
        #expect(try requests(in: line + "\n") == [words])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random requests read back as written`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var all: [[String]] = []
        var writer = ByteWriter()
        for _ in 0..<200 {
            let words = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                String(repeating: "é\r\n$", count: Int.random(in: 0...40, using: &random))
            }
            all.append(words)
            RequestBuffer(words.map { ByteString($0) }).request.encode(into: &writer)
        }
        let bytes = ByteString(writer.bytes).array
        for _ in 0..<20 {
            let size = Int.random(in: 1...700, using: &random)
            #expect(try requests(in: bytes, pieceByteCount: size) == all)
        }
    }
}

struct QuotedWordsTests {
    @Test func `words read back as quoted`() {
        let bytes: [UInt8] = Array(0...255)
        let line = ByteString(QuotedWords.quote(bytes.bytes) + " plain")
        #expect(QuotedWords.split(line.bytes) == [ByteString(bytes), "plain"])
    }

    @Test func `a quote that is not closed has no words`() {
        #expect(QuotedWords.split(ByteString("a \"b").bytes) == nil)
    }
}

struct RequestBufferTests {
    @Test func `a buffer lends what it was given`() {
        var buffer = RequestBuffer(["SET", "key"])
        buffer.append(decimal: -17)
        let request = buffer.request
        #expect(request.count == 3)
        #expect(request.byteCount == 9)
        let copy = RequestBuffer(copying: request)
        let last = copy.request[2].text
        #expect(last == "-17")
    }

    @Test func `a buffer can be used again`() {
        var buffer = RequestBuffer(["GET", "key"])
        buffer.removeAll()
        buffer.append(ByteString("PING").bytes)
        let request = buffer.request
        let name = request[0].text
        #expect(request.count == 1 && name == "PING")
    }
}
