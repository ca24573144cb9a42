"""The append log from outside: its numbers, its switch, its files under standard tools and in peers."""
import contextlib
import os
import random
import shutil
import subprocess
import threading
import time

import pytest

import content
import dataset
from servers import ROOT
from wire import ReplyError, encode

pytestmark = pytest.mark.larder_only


def position(server):
    told = server.info()
    return told["master_replid"], int(told["master_repl_offset"])


def wait_for(condition, what, within=30):
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {within} s")


def compact(server):
    done = int(server.info()["aof_rewrites"])
    server.ask("BGREWRITEAOF")
    wait_for(lambda: int(server.info()["aof_rewrites"]) > done, "the compaction ends")


def held(server):
    with server.connect() as connection:
        return content.read(connection)


def fill(server, count, prefix="key", length=100):
    with server.connect() as connection:
        connection.pipeline([("SET", f"{prefix}:{i}", "x" * length) for i in range(count)])


def test_without_a_log_a_base_is_written_to_start_from(larder):
    server = larder(appendonly="no", save="")
    fill(server, 1000)
    for count in (1, 2):
        compact(server)
        wait_for(lambda: server.info()["aof_enabled"] == "0", "the log ends with its base")
        before = held(server)
        server.ask("SET", f"later:{count}", "not in it")
    server.restart(appendonly="yes")
    assert held(server) == before
    server.ask("SET", "more", "is kept")
    server.kill()
    assert server.start().ask("GET", "more") == b"is kept"


@pytest.mark.parametrize("command,status", [
    ("BGSAVE", b"Background saving scheduled"), ("BGREWRITEAOF", b"Background append only file rewriting scheduled")])
def test_what_a_transaction_starts_begins_behind_it(command, status, larder):
    with larder(appendonly="yes").connect() as connection:
        connection.ask("MULTI")
        connection.ask(command)
        assert connection.ask("EXEC") == [status]


# Offset and replication id


def test_offset_and_id_survive_a_restart_a_compaction_and_a_save(larder):
    server = larder(appendonly="yes")
    fill(server, 1000)
    before = position(server)
    assert before[1] > 100_000
    server.ask("SAVE")
    compact(server)
    assert position(server) == before
    told = server.info("persistence")
    assert told["log_end_offset"] == str(before[1])
    server.restart()
    assert position(server) == before, "after a stop in good order the history goes on"
    assert server.info()["master_replid2"] == "0" * 40
    server.ask("SET", "one", "more")
    after = position(server)
    assert after[0] == before[0] and after[1] > before[1]


def test_after_a_kill_the_history_goes_on_under_another_id(larder):
    """A replica may have seen bytes that the crash took; under the old id it would not be found out."""
    server = larder(appendonly="yes")
    fill(server, 100)
    old, offset = position(server)
    server.kill()
    server.start()
    told = server.info("replication")
    assert int(told["master_repl_offset"]) == offset
    assert told["master_replid"] != old and told["master_replid2"] == old
    assert int(told["second_repl_offset"]) == offset + 1


def test_a_dump_carries_the_place_in_the_stream_to_a_new_log(larder, tmp_path):
    server = larder(appendonly="yes")
    fill(server, 100)
    old, offset = position(server)
    dump = server.save()
    folder = tmp_path / "moved"
    folder.mkdir()
    shutil.copy(dump, folder / "dump.rdb")
    moved = larder(directory=folder, appendonly="yes")
    told = moved.info("replication")
    assert int(told["master_repl_offset"]) == offset
    assert told["master_replid2"] == old


# The switch


