import Bytes
import Commands
import RESP
import TestKit
import Testing

struct ClientsTests {
    let engine = EngineDriver()

    /// The fields of the own line of CLIENT INFO.
    private func fields() -> [Substring: Substring] {
        guard case .bulk(let line)? = engine("CLIENT INFO") else { return [:] }
        let words = line.text.split(separator: " ").map {
            $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        }
        return Dictionary(uniqueKeysWithValues: words.map { ($0[0], $0[1]) })
    }

    @Test func `a client tells its name and library`() {
        #expect(engine("CLIENT GETNAME") == .null)
        #expect(engine("CLIENT SETNAME app") == "+OK")
        #expect(engine("CLIENT SETINFO LIB-NAME swift") == "+OK")
        #expect(engine("CLIENT GETNAME") == "app")
        #expect(fields()["name"] == "app")
        #expect(fields()["lib-name"] == "swift")
        #expect(fields()["multi"] == "-1")
        #expect(fields()["cmd"] == "client|info")
        let refusal: Reply =
            "-ERR Client names cannot contain spaces, newlines or special characters."
        #expect(engine.execute(["CLIENT", "SETNAME", "a b"]) == refusal)
    }

    @Test func `replies can be turned off`() {
        #expect(engine("CLIENT REPLY OFF") == nil)
        #expect(engine("SET a 1") == nil)
        #expect(engine("NOSUCH") == nil)
        #expect(engine("CLIENT REPLY ON") == "+OK")
        #expect(engine("CLIENT REPLY SKIP") == nil)
        #expect(engine("GET a") == nil)
        #expect(engine("GET a") == "1")
    }

    @Test func `clients are listed and ended by what they are`() {
        let other = engine.connect()
        engine(other, "CLIENT SETNAME other")
        engine(other, "SUBSCRIBE a")
        #expect(engine("CLIENT KILL TYPE normal") == 0)
        #expect(engine("CLIENT KILL NAME nobody") == 0)
        #expect(engine("CLIENT KILL TYPE pubsub NAME other") == 1)
        #expect(engine.host.closed == [other])
        #expect(engine("CLIENT KILL SKIPME no NOT-NAME other") == 1)
        #expect(engine.outcome == .close)
        #expect(engine("CLIENT KILL ID 0") == "-ERR client-id should be greater than 0")
        #expect(engine("CLIENT LIST ID 98 99") == "")
    }

    @Test func `a pause makes requests wait, or only those that write`() {
        engine("SET a 1")
        engine("CLIENT PAUSE 100 WRITE")
        #expect(engine("GET a") == "1")
        #expect(engine("SET a 2") == nil)
        #expect(engine.outcome == .postponed)
        engine("MULTI")
        #expect(engine("SET a 2") == nil)
        engine.now += 100
        #expect(engine("SET a 2") == "+QUEUED")
        engine("DISCARD")
        engine("CLIENT PAUSE 100")
        #expect(engine("GET a") == nil)
        engine.now += 100
        #expect(engine("GET a") == "1")
    }

    @Test func `HELLO chooses the form, and RESET goes back`() {
        guard case .map(let pairs)? = engine("HELLO 3 SETNAME x") else {
            return #expect(Bool(false), "no map")
        }
        #expect(pairs.contains(Reply.Pair("proto", 3)))
        #expect(engine("GET nothing") == .null)
        #expect(engine("CLIENT GETNAME") == "x")
        #expect(engine("HELLO 4") == "-NOPROTO unsupported protocol version")
        #expect(engine("HELLO 3 FOO") == "-ERR Syntax error in HELLO option 'FOO'")
        engine("SELECT 3")
        #expect(engine("RESET") == "+RESET")
        #expect(fields()["resp"] == "2")
        #expect(fields()["db"] == "0")
        #expect(engine("CLIENT GETNAME") == .null)
    }

    @Test func `without the password nothing can be done`() {
        engine.engine.settings.password = "secret"
        let other = engine.connect()
        #expect(engine(other, "GET a") == "-NOAUTH Authentication required.")
        let refusal: Reply = "-WRONGPASS invalid username-password pair or user is disabled."
        #expect(engine(other, "AUTH wrong") == refusal)
        #expect(engine(other, "AUTH somebody secret") == refusal)
        #expect(engine(other, "AUTH default secret") == "+OK")
        #expect(engine(other, "GET a") == .null)
        #expect(engine(other, "RESET") == "+RESET")
        #expect(engine(other, "GET a") == "-NOAUTH Authentication required.")
        #expect(engine("PING") == "+PONG")
    }
}
