"""Clients that take too much, and memory that is not enough for all."""
import os
import socket
import time

import pytest

from wire import encode

MEGABYTE = 1 << 20


def resident(server):
    with open(f"/proc/{server.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def wait_for(condition, seconds=10):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come to this"
        time.sleep(0.02)


def is_closed(connection):
    """Whether the server has closed; what it sent before is read and dropped."""
    connection.socket.settimeout(5)
    try:
        while connection.socket.recv(1 << 20):
            pass
        return True
    except (socket.timeout, BlockingIOError):
        return False
    except ConnectionError:
        return True


def test_a_listener_that_does_not_read_is_given_up(larder):
    server = larder(client_output_buffer_limit=("pubsub", "4mb", "1mb", "1"))
    with server.connect() as listener, server.connect() as speaker:
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.ask("SUBSCRIBE", "news")
        for _ in range(300):
            speaker.ask("PUBLISH", "news", "x" * 65536)
        wait_for(lambda: speaker.ask("PUBLISH", "news", "x") == 0)
        assert int(server.info("stats")["client_output_buffer_limit_disconnections"]) == 1


def test_a_listener_that_reads_late_for_too_long_is_given_up(larder):
    server = larder(client_output_buffer_limit=("pubsub", "0", "1mb", "1"))
    with server.connect() as listener, server.connect() as speaker:
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.ask("SUBSCRIBE", "news")
        for _ in range(150):
            speaker.ask("PUBLISH", "news", "x" * 65536)
        assert speaker.ask("PUBLISH", "news", "x") == 1, "not at once"
        wait_for(lambda: speaker.ask("PUBLISH", "news", "x") == 0)


def test_an_ordinary_client_may_read_as_late_as_it_likes(larder):
    server = larder()
    with server.connect() as client:
        client.ask("SET", "key", "x" * 100_000)
        client.send(encode(("GET", "key")) * 500)
        time.sleep(1)
        assert all(value == b"x" * 100_000 for _, value in client.replies(500))


def test_the_clients_that_take_most_go_when_all_take_too_much(larder):
    server = larder(maxmemory_clients="20mb")
    with server.connect() as modest, server.connect() as greedy, server.connect() as spared:
        spared.ask("CLIENT", "NO-EVICT", "ON")
        greedy_id = greedy.ask("CLIENT", "ID")
        modest.ask("SET", "key", "x" * 1_000_000)
        greedy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.send(encode(("GET", "key")) * 60)
        wait_for(lambda: int(server.info("stats")["evicted_clients"]) == 1)
        assert modest.ask("STRLEN", "key") == 1_000_000
        assert spared.ask("PING") == b"PONG"
        # To read on until the end would take minutes with so small a window.
        assert not modest.ask("CLIENT", "LIST", "ID", greedy_id)


@pytest.mark.parametrize("command", ["SET", "WATCH", "SUBSCRIBE", "PSUBSCRIBE", "CLIENT"])
def test_what_a_client_lets_the_server_remember_counts(command, larder):
    """Requests that wait for EXEC, watched keys, channels and prefixes: nothing of it lies in a buffer."""
    server = larder(maxmemory_clients="3mb")
    with server.connect() as greedy:
        if command == "SET":
            greedy.ask("MULTI")
        try:
            for number in range(100):
                name = f"{number}:" + "x" * 50_000
                others = {"SET": (name, "value"), "CLIENT": ("TRACKING", "ON", "BCAST", "PREFIX", name)}
                greedy.send(encode((command, *others.get(command, (name,)))))
                greedy.reply()
                time.sleep(0.005)
            wait_for(lambda: is_closed(greedy))
        except ConnectionError:
            pass
        assert int(server.info("stats")["evicted_clients"]) == 1


def test_half_a_request_takes_no_more_than_the_whole(larder):
    server = larder()
    with server.connect() as slow:
        client = slow.ask("CLIENT", "ID")
        size = 220_000
        slow.send(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % size + b"x" * (size - 10))
        taken = {}
        wait_for(lambda: int(taken.update(words(server.ask("CLIENT", "LIST", "ID", client))) or taken["qbuf"]) >= size - 10)
        assert int(taken["tot-mem"]) < 1.1 * size
        assert int(taken["qbuf"]) == size - 10


def words(line):
    return dict(word.split("=", 1) for word in line.decode().split())


def test_a_request_that_never_ends_is_cut_off(larder):
    server = larder(client_query_buffer_limit="2mb", proto_max_bulk_len="64mb")
    with server.connect() as endless, server.connect() as other:
        try:
            endless.send(b"*2\r\n$3\r\nSET\r\n$60000000\r\n")
            for _ in range(64):
                endless.send(b"x" * 65536)
                time.sleep(0.005)
        except ConnectionError:
            pass
        wait_for(lambda: is_closed(endless))
        assert other.ask("PING") == b"PONG"
        assert int(server.info("stats")["client_query_buffer_limit_disconnections"]) == 1


def test_a_request_that_says_that_it_is_too_long_is_not_executed(larder):
    """It would take more than the limit, even if all of it came at once."""
    server = larder(client_query_buffer_limit="1mb")
    with server.connect() as fits, server.connect() as other:
        fits.ask("SET", "fits", "x" * 1_040_000)
        assert is_refused(server, 1_100_000)
        assert other.ask("EXISTS", "fits", "refused") == 1
        assert int(server.info("stats")["client_query_buffer_limit_disconnections"]) == 1


def test_a_request_longer_than_all_clients_may_take_is_not_executed(larder):
    server = larder(maxmemory_clients="1mb")
    assert is_refused(server, 1_500_000)
    with server.connect() as other:
        assert other.ask("EXISTS", "refused") == 0
    assert int(server.info("stats")["evicted_clients"]) == 1


def test_clients_may_always_take_a_little(larder):
    server = larder(maxmemory_clients="1")
    with server.connect() as one, server.connect() as another:
        assert one.ask("CONFIG", "GET", "maxmemory-clients") and another.ask("PING")


def is_refused(server, byte_count):
    with server.connect() as client:
        try:
            client.send(encode(("SET", "refused", "x" * byte_count)))
            client.reply()
        except ConnectionError:
            return True
    return False


MALFORMED = [
    b"*1000000000\r\n", b"*-5\r\n", b"*abc\r\n", b"*1\r\n$-7\r\n", b"*1\r\n$99999999999\r\n", b"*1\r\n:5\r\n", b"*2\r\n$4\r\nPING\r\n!1\r\n",
    b"$5\r\nhello\r\n", b"\x00\x01\x02\r\n", b"\"unbalanced\r\n", b"*3\r\n$3\r\nSET\r\n*1\r\n$1\r\na\r\n$1\r\nb\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"x" * 70_000, b"*1\r\n$" + b"9" * 70_000, b"%2\r\n+a\r\n:1\r\n", b"*" + b"1" * 70_000,
    b"*1\r\n" * 20_000, b"*2\r\n*2\r\n*2\r\n$1\r\na\r\n", b"*1048576\r\n" + b"$1\r\na\r\n" * 5000, b"*1048577\r\n$1\r\na\r\n",
    b"*2\r\n$4\r\nPING\r\n$536870913\r\n", b"*0\r\n" * 20_000, b"\r\n" * 20_000, b"MULTI\r\n" * 2000,
]


def test_abuse_takes_no_memory_and_nobody_elses_time(larder):
    server = larder()
    with server.connect() as other:
        other.ask("SET", "key", "value")
        before = resident(server)
        half_closed, slow = [], []
        for round_ in range(20):
            for data in MALFORMED:
                with server.connect(timeout=1) as abuser:
                    try:
                        abuser.send(data)
                    except ConnectionError:
                        pass
            # Says that it will send no more in the midst of a request, and stays.
            client = server.connect()
            client.send(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$100")
            client.socket.shutdown(socket.SHUT_WR)
            half_closed.append(client)
            # Promises much and sends next to nothing.
            client = server.connect()
            client.send(b"*100000\r\n$400000000\r\nx")
            slow.append(client)
            started = time.monotonic()
            assert other.ask("GET", "key") == b"value"
            assert time.monotonic() - started < 1
        assert resident(server) - before < 32 * MEGABYTE
        for client in slow:
            client.send(b"x")
        assert other.ask("GET", "key") == b"value"
        for client in half_closed + slow:
            client.close()
        wait_for(lambda: int(server.info("clients")["connected_clients"]) <= 2)


def test_a_transaction_may_be_long(larder):
    server = larder()
    with server.connect() as client:
        client.ask("MULTI")
        assert client.pipeline([("INCR", "n")] * 10_000) == [b"QUEUED"] * 10_000
        assert client.ask("EXEC") == list(range(1, 10_001))


def accounted(server):
    """What INFO says is used, or made ready to be used next."""
    memory = server.info("memory")
    return int(memory["used_memory"]) + int(memory["mem_pages_ready"])


@pytest.mark.larder_only
def test_used_memory_is_what_the_process_grows_by(larder):
    server = larder()
    with server.connect() as client:
        # The first pages of the data's memory come with the first key.
        client.ask("SET", "first", "key")
        time.sleep(0.3)
        used, held = accounted(server), resident(server)
        for start in range(0, 1_000_000, 10_000):
            client.pipeline([("SET", f"key:{number:012}", "x" * 100) for number in range(start, start + 10_000)])
        for start in range(0, 200_000, 1000):
            numbers = range(start, start + 1000)
            client.ask("ZADD", "zset", *[part for number in numbers for part in (number, f"member:{number}")])
            client.ask("HSET", "hash", *[part for number in numbers for part in (f"field:{number}", number)])
        time.sleep(0.3)
        grown = accounted(server) - used
        resident_growth = resident(server) - held
    assert grown == pytest.approx(resident_growth, rel=0.05)
