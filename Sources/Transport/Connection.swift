import Bytes
import CLinux
import Glibc
import Platform

/// One client's socket, with the bytes that wait on either side of it.
///
/// Most of the time nothing waits, and nothing is allocated: input is received into a buffer
/// that all connections share, and output is sent from one. What a connection keeps is the
/// beginning of a request whose rest has not come, and replies the kernel has no room for.
package struct Connection: ~Copyable {
    private let socket: Socket
    /// Where the other side is.
    package let peer: SocketAddress
    /// Where this side is.
    package let local: SocketAddress
    /// Received, and not yet a whole request.
    package var input = ByteQueue()
    /// Written, and not yet taken by the kernel.
    package var output = ByteQueue()

    init(_ socket: consuming Socket, peer: SocketAddress, local: SocketAddress) {
        self.socket = socket
        self.peer = peer
        self.local = local
    }

    /// The descriptor's number, for CLIENT LIST.
    package var descriptor: CInt { socket.descriptor }

    /// How receiving or sending went.
    package enum Transfer: Equatable, Sendable {
        /// So many bytes, and there may be more, or room for more.
        case partial(Int)
        /// So many bytes, and all there was to receive or to send.
        case complete(Int)
        /// The other side is done or gone.
        case ended
    }

    /// Sets what every client's socket has: replies leave at once, and who vanished is noticed.
    package func prepare(keepAliveSeconds: Int) {
        socket.sendWithoutDelay()
        socket.keepAlive(everySeconds: keepAliveSeconds)
    }

    /// Lets `loop` tell of the connection under `token`.
    package func join(_ loop: borrowing EventLoop, as token: Token) throws(SystemError) {
        try loop.add(socket, as: token)
    }

    /// Receives what fits into `byteCount` bytes behind `buffer`, with one call.
    package func receive(upTo byteCount: Int, into buffer: inout ByteQueue) -> Transfer {
        Self.receive(upTo: byteCount, into: &buffer, from: descriptor)
    }

    /// Receives what fits into `byteCount` bytes behind `input`, with one call.
    package mutating func receive(upTo byteCount: Int) -> Transfer {
        Self.receive(upTo: byteCount, into: &input, from: socket.descriptor)
    }

    private static func receive(
        upTo byteCount: Int,
        into buffer: inout ByteQueue,
        from descriptor: CInt
    ) -> Transfer {
        var transfer = Transfer.ended
        unsafe buffer.append(upTo: byteCount) { room in
            let count = unsafe recv(descriptor, room.baseAddress, byteCount, 0)
            if count > 0 {
                transfer = count < byteCount ? .complete(count) : .partial(count)
                return count
            }
            if count < 0, errno == EINTR { transfer = .partial(0) }
            if count < 0, errno == EAGAIN { transfer = .complete(0) }
            return 0
        }
        return transfer
    }

    /// Sends `bytes`; what the kernel does not take, or what came before does not let by, waits.
    package mutating func send(_ bytes: RawSpan) -> Transfer {
        guard output.isEmpty else {
            output.append(bytes)
            return .partial(0)
        }
        let transfer = transmit(bytes)
        if case .partial(let count) = transfer {
            output.append(bytes.extracting(count...))
        }
        return transfer
    }

    /// Sends what waits.
    package mutating func flush() -> Transfer {
        guard !output.isEmpty else { return .complete(0) }
        let transfer = transmit(output.bytes)
        switch transfer {
        case .partial(let count): output.removeFirst(count)
        case .complete: output.removeAll(keepingCapacityUpTo: 0)
        case .ended: break
        }
        return transfer
    }

    private func transmit(_ bytes: RawSpan) -> Transfer {
        let size = bytes.byteCount
        let count = unsafe bytes.withUnsafeBytes { room in
            unsafe Glibc.send(descriptor, room.baseAddress, size, CInt(MSG_NOSIGNAL))
        }
        if count == size { return .complete(count) }
        if count >= 0 { return .partial(count) }
        return errno == EAGAIN || errno == EINTR ? .partial(0) : .ended
    }
}
