"""The wire: the same bytes in give the same bytes out as a real Valkey's."""
import re
import select
import socket
import time

import pytest

from wire import encode

NAMES = re.compile(rb"(?i)valkey|redis|larder")

# Requests as raw bytes; replies are compared, and whether the server hangs up.
RAW = [
    b"PING\r\n", b"PING\n", b"ping\r\n", b"\r\n\r\nPING\r\n", b"PING hello\r\n", b"PING a b\r\n",
    b'SET a "b c\\x41\\n\\t\\"\\\\"\r\nGET a\r\n', b"SET a 'single \\'quote\\''\r\nGET a\r\n", b"SET a 'b\r\n", b'SET a "b\r\n',
    b'SET a ""\r\nGET a\r\n', b"  SET   a    b  \r\nGET a\r\n", b"NO\\x00PE 'a\n",
    b"*0\r\n*1\r\n$4\r\nPING\r\n", b"*-1\r\n*1\r\n$4\r\nPING\r\n", b"*-5\r\nPING\r\n",
    b"*1048577\r\n", b"*2147483647\r\n", b"*2147483648\r\n", b"*abc\r\n", b"*\r\n", b"* 1\r\n$4\r\nPING\r\n", b"*01\r\n$4\r\nPING\r\n",
    b"*1\r\n$-1\r\n", b"*1\r\n$536870912\r\n", b"*1\r\n$536870913\r\n", b"*1\r\n$9223372036854775808\r\n", b"*1\r\n$abc\r\n",
    b"*1\r\n$\r\n", b"*1\r\n$+4\r\nPING\r\n", b"*1\r\n$04\r\nPING\r\n", b"*1\r\n$4 \r\nPING\r\n",
    b"*1\r\n+PING\r\n", b"*1\r\n:1\r\n", b"*1\r\n*1\r\n", b"*1\r\n\r\n",
    b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", b"*1\r\n$0\r\n\r\n", b"*1\r\n$4\r\nPIN",
    b"*2\r\n$4\r\nPING\r\n$1\r\n\xff\r\n", b"*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n", b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
    b"x" * 70_000, b"*" + b"1" * 70_000, b"*1\r\n$" + b"1" * 70_000,
    b"*1\r\n$4\r\nNOPE\r\n", b"NOPE a b\r\n", b"nOpE " + b"a" * 200 + b"\r\n", b"nope " + b"b " * 100 + b"\r\n",
    b"*3\r\n$4\r\nNOPE\r\n$3\r\na\r\n\r\n$1\r\nb\r\n",
    b"GET\r\n", b"get a b c\r\n", b"SET a\r\n", b"SET a b c d e\r\n", b"SET a b EX\r\n", b"SET a b EX 0\r\n", b"SET a b EX abc\r\n",
    b"SELECT 99\r\nSELECT x\r\nSELECT -1\r\nSELECT 1\r\n", b"SELECT\r\n", b"CONFIG\r\n", b"CONFIG NOPE\r\n", b"CLIENT NOPE a\r\n",
    b"QUIT\r\nPING\r\n", b"POST / HTTP/1.1\r\nPING\r\n", b"GET /index.html HTTP/1.1\r\n", b"Host: a\r\n",
    b"HELLO 4\r\n", b"HELLO 1\r\n", b"HELLO abc\r\n", b"HELLO 3 AUTH a b\r\n", b"HELLO 3 AUTH a\r\n", b"HELLO 3 FOO\r\n",
    b"HELLO 3 SETNAME\r\n", b'HELLO 2 SETNAME "a b"\r\n',
    b"AUTH a\r\n", b"AUTH a b\r\n", b"AUTH default a\r\n", b"AUTH a b c\r\n", b"AUTH\r\n", b"RESET\r\nPING\r\n",
    b"SET n 10\r\nINCR n\r\nINCRBY n 9223372036854775807\r\nINCRBY n x\r\nLPUSH n a\r\nSTRLEN n\r\n",
    b"DEL l\r\nRPUSH l a b c\r\nLRANGE l 0 -1\r\nGET l\r\nLPOP l 0\r\nLPOP l -1\r\nLPOP nothing\r\nLPOP nothing 1\r\nTYPE l\r\n",
    b"DEL z\r\nZADD z 1 a 2.5 b inf c -inf d 1e300 e\r\nZRANGE z 0 -1 WITHSCORES\r\nZSCORE z b\r\nZSCORE z nothing\r\nZADD z nan x\r\n",
    b"DEL h\r\nHSET h a 1 b 2\r\nHGETALL h\r\nHGET h c\r\nHGETALL nothing\r\nHSET h a\r\nHMGET h a c\r\n",
    b"DEL s\r\nSADD s 1 2 3\r\nSMEMBERS s\r\nSISMEMBER s 1\r\nSMEMBERS nothing\r\nSPOP nothing\r\nSPOP nothing 1\r\n",
    b"SET m 1\r\nEXPIRE nothing 10\r\nTTL nothing\r\nPTTL nothing\r\nTTL m\r\nPERSIST m\r\nEXISTS m nothing m\r\nTYPE nothing\r\n",
]

