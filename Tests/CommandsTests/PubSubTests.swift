import Commands
import RESP
import TestKit
import Testing

struct PubSubTests {
    let engine = EngineDriver()

    @Test func `messages reach those who listen to the channel or a pattern of it`() {
        let listener = engine.connect()
        #expect(engine(listener, "SUBSCRIBE news") == ["subscribe", "news", 1])
        #expect(engine(listener, "PSUBSCRIBE n*") == ["psubscribe", "n*", 2])
        #expect(engine("PUBLISH news hello") == 2)
        #expect(engine("PUBLISH olds hello") == 0)
        #expect(
            engine.takeMessages(listener) == [
                ["message", "news", "hello"], ["pmessage", "n*", "news", "hello"],
            ]
        )
        #expect(engine(listener, "UNSUBSCRIBE news") == ["unsubscribe", "news", 1])
        #expect(engine("PUBLISH news hello") == 1)
    }

    @Test func `a client of RESP3 gets pushes and may go on working`() {
        let listener = engine.connect()
        engine(listener, "HELLO 3")
        #expect(engine(listener, "SUBSCRIBE news") == .push(["subscribe", "news", 1]))
        #expect(engine(listener, "SET a 1") == "+OK")
        #expect(engine(listener, "PUBLISH news hello") == 1)
        #expect(engine.takeMessages(listener) == [.push(["message", "news", "hello"])])
        #expect(engine(listener, "UNSUBSCRIBE") == .push(["unsubscribe", "news", 0]))
        #expect(engine(listener, "UNSUBSCRIBE") == .push(["unsubscribe", .null, 0]))
    }

    @Test func `a subscribed client of RESP2 may only listen`() {
        engine("SUBSCRIBE a")
        #expect(
            engine("GET a")
                == """
                -ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                RESET are allowed in this context
                """
        )
        #expect(engine("PING") == ["pong", ""])
        #expect(engine("PING hi") == ["pong", "hi"])
        #expect(engine("RESET") == "+RESET")
        #expect(engine("GET a") == .null)
    }

    @Test func `shard channels are a world of their own`() {
        let listener = engine.connect()
        #expect(engine(listener, "SSUBSCRIBE a") == ["ssubscribe", "a", 1])
        #expect(engine("PUBLISH a x") == 0)
        #expect(engine("SPUBLISH a x") == 1)
        #expect(engine("PUBSUB SHARDCHANNELS") == ["a"])
        #expect(engine("PUBSUB SHARDNUMSUB a b") == ["a", 1, "b", 0])
        #expect(engine("PUBSUB CHANNELS") == [])
        #expect(engine.takeMessages(listener) == [["smessage", "a", "x"]])
        #expect(engine(listener, "SUNSUBSCRIBE") == ["sunsubscribe", "a", 0])
    }

    @Test func `a client that is gone listens no more`() {
        let listener = engine.connect()
        engine(listener, "SUBSCRIBE a")
        engine(listener, "PSUBSCRIBE *")
        #expect(engine("PUBSUB NUMPAT") == 1)
        engine.engine.closeSession(listener)
        #expect(engine("PUBLISH a x") == 0)
        #expect(engine("PUBSUB NUMPAT") == 0)
        #expect(engine("PUBSUB NUMSUB a") == ["a", 0])
    }

    @Test func `changes of keys are published in both kinds of channels`() throws {
        let listener = engine.connect()
        engine(listener, "PSUBSCRIBE __key*")
        engine.engine.setNotifications(try #require(Notification(letters: "KEA")))
        engine("SET a 1 PX 10")
        engine.now += 10
        engine("GET a")
        let expected: [Reply] = [
            ["__keyspace@0__:a", "set"], ["__keyevent@0__:set", "a"],
            ["__keyspace@0__:a", "expire"], ["__keyevent@0__:expire", "a"],
            ["__keyspace@0__:a", "expired"], ["__keyevent@0__:expired", "a"],
        ]
        let messages = engine.takeMessages(listener).map { message -> Reply in
            guard case .array(let parts) = message else { return message }
            return .array(Array(parts[2...]))
        }
        #expect(messages == expected)
    }

    @Test(arguments: [
        "ZUNIONSTORE a 1 b", "ZRANGESTORE a b 0 1", "SINTERSTORE a b", "SORT b STORE a",
        "BITOP AND a b", "GEOSEARCHSTORE a b FROMLONLAT 0 0 BYRADIUS 1 m",
    ])
    func `an empty result deletes what it was to replace, be its deadline past`(
        request: String
    ) throws {
        let listener = engine.connect()
        engine(listener, "PSUBSCRIBE __keyevent*")
        engine("SET a 1 PX 10")
        engine.now += 10
        engine.engine.setNotifications(try #require(Notification(letters: "EA")))
        #expect(engine(request) == 0)
        let told: Reply = ["pmessage", "__keyevent*", "__keyevent@0__:del", "a"]
        #expect(engine.takeMessages(listener) == [told])
    }

    @Test func `a restored value replaces a key without a look at its deadline`() throws {
        let listener = engine.connect()
        engine(listener, "PSUBSCRIBE __keyevent*")
        engine("SET a 1 PX 10")
        engine.now += 10
        engine.engine.setNotifications(try #require(Notification(letters: "EA")))
        engine("RESTORE a 0 payload REPLACE")
        #expect(engine.takeMessages(listener).isEmpty)
        engine("RESTORE a 0 payload")
        let told: Reply = ["pmessage", "__keyevent*", "__keyevent@0__:expired", "a"]
        #expect(engine.takeMessages(listener) == [told])
    }

    @Test(arguments: ["", "KEA", "AKE", "g$KE", "Kn", "AKEmn"])
    func `letters of notifications are read and told`(letters: String) throws {
        let kinds = try #require(Notification(letters: letters))
        #expect(Notification(letters: kinds.letters) == kinds)
        #expect(Notification(letters: "q") == nil)
    }
}
