import Platform
import TestKit
import Testing
import Transport

/// Where one can listen, and what is said when one cannot.
struct ListenerTests {
    @Test func `a port that is taken is refused by name of the call`() throws {
        // Port 0 is any free one, which cannot be asked for; so a few are tried.
        for port in 31_000..<31_100 {
            guard let first = try? Listener(host: "127.0.0.1", port: port, backlog: 8) else {
                continue
            }
            #expect(first.address == .tcp(host: "127.0.0.1", port: port))
            #expect(throws: SystemError.self) {
                try Listener(host: "127.0.0.1", port: port, backlog: 8)
            }
            first.stop()
            return
        }
        Issue.record("no port between 31000 and 31100 is free")
    }

    @Test(arguments: ["no.such.host.invalid", "300.1.1.1", "::zz"])
    func `an address that does not exist is refused`(_ host: String) {
        #expect(throws: SystemError.self) { try Listener(host: host, port: 31_200, backlog: 8) }
    }

    @Test func `a path too long for a socket is refused`() {
        let path = "/tmp/" + String(repeating: "x", count: 108)
        #expect(throws: SystemError.self) {
            try Listener(path: path, permissions: 0, backlog: 8)
        }
    }

    @Test func `nobody is there to accept`() throws {
        let folder = TemporaryDirectory()
        let listener = try Listener(path: folder.path + "/s", permissions: 0, backlog: 8)
        let isNone = try listener.accept() == nil
        #expect(isNone)
    }

    @Test(arguments: [
        (SocketAddress.tcp(host: "127.0.0.1", port: 6379), "127.0.0.1:6379", true),
        (.tcp(host: "::1", port: 6379), "[::1]:6379", true),
        (.tcp(host: "192.0.2.7", port: 1), "192.0.2.7:1", false),
        (.unix(path: "/run/larder.sock"), "/run/larder.sock:0", true),
    ])
    func `addresses are told as clients list them`(
        _ address: SocketAddress,
        _ text: String,
        _ isLocal: Bool
    ) {
        #expect(address.description == text)
        #expect(address.isLocal == isLocal)
    }
}
