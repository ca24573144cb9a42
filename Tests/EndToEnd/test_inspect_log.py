"""`larder-inspect log` on logs of Larder and Valkey: what is in them, what is wrong, and mending it."""
import fcntl
import os
import signal

import pytest

from inspector import inspect, inspect_json
from wire import encode

SESSIONS = 3000


def fill(server):
    with server.connect() as connection:
        for start in range(0, SESSIONS, 100):
            connection.send(b"".join(
                encode(("SET", f"session:{i}:token", f"value of session {i} " * 5)) for i in range(start, start + 100)))
            connection.replies(100)
        for i in range(50):
            connection.ask("HSET", f"user:{i}", "name", f"user {i}", "city", "paris")
        connection.ask("SELECT", 3)
        connection.ask("RPUSH", "queue", "a b", b"\xff\x00")


def logging(larder, **options):
    return larder(appendonly="yes", appendfsync="always", **options)


def segments(server):
    return sorted((server.directory / "appendonlydir").glob("*.incr.aof*"))


@pytest.mark.larder_only
@pytest.mark.parametrize("compression", ["no", "lz4", "zstd"])
def test_a_log_tells_its_files_commands_and_prefixes(larder, compression):
    server = logging(larder, appendcompression=compression)
    fill(server)
    running = inspect_json("log", server.directory)
    server.stop(signal.SIGTERM)
    found = inspect_json("log", server.directory / "appendonlydir")
    for told in (running, found):
        counts = {command["name"]: command["count"] for command in told["commands"]}
        assert counts["SET"] == SESSIONS
        assert counts["HSET"] == 50
        assert counts["RPUSH"] == 1
        prefixes = {prefix["prefix"]: prefix["commands"] for prefix in told["prefixes"]}
        assert prefixes["session:*:token"] == SESSIONS
        assert prefixes["user:*"] == 50
    assert found["sound"] and found["closed"]
    last = found["last"][-1]
    assert (last["database"], last["command"]) == (3, 'RPUSH queue "a b" \\xff\\x00')
    segment = next(file for file in found["files"] if file["form"] != "base")
    assert segment["commands"] == found["commandCount"]
    assert segment["streamBytes"] == found["commandBytes"] == found["end"]
    assert sum(frame["bytes"] for frame in segment["frames"]) == segment["bytes"]
    if compression != "no":
        assert segment["bytes"] < segment["streamBytes"] / 2
    text = inspect("log", "--frames", "--last", 3, server.directory)
    assert "session:*:token" in text and "sound, closed in good order" in text


def test_the_log_of_a_valkey_is_read_too(peer):
    server = peer("valkey-9.1.2", appendonly="yes")
    fill(server)
    server.stop()
    found = inspect_json("log", server.directory)
    counts = {command["name"]: command["count"] for command in found["commands"]}
    assert found["sound"] and counts["SET"] == SESSIONS and counts["HSET"] == 50


@pytest.mark.larder_only
def test_a_log_can_be_read_up_to_an_offset_or_a_moment(larder):
    server = logging(larder)
    fill(server)
    server.stop()
    whole = inspect_json("log", server.directory)
    last = whole["last"][-1]
    part = inspect_json("log", "--until", last["offset"], server.directory)
    assert part["end"] == last["offset"]
    assert part["commandCount"] == whole["commandCount"] - 1
    assert inspect_json("log", "--until", "-1d", server.directory)["commandCount"] == 0
    assert inspect_json("log", "--until", "1h", server.directory)["commandCount"] == whole["commandCount"]
    inspect("log", "--until", "never", server.directory, code=2)


@pytest.mark.larder_only
@pytest.mark.parametrize("compression", ["no", "lz4"])
def test_a_torn_tail_is_named_cut_and_kept(larder, compression):
    server = logging(larder, appendcompression=compression)
    fill(server)
    keys = server.ask("DBSIZE")
    server.kill()
    segment = segments(server)[-1]
    with open(segment, "ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$5\r\nnever" if compression == "no" else b"\x04\x22\x4d\x18\x64\x40")
    told = inspect_json("log", server.directory, code=1)
    assert not told["sound"] and told["tornTail"]["bytes"] > 0
    said = inspect("log", "--repair", server.directory)
    assert "dropping" in said
    assert list(segment.parent.glob("*.cut-*"))
    assert inspect_json("log", server.directory)["sound"]
    assert "nothing to repair" in inspect("log", "--repair", server.directory)
    server.start()
    assert server.ask("DBSIZE") == keys


@pytest.mark.larder_only
def test_what_is_staged_is_counted_and_told(larder):
    server = larder(appendonly="yes")
    for attempt in range(20):
        # The log thread takes its time, mostly more than a kill needs.
        with server.connect() as connection:
            connection.ask("SET", f"key:{attempt}", "x" * 100)
        server.kill()
        told = inspect_json("log", server.directory)
        counts = {command["name"]: command["count"] for command in told["commands"]}
        assert told["sound"] and counts["SET"] == attempt + 1 and told["otherFiles"] == []
        if told["stagedBytes"]:
            break
        server.start()
    assert told["stagedBytes"] > 100
    assert "in no segment yet" in inspect("log", server.directory)


@pytest.mark.larder_only
@pytest.mark.parametrize("compression", ["no", "lz4"])
def test_damage_stops_a_start_until_it_is_cut(larder, compression):
    server = logging(larder, appendcompression=compression)
    fill(server)
    server.stop()
    segment = segments(server)[-1]
    content = bytearray(segment.read_bytes())
    place = len(content) // 2
    content[place] ^= 0xFF
    # In a plain log a changed byte of a value is no damage that shows: break a length.
    if compression == "no":
        place = content.index(b"*3\r\n", place)
        content[place:place + 2] = b"!!"
    segment.write_bytes(content)
    told = inspect_json("log", server.directory, code=1)
    assert told["damage"]["file"].endswith(segment.name)
    assert told["damage"]["fileOffset"] <= place
    assert 0 < told["damage"]["streamOffset"] < told["damage"]["durableOffset"]
    said = inspect("log", "--repair", server.directory)
    assert "bytes of the stream that once were safely on disk" in said
    kept = inspect_json("log", server.directory)
    assert kept["sound"] and kept["end"] == told["damage"]["streamOffset"]
    assert sum(file.stat().st_size for file in segment.parent.glob("*.cut-*")) > 0
    server.start()
    assert server.ask("DBSIZE") == kept["commandCount"] - sum(
        command["count"] for command in kept["commands"] if command["name"] == "SELECT")


@pytest.mark.larder_only
def test_a_log_that_somebody_has_locked_is_not_cut(larder):
    server = logging(larder)
    fill(server)
    server.kill()
    with open(segments(server)[-1], "ab") as file:
        file.write(b"\x04\x22\x4d\x18\x64\x40")
    before = segments(server)[-1].read_bytes()
    descriptor = os.open(server.directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        inspect("log", "--repair", server.directory / "appendonlydir", code=1)
        inspect("log", "--repair", server.directory, code=1)
    finally:
        os.close(descriptor)
    assert segments(server)[-1].read_bytes() == before
