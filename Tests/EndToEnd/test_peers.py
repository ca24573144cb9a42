"""Files between Larder and its peers: each loads what the other saved, value by value."""
import shutil
import time

import pytest

import content
import dataset
from servers import is_larder, larder_binary

# A peer, and the `rdb-format` it needs; the others read what Larder writes by itself.
READERS = {
    "redis-6.2.5": "9",
    "redis-7.0.15": "10",
    "redis-8.2.3": "auto",
    "valkey-8.1.8": "auto",
    "valkey-9.1.2": "auto",
}
# The RDB version that a peer writes and reads at most, for when one stands in for Larder.
VERSIONS = {"redis-6.2.5": 9, "redis-7.0.15": 10, "valkey-8.1.8": 11, "redis-8.2.3": 12, "valkey-9.1.2": 80}
WRITERS = ["redis-6.2.5", "redis-7.0.15", "valkey-8.1.8", "valkey-9.1.2"]


def extra():
    """Streams, whose times no log of commands records in full."""
    return dataset.streams()


def skip_if_too_new(reader, writer):
    """Larder reads all and is read by all; a peer that stands in for it is not asked for that."""
    def version(name):
        for peer_name, number in VERSIONS.items():
            if peer_name == name or (name is None and f"/{peer_name}/" in larder_binary()):
                return number
        return None

    told = version(reader), version(writer)
    if not is_larder(larder_binary()) and None not in told:
        if told[0] < told[1]:
            pytest.skip(f"RDB version {told[1]} is beyond the stand-in or its reader")


def filled(server, more=()):
    with server.connect() as connection:
        dataset.fill(connection, extra=list(more))
        return content.read(connection)


def held(server):
    with server.connect() as connection:
        return content.read(connection)


@pytest.mark.parametrize("name", READERS)
def test_peer_loads_what_larder_saved(name, larder, peer, tmp_path):
    options = {"rdb_format": READERS[name]} if is_larder(larder_binary()) else {}
    skip_if_too_new(reader=name, writer=None)
    ours = larder(**options)
    expected = filled(ours, extra())
    dump = ours.save()

    folder = tmp_path / "loaded"
    folder.mkdir()
    shutil.copy(dump, folder / "dump.rdb")
    theirs = peer(name, directory=folder)
    assert content.differences(expected, held(theirs)) == []


@pytest.mark.parametrize("name", WRITERS)
def test_larder_loads_what_a_peer_saved(name, larder, peer, tmp_path):
    skip_if_too_new(reader=None, writer=name)
    theirs = peer(name)
    expected = filled(theirs, extra())
    dump = theirs.save()

    folder = tmp_path / "loaded"
    folder.mkdir()
    shutil.copy(dump, folder / "dump.rdb")
    assert content.differences(expected, held(larder(directory=folder))) == []


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("name", ["redis-7.0.15", "valkey-8.1.8", "valkey-9.1.2"])
def test_larder_opens_the_log_directory_of_a_peer(name, preamble, larder, peer, tmp_path):
    if preamble == "yes":
        skip_if_too_new(reader=None, writer=name)
    theirs = peer(name, appendonly="yes", aof_use_rdb_preamble=preamble, appendfsync="always")
    with theirs.connect() as connection:
        dataset.fill(connection)
        connection.ask("BGREWRITEAOF")
        wait_for_rewrite(connection)
        # What follows stays in the increment, as the peer chose to write it.
        connection.pipeline([
            ("SET", "after", "1"), ("INCR", "after"), ("INCRBYFLOAT", "after:float", "0.1"),
            ("SET", "after:ttl", "x", "EX", 5000), ("SETEX", "after:setex", 5000, "x"), ("GETEX", "after:ttl", "PERSIST"),
            ("EXPIRE", "list:numbers:16", 4000), ("SPOP", "set:words:600", 10), ("SMOVE", "set:16:16", "set:moved", "1"),
            ("RPOPLPUSH", "list:words:129", "list:other"), ("LMOVE", "list:other", "list:third", "LEFT", "RIGHT"),
            ("ZADD", "after:board", "GT", 5, "a", 7, "b"), ("ZINCRBY", "after:board", "1.5", "a"),
            ("ZPOPMIN", "zset:players:513", 5), ("HINCRBY", "hash:fields:16", "field 3", 10),
            ("HDEL", "hash:fields:16", "field 4"), ("DEL", "set:64"), ("UNLINK", "set:32"),
            ("RENAME", "string:noise:64", "renamed"), ("COPY", "renamed", "copied"),
            ("MULTI",), ("SET", "in:multi", "1"), ("SELECT", "3"), ("SET", "other:db", "2"), ("EXEC",),
            ("SELECT", "0"), ("MOVE", "in:multi", "5"), ("SETRANGE", "after", 10, "\x00\r\n"), ("SWAPDB", "1", "4"),
        ])
        expected = content.read(connection)
    theirs.kill()

    folder = tmp_path / "opened"
    folder.mkdir()
    shutil.copytree(theirs.directory / "appendonlydir", folder / "appendonlydir")
    ours = larder(directory=folder, appendonly="yes", aof_use_rdb_preamble=preamble)
    assert content.differences(expected, held(ours)) == []

    # And goes on where the peer stopped.
    ours.ask("SET", "written:by", "larder")
    ours.kill()
    ours.start()
    assert ours.ask("GET", "written:by") == b"larder"
    assert ours.ask("GET", "after:setex") == b"x"


