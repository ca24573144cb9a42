"""RESP2 and RESP3 as bytes: requests out, replies in, nothing interpreted.

A reply is a pair `(mark, value)` with the mark it has on the wire, so that a
comparison sees what a client library hides: `('$', None)` is not `('_', None)`.
Aggregates hold a tuple of replies; maps keep keys and values in one flat tuple.
"""
import socket

AGGREGATES = "*~>%|"


class Incomplete(Exception):
    """The bytes end inside a reply."""


class ProtocolError(Exception):
    """The bytes cannot be a reply."""


def to_bytes(argument):
    if isinstance(argument, bytes):
        return argument
    if isinstance(argument, str):
        return argument.encode()
    return repr(argument).encode()


def encode(arguments):
    """One request, as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = to_bytes(argument)
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


def parse(buffer, position=0):
    """The reply that starts at `position`, and where the next one starts."""
    end = buffer.find(b"\r\n", position)
    if end < 0:
        raise Incomplete
    mark = chr(buffer[position])
    text = bytes(buffer[position + 1:end])
    position = end + 2
    if mark == "+" or mark == "-":
        return (mark, text), position
    if mark == ":":
        return (mark, int(text)), position
    if mark in "$=!":
        count = int(text)
        if count < 0:
            return (mark, None), position
        end = position + count
        if len(buffer) < end + 2:
            raise Incomplete
        if buffer[end:end + 2] != b"\r\n":
            raise ProtocolError(f"a bulk of {count} bytes is not followed by CRLF")
        return (mark, bytes(buffer[position:end])), end + 2
    if mark in AGGREGATES:
        count = int(text)
        if count < 0:
            return (mark, None), position
        if mark in "%|":
            count *= 2
        items = []
        for _ in range(count):
            item, position = parse(buffer, position)
            items.append(item)
        return (mark, tuple(items)), position
    if mark in ",(#":
        return (mark, text), position
    if mark == "_":
        return (mark, None), position
    raise ProtocolError(f"no reply starts with {mark!r} (in {bytes(buffer[:80])!r})")


class ReplyError(Exception):
    """A server answered with an error."""


def plain(reply):
    """A reply as ordinary Python values; errors become `ReplyError` objects."""
    mark, value = reply
    if mark in "-!":
        return ReplyError(value.decode("latin-1"))
    if mark == "%":
        flat = [plain(item) for item in value]
        return dict(zip(flat[::2], flat[1::2]))
    if mark in AGGREGATES:
        return None if value is None else [plain(item) for item in value]
    if mark == ",":
        return float(value)
    if mark == "#":
        return value == b"t"
    if mark == "=":
        return value[4:]
    return value


class Connection:
    """One socket to a server."""

    def __init__(self, port=None, path=None, timeout=30.0):
        if path:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(timeout)
            self.socket.connect(path)
        else:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def _receive(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError(f"the server closed the connection, after {bytes(self.buffer[:200])!r}")
        self.buffer += data

    def replies(self, count):
        """The next replies, pushes among them."""
        found = []
        position = 0
        while len(found) < count:
            try:
                reply, position = parse(self.buffer, position)
            except Incomplete:
                del self.buffer[:position]
                position = 0
                self._receive()
                continue
            found.append(reply)
        del self.buffer[:position]
        return found

    def reply(self):
        return self.replies(1)[0]

    def raw_until_closed(self):
        """Every byte until the server closes."""
        while True:
            try:
                data = self.socket.recv(1 << 18)
            except ConnectionResetError:
                data = b""
            if not data:
                everything = bytes(self.buffer)
                self.buffer.clear()
                return everything
            self.buffer += data

    def raw(self, count):
        """Exactly `count` bytes."""
        while len(self.buffer) < count:
            self._receive()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def exchange(self, requests):
        """Sends requests in one piece, returns as many replies."""
        self.send(b"".join(encode(request) for request in requests))
        return self.replies(len(requests))

    def ask(self, *arguments):
        """One command; the reply as a Python value, or the error raised."""
        self.send(encode(arguments))
        value = plain(self.reply())
        if isinstance(value, ReplyError):
            raise ReplyError(f"{arguments[0]}: {value}")
        return value

    def pipeline(self, requests, depth=500):
        """Many commands, in batches; values, with errors raised."""
        values = []
        for start in range(0, len(requests), depth):
            batch = requests[start:start + depth]
            for request, reply in zip(batch, self.exchange(batch)):
                value = plain(reply)
                if isinstance(value, ReplyError):
                    raise ReplyError(f"{request[:2]}: {value}")
                values.append(value)
        return values