def test_the_log_is_switched_on_and_off_while_the_daemon_runs(larder):
    server = larder(appendonly="no")
    fill(server, 500, "before")
    assert server.ask("CONFIG", "SET", "appendonly", "yes") == b"OK"
    fill(server, 500, "while")
    wait_for(lambda: server.info()["log_condition"] == "writable", "the base is written")
    fill(server, 500, "after")
    assert server.ask("WAITAOF", 1, 0, 5000) == [1, 0]
    expected = held(server)
    server.kill()
    server.options["appendonly"] = "yes"
    server.start()
    assert content.differences(expected, held(server)) == []

    old, offset = position(server)
    assert server.ask("CONFIG", "SET", "appendonly", "no") == b"OK"
    assert server.info()["aof_enabled"] == "0"
    fill(server, 10, "uncounted")
    assert server.ask("CONFIG", "SET", "appendonly", "yes") == b"OK"
    wait_for(lambda: server.info()["log_condition"] == "writable", "the second base is written")
    new = position(server)
    assert new[0] != old and new[1] >= offset, "what was not counted needs an id of its own"
    expected = held(server)
    server.kill()
    server.start()
    assert content.differences(expected, held(server)) == []
    manifest = (server.directory / "appendonlydir" / "appendonly.aof.manifest").read_text()
    assert "pending" not in manifest


def test_a_kill_while_a_log_begins_leaves_what_was_there(larder):
    """Until its base counts, a log that was switched on promises nothing and destroys nothing."""
    server = larder(appendonly="yes")
    fill(server, 200, "old")
    old = held(server)
    server.ask("CONFIG", "SET", "appendonly", "no")
    with server.connect() as connection:
        connection.send(encode(("CONFIG", "SET", "appendonly", "yes")) + encode(("SET", "new", "value")))
        connection.replies(2)
        server.kill()
    server.start()
    found = held(server)
    with_new = content.differences(old, found)
    assert with_new == [] or server.ask("GET", "new") == b"value"


# WAITAOF


def test_waitaof_replies_as_valkey_does(larder, peer):
    servers = larder(appendonly="yes"), peer("valkey-9.1.2", appendonly="yes")
    off = larder(appendonly="no"), peer("valkey-9.1.2", appendonly="no")
    cases = [
        ("WAITAOF", "1", "0", "0"), ("WAITAOF", "0", "0", "0"), ("WAITAOF", "2", "0", "0"), ("WAITAOF", "-1", "0", "0"),
        ("WAITAOF", "1", "-1", "0"), ("WAITAOF", "x", "0", "0"), ("WAITAOF", "1", "0", "x"), ("WAITAOF", "1", "0", "-1"),
        ("WAITAOF", "0", "1", "20"), ("WAITAOF", "1", "1", "2000"), ("WAITAOF", "1"), ("WAIT", "0", "0"), ("WAIT", "1", "20"),
        ("WAIT", "x", "0"), ("WAIT", "0", "-1"),
    ]
    for pair in (servers, off):
        with pair[0].connect() as ours, pair[1].connect() as theirs:
            for connection in (ours, theirs):
                connection.ask("SET", "k", "v")
            for case in cases:
                replies = [told(connection, case) for connection in (ours, theirs)]
                assert replies[0] == replies[1], case
            for connection in (ours, theirs):
                connection.ask("MULTI")
                connection.ask("WAITAOF", "0", "0", "0")
            assert ours.ask("EXEC") == theirs.ask("EXEC")


def told(connection, request):
    try:
        return connection.ask(*request)
    except ReplyError as error:
        return str(error)


@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_waitaof_waits_for_the_disk(policy, larder):
    server = larder(appendonly="yes", appendfsync=policy)
    with server.connect() as connection:
        connection.ask("SET", "k", "v")
        assert connection.ask("WAITAOF", 1, 0, 5000) == [1, 0]
        told = server.info("persistence")
        assert told["log_durable_offset"] == told["log_end_offset"]
        assert int(told["log_pending_bytes"]) == 0
        assert int(told["log_fsync_count"]) >= 1


