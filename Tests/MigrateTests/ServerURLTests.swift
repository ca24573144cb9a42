import Migrate
import Testing
import Transport

struct ServerURLTests {
    @Test func `a host alone has the usual port`() throws {
        let url = try ServerURL("redis://cache.example")
        #expect(url.address == .tcp(host: "cache.example", port: 6379))
        #expect(url.user == nil && url.password == nil && url.database == nil)
    }

    @Test func `user, password, port and database are read`() throws {
        let url = try ServerURL("valkey://app:p%40ss%3Aword@10.0.0.1:7001/3")
        #expect(url.address == .tcp(host: "10.0.0.1", port: 7001))
        #expect(url.user == "app")
        #expect(url.password == "p@ss:word")
        #expect(url.database == 3)
    }

    @Test func `a password may stand alone, and an address of IPv6 in brackets`() throws {
        let url = try ServerURL("redis://:secret@[::1]:7000")
        #expect(url.address == .tcp(host: "::1", port: 7000))
        #expect(url.user == nil && url.password == "secret")
    }

    @Test func `a socket has a path`() throws {
        let url = try ServerURL("unix://:secret@/run/valkey.sock?db=2")
        #expect(url.address == .unix(path: "/run/valkey.sock"))
        #expect(url.password == "secret" && url.database == 2)
    }

    @Test func `messages do not have the password`() throws {
        let text = try ServerURL("redis://app:secret@host:7000/1").description
        #expect(text == "redis://host:7000/1")
    }

    @Test(arguments: [
        "host:6379", "http://host", "redis://host:port", "redis://host:0", "redis://host:70000",
        "redis://host/db", "redis://host/-1", "redis://%4:x@host", "rediss://host",
    ])
    func `what is no such URL is refused`(text: String) {
        #expect(throws: ServerURL.Invalid.self) { try ServerURL(text) }
    }

    @Test func `paths are told from URLs`() {
        #expect(ServerURL.isURL("redis://host"))
        #expect(ServerURL.isURL("unix:///run/x"))
        #expect(!ServerURL.isURL("dump.rdb"))
        #expect(!ServerURL.isURL("/data/redis:/dump.rdb"))
    }
}