def wait_for_rewrite(connection):
    for _ in range(3000):
        told = connection.ask("INFO", "persistence")
        if b"aof_rewrite_in_progress:0" in told and b"aof_rewrite_scheduled:0" in told:
            assert b"aof_last_bgrewrite_status:ok" in told
            return
        time.sleep(0.01)
    raise AssertionError("the peer's rewrite does not end")


def test_a_restart_from_the_dump_changes_nothing(larder):
    ours = larder()
    expected = filled(ours, extra())
    ours.save()
    ours.kill()
    ours.start()
    assert content.differences(expected, held(ours)) == []


def test_a_restart_from_the_log_changes_nothing(larder):
    ours = larder(appendonly="yes")
    expected = content.without_consumer_times(filled(ours, extra()))
    ours.kill()
    ours.start()
    assert content.differences(expected, held(ours)) == []


def test_a_second_restart_from_the_log_changes_nothing(larder):
    """What a restart writes on top of an old log must not count twice."""
    ours = larder(appendonly="yes")
    with ours.connect() as connection:
        connection.pipeline([("INCR", "counter")] * 100 + [("RPUSH", "list", "x")] * 100)
    for restart in range(3):
        ours.kill()
        ours.start()
        with ours.connect() as connection:
            assert connection.ask("GET", "counter") == b"%d" % (100 + restart)
            assert connection.ask("LLEN", "list") == 100 + restart
            connection.pipeline([("INCR", "counter"), ("RPUSH", "list", "x")])


def test_background_save_writes_the_same(larder, peer, tmp_path):
    options = {"rdb_format": "10"} if is_larder(larder_binary()) else {}
    ours = larder(**options)
    expected = filled(ours, extra())
    saved = ours.ask("LASTSAVE")
    time.sleep(1.1)  # LASTSAVE counts seconds.
    assert b"Background saving started" in ours.ask("BGSAVE")
    for _ in range(3000):
        if ours.ask("LASTSAVE") > saved:
            break
        time.sleep(0.01)
    assert ours.ask("LASTSAVE") > saved
    folder = tmp_path / "loaded"
    folder.mkdir()
    shutil.copy(ours.directory / "dump.rdb", folder / "dump.rdb")
    name = "redis-7.0.15" if is_larder(larder_binary()) else "valkey-9.1.2"
    assert content.differences(expected, held(peer(name, directory=folder))) == []


@pytest.mark.larder_only
def test_a_dump_is_loaded_when_the_log_is_on_and_new(larder, peer, tmp_path):
    """Where Redis would come up empty: a dump that was put in place moves in."""
    theirs = peer("redis-7.0.15")
    expected = filled(theirs)
    dump = theirs.save()
    folder = tmp_path / "moved"
    folder.mkdir()
    shutil.copy(dump, folder / "dump.rdb")
    ours = larder(directory=folder, appendonly="yes")
    assert content.differences(expected, held(ours)) == []
    ours.ask("SET", "after", "the move")
    ours.kill()
    ours.start()
    assert ours.ask("GET", "after") == b"the move"
    ours.ask("DEL", "after")
    assert content.differences(expected, held(ours)) == []


@pytest.mark.larder_only
def test_a_format_that_cannot_be_forced_is_named(larder):
    ours = larder(start=False, rdb_format="12")
    ours.launch()
    assert ours.process.wait(20) == 1
    assert "rdb-format" in ours.log()