def test_slow_syncs_are_told_by_latency(larder):
    server = larder(appendonly="yes", appendfsync="always", latency_monitor_threshold=1)
    with server.connect() as connection:
        def is_told():
            connection.pipeline([("SET", "key", "x" * 1000)] * 20, depth=1)
            return any(event[0] == b"aof-fsync-always" for event in connection.ask("LATENCY", "LATEST"))
        wait_for(is_told, "a sync of a millisecond is noticed", within=60)
    told = server.info("persistence")
    assert int(told["log_fsync_count"]) >= 20
    assert int(told["log_longest_fsync_usec"]) >= 1000
    assert "=" in told["log_fsync_usec_histogram"]
    assert int(told["log_last_fsync_time"]) > 1_700_000_000


# Standard tools, and peers


def decoded(folder):
    """The increments of a log, as the tools of the distribution print them, in the manifest's order."""
    subprocess.run([ROOT / "Tools" / "install", "lz4", "zstd"], check=True)
    text = b""
    formats = set()
    for line in (folder / "appendonly.aof.manifest").read_text().splitlines():
        words = line.split()
        if words[-1] != "i":
            continue
        path = folder / words[1]
        tool = "zstd" if path.suffix == ".zst" else "lz4"
        formats.add(path.suffix)
        done = subprocess.run([tool, "-dc", path], capture_output=True)
        assert done.returncode == 0, done.stderr
        text += done.stdout
    return text, formats


