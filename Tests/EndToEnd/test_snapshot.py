"""Saves that run while everything changes, and starts that answer while they load."""
import random
import time

import pytest

import content
from wire import ReplyError, plain

ELEMENTS = 40_000
STREAMED = 3_000
# `rdb-format` for a reader.
READERS = {"redis-7.0.15": "10", "valkey-9.1.2": "auto"}


def fill(connection):
    """Large values of every kind, and small keys beside them."""
    generator = random.Random(1)
    requests = [("SET", f"key:{i}", f"value {i} " + "x" * (i % 100)) for i in range(20_000)]
    for first in range(0, ELEMENTS, 1000):
        numbers = range(first, first + 1000)
        requests.append(("ZADD", "board", *(part for i in numbers for part in (generator.randrange(10**6), f"player:{i}"))))
        requests.append(("HSET", "hash", *(part for i in numbers for part in (f"field:{i}", f"value:{i}"))))
        requests.append(("SADD", "set", *(f"member:{i}" for i in numbers)))
        requests.append(("RPUSH", "list", *(f"element:{i}" for i in numbers)))
        requests.append(("RPUSH", "doomed", *(f"element:{i}" for i in numbers)))
    requests += [("SETRANGE", "string", 20_000_000, "end"), ("SETRANGE", "grown", 5_000_000, "end")]
    requests += [("XADD", "stream", f"{i}-1", "field", f"value {i}" + "x" * 60) for i in range(1, STREAMED)]
    requests += [("XGROUP", "CREATE", "stream", group, "0") for group in ("group", "doomed")]
    for consumer in ("one", "two"):
        requests += [("XREADGROUP", "GROUP", group, consumer, "COUNT", 300, "STREAMS", "stream", ">")
                     for group in ("group", "doomed")]
    connection.pipeline(requests, depth=200)


def changes(generator, count):
    """Changes everywhere, of the large values in their middle and at their ends."""
    for _ in range(count):
        number = generator.randrange(ELEMENTS)
        yield generator.choice([
            ("SET", f"key:{generator.randrange(120_000)}", "changed"),
            ("DEL", f"key:{generator.randrange(100_000)}"),
            ("ZADD", "board", generator.randrange(10**6), f"player:{number}"),
            ("ZREM", "board", f"player:{number}"),
            ("HSET", "hash", f"field:{number}", "changed"),
            ("HDEL", "hash", f"field:{number}"),
            ("SREM", "set", f"member:{number}"),
            ("SADD", "set", f"new:{number}"),
            ("LPUSH", "list", "first"),
            ("RPOP", "list"),
            ("LSET", "list", generator.randrange(1000), "changed"),
            ("SETRANGE", "string", generator.randrange(20_000_000), "changed"),
            ("APPEND", "grown", "more"),
            ("XADD", "stream", "*", "field", "new"),
            ("XDEL", "stream", f"{generator.randrange(STREAMED)}-1"),
            ("XTRIM", "stream", "MINID", f"{generator.randrange(STREAMED // 10)}-0"),
            ("XACK", "stream", "group", f"{generator.randrange(600)}-1"),
            ("XREADGROUP", "GROUP", "group", "two", "COUNT", 2, "STREAMS", "stream", ">"),
        ])


@pytest.mark.larder_only
@pytest.mark.parametrize("reader", READERS)
def test_a_file_saved_under_fire_is_the_data_as_it_was(reader, larder, peer):
    server = larder(rdb_format=READERS[reader])
    generator = random.Random(2)
    with server.connect(120) as connection:
        fill(connection)
        before = content.read(connection)
        assert connection.ask("BGSAVE") == b"Background saving started"
        changed_meanwhile = 0
        connection.pipeline([("RENAME", "set", "renamed"), ("DEL", "doomed"), ("SET", "doomed", "gone"),
                             ("XGROUP", "DESTROY", "stream", "doomed"), ("XGROUP", "DELCONSUMER", "stream", "group", "one")])
        while server.info("persistence")["rdb_bgsave_in_progress"] == "1":
            # Few at a time: on a quiet machine the save is over in some milliseconds.
            connection.pipeline(list(changes(generator, 20)))
            changed_meanwhile += 20
        print(f"{changed_meanwhile} changes meanwhile")
        assert changed_meanwhile > 20, "the save was over before anything changed"
        assert server.info("persistence")["rdb_last_bgsave_status"] == "ok"
    second = peer(reader, start=False)
    second.directory.joinpath("dump.rdb").write_bytes((server.directory / "dump.rdb").read_bytes())
    second.start()
    with second.connect(120) as connection:
        after = content.read(connection)
    assert content.differences(before, after) == []


@pytest.mark.larder_only
def test_a_save_may_be_given_up_and_begun_again(larder):
    server = larder()
    with server.connect(120) as connection:
        fill(connection)
        connection.pipeline([("BGSAVE",)])
        assert connection.ask("BGSAVE", "CANCEL") == b"Background saving cancelled"
        while server.info("persistence")["rdb_bgsave_in_progress"] == "1":
            time.sleep(0.01)
        assert not (server.directory / "dump.rdb").exists()
        connection.ask("FLUSHALL")
        connection.ask("SET", "key", "value")
        connection.ask("SAVE")
        assert [path.name for path in server.directory.iterdir() if "temp" in path.name] == []
    server.restart()
    assert server.ask("DBSIZE") == 1


