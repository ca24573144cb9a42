import Bytes
import RESP
import Testing

/// What `body` writes, in both forms.
private func spell(_ body: (inout ReplyWriter) -> Void) -> [String] {
    [ProtocolVersion.resp2, .resp3].map { version in
        var reply = ReplyWriter(version)
        body(&reply)
        return reply.bytes.text
    }
}

struct ReplyWriterTests {
    @Test func `both forms share what RESP2 has`() {
        let both = spell { reply in
            reply.ok()
            reply.status("QUEUED")
            reply.status(ByteString("no\r\nbreak").bytes)
            reply.bulk(ByteString("a\r\nb").bytes)
            reply.bulk("literal")
            reply.bulk("made" + " here")
            reply.bulk(decimal: -120)
            reply.integer(7 as Int64)
            reply.integer(-1 as Int64)
            reply.integer(Int64.min)
            reply.array(12)
            reply.error("ERR no" as StaticString)
            reply.error("ERR un\(1)known\r\nx")
        }
        let expected = """
            +OK\r\n+QUEUED\r\n+no  break\r\n$4\r\na\r\nb\r\n$7\r\nliteral\r\n$9\r\nmade here\r\n\
            $4\r\n-120\r\n:7\r\n:-1\r\n:-9223372036854775808\r\n*12\r\n-ERR no\r\n\
            -ERR un1known  x\r\n
            """
        #expect(both == [expected, expected])
    }

    @Test func `RESP2 spells the newer shapes with older ones`() {
        let (resp2, resp3) = { ($0[0], $0[1]) }(
            spell { reply in
                reply.null()
                reply.nullArray()
                reply.double(2.5)
                reply.double(-.infinity)
                reply.double(text: ByteString("0.10").bytes)
                reply.boolean(true)
                reply.boolean(false)
                reply.bigNumber(ByteString("123").bytes)
                reply.verbatim("txt", ByteString("hello").bytes)
                reply.map(2)
                reply.set(3)
                reply.push(4)
            }
        )
        #expect(
            resp2 == """
                $-1\r\n*-1\r\n$3\r\n2.5\r\n$4\r\n-inf\r\n$4\r\n0.10\r\n:1\r\n:0\r\n$3\r\n123\r\n\
                $5\r\nhello\r\n*4\r\n*3\r\n*4\r\n
                """
        )
        #expect(
            resp3 == """
                _\r\n_\r\n,2.5\r\n,-inf\r\n,0.10\r\n#t\r\n#f\r\n(123\r\n=9\r\ntxt:hello\r\n\
                %2\r\n~3\r\n>4\r\n
                """
        )
    }

    @Test(arguments: [0, 1, 9, 10, 99, 1000])
    func `a count may come last`(count: Int) {
        func write(_ deferred: Bool) -> [String] {
            spell { reply in
                reply.ok()
                let outer = reply.beginArray()
                if !deferred { reply.array(count) }
                for index in 0..<count {
                    let inner = reply.beginMap()
                    if !deferred { reply.map(1) }
                    reply.integer(index)
                    let members = reply.beginSet()
                    if !deferred { reply.set(0) }
                    if deferred {
                        reply.endSet(members, count: 0)
                        reply.endMap(inner, count: 1)
                    }
                }
                if deferred { reply.endArray(outer, count: count) }
                reply.ok()
            }
        }
        #expect(write(true) == write(false))
    }

    @Test func `a reply can be taken back`() {
        var reply = ReplyWriter()
        reply.ok()
        let mark = reply.mark
        reply.array(3)
        reply.integer(1 as Int64)
        #expect(reply.byteCount(since: mark) == 8)
        let begun = reply.bytes(since: mark).text
        #expect(begun == "*3\r\n:1\r\n")
        reply.rewind(to: mark)
        reply.error("ERR no" as StaticString)
        #expect(reply.bytes.text == "+OK\r\n-ERR no\r\n")
    }

    @Test func `sent bytes are forgotten`() {
        var reply = ReplyWriter()
        reply.ok()
        reply.removeAll()
        reply.append(prepared: ByteString(":1\r\n").bytes)
        #expect(reply.bytes.text == ":1\r\n")
        #expect(reply.byteCount == 4)
    }
}