def test_standard_tools_turn_segments_into_what_redis_replays(larder, peer, tmp_path):
    server = larder(appendonly="yes")
    with server.connect() as connection:
        dataset.fill(connection)
    server.restart()
    folder = server.directory / "appendonlydir"
    # What was left is sealed in the background.
    wait_for(lambda: list(folder.glob("*.zst")), "the first segment is sealed")
    with server.connect() as connection:
        connection.pipeline([("SET", f"live:{i}", i) for i in range(1000)] + [("MULTI",), ("INCR", "live:1"), ("DEL", "live:2"), ("EXEC",)])
        connection.ask("WAITAOF", 1, 0, 5000)
        expected = content.read(connection)
    # The segment that is being written is whole, too.
    text, formats = decoded(folder)
    assert formats == {".lz4", ".zst"}
    (tmp_path / "replay" / "appendonlydir").mkdir(parents=True)
    (tmp_path / "replay" / "appendonlydir" / "appendonly.aof.1.incr.aof").write_bytes(text)
    (tmp_path / "replay" / "appendonlydir" / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    redis = peer("redis-7.0.15", directory=tmp_path / "replay", appendonly="yes")
    assert content.differences(expected, held(redis)) == []


@pytest.mark.parametrize("name", ["redis-7.0.15", "valkey-9.1.2"])
@pytest.mark.parametrize("killed", [False, True])
def test_peers_open_a_plain_log_as_their_own(name, killed, larder, peer, tmp_path):
    server = larder(appendonly="yes", appendcompression="no", rdb_format="10")
    with server.connect() as connection:
        dataset.fill(connection)
        connection.ask("SET", "gone", 1)
    compact(server)
    with server.connect() as connection:
        connection.pipeline([("DEL", "gone"), ("MULTI",), ("SET", "a", 1), ("SELECT", 3), ("INCR", "b"), ("EXEC",)])
        connection.ask("SELECT", 0)
        expected = content.read(connection)
    server.kill() if killed else server.stop()
    shutil.copytree(server.directory / "appendonlydir", tmp_path / "opened" / "appendonlydir")
    theirs = peer(name, directory=tmp_path / "opened", appendonly="yes")
    assert content.differences(expected, held(theirs)) == []
    theirs.ask("SET", "written:by", name)
    wait_for(lambda: theirs.info()["aof_pending_bio_fsync"] == "0", "it is written")
    theirs.stop()
    # And back again.
    ours = larder(directory=tmp_path / "opened", appendonly="yes", appendcompression="no")
    assert ours.ask("GET", "written:by") == name.encode()
    assert ours.ask("GET", "a") == b"1"


@pytest.mark.parametrize("policy", ["always", "everysec"])
@pytest.mark.parametrize("killed", [False, True])
def test_the_form_of_the_log_changes_while_the_daemon_runs(killed, policy, larder, peer, tmp_path):
    server = larder(appendonly="yes", appendfsync=policy, rdb_format="10")
    folder = server.directory / "appendonlydir"
    fill(server, 300, "lz4")
    with server.connect() as connection:
        connection.ask("SELECT", 3)
        connection.ask("SET", "chosen", 3)
        # One turn: what stands before and behind it is replayed into its own database.
        connection.pipeline([("SET", "before", 1), ("CONFIG", "SET", "appendcompression", "no"), ("SET", "after", 1)])
        connection.pipeline([("MULTI",), ("SET", "in", 1), ("CONFIG", "SET", "appendcompression", "zstd"), ("SET", "out", 1), ("EXEC",)])
        connection.pipeline([("SET", f"zstd:{i}", i) for i in range(300)])
        connection.ask("CONFIG", "SET", "appendcompression", "no")
        connection.pipeline([("SET", f"plain:{i}", i) for i in range(300)])
    server.ask("WAITAOF", 1, 0, 5000)
    # The first segment may have been sealed in the meantime.
    assert {path.name.partition(".incr.aof")[2] for path in folder.glob("*.incr.aof*")} >= {"", ".zst"}
    expected = held(server)
    server.kill() if killed else server.stop()
    server.start()
    assert content.differences(expected, held(server)) == []

    # A server started with another form than its log has goes on in that form.
    server.ask("CONFIG", "SET", "appendcompression", "no")
    fill(server, 100, "again")
    wait_for(lambda: not list(folder.glob("*.stage")), "the stage is not needed any more")
    compact(server)
    expected = held(server)
    server.kill() if killed else server.stop()
    assert all(path.name.endswith((".aof", ".rdb", ".manifest")) for path in folder.iterdir())
    shutil.copytree(folder, tmp_path / "opened" / "appendonlydir")
    theirs = peer("redis-7.0.15", directory=tmp_path / "opened", appendonly="yes")
    assert content.differences(expected, held(theirs)) == []


def test_a_log_that_ends_inside_a_transaction_ends_whole(larder):
    """CONFIG SET appendonly no, between the requests of a MULTI."""
    server = larder(appendonly="yes")
    with server.connect() as connection:
        connection.pipeline([("MULTI",), ("SET", "a", 1), ("CONFIG", "SET", "appendonly", "no"), ("SET", "b", 1), ("EXEC",)])
    server.kill()
    server.start()
    assert server.ask("GET", "a") == b"1"
    assert "cut" not in server.log()


# DEBUG LOADAOF


@pytest.mark.parametrize("compression", ["lz4", "no"])
def test_debug_loadaof_puts_the_log_in_the_place_of_the_data(compression, larder):
    server = larder(appendonly="yes", appendcompression=compression, enable_debug_command="yes")
    with server.connect() as connection, server.connect() as waiting:
        dataset.fill(connection)
        compact(server)
        connection.pipeline([("SELECT", 3), ("SET", "in:3", 1), ("SELECT", 0), ("MULTI",), ("INCR", "counter"), ("INCR", "counter"), ("EXEC",)])
        # What was done before in the same turn is in the log when it is read.
        connection.send(encode(("INCR", "counter")) + encode(("DEBUG", "LOADAOF")) + encode(("INCR", "counter")))
        assert [value for _, value in connection.replies(3)] == [3, b"OK", 4]
        waiting.send(encode(("BLPOP", "list:to:come", 0)))
        place, digest = position(server), connection.ask("DEBUG", "DIGEST")
        calls = server.info("commandstats").get("cmdstat_incr")
        assert connection.ask("DEBUG", "LOADAOF") == b"OK"
        assert connection.ask("DEBUG", "DIGEST") == digest
        assert position(server) == place, "a reload is no change"
        assert server.info("commandstats").get("cmdstat_incr") == calls
        connection.ask("RPUSH", "list:to:come", "x")
        assert waiting.reply() == ("*", (("$", b"list:to:come"), ("$", b"x")))
        connection.pipeline([("MULTI",), ("SET", "inside", 1), ("DEBUG", "LOADAOF"), ("SET", "behind", 1), ("EXEC",)])
        assert connection.ask("MGET", "inside", "behind") == [b"1", b"1"]
        expected = content.read(connection)
    server.kill()
    server.start()
    assert content.differences(expected, held(server)) == []


def test_debug_loadaof_changes_nothing_without_a_log(larder, peer):
    server, theirs = larder(appendonly="no", enable_debug_command="yes"), peer("valkey-9.1.2", enable_debug_command="yes")
    with server.connect() as ours, theirs.connect() as others:
        ours.ask("SET", "k", "v")
        assert told(ours, ("DEBUG", "LOADAOF")) == told(others, ("DEBUG", "LOADAOF"))
        assert ours.ask("GET", "k") == b"v"


def test_debug_loadaof_of_a_damaged_log_ends_the_server_and_not_the_log(larder):
    server = larder(appendonly="yes", appendcompression="no", enable_debug_command="yes")
    fill(server, 1000)
    server.ask("WAITAOF", 1, 0, 5000)
    segment = next((server.directory / "appendonlydir").glob("*.incr.aof"))
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    with open(segment, "r+b") as file:
        file.write(damaged)
    with server.connect() as connection, contextlib.suppress(OSError, EOFError):
        connection.ask("DEBUG", "LOADAOF")
    assert server.process.wait(20) == 1
    assert "DEBUG LOADAOF" in server.log() and segment.name in server.log()


@pytest.mark.parametrize("name", ["redis-7.0.15", "valkey-9.1.2"])
@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_peers_log_with_times_and_a_cut_tail_opens(name, preamble, larder, peer, tmp_path):
    theirs = peer(name, appendonly="yes", aof_use_rdb_preamble=preamble, aof_timestamp_enabled="yes", appendfsync="always")
    fill(theirs, 300)
    theirs.ask("BGREWRITEAOF")
    wait_for(lambda: theirs.info()["aof_rewrite_in_progress"] == "0" and theirs.info()["aof_last_bgrewrite_status"] == "ok"
             and theirs.info()["aof_rewrite_scheduled"] == "0", "the rewrite ends")
    for part in range(3):
        fill(theirs, 100, f"part:{part}")
        time.sleep(1.1)  # A note of the time is written when a second has passed.
    with theirs.connect() as connection:
        expected = content.read(connection)
        connection.ask("SET", "cut", "x" * 100)
    theirs.kill()
    folder = tmp_path / "opened"
    shutil.copytree(theirs.directory / "appendonlydir", folder / "appendonlydir")
    files = sorted((folder / "appendonlydir").glob("*.incr.aof"), key=os.path.getmtime)
    last = max(files, key=os.path.getsize)
    assert b"#TS:" in last.read_bytes()
    with open(last, "r+b") as log:
        log.truncate(last.stat().st_size - 40)
    ours = larder(directory=folder, appendonly="yes")
    assert content.differences(expected, held(ours)) == []
    assert "cut by a crash" in ours.log()
    assert list((folder / "appendonlydir").glob("*.cut-*")), "what was cut is kept aside"


def test_damage_before_the_tail_stops_the_start_and_says_what_to_do(larder):
    server = larder(appendonly="yes")
    rng = random.Random(1)
    with server.connect() as connection:
        connection.pipeline([("SET", f"key:{i}", rng.randbytes(100)) for i in range(20_000)])
        time.sleep(1.2)
        connection.pipeline([("SET", f"more:{i}", rng.randbytes(100)) for i in range(20_000)])
    server.stop()
    segment = next((server.directory / "appendonlydir").glob("*.incr.aof*"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 4] ^= 1
    segment.write_bytes(data)
    server.launch()
    assert server.process.wait(20) == 1
    said = server.log()
    assert segment.name in said and "at byte" in said and "are lost" in said
    assert "larder-inspect log --repair" in said


# A full disk


@contextlib.contextmanager
def small_disk(path, megabytes):
    path.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run([*as_root, "umount", "-l", path], check=True)


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_a_full_disk_is_said_and_left_again_when_there_is_room(policy, larder, tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk:
        server = larder(start=False, directory=disk, appendonly="yes", appendfsync=policy, auto_aof_rewrite_percentage=0,
                        auto_aof_rewrite_garbage_percentage=0)
        server.output = tmp_path / "server.out"  # Not on the disk that is going to be full.
        server.start()
        (disk / "filler").write_bytes(bytes(24 << 20))
        acknowledged = []
        refusal = write_until_refused(server, acknowledged)
        assert "MISCONF" in refusal, refusal
        assert "No space left on device" in refusal
        with server.connect() as connection:
            assert "MISCONF" in told(connection, ("PING",))
            assert connection.ask("GET", acknowledged[0][0]) == acknowledged[0][1]
            assert server.info()["log_condition"] == "full"
            (disk / "filler").unlink()
            wait_for(lambda: told(connection, ("PING",)) in (b"PONG", "PONG"), "writes are taken again")
            assert connection.ask("SET", "after", "the flood") == b"OK"
        server.kill()
        server.start()
        with server.connect() as connection:
            for start in range(0, len(acknowledged), 500):
                part = acknowledged[start:start + 500]
                assert connection.ask("MGET", *(key for key, _ in part)) == [value for _, value in part]
            assert connection.ask("GET", "after") == b"the flood"
        server.kill()


def write_until_refused(server, acknowledged):
    """Writes what cannot be compressed, until a reply is an error; the error."""
    rng = random.Random(7)
    with server.connect() as connection:
        for index in range(20_000):
            key, value = f"noise:{index}", rng.randbytes(20_000)
            try:
                connection.ask("SET", key, value)
            except ReplyError as error:
                return str(error)
            acknowledged.append((key, value))
    raise AssertionError("the disk was never full")


def test_a_compaction_that_the_disk_has_no_room_for_is_refused_beforehand(larder, tmp_path):
    with small_disk(tmp_path / "disk", 48) as disk:
        server = larder(start=False, directory=disk, appendonly="yes", auto_aof_rewrite_percentage=0)
        server.output = tmp_path / "server.out"
        server.start()
        rng = random.Random(3)
        with server.connect() as connection:
            connection.pipeline([("SET", f"noise:{i}", rng.randbytes(20_000)) for i in range(1000)])
            with pytest.raises(ReplyError, match="needs about"):
                connection.ask("BGREWRITEAOF")
        assert int(server.info()["log_compaction_estimated_bytes"]) > 15_000_000
        server.kill()


# Compaction


def overwrite_some(server):
    with server.connect() as connection:
        connection.pipeline([("SET", f"key:{i}", random.randbytes(1000)) for i in range(200)])


def test_garbage_is_compacted_by_itself(larder):
    server = larder(appendonly="yes", auto_aof_rewrite_percentage=0, auto_aof_rewrite_min_size="1mb")
    stop = threading.Event()

    def overwrite():
        while not stop.is_set():
            overwrite_some(server)

    thread = threading.Thread(target=overwrite)
    thread.start()
    try:
        wait_for(lambda: int(server.info()["aof_rewrites"]) >= 1, "the log is compacted")
    finally:
        stop.set()
        thread.join()
    # What was written while the last compaction went on is more of it, for the next one.
    wait_for(lambda: int(server.info()["aof_current_size"]) < 40 << 20, "the log is small")
    server.ask("CONFIG", "SET", "auto-aof-rewrite-garbage-percentage", 0)
    wait_for(lambda: server.info()["aof_rewrite_in_progress"] == "0", "no compaction is under way")
    overwrite_some(server)
    ratio = float(server.info()["log_garbage_ratio"])
    expected = held(server)
    server.restart(auto_aof_rewrite_garbage_percentage=0)
    assert content.differences(expected, held(server)) == []
    assert abs(float(server.info()["log_garbage_ratio"]) - ratio) < 0.2, "the ratio is kept over a restart"