def await_save(server, connection):
    connection.ask("BGSAVE")
    while server.info("persistence")["rdb_bgsave_in_progress"] == "1":
        time.sleep(0.01)
    return server.info("persistence")["rdb_last_bgsave_status"]


def write_until(connection, answer):
    """Whether a write is answered so soon: whether writes are safe is looked at ten times a second."""
    for _ in range(500):
        [reply] = connection.exchange([("SET", "key", "value")])
        if answer in str(plain(reply)):
            return True
        time.sleep(0.01)
    return False


def test_writes_are_refused_after_a_save_that_failed(larder):
    server = larder(save="3600 1000")
    with server.connect() as connection:
        connection.ask("SET", "key", "value")
        # Nothing can be renamed to a folder that holds something.
        (server.directory / "dump.rdb" / "something").mkdir(parents=True)
        assert await_save(server, connection) == "err"
        assert server.info("persistence")["rdb_changes_since_last_save"] == "1"
        assert write_until(connection, "MISCONF")
        assert connection.ask("GET", "key") == b"value"
        connection.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        assert write_until(connection, "OK")
        connection.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
        (server.directory / "dump.rdb" / "something").rmdir()
        (server.directory / "dump.rdb").rmdir()
        before = connection.ask("LASTSAVE")
        assert await_save(server, connection) == "ok"
        assert connection.ask("LASTSAVE") >= before
        assert server.info("persistence")["rdb_changes_since_last_save"] == "0"


def test_clients_are_told_that_data_is_loaded(larder):
    server = larder()
    with server.connect(120) as connection:
        connection.pipeline([("SET", f"key:{i:09}", "x" * 100) for i in range(400_000)], depth=2000)
        connection.ask("SAVE")
    server.stop()
    server.launch()
    told = set()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with server.connect() as connection:
                answer, information = map(plain, connection.exchange([("GET", "key:000000001"), ("INFO", "persistence")]))
                if not isinstance(answer, ReplyError):
                    break
                told.add(str(answer).split()[0])
                # Both were answered in one turn.
                assert b"loading:1" in information and b"loading_loaded_perc:" in information
        except ConnectionError:
            time.sleep(0.001)
    assert told == {"LOADING"}
    assert server.ask("DBSIZE") == 400_000


@pytest.mark.larder_only
def test_a_dump_larger_than_memory_loads_under_the_policy(larder):
    server = larder()
    with server.connect(120) as connection:
        connection.pipeline([("SET", f"key:{i:09}", "x" * 200) for i in range(100_000)], depth=2000)
        connection.ask("SAVE")
    server.restart(maxmemory="10mb", maxmemory_policy="allkeys-random")
    assert 1000 < server.ask("DBSIZE") < 60_000
    assert "keys were evicted while it was loaded" in server.log()
    server.restart(maxmemory="10mb", maxmemory_policy="noeviction")
    assert server.ask("DBSIZE") == 100_000
    assert "more than maxmemory" in server.log()


def test_a_flush_of_everything_is_saved_at_once(larder, peer):
    for server in (larder(save="3600 1"), peer("valkey-9.1.2", save="3600 1")):
        with server.connect() as client:
            client.ask("SET", "key", "value")
            client.ask("SAVE")
            client.ask("FLUSHALL")
            assert server.info("persistence")["rdb_changes_since_last_save"] == "0"
        server.kill()
        server.start()
        assert server.ask("DBSIZE") == 0


@pytest.mark.larder_only
def test_a_flush_of_everything_ends_the_save_of_what_was_there(larder):
    server = larder(save="3600 1", enable_debug_command="yes")
    with server.connect() as client:
        client.ask("DEBUG", "POPULATE", "1000000", "key", "100")
        client.ask("BGSAVE")
        while server.info("persistence")["rdb_bgsave_in_progress"] == "0":
            time.sleep(0.001)
        client.ask("FLUSHALL")
        told = server.info("persistence")
        assert (told["rdb_bgsave_in_progress"], told["rdb_changes_since_last_save"]) == ("0", "0")
        assert told["rdb_last_bgsave_status"] == "ok"
        assert [path.name for path in server.directory.glob("*.rdb")] == ["dump.rdb"]
    server.kill()
    server.start()
    assert server.ask("DBSIZE") == 0


def test_only_a_save_in_the_background_stops_writes(larder, peer):
    said = []
    for server in (larder(save="3600 1000"), peer("valkey-9.1.2", save="3600 1000")):
        with server.connect() as client:
            client.ask("SET", "key", "value")
            (server.directory / "dump.rdb" / "something").mkdir(parents=True)
            for request in [("SAVE",), ("SET", "key", "value"), ("PING",), ("SHUTDOWN",), ("SET", "key", "value"), ("FLUSHALL",), ("SET", "key", "value")]:
                said.append((request, client.exchange([request])[0], server.info("persistence")["rdb_last_bgsave_status"]))
    assert said[:7] == said[7:]