HELLO_3 = b"HELLO 3\r\n"

# In RESP3; each reply is of a kind that RESP2 spells otherwise.
RESP3 = [
    ("GET", "nothing"), ("HSET", "h", "a", "1"), ("HGETALL", "h"), ("HGETALL", "nothing"), ("SADD", "s", "a"), ("SMEMBERS", "s"),
    ("SMEMBERS", "nothing"), ("ZADD", "z", "1.5", "a", "inf", "b"), ("ZSCORE", "z", "a"), ("ZSCORE", "z", "b"),
    ("ZRANGE", "z", "0", "-1", "WITHSCORES"), ("ZRANGE", "z", "0", "-1"), ("ZINCRBY", "z", "1", "a"), ("ZPOPMIN", "z"),
    ("ZADD", "z", "XX", "INCR", "1", "nothing"), ("ZREVRANGE", "z", "0", "0", "WITHSCORES"), ("LPOP", "nothing"), ("LPOP", "nothing", "2"),
    ("MGET", "nothing", "h"), ("CONFIG", "GET", "databases"), ("CONFIG", "GET", "nothing"), ("SET", "k", "v", "GET"), ("SET", "k", "w", "NX"),
    ("HMGET", "h", "a", "b"), ("ZRANK", "z", "nothing"), ("HRANDFIELD", "h", "1", "WITHVALUES"), ("SRANDMEMBER", "nothing"),
    ("SPOP", "s", "1"), ("TYPE", "h"), ("INCRBYFLOAT", "f", "1.5"), ("OBJECT", "ENCODING", "nothing"), ("EXISTS", "k"), ("NOPE",),
]


def talk(port, cases, quiet=0.4):
    """Sends each case on a connection of its own; `[(bytes that came, whether the server hung up)]`."""
    sockets = []
    for case in cases:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        sockets.append(connection)
    came = [bytearray() for _ in cases]
    closed = [False] * len(cases)
    waiting = [bytearray(case) for case in cases]
    limit = time.monotonic() + quiet
    while time.monotonic() < limit:
        readers = [s for s, over in zip(sockets, closed) if not over]
        writers = [s for s, left, over in zip(sockets, waiting, closed) if left and not over]
        readable, writable, _ = select.select(readers, writers, [], 0.05)
        for index, connection in enumerate(sockets):
            try:
                if connection in writable:
                    del waiting[index][:connection.send(waiting[index])]
                if connection in readable:
                    data = connection.recv(1 << 16)
                    came[index] += data
                    closed[index] = not data
                    limit = time.monotonic() + quiet
            except (ConnectionResetError, BrokenPipeError):
                closed[index] = True
    for connection in sockets:
        connection.close()
    return [(bytes(data), over) for data, over in zip(came, closed)]


def test_raw_requests_are_answered_as_valkey_does(larder, peer):
    ours, theirs = larder(), peer("valkey-9.1.2")
    found = []
    for case, left, right in zip(RAW, talk(ours.port, RAW), talk(theirs.port, RAW)):
        if (NAMES.sub(b"", left[0]), left[1]) != (NAMES.sub(b"", right[0]), right[1]):
            found.append(f"{case[:80]!r} ({len(case)} bytes)\n    ours:   {left}\n    theirs: {right}")
    assert not found, "\n".join(["", *found])


def test_resp3_replies_are_spelled_as_valkey_does(larder, peer):
    found = []
    ours, theirs = larder().connect(), peer("valkey-9.1.2").connect()
    for connection in (ours, theirs):
        connection.send(HELLO_3)
        assert connection.reply()[0] == "%"
    for request, left, right in zip(RESP3, ours.exchange(RESP3), theirs.exchange(RESP3)):
        if left != right:
            found.append(f"{request}\n    ours:   {left}\n    theirs: {right}")
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("version", [2, 3])
def test_hello_tells_who_answers(version, larder):
    connection = larder().connect()
    mark, value = connection.exchange([("HELLO", version)])[0]
    assert mark == ("%" if version == 3 else "*")
    told = dict(zip([name for _, name in value[::2]], value[1::2]))
    assert {b"server", b"version", b"proto", b"id", b"mode", b"role", b"modules"} <= set(told)
    assert told[b"proto"] == (":", version)
    assert told[b"mode"] == ("$", b"standalone")
    assert told[b"role"] == ("$", b"master")


