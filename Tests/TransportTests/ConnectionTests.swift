import Bytes
import Foundation
import Glibc
import Platform
import TestKit
import Testing
import Transport

/// Two ends of one connection, over a loop, as the daemon uses them.
///
/// The client's end is a plain blocking socket of this process.
struct ConnectionTests {
    private struct Pair: ~Copyable {
        var loop: EventLoop
        let listener: Listener
        let wakeUp: WakeUp
        var connection: Connection
        let client: CInt
        let folder: TemporaryDirectory

        init() throws {
            let folder = TemporaryDirectory()
            let path = folder.path + "/s"
            let wakeUp = try WakeUp()
            var loop = try EventLoop(wakeUp: wakeUp)
            let listener = try Listener(path: path, permissions: 0o700, backlog: 1)
            try loop.add(listener, as: Token(7))
            let client = try ConnectionTests.connect(path)
            // The listener is ready, and told again until nothing is left to accept.
            let eventCount = loop.wait(milliseconds: 1000)
            #expect(eventCount == 1)
            let event = loop.event(0)
            #expect(event?.token == Token(7) && event?.isReadable == true)
            guard let connection = try listener.accept() else {
                throw CocoaError(.fileReadUnknown)
            }
            try connection.join(loop, as: Token(8))
            self.folder = folder
            self.wakeUp = wakeUp
            self.loop = loop
            self.listener = listener
            self.connection = connection
            self.client = client
        }

        deinit {
            close(client)
        }

        /// Waits until something happens to the connection.
        mutating func event() throws -> Event {
            for _ in 0..<100 {
                for index in 0..<loop.wait(milliseconds: 100) {
                    if let event = loop.event(index), event.token == Token(8) { return event }
                }
            }
            throw CocoaError(.fileReadUnknown)
        }
    }

    private static func connect(_ path: String) throws -> CInt {
        let client = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafeBytes(of: name) { bytes in
            let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            return Glibc.connect(client, address, socklen_t(bytes.count))
        }
        try #require(result == 0)
        return client
    }

    private static func text(_ bytes: RawSpan) -> String { ByteString(bytes).bytes.text }

    @Test func `what arrives is received, and nothing is nothing`() throws {
        var pair = try Pair()
        let transfer2 = pair.connection.receive(upTo: 100)
        #expect(transfer2 == .complete(0))
        #expect(write(pair.client, "hello", 5) == 5)
        while try !pair.event().isReadable {}
        let transfer3 = pair.connection.receive(upTo: 3)
        #expect(transfer3 == .partial(3))
        let transfer4 = pair.connection.receive(upTo: 100)
        #expect(transfer4 == .complete(2))
        let received = Self.text(pair.connection.input.bytes)
        #expect(received == "hello")
    }

    @Test func `an end is told, after what came before it`() throws {
        var pair = try Pair()
        #expect(write(pair.client, "bye", 3) == 3)
        shutdown(pair.client, CInt(SHUT_WR))
        while try !pair.event().hasEnded {}
        let transfer5 = pair.connection.receive(upTo: 100)
        #expect(transfer5 == .complete(3))
        let transfer6 = pair.connection.receive(upTo: 100)
        #expect(transfer6 == .ended)
    }

    @Test func `what the kernel has no room for waits, and leaves in order`() throws {
        var pair = try Pair()
        let total = 4 << 20
        let content = (0..<total).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        var sent = 0
        if case .partial(let count) = pair.connection.send(content.span.bytes) { sent = count }
        #expect(sent < total)
        let waits = pair.connection.output.count
        #expect(waits == total - sent)
        // Behind bytes that wait, nothing may overtake.
        let transfer7 = pair.connection.send("tail".utf8.span.bytes)
        #expect(transfer7 == .partial(0))

        var received: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while received.count < total + 4 {
            let count = read(pair.client, &room, room.count)
            try #require(count > 0)
            received += room.prefix(count)
            if !pair.connection.output.isEmpty { _ = pair.connection.flush() }
        }
        #expect(received == content + Array("tail".utf8))
        let isEmpty = pair.connection.output.isEmpty
        #expect(isEmpty)
    }

    @Test func `sending to who is gone ends the connection`() throws {
        var pair = try Pair()
        shutdown(pair.client, CInt(SHUT_RDWR))
        _ = pair.connection.send("a".utf8.span.bytes)
        let transfer8 = pair.connection.send("b".utf8.span.bytes)
        #expect(transfer8 == .ended)
    }

    @Test func `a wake-up ends a wait from another thread, and is no event`() throws {
        var pair = try Pair()
        let wakeUp = pair.wakeUp
        while pair.loop.wait(milliseconds: 0) > 0 { _ = pair.loop.event(0) }
        let thread = Thread { wakeUp.signal() }
        thread.start()
        let eventCount9 = pair.loop.wait(milliseconds: 10_000)
        #expect(eventCount9 == 1)
        let event10 = pair.loop.event(0)
        #expect(event10 == nil)
        let eventCount11 = pair.loop.wait(milliseconds: 0)
        #expect(eventCount11 == 0)
    }
}
