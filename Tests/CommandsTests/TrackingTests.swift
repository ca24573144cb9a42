import Commands
import RESP
import TestKit
import Testing

struct TrackingTests {
    let engine = EngineDriver(protocol: .resp3)

    private func invalidation(_ keys: Reply...) -> Reply {
        .push(["invalidate", .array(keys)])
    }

    init() {
        engine("HELLO 3")
    }

    @Test func `a client hears of changes of what it read, once`() {
        let writer = engine.connect()
        engine("CLIENT TRACKING on")
        engine("GET a")
        engine("MGET b c")
        engine(writer, "SET a 1")
        engine(writer, "SET a 2")
        engine(writer, "SET d 1")
        #expect(engine.takeMessages() == [invalidation("a")])
        engine(writer, "MSET b 1 c 1")
        #expect(engine.takeMessages() == [invalidation("b"), invalidation("c")])
    }

    @Test func `it hears of its own changes behind their reply, unless it said NOLOOP`() {
        engine("CLIENT TRACKING on")
        engine("GET a")
        engine("SET a 1")
        #expect(engine.takeMessages() == [invalidation("a")])
        engine("CLIENT TRACKING on NOLOOP")
        engine("GET a")
        engine("SET a 1")
        #expect(engine.takeMessages() == [])
    }

    @Test func `keys that go away by themselves are changes`() {
        engine("CLIENT TRACKING on")
        engine("SET a 1 PX 10")
        engine("GET a")
        engine.now += 10
        engine(engine.connect(), "GET a")
        #expect(engine.takeMessages() == [invalidation("a")])
        engine("GET b")
        engine(engine.connect(), "FLUSHALL")
        #expect(engine.takeMessages() == [.push(["invalidate", .null])])
    }

    @Test func `keys that are remembered no more are told of as soon as the limit is set`() {
        engine("CLIENT TRACKING on")
        for name in ["a", "b", "c"] { engine("GET \(name)") }
        engine.engine.setTrackedKeyLimit(1)
        engine("PING")
        #expect(engine.takeMessages().count == 2)
    }

    @Test func `broadcasts tell of prefixes without reading`() {
        engine("CLIENT TRACKING on BCAST PREFIX user: PREFIX cart:")
        let writer = engine.connect()
        engine(writer, "MSET cart:1 b user:1 a other c user:2 d")
        engine(writer, "SET user:1 e")
        #expect(
            engine.takeMessages() == [invalidation("cart:1"), invalidation("user:1", "user:2")]
        )
        #expect(
            engine("CLIENT TRACKING on BCAST PREFIX us")
                == """
                -ERR Prefix 'us' overlaps with an existing prefix 'user:'. Prefixes for a single \
                client must not overlap.
                """
        )
    }

    @Test func `opting in and out is for one request`() {
        let writer = engine.connect()
        engine("CLIENT TRACKING on OPTIN")
        engine("GET a")
        engine("CLIENT CACHING yes")
        engine("GET b")
        engine("GET c")
        engine(writer, "MSET a 1 b 1 c 1")
        #expect(engine.takeMessages() == [invalidation("b")])
        engine("CLIENT TRACKING off")
        engine("CLIENT TRACKING on OPTOUT")
        engine("GET a")
        engine("CLIENT CACHING no")
        engine("GET b")
        engine(writer, "MSET a 1 b 1 c 1")
        #expect(engine.takeMessages() == [invalidation("a")])
    }

    @Test func `another client can listen in the place of one of RESP2`() {
        let listener = engine.connect()
        engine(listener, "SUBSCRIBE __redis__:invalidate")
        let reader = engine.connect()
        guard case .integer(let number)? = engine(engine.connect(), "CLIENT ID") else { return }
        engine(reader, "CLIENT TRACKING on REDIRECT \(number - 2)")
        engine(reader, "GET a")
        engine("SET a 1")
        #expect(
            engine.takeMessages(listener) == [["message", "__redis__:invalidate", ["a"]]]
        )
        #expect(engine(reader, "CLIENT GETREDIR") == .integer(number - 2))
    }
}