def test_hello_switches_back_and_forth(larder):
    connection = larder().connect()
    replies = connection.exchange([("GET", "x"), ("HELLO", 3), ("GET", "x"), ("HELLO", 2), ("GET", "x"), ("HELLO",), ("GET", "x")])
    assert [replies[i] for i in (0, 2, 4, 6)] == [("$", None), ("_", None), ("$", None), ("$", None)]


SPLIT = [("SET", "split:key", "value\r\nwith lines"), ("GET", "split:key"), ("DEL", "split:list"),
         ("RPUSH", "split:list", "a", "", "\x00\xff"), ("LRANGE", "split:list", 0, -1), ("PING",), ("ECHO", "x" * 40)]


def test_a_request_may_be_split_at_any_byte(larder):
    stream = b"".join(map(encode, SPLIT)) + b"PING inline\r\n" + b'SET split:key "a b"\r\nGET split:key\r\n'
    server = larder()
    with server.connect() as connection:
        connection.send(stream)
        connection.replies(len(SPLIT) + 3)
        connection.send(stream)
        whole = connection.replies(len(SPLIT) + 3)
        for cut in range(1, len(stream)):
            connection.send(stream[:cut])
            time.sleep(0.0005)
            connection.send(stream[cut:])
            assert connection.replies(len(SPLIT) + 3) == whole, f"split after {cut} bytes"


def test_a_request_may_come_byte_by_byte(larder):
    stream = b"".join(map(encode, SPLIT)) + b"PING inline\r\n"
    with larder().connect() as connection:
        connection.send(stream)
        connection.replies(len(SPLIT) + 1)
        connection.send(stream)
        whole = connection.replies(len(SPLIT) + 1)
        for byte in stream:
            connection.send(bytes([byte]))
            time.sleep(0.0002)
        assert connection.replies(len(SPLIT) + 1) == whole


def test_a_deep_pipeline_is_answered_in_order(larder):
    with larder().connect() as connection:
        requests = [("ECHO", index) for index in range(20_000)]
        assert connection.exchange(requests) == [("$", b"%d" % index) for index in range(20_000)]


def test_a_client_that_reads_late_gets_everything(larder):
    """Replies larger than every socket buffer wait for the client; others are served meanwhile."""
    server = larder()
    with server.connect() as slow, server.connect() as other:
        slow.ask("SET", "big", "x" * 1_000_000)
        slow.send(encode(("GET", "big")) * 50)
        for _ in range(100):
            assert other.ask("PING") == b"PONG"
        assert all(reply == ("$", b"x" * 1_000_000) for reply in slow.replies(50))


def test_a_large_value_goes_in_and_out(larder):
    value = bytes(range(256)) * (64 << 12)
    with larder().connect() as connection:
        assert connection.ask("SET", "big", value) == b"OK"
        assert connection.ask("STRLEN", "big") == len(value)
        assert connection.ask("GET", "big") == value


def test_a_client_that_stops_talking_still_gets_its_replies(larder):
    with larder().connect() as connection:
        connection.send(b"".join(encode(("ECHO", index)) for index in range(1000)))
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.raw_until_closed().count(b"$") == 1000


def test_a_smaller_bulk_limit_holds(larder):
    server = larder(proto_max_bulk_len="1mb")
    with server.connect() as connection:
        assert connection.ask("SET", "a", "x" * (1 << 20)) == b"OK"
        connection.send(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1048577\r\n")
        assert connection.reply() == ("-", b"ERR Protocol error: invalid bulk length")
        assert connection.raw_until_closed() == b""
    assert server.ask("STRLEN", "a") == 1 << 20
    with server.connect() as connection:
        assert connection.exchange([("APPEND", "a", "x")])[0] == (
            "-", b"ERR string exceeds maximum allowed size (proto-max-bulk-len)")
        assert connection.exchange([("SETRANGE", "a", 1 << 20, "x")])[0] == (
            "-", b"ERR string exceeds maximum allowed size (proto-max-bulk-len)")


def test_abuse_does_not_disturb_others(larder):
    server = larder()
    with server.connect() as good:
        for index in range(200):
            with server.connect() as bad:
                bad.send([b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100000\r\nxyz", b"\xff\xfe\xfd", b"*1\r\n$-5\r\n", b""][index % 4])
            assert good.ask("PING") == b"PONG"
